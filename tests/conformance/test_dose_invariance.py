"""What is judged of DICOM does not hang on references, nor on when a job wrote down what it read, nor on who else was served."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from builder import good_run, lines
from catalogue import FACTS
from dose_builder import RUNS, DoseMutation, DoseStory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_redaction_invariance import renamed

from acrmock.record import AnyEntry, AssociationEntry, DimseEntry, EventEntry
from conformance.judge import judge
from conformance.recording import read
from conformance.result import Outcome, Verdict

sys.path.append(str(Path(__file__).parent / "checks"))

from dose_mutations import DOSE_MUTATIONS

FIELDS = ("check", "registry", "subject", "outcome", "blocked_by", "weight")
CASES = [(name, mutation) for name, _, _, mutation in DOSE_MUTATIONS] + [(name, DoseStory.closed) for name in RUNS]


def entries_of(name: str, mutation: DoseMutation) -> list[AnyEntry]:
    """The entries of a run that is wrong in one way."""
    story = RUNS[name]()
    mutation(story)
    return story.closed()


def found(name: str, entries: list[AnyEntry], *, evidence: bool = True) -> tuple[object, ...]:
    """The verdict and of each finding what matters; the words may quote a reference."""
    result = judge(read(lines(entries)), FACTS, FACTS.profile(name))
    fields = (*FIELDS, "evidence") if evidence else FIELDS
    return result.verdict, result.points, [tuple(getattr(finding, one) for one in fields) for finding in result.findings]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(case=st.sampled_from(CASES), key=st.binary(min_size=16, max_size=16))
def test_no_finding_changes_by_redaction(case: tuple[str, DoseMutation], key: bytes) -> None:
    """Under any other digest key the same findings come with the same evidence."""
    name, mutation = case
    entries = entries_of(name, mutation)
    other, count = renamed(entries, key)
    assert count
    assert found(name, other) == found(name, entries)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(case=st.sampled_from(CASES), data=st.data())
def test_no_outcome_changes_by_when_a_report_was_read(case: tuple[str, DoseMutation], data: st.DataObject) -> None:
    """Reading is a job: what it read may stand anywhere after the object, without any outcome changing."""
    name, mutation = case
    entries = entries_of(name, mutation)
    readings = [entry for entry in entries if isinstance(entry, EventEntry) and entry.name == "dir-report"]
    others = [entry for entry in entries if entry not in readings]
    for reading in readings:
        stored = [isinstance(e, DimseEntry) and e.facts.sop_instance == reading.data["sop_instance"] for e in others]
        first = 1 + (stored.index(True) if True in stored else len(others) - 2)
        others.insert(data.draw(st.integers(first, max(first, len(others) - 1))), reading)
    moved = [msgspec.structs.replace(entry, seq=number) for number, entry in enumerate(others, 1)]
    assert found(name, moved, evidence=False) == found(name, entries, evidence=False)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(case=st.sampled_from([case for case in CASES if case[0] != "cdsr"]), data=st.data())
def test_no_outcome_changes_by_when_associations_end(case: tuple[str, DoseMutation], data: st.DataObject) -> None:
    """Associations overlap: the entry of one may come after the operations of others."""
    name, mutation = case
    entries = entries_of(name, mutation)
    ends = [entry for entry in entries if isinstance(entry, AssociationEntry)]
    rest = [entry for entry in entries if entry not in ends]
    last = rest.pop()
    chosen = data.draw(st.permutations(ends))
    kept = [msgspec.structs.replace(entry, seq=number) for number, entry in enumerate((*rest, *chosen, last), 1)]
    assert found(name, kept, evidence=False) == found(name, entries, evidence=False)


def test_a_run_of_joined_profiles_is_judged_as_one() -> None:
    """A vendor of transactions who also forwards dose reports is ready under both, and what either part lacks counts."""
    profile = FACTS.profile("lcsr+dir-rdim")
    profile = msgspec.structs.replace(profile, coverage_bar=0.0)
    story = RUNS["dir-rdim"]()
    del story.entries[story.events("registration-attempted")[0]]
    entries = [*good_run().entries[:-1], *story.entries[1:]]

    def judged(entries: list[AnyEntry]) -> tuple[Verdict, set[str]]:
        numbered = [msgspec.structs.replace(entry, seq=number) for number, entry in enumerate(entries, 1)]
        result = judge(read(lines(numbered)), FACTS, profile)
        assert result.profile == "lcsr+dir-rdim"
        assert any("ACR prefers" in note for note in result.notes)
        return result.verdict, {f.check for f in result.findings if f.outcome is Outcome.FAILED}

    assert judged(entries) == (Verdict.READY, set())
    assert judged([entry for entry in entries if not isinstance(entry, DimseEntry) or entry.facts.service != "C-ECHO"]) == (
        Verdict.READY,
        {"dir-echo"},
    )
    without = [entry for entry in entries if "t-2" not in str(getattr(entry, "facts", ""))]
    assert judged(without) == (Verdict.INCOMPLETE, set())


@pytest.mark.parametrize(
    "data", [{}, {"sop_instance": 3}, {"count": True}, {"station": None}, {"count": "many", "sop_instances": 5}]
)
@pytest.mark.parametrize("name", ["dir-report", "dir-planted", "dir-expected", "station-configured"])
def test_events_that_cannot_be_read_are_left(name: str, data: dict[str, object]) -> None:
    """A malformed event changes no outcome and is no fault of the judge's."""
    story = RUNS["dir-direct"]()
    good = found("dir-direct", story.closed(), evidence=False)
    story.before_end(lambda: story.event(name, **data))
    assert found("dir-direct", story.closed(), evidence=False) == good
