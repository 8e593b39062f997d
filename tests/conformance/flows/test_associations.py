"""The stories of DICOM and of documents."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))

from dose_builder import DoseStory, cdsr_run, document, rdim_run, store, uid

from conformance.flows import Flows, build
from conformance.flows.associations import STORE, succeeded
from conformance.flows.documents import documents


def told(story: DoseStory) -> Flows:
    """The flows of a story."""
    return build(story.closed())


def test_operations_stand_in_their_association_and_step() -> None:
    """Each operation belongs to the association of its name, also where several overlap, and to the step it came in."""
    dicom = told(rdim_run()).dicom
    assert [len(one.operations) for one in dicom.associations] == [1, 1, 1, 1]
    assert [one.step for one in dicom.associations] == ["configure", "forward", "forward", "forward"]
    assert [item.facts.sop_instance for item in dicom.operations(STORE)] == [uid(1), uid(2), uid(3)]
    assert all(one.began <= one.operations[0].t <= one.ended for one in dicom.associations)


def test_an_object_has_all_its_copies_and_readings_in_order() -> None:
    """Copies under one UID are one object, in each environment its own; what was planted knows what arrived of it."""
    story = rdim_run()
    story.associate(store(1, status=0xA700), store(1, delivered=False), store(4))
    story.put(story.stores()[-1], "/environment", "production")
    dicom = told(story).dicom
    first = next(item for item in dicom.objects if item.sop_instance == uid(1))
    assert [copy.facts.status for copy in first.copies] == [0, 0xA700, 0]
    assert [copy.told for copy in first.copies] == [True, False, False]
    assert first.arrived is first.copies[0]
    assert len(first.readings) == 1
    assert [item.environment for item in dicom.objects] == ["test", "test", "test", "production"]
    assert [planted.received.arrived is not None for planted in dicom.planted if planted.received] == [True, True, True]


def test_an_association_that_has_not_ended_is_told_all_the_same() -> None:
    """A recording may end in the midst of an association: its operations count, its end is unknown."""
    story = rdim_run()
    del story.entries[story.ends()[-1]]
    dicom = told(story).dicom
    assert [one.facts is None for one in dicom.associations] == [False, False, False, True]
    assert dicom.associations[-1].seq == dicom.associations[-1].operations[0].seq
    assert len(dicom.operations(STORE)) == 3


@pytest.mark.parametrize(
    ("station", "configured"), [("CT1", True), ("CT1   ", True), (" CT1", False), ("ct1", False), ("MR1", False), ("", False)]
)
def test_a_station_is_known_by_its_name_but_for_trailing_spaces(station: str, *, configured: bool) -> None:
    """Names are compared as DICOM means them; a station that was removed was configured before."""
    story = rdim_run()
    story.event("station-removed", environment="test", station="MR1")
    assert told(story).dicom.configured("test", station) is configured
    assert not told(story).dicom.configured("production", station)


@pytest.mark.parametrize(
    ("status", "stored"), [(0, True), (1, True), (0xB000, True), (0xBFFF, True), (None, False), (0x0122, False), (0xC000, False)]
)
def test_warnings_are_successes(status: int | None, *, stored: bool) -> None:
    """An object that was stored with a warning is stored."""
    assert succeeded(status) is stored


def test_refused_peers_have_no_story_but_a_source() -> None:
    """An association that the allowlist refused is a source that was seen, and nothing else."""
    story = rdim_run()
    story.associate(allowed=False, contexts=())
    found = told(story)
    assert len(found.dicom.associations) == 4
    assert [(source.allowed, source.count) for source in found.sources] == [(True, 4), (False, 1)]


def test_documents_are_told_by_id() -> None:
    """Posts of one id are one document; one without an id belongs to none; what was not read is left."""
    story = cdsr_run()
    document(story, 1, 400, id="", missing=("id",))
    document(story, 1, 201, id="another")
    story.put(len(story.entries) - 1, "/facts/document", None)
    found = told(story)
    assert len(found.documents) == 3
    assert [(len(one.posts), one.posts[0].stored) for one in documents(found.documents)] == [(2, True)]
