"""The vendor of documents: ready, wrong in each way just so, and what it makes of a refusal."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from acrmock.clock import ManualClock, SystemClock
from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.record import HttpEntry
from acrmock.typed import convert
from conformance.control import Control
from conformance.detection import REFERENCE
from conformance.plugin import ApplicationUnderTest, ServerUnderTest
from conformance.result import Outcome, Verdict, Weight
from conformance.runs.certification import certify
from conformance.runs.demo import order
from conformance.runs.inprocess import VendorThread
from conformance.runs.selftest import selftest
from conformance.vendors.config import Registration, VendorError
from conformance.vendors.documents import making
from conformance.vendors.documents.making import Document
from conformance.vendors.documents.reference import TRIES, DocumentVendor
from conformance.vendors.kinds import Part, Surroundings, broken_of, parts_of, vendor_of
from mockserver import Engine

FACTS = load_facts()
SHAPE = making.shape_of(FACTS)
Make = Callable[..., DocumentVendor]


class Forgetful(DocumentVendor):
    """Leaves elements out of what it sends first, and corrects what the refusal names."""

    def outgoing(self, document: Document) -> Document:
        """Without an element of the header, and one of the program's own part."""
        less = making.without(document, SHAPE.header, SHAPE.elements[2])
        return making.without(less, SHAPE.header, SHAPE.specific, SHAPE.own[1])


@pytest.fixture
def application() -> Iterator[ApplicationUnderTest]:
    """An application of documents alone, on a server of its own."""
    with Engine() as engine:
        assert engine.ready is not None
        control = Control(engine.ready.url, engine.ready.control_token, str(engine.ready.ca_file))
        yield ServerUnderTest(control, process=False).register(profile="cdsr", registry="cdsr")


@pytest.fixture
def make(application: ApplicationUnderTest, tmp_path: Path) -> Make:
    """Makes a vendor whose pauses take no time."""

    def made(kind: type[DocumentVendor] = DocumentVendor, clock: Any = None) -> DocumentVendor:
        registration = convert(dict(application), Registration)
        clock = clock or ManualClock(SystemClock().now())
        return kind(registration, tmp_path / "documents.json", facts=FACTS, clock=clock, say=lambda _: None)

    return made


def statuses(application: ApplicationUnderTest) -> list[int]:
    """The answers to its documents, in order."""
    entries = [entry for entry in application.journal() if isinstance(entry, HttpEntry)]
    return [entry.response.status for entry in entries if entry.facts.document is not None]


def test_every_fault_is_found_by_its_own_check_alone(tmp_path: Path) -> None:
    """The reference passes everything that is scored, every scored check has vendors that fail it, and it alone."""
    found = selftest("cdsr", tmp_path)
    skipped = set() if sys.platform == "linux" else {"allow-registered"}
    assert {row.vendor: row.faults for row in found.rows if row.faults and row.check not in skipped} == {}
    assert found.missing == ()
    assert {row.vendor for row in found.rows} == {REFERENCE, *broken_of(FACTS.profile("cdsr"))}
    reference = next(row for row in found.rows if row.vendor == REFERENCE)
    assert {reference.cells[check].outcome for check in found.checks} == {Outcome.PASSED}


def test_what_a_refusal_names_is_corrected_at_once(application: ApplicationUnderTest, make: Make) -> None:
    """Two elements that a 400 names are put right in one go, and the judge has nothing against it."""
    application.step("create")
    make(Forgetful).run("create")
    application.step("update")
    make().run("update")
    assert statuses(application) == [400, 201, 400, 201, 200, 200]
    result = application.verdict(only="cdsr")
    assert {f.check: f.actual for f in result.findings if f.weight is not Weight.NOT_SCORED and f.outcome != "passed"} == {}


def test_an_internal_error_is_outlasted_with_growing_pauses(application: ApplicationUnderTest, make: Make) -> None:
    """Where a 400 names no element the same document comes again, later each time, and a bounded number of times."""
    rule = {"application": application["application"], "environment": "test", "operation": "cdsr.post", "name": "internal"}
    control = application.clock._control
    control.set_fault(**rule, error="document-not-ingested", trigger={"kind": "first", "count": 2})
    waits: list[float] = []

    class Watched(ManualClock):
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return super().wait(seconds)

    make(clock=Watched(SystemClock().now())).run("create")
    assert statuses(application) == [400, 400, 201, 201]
    assert waits == sorted(waits)
    assert len(set(waits)) == len(waits) == 2
    control.set_fault(**rule, error="document-not-ingested", trigger={"kind": "always"})
    with pytest.raises(VendorError, match="not taken"):
        make().run("update")
    assert statuses(application)[4:] == [400] * TRIES
    findings = {f.check: f.outcome for f in application.verdict(only="cdsr").findings}
    assert findings["cdsr-internal-error"] is Outcome.PASSED


