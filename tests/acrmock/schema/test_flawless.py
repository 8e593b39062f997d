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
