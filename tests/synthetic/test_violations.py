"""Tests of the violations: each is answered with exactly its code at its pointer, and with nothing else."""

from __future__ import annotations

from datetime import date
from functools import cache

import jsonschema
import pytest

from acrmock.facts import Level, MappingVersion, load_facts
from acrmock.schema import RecordState, RecordValidator, record_schema
from synthetic.exammaker import ExamMaker, version_of
from synthetic.violation import Violation
from synthetic.violations import violations

AS_OF = date(2026, 3, 1)
VERSIONS = ("1.6", "1.7", "1.8")


@cache
def lcsr(text: str = "1.8") -> MappingVersion:
    """A mapping version of LCSR."""
    return version_of(load_facts(), "lcsr", text, AS_OF)


def answered(text: str, maker: ExamMaker, violation: Violation, index: int) -> tuple[RecordState, set[tuple[str, str]]]:
    """The state and the problems (code and pointer from the exam) of the wrong exam of a violation."""
    validator = RecordValidator(load_facts(), lcsr(text))
    verdicts = validator.check_all(violation.exams(maker, index), today=AS_OF, facility="F1")
    assert all(verdict.state is RecordState.COMPLETE and not verdict.problems for verdict in verdicts[:-1])
    base = f"/{lcsr(text).exams}/{len(verdicts) - 1}"
    return verdicts[-1].state, {(p.code, p.pointer.removeprefix(base)) for p in verdicts[-1].problems}


@pytest.mark.parametrize("text", VERSIONS)
@pytest.mark.parametrize("index", [0, 1, 12345])
def test_each_violation_gets_exactly_its_answer(text: str, index: int) -> None:
    """Whichever exam is made wrong, it has the state, the code and the pointer that the violation names, and no more."""
    maker = ExamMaker(lcsr(text), seed=8, as_of=AS_OF)
    wrong = []
    for violation in violations(lcsr(text)):
        expected = {(answer.code, answer.pointer) for answer in (violation.answer, *violation.also)}
        got = answered(text, maker, violation, index)
        if got != (violation.state, expected):
            wrong.append((violation.name, violation.state, expected, got))
    assert wrong == []


def test_names_are_unique_and_everything_is_broken() -> None:
    """Every element that can be wrong and every rule has a violation, under a name of its own."""
    version = lcsr()
    found = violations(version)
    assert len({violation.name for violation in found}) == len(found)
    assert {violation.element for violation in found} >= {element.name for element in version.elements}
    assert {violation.rule for violation in found} >= {rule.id for rule in version.rules}
    missing = {violation.element for violation in found if violation.breach.value == "missing"}
    assert missing == {element.name for element in version.elements if element.level is not Level.OPTIONAL}


def test_what_cannot_be_wrong_alone_is_named() -> None:
    """More than one answer is named only for the element that repeats the header's value, and for two dates."""
    linked = {violation.name for violation in violations(lcsr()) if violation.also}
    dates = {"DATE-002:Patient_Date_Of_Birth", "DATE-004:Date_Of_Death"}
    assert {name for name in linked - dates if not name.startswith("Facility_ID:")} == set()


def test_another_validator_refuses_what_the_schema_says() -> None:
    """`jsonschema` refuses each violation of an element's own table that rejects, under the published schema."""
    oracle = jsonschema.Draft202012Validator(record_schema(lcsr()))
    maker = ExamMaker(lcsr(), seed=8, as_of=AS_OF)
    for violation in violations(lcsr()):
        if violation.state is RecordState.REJECTED and not violation.rule:
            assert not oracle.is_valid(violation.exams(maker)[-1]), violation.name


def test_violations_are_the_same_twice() -> None:
    """The same maker makes the same wrong exam of the same index."""
    maker = ExamMaker(lcsr(), seed=8, as_of=AS_OF)
    for violation in violations(lcsr()):
        assert violation.exams(maker, 3) == violation.exams(maker, 3)
    assert maker.version.follow_ups