def test_a_refusal_without_a_body_ends(application: ApplicationUnderTest, make: Make) -> None:
    """A bare 400 (choice U34) names nothing, so a document that is wrong is given up after a few tries."""
    application.settings({"cdsr.bare_refusal": True})
    with pytest.raises(VendorError, match="400"):
        make(Forgetful).run("create")
    assert statuses(application) == [400] * TRIES


def test_nothing_to_update_and_no_such_step(make: Make, tmp_path: Path) -> None:
    """An update before any document, an unknown step and a spoiled memory are each said."""
    with pytest.raises(VendorError, match="no document"):
        make().run("update")
    with pytest.raises(SetupError, match="create, update"):
        make().run("sign-in")
    (tmp_path / "documents.json").write_text("{")
    with pytest.raises(SetupError, match="cannot be read"):
        make()


@pytest.mark.parametrize(
    "body", [None, [], {}, {"errors": None}, {"errors": [5, {}, {"pointer": 7}, {"pointer": "x"}]}, {"errors": {"pointer": "/a"}}]
)
def test_a_refusal_that_names_nothing(body: Any) -> None:
    """What is no list of pointers names nothing, and corrects nothing."""
    assert making.named(body) == ()
    assert making.corrected({"a": 1}, {"a": 2}, making.named(body)) == {"a": 1}


def test_places_are_corrected_from_the_good_document() -> None:
    """Escaped names are read (RFC 6901), nested ones put in, and what the good document lacks is left alone."""
    places = making.named({"errors": [{"pointer": "/a~1b/c~0d"}, {"pointer": "/x/y"}, {"pointer": "/a~1b/z"}]})
    assert places == (("a/b", "c~d"), ("x", "y"), ("a/b", "z"))
    good = {"a/b": {"c~d": 1}, "x": {"y": 2}}
    assert making.corrected({"a/b": {"e": 0}}, good, places) == {"a/b": {"e": 0, "c~d": 1}, "x": {"y": 2}}


@pytest.mark.parametrize(
    ("profile", "parts"),
    [
        ("lcsr", {Part.EXAMS}),
        ("cdsr", {Part.DOCUMENTS}),
        ("dir-rdim", {Part.DOSES}),
        ("lcsr+mips+nmd", {Part.EXAMS}),
        ("all", {Part.EXAMS, Part.DOCUMENTS}),
        ("lcsr+cdsr+dir-pacs", set(Part)),
    ],
)
def test_the_parts_of_a_profile(profile: str, parts: set[Part]) -> None:
    """A joined profile has a vendor of several parts, whose broken vendors are those of each part for checks that are judged."""
    known = FACTS.profile(profile)
    assert set(parts_of(known)) == parts
    broken = broken_of(known)
    assert {name.partition(":")[0] for name in broken} <= set(known.weights)
    assert ("cdsr-header:nested" in broken) == (Part.DOCUMENTS in parts)
    assert ("tx-header" in broken) == (Part.EXAMS in parts)
    assert ("dir-echo" in broken) == (Part.DOSES in parts)


def test_no_part_knows_the_step(application: ApplicationUnderTest, tmp_path: Path) -> None:
    """A step that no part of a joined profile's vendor knows is refused with those that there are."""
    around = Surroundings(
        registration=convert(dict(application), Registration),
        state=tmp_path / "state.json",
        facts=FACTS,
        clock=SystemClock(),
        say=lambda _: None,
    )
    with pytest.raises(SetupError, match="sign-in-again"):
        vendor_of(FACTS.profile("all"), None, around).run("dance")


def test_one_vendor_is_ready_for_every_registry(tmp_path: Path) -> None:
    """The vendor of the profile `all` signs in once, serves six registries, posts documents, and has every point."""
    with order("all", tmp_path) as prepared:
        result = certify(dataclasses.replace(prepared, runner=VendorThread(None), package=False))
    assert {f"{f.check} {f.registry}": f.actual for f in result.findings if f.outcome is Outcome.FAILED} == {}
    assert result.verdict is Verdict.READY
    assert result.points.earned == result.points.possible > 90
    assert {f.registry for f in result.findings if f.registry} == {"lcsr", "grid", "mips", "nmd", "ctc", "3dp"}


def test_one_vendor_sends_documents_and_dose_reports(tmp_path: Path) -> None:
    """Both go out from one vendor; where the part of documents is broken, nothing else fails."""
    wrong = "cdsr-times-id:version"
    with order("cdsr+dir-direct", tmp_path, wrong) as prepared:
        (title,) = prepared.application.dicom
        result = certify(dataclasses.replace(prepared, runner=VendorThread(wrong, None, title), package=False))
    assert {f.check for f in result.findings if f.outcome is Outcome.FAILED} == {"cdsr-times-id"}
    assert result.verdict is Verdict.READY, "a should costs its point"
    assert result.points.earned == result.points.possible - 1
    assert {f.group for f in result.findings if f.outcome is Outcome.PASSED} == {"apply", "allow", "cdsr", "dir"}
