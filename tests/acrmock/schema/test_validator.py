"""Each rule, accepted and violated, with the right pointer; and values that mean harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.facts import EXAM, Element, ElementType, Level, MappingVersion, RuleKind, load_facts
from acrmock.facts.registry_checks import RESERVED
from acrmock.identity import npi_check_digit
from acrmock.record import RecordProblem
from acrmock.schema import ProblemKind, RecordState, RecordValidator, RecordVerdict

TODAY = date(2026, 4, 30)
FACILITY = "100001"

Check = Callable[[Any], RecordVerdict]
Exam = dict[str, Any]

REGISTRY = load_facts().registry("lcsr")
assert REGISTRY is not None
VERSION = REGISTRY.version("1.8")
assert VERSION is not None


def only(verdict: RecordVerdict) -> RecordProblem:
    """The one problem of a verdict."""
    assert len(verdict.problems) == 1, verdict.problems
    return verdict.problems[0]


def test_a_complete_exam(check: Check, exam: Exam) -> None:
    """A complete exam has no problem."""
    verdict = check(exam)
    assert (verdict.state, verdict.status, verdict.problems) == (RecordState.COMPLETE, "Complete", ())


@pytest.mark.parametrize("element", [item for item in VERSION.elements if item.level is not Level.OPTIONAL], ids=lambda e: e.name)
def test_required_elements(check: Check, exam: Exam, element: Element) -> None:
    """What is needed to submit rejects when missing; what is needed to be complete leaves the record incomplete."""
    record = exam if element.record == EXAM else exam["Follow_Ups"][0]
    base = "/Exams/0" if element.record == EXAM else "/Exams/0/Follow_Ups/0"
    del record[element.name]
    verdict = check(exam)
    problem = only(verdict)
    assert problem.code == f"acrmock:LCSR-REQ-{element.number:03d}"
    assert problem.pointer == f"{base}/{element.name}"
    assert problem.element == element.name
    rejected = element.level is Level.SUBMIT
    assert problem.severity == ("error" if rejected else "warning")
    assert verdict.status == ("Rejected" if rejected else "Incomplete")
    assert problem.provenance in {"mock-choice", "acr-mirror"}


WRONG: list[tuple[str, Any, str, str]] = [
    ("Smoking_Status", "7", "CODE", ""),
    ("Smoking_Status", 1, "TYPE", ""),
    ("Smoking_Status", None, "TYPE", ""),
    ("Patient_Race", "6", "TYPE", ""),
    ("Patient_Race", [], "TYPE", ""),
    ("Patient_Race", ["6", "x"], "CODE", "/1"),
    ("Patient_Race", ["6", 6], "TYPE", "/1"),
    ("Patient_Race", ["6", "6"], "REP", ""),
    ("Exam_Date", "2026-02-30", "FMT", ""),
    ("Exam_Date", "02/03/2026", "FMT", ""),
    ("Exam_Date", "2026-03-02T10:00:00Z", "FMT", ""),
    ("Exam_Date", 20260302, "TYPE", ""),
    ("CTDIvol", "two", "TYPE", ""),
    ("CTDIvol", True, "TYPE", ""),
    ("CTDIvol", "", "TYPE", ""),
    ("Patient_SSN", "666123456", "FMT", ""),
    ("New_Medicare_Beneficiary_ID", "1L00A00AA00", "FMT", ""),
    ("Medicare_Beneficiary_ID", "1234567890123", "LEN", ""),
    ("Other_ID", "", "LEN", ""),
    ("Other_ID", "x" * 51, "LEN", ""),
    ("Other_ID", {"a": 1}, "TYPE", ""),
]


@pytest.mark.parametrize(("name", "value", "kind", "below"), WRONG)
def test_wrong_values(*, check: Check, exam: Exam, name: str, value: Any, kind: str, below: str) -> None:
    """One wrong value gives one error, at that value, naming its element."""
    exam[name] = value
    element = VERSION.element(name) if VERSION else None
    assert element is not None
    problem = only(check(exam))
    assert problem.code == f"acrmock:LCSR-{kind}-{element.number:03d}"
    assert (problem.severity, problem.pointer) == ("error", f"/Exams/0/{name}{below}")
    assert name in problem.message


RIGHT: list[tuple[str, Any]] = [
    ("CTDIvol", "2.10"),
    ("CTDIvol", 3),
    ("Patient_Race", ["6", "10"]),
    ("Other_ID", "x" * 50),
    ("Other_ID", "x"),
    ("Exam_Date", "2024-02-29"),
    ("Lung_RADS_Version", "2022"),
    ("New_Medicare_Beneficiary_ID", "1EG4TE5MK73"),
    ("Facility_ID", FACILITY),
    ("Exam_Date", TODAY.isoformat()),
]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_right_values(check: Check, exam: Exam, name: str, value: Any) -> None:
    """Other right values are accepted."""
    del exam["Follow_Ups"]
    exam[name] = value
    assert check(exam).state is RecordState.COMPLETE


def test_unknown_elements(check: Check, exam: Exam) -> None:
    """A name that is no element is refused, and the nearest one is named."""
    exam["Smoking_Statuss"] = "1"
    exam["a/b~"] = 1
    problems = {problem.pointer: problem for problem in check(exam).problems}
    assert set(problems) == {"/Exams/0/Smoking_Statuss", "/Exams/0/a~1b~0"}
    assert "did you mean Smoking_Status?" in problems["/Exams/0/Smoking_Statuss"].message


def test_unknown_elements_can_be_tolerated(tmp_path: Path, exam: Exam) -> None:
    """A layer can turn the refusal of unknown elements into a warning, or into nothing."""
    for choice, count in (("warn", 1), ("ignore", 0)):
        path = tmp_path / f"{choice}.yaml"
        path.write_text(
            "schema: acrmock/layer/1\nkind: registry\nregistry: lcsr\nversions:\n"
            f"  1.8: {{unknown_elements: {choice}, provenance: mock-choice, sources: [MOCK]}}\n",
        )
        facts = load_facts([path])
        registry = facts.registry("lcsr")
        version = registry.version("1.8") if registry else None
        assert version is not None
        verdict = RecordValidator(facts, version).check({**exam, "Extra": 1}, index=0, today=TODAY, facility=FACILITY)
        assert verdict.state is RecordState.COMPLETE
        assert len(verdict.warnings) == count


@pytest.mark.parametrize("rule", [rule for rule in VERSION.rules if rule.kind is RuleKind.REQUIRES], ids=lambda rule: rule.id)
def test_conditions(check: Check, exam: Exam, rule: Any) -> None:
    """Where a condition holds and what it needs is missing, the rule is broken there; with it, it is not."""
    assert VERSION is not None
    record = exam if rule.record == EXAM else exam["Follow_Ups"][0]
    base = "/Exams/0" if rule.record == EXAM else "/Exams/0/Follow_Ups/0"
    trigger, target = VERSION.element(rule.when.element, rule.record), VERSION.element(rule.elements[0], rule.record)
    assert trigger is not None
    assert target is not None
    record.pop(target.name, None)
    for value in rule.when.values:
        record[trigger.name] = [value] if trigger.multiple else value
        own = [problem for problem in check(exam).problems if problem.code == f"acrmock:LCSR-{rule.id}"]
        assert [problem.pointer for problem in own] == [f"{base}/{target.name}"]
        assert own[0].severity == ("error" if rule.level is Level.SUBMIT else "warning")
        assert own[0].provenance == rule.provenance
        assert check(exam).state is (RecordState.REJECTED if rule.level is Level.SUBMIT else RecordState.INCOMPLETE)
    record[target.name] = _some(target)
    assert all(not problem.code.endswith(rule.id) for problem in check(exam).problems)


def _some(element: Element) -> Any:
    if element.type is ElementType.CODE:
        return [element.codes[0].code] if element.multiple else element.codes[0].code
    return 5 if element.type is ElementType.NUMBER else "text"


def _set(name: str, value: Any) -> Callable[[Exam], Any]:
    return lambda exam: exam.__setitem__(name, value)


def _follow_up(day: str) -> Callable[[Exam], Any]:
    return lambda exam: exam["Follow_Ups"][0].__setitem__("Date_Of_Follow_Up", day)


def _without(*names: str) -> Callable[[Exam], Any]:
    return lambda exam: [exam.pop(name, None) for name in names]


BAD_NPI = "987654321" + str((int(npi_check_digit("987654321")) + 1) % 10)
BREACHES: list[tuple[str, Callable[[Exam], Any], str, str]] = [
    ("NPI-001", _set("Facility_npi", BAD_NPI), "/Facility_npi", "error"),
    ("NPI-001", _set("Ordering_Practitioner_NPI", BAD_NPI), "/Ordering_Practitioner_NPI", "error"),
    ("DATE-002", _set("Date_Of_Death", "2026-05-01"), "/Date_Of_Death", "error"),
    ("DATE-003", _set("Patient_Date_Of_Birth", "2026-03-03"), "/Exam_Date", "error"),
    ("DATE-005", _set("Date_Of_Death", "2026-03-01"), "/Date_Of_Death", "error"),
    ("DATE-006", _follow_up("2026-05-01"), "/Follow_Ups/0/Date_Of_Follow_Up", "error"),
    ("DATE-007", _follow_up("2026-03-01"), "/Follow_Ups/0/Date_Of_Follow_Up", "error"),
    ("FAC-001", _set("Facility_ID", "100002"), "/Facility_ID", "error"),
    ("ID-002", _without("Patient_SSN"), "", "warning"),
    ("ID-003", _without("New_Medicare_Beneficiary_ID"), "", "warning"),
]


@pytest.mark.parametrize(("rule", "change", "below", "severity"), BREACHES)
def test_rules_beyond_the_schema(
    *,
    check: Check,
    exam: Exam,
    rule: str,
    change: Callable[[Exam], Any],
    below: str,
    severity: str,
) -> None:
    """Each rule of the second layer is broken at the right place."""
    change(exam)
    problem = only(check(exam))
    assert (problem.code, problem.pointer) == (f"acrmock:LCSR-{rule}", f"/Exams/0{below}")
    assert problem.severity == severity


def test_a_future_exam(check: Check, exam: Exam) -> None:
    """An exam after the business date is refused."""
    del exam["Follow_Ups"]
    exam["Exam_Date"] = "2026-05-01"
    assert only(check(exam)).code == "acrmock:LCSR-DATE-001"


def test_death_before_birth(check: Check, exam: Exam) -> None:
    """Both dates are compared."""
    exam["Date_Of_Death"] = "1950-01-01"
    codes = {problem.code for problem in check(exam).problems}
    assert codes == {"acrmock:LCSR-DATE-004", "acrmock:LCSR-DATE-005"}


def test_a_late_follow_up_is_only_a_warning(check: Check, exam: Exam) -> None:
    """More than twelve months after its exam a follow-up is accepted with a warning, and the record is complete."""
    exam["Exam_Date"] = "2024-01-31"
    exam["Follow_Ups"][0]["Date_Of_Follow_Up"] = "2025-01-31"
    assert check(exam).problems == ()
    exam["Follow_Ups"][0]["Date_Of_Follow_Up"] = "2025-02-01"
    verdict = check(exam)
    assert only(verdict).code == "acrmock:LCSR-DATE-008"
    assert (verdict.state, only(verdict).severity) == (RecordState.COMPLETE, "warning")


def test_no_patient_identifier(check: Check, exam: Exam) -> None:
    """At least one patient identifier is needed."""
    _without("Patient_SSN", "New_Medicare_Beneficiary_ID")(exam)
    exam |= {"Refused_To_Answer_SSN": "Y", "Refused_Medicare_ID": "Y"}
    assert only(check(exam)).code == "acrmock:LCSR-ID-001"
    exam["Other_ID"] = "MRN-1"
    assert check(exam).state is RecordState.COMPLETE


@pytest.mark.parametrize("element", [e for e in VERSION.elements if e.maximum is not None], ids=lambda e: e.name)
def test_ranges_are_warnings(check: Check, exam: Exam, element: Element) -> None:
    """An implausible number is warned of, as number and as string; the bounds themselves are fine."""
    assert element.minimum is not None
    assert element.maximum is not None
    outside: tuple[Any, ...] = (element.maximum + 1, str(element.maximum + 1))
    for value in outside:
        problem = only(check({**exam, element.name: value}))
        assert (problem.code, problem.severity) == (f"acrmock:LCSR-RANGE-{element.number:03d}", "warning")
    for value in (element.minimum, element.maximum):
        assert check({**exam, element.name: value}).problems == ()


def test_duplicates_in_a_transaction(validator: RecordValidator, exam: Exam) -> None:
    """The second of two exams with one key is refused, another exam of the same patient is not."""
    other = {**exam, "Exam_Date": "2026-02-02", "Follow_Ups": []}
    first, second, third = validator.check_all([exam, other, dict(exam)], today=TODAY, facility=FACILITY)
    assert (first.state, second.state) == (RecordState.COMPLETE, RecordState.COMPLETE)
    assert only(third).code == "acrmock:LCSR-DUP-001"
    assert only(third).pointer == "/Exams/2"


def test_words_come_from_the_facts(tmp_path: Path, exam: Exam, version: MappingVersion) -> None:
    """An overlay renames the record's status and the lists."""
    path = tmp_path / "words.yaml"
    path.write_text(
        "schema: acrmock/layer/1\nkind: settings\nsettings:\n"
        "  nrdr.record.word.rejected: {value: Refused, provenance: mock-choice, sources: [MOCK]}\n"
        "  nrdr.envelope.exams: {value: Cases, provenance: mock-choice, sources: [MOCK]}\n"
        "  nrdr.envelope.follow_ups: {value: Later, provenance: mock-choice, sources: [MOCK]}\n",
    )
    facts = load_facts([path])
    registry = facts.registry("lcsr")
    changed = registry.version(version.version) if registry else None
    assert changed is not None
    exam["Later"] = [{}]
    del exam["Follow_Ups"]
    verdict = RecordValidator(facts, changed).check(exam, index=3, today=TODAY, facility=FACILITY)
    assert verdict.status == "Refused"
    assert only(verdict).pointer == "/Cases/3/Later/0/Date_Of_Follow_Up"


