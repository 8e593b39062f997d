"""Tests of the coverage set: few exams, all complete, that together exercise everything a mapping version has."""

from __future__ import annotations

from datetime import date

import pytest

from acrmock.facts import load_facts
from acrmock.schema import RecordValidator, census, possible
from synthetic.coverage import coverage_set, uncovered
from synthetic.exammaker import version_of

AS_OF = date(2026, 3, 1)


@pytest.mark.parametrize("mapping", ["1.6", "1.7", "1.8"])
@pytest.mark.parametrize("seed", [0, 1, 77])
def test_the_set_covers_everything(mapping: str, seed: int) -> None:
    """The census of the set is full: every element, every code, every condition."""
    facts = load_facts()
    version = version_of(facts, "lcsr", mapping, AS_OF)
    found = census(version, coverage_set(facts, "lcsr", mapping, seed=seed, as_of=AS_OF, facility="F1"))
    assert found == possible(version)


def test_what_is_not_covered_is_named() -> None:
    """Nothing covers nothing; without the header's facility only the element that repeats it is left."""
    facts = load_facts()
    version = version_of(facts, "lcsr", "1.8", AS_OF)
    whole = possible(version)
    assert len(uncovered(version, [])) == len(whole.elements) + len(whole.values) + len(whole.branches)
    assert uncovered(version, coverage_set(facts, "lcsr", "1.8", as_of=AS_OF)) == ("element Facility_ID",)


def test_every_exam_of_the_set_is_complete_and_they_are_few() -> None:
    """The set fits into one small transaction, and none of its exams has a problem."""
    facts = load_facts()
    validator = RecordValidator(facts, version_of(facts, "lcsr", "1.8", AS_OF))
    exams = coverage_set(facts, "lcsr", "1.8", as_of=AS_OF, facility="F1")
    assert len(exams) < 25
    for index, exam in enumerate(exams):
        verdict = validator.check(exam, index=index, today=AS_OF, facility="F1")
        assert (verdict.status, verdict.problems) == (facts.text("nrdr.record.word.complete"), ())
