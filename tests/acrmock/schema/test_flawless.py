"""Telling quickly that there is nothing to say: whatever the registry, it is never told of an exam that has a problem."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from near_values import near

from acrmock.facts import EXAM, MappingVersion, load_facts
from acrmock.schema import RecordValidator
from acrmock.schema.quickrules import quick_test
from acrmock.schema.quickshape import Shape
from synthetic.exammaker import ExamMaker

TODAY = date(2026, 6, 1)
FACTS = load_facts()
NEWEST = {
    f"{registry.slug}:{version.version}": version
    for registry in FACTS.registries
    for form in dict.fromkeys(version.form for version in registry.versions if version.described)
    for version in [[one for one in registry.versions if one.described and one.form == form][-1]]
}


@cache
def validator(name: str) -> RecordValidator:
    """The validator of a version."""
    return RecordValidator(FACTS, NEWEST[name])


@cache
def made(name: str) -> tuple[dict[str, Any], ...]:
    """Complete exams of a version."""
    maker = ExamMaker(NEWEST[name], seed=11, as_of=TODAY)
    return tuple(maker.exam(index) for index in range(24))


def quickly(name: str, exam: Any, today: date, facility: str) -> bool:
    """Whether an exam is found flawless; False where it cannot be told."""
    try:
        return validator(name)._flawless(exam, today, facility)
    except (TypeError, ValueError, OverflowError):
        return False


@pytest.mark.parametrize("name", NEWEST)
def test_a_complete_exam_is_told_quickly(name: str) -> None:
    """Nearly all synthetic complete exams take the quick way, in every registry."""
    told = [quickly(name, exam, TODAY, "") for exam in made(name)]
    assert sum(told) >= len(told) * 0.9


@pytest.mark.parametrize("name", NEWEST)
@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_what_is_told_quickly_is_the_whole_verdict(name: str, data: st.DataObject) -> None:
    """An exam that is found flawless at once has nothing to be said of it when it is gone through rule by rule."""
    version = NEWEST[name]
    exam = data.draw(st.sampled_from(made(name)))
    changed = _changed(version, EXAM, exam, data)
    for child in version.lists:
        if exam.get(child.name) and child.name in changed:
            place = data.draw(st.integers(0, len(exam[child.name]) - 1))
            listed = list(exam[child.name])
            listed[place] = _changed(version, child.kind, listed[place], data)
            changed[child.name] = listed
    today = data.draw(st.sampled_from([TODAY, date(2025, 12, 1), date(2024, 3, 31)]))
    facility = data.draw(st.sampled_from(["", str(exam.get("Facility_ID", "F"))]))
    whole = validator(name)._examine(changed, 0, today, facility)
    assert validator(name).check(changed, index=0, today=today, facility=facility) == whole
    if quickly(name, changed, today, facility):
        assert whole.problems == ()


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=20),
    st.text(st.characters(categories=["Cs", "Nd"]), min_size=1, max_size=10),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(
        ["2026-W18-4", "20260430T120000.123", "2026-04-30T12:00+05", "2026-04-30 12:00:00", "1799-12-31", "2200-01-01"]
    ),
    st.sampled_from(["9876543210\n", "٩876543213", 10**30, 1e308, -0.0, "1" * 5000]),
)


@pytest.mark.parametrize("name", NEWEST)
@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_strange_values_are_never_flawless_where_they_are_wrong(name: str, data: st.DataObject) -> None:
    """Whatever JSON has (null, true, half of a surrogate pair, other ways to write a date) is judged as the whole would."""
    version = NEWEST[name]
    exam = dict(data.draw(st.sampled_from(made(name))))
    known = [element.name for element in version.of(EXAM)] + [child.name for child in version.lists]
    exam[data.draw(st.sampled_from(known) | st.sampled_from(sorted(exam)) | st.text(max_size=5))] = data.draw(STRANGE)
    if quickly(name, exam, TODAY, ""):
        assert validator(name)._examine(exam, 0, TODAY, "").problems == ()


def test_only_plain_objects_are_told_quickly() -> None:
    """What is no JSON object is left to the whole."""
    for name in NEWEST:
        assert not any(quickly(name, strange, TODAY, "") for strange in (None, [], "exam", 1, {}, {1: 2}, {"\ud800": 1}))


def test_a_rule_of_every_kind_is_told_quickly() -> None:
    """No shipped rule needs its slow evaluator to be found kept: it would cost what the quick test saves."""
    for version in NEWEST.values():
        shape = Shape(version, EXAM)
        for kind, of in ((EXAM, shape), *((child.kind, below) for child, below in shape.lists.values())):
            test = quick_test(version, kind, of, shape)
            assert not [name for name, value in test.__globals__.items() if getattr(value, "__name__", "") == "silent"]


def _changed(version: MappingVersion, kind: str, record: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The record with up to two elements changed or added, half of them elements of rules, and up to one dropped."""
    names = [element.name for element in version.of(kind)]
    ruled = [name for rule in version.rules if rule.record == kind for name in (*rule.elements, rule.other)]
    tied = [name for name in ruled if name in names] or names
    found = dict(record)
    for name in data.draw(st.lists(st.sampled_from(tied) | st.sampled_from(names), max_size=2)):
        element = version.element(name, kind)
        assert element is not None
        found[name] = data.draw(near(element))
    for name in data.draw(st.lists(st.sampled_from(sorted(found)), max_size=1)):
        del found[name]
    return found