def _deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


HOSTILE: list[Any] = [
    None,
    3,
    "exam",
    [],
    {},
    {1: 2},
    {"Exam_Date": "\ud800"},
    {"\ud800": "x"},
    {"CTDIvol": 10**5000},
    {"CTDIvol": -(10**5000)},
    {"CTDIvol": float("nan")},
    {"CTDIvol": float("inf")},
    {"CTDIvol": "9" * 100_000},
    {"Exam_Date": object()},
    {"Exam_Date": b"2026-01-01"},
    {"Exam_Date": _deep(20_000)},
    {"Unknown": _deep(20_000)},
    {"Follow_Ups": _deep(2000)},
    {"Follow_Ups": {"0": {}}},
    {"Follow_Ups": [None, 3, [], {"Date_Of_Follow_Up": _deep(50)}, {1: 1}]},
    {"Follow_Ups": [{}] * 101},
    {"Patient_Race": [["6"], {"6": "6"}, None, "\udfff"]},
    {f"Unknown_{index}": index for index in range(5000)},
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values(check: Check, exam: Exam, value: Any) -> None:
    """Whatever comes is rejected with readable problems, bounded in number."""
    for record in (value, {**exam, **value} if isinstance(value, dict) and value else value):
        verdict = check(record)
        assert verdict.state is RecordState.REJECTED
        assert 1 <= len(verdict.problems) <= 101
        for problem in verdict.problems:
            assert problem.message.encode()
            assert problem.pointer.encode()
            assert len(problem.message) < 500


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([element.name for element in VERSION.elements] + ["Follow_Ups", "x"])


@settings(max_examples=200, deadline=None, database=None)
@given(st.dictionaries(NAMES, JSONISH | st.lists(st.dictionaries(NAMES, JSONISH, max_size=3), max_size=2), max_size=6))
def test_any_values(record: Exam) -> None:
    """No combination of values makes the validator raise, and every problem has a code and a pointer."""
    assert VERSION is not None
    verdict = RecordValidator(load_facts(), VERSION).check(record, index=1, today=TODAY, facility="")
    assert all(problem.code.startswith("acrmock:LCSR-") for problem in verdict.problems)
    assert all(problem.pointer.startswith("/Exams/1") for problem in verdict.problems)


def test_messages_hold_no_identifier(check: Check, exam: Exam) -> None:
    """A sentence never repeats what names a person."""
    exam |= {
        "Patient_SSN": "123456789",
        "Patient_First_Name": ["Jane"],
        "Other_ID": 4711,
        "Radiologist_Reading_NPI": "1234567890",
    }
    text = " ".join(problem.message for problem in check(exam).problems)
    assert not any(secret in text for secret in ("123456789", "Jane", "4711"))


def test_no_rule_has_an_element_problems_name() -> None:
    """The words of element problems are those that a rule's id may not begin with."""
    assert set(ProblemKind) == RESERVED


@pytest.mark.parametrize("first", [0, 1, 2000])
def test_thousands_of_problems_are_not_counted(check: Check, exam: Exam, first: int) -> None:
    """Once a record is rejected with more than anybody is told of, the rest is left alone, wherever in a list it stands."""
    exam["Follow_Ups"] = [exam["Follow_Ups"][0]] * first + [{}] * 20_000
    verdict = check(exam)
    assert verdict.status == "Rejected"
    assert len(verdict.problems) == 101
    assert re.fullmatch(r"at least \d+ more problems of this record are not listed", verdict.problems[-1].message)
    assert verdict.problems[1].pointer.startswith(f"/Exams/0/Follow_Ups/{first}")
