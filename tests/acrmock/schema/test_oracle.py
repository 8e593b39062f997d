"""The compiled schema means the same to a second validator, for every element and for whole exams."""

from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from near_values import near
from oracle import oracle

from acrmock.facts import EXAM, Element, Level, load_facts
from acrmock.schema import RecordValidator, record_schema

REGISTRY = load_facts().registry("lcsr")
assert REGISTRY is not None
VERSION = REGISTRY.version("1.8")
assert VERSION is not None
assert VERSION.follow_ups is not None
LIST = VERSION.follow_ups.name
VALIDATOR = RecordValidator(load_facts(), VERSION)
ORACLE = oracle(record_schema(VERSION))

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=14),
    st.sampled_from(["1", "Y", "2", "99", "2026-02-29", "2024-02-29", "2026-13-01", "1e5", "007", "1.5", "1\n", "2026-01-01\n"]),
)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=2))


@pytest.mark.parametrize("element", VERSION.elements, ids=lambda element: f"{element.record}.{element.name}")
@settings(max_examples=25, deadline=None, database=None)
@given(data=st.data())
def test_every_element_means_the_same(element: Element, data: st.DataObject) -> None:
    """For any value of an element both validators accept or both refuse, and a refusal is explained at that element."""
    value = data.draw(near(element) | ANYTHING)
    record = {element.name: value}
    exam = record if element.record == EXAM else {LIST: [record]}
    base = "/Exams/0" if element.record == EXAM else f"/Exams/0/{LIST}/0"
    of_value = [error for error in ORACLE.iter_errors(exam) if element.name in error.absolute_path]
    found = [problem for problem in VALIDATOR._first_layer(exam, "/Exams/0") if _at(problem.pointer, f"{base}/{element.name}")]
    missing = f"-REQ-{element.tag}"
    assert bool(of_value) == bool([problem for problem in found if not problem.code.endswith(missing)])
    assert VALIDATOR.valid(exam) == ORACLE.is_valid(exam)


def _at(pointer: str, base: str) -> bool:
    return pointer == base or pointer.startswith(base + "/")


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whole_exams_mean_the_same(exam: dict[str, Any], data: st.DataObject) -> None:
    """Dropping, changing and adding elements of a good exam is judged alike, conditions included."""
    changed = dict(exam)
    names = [element.name for element in VERSION.of(EXAM)]
    for name in data.draw(st.lists(st.sampled_from(names), max_size=5)):
        element = VERSION.element(name)
        assert element is not None
        changed[name] = data.draw(near(element))
    for name in data.draw(st.lists(st.sampled_from(sorted(changed)), max_size=2, unique=True)):
        del changed[name]
    accepted = ORACLE.is_valid(changed)
    assert VALIDATOR.valid(changed) == accepted
    assert bool(VALIDATOR._first_layer(changed, "")) != accepted


@pytest.mark.parametrize("level", [Level.SUBMIT, Level.COMPLETE])
@pytest.mark.parametrize("version", ["1.6", "1.7", "1.8"])
def test_schemas_are_valid_schemas(version: str, level: Level) -> None:
    """Every version compiles at both levels to a valid schema of 2020-12 that says what is unknown."""
    found = REGISTRY.version(version) if REGISTRY else None
    assert found is not None
    schema = record_schema(found, level)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert found.unknown in schema["description"]


def test_the_complete_level_asks_for_more(exam: dict[str, Any]) -> None:
    """A complete exam passes both levels; without its height it passes only the first."""
    assert VERSION is not None
    complete = jsonschema.Draft202012Validator(record_schema(VERSION, Level.COMPLETE))
    assert complete.is_valid(exam)
    del exam["Patient_Height"]
    assert ORACLE.is_valid(exam)
    assert not complete.is_valid(exam)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_quick_verdict_is_the_whole_one(exam: dict[str, Any], data: st.DataObject) -> None:
    """An exam that is found flawless at once has nothing to be said of it when it is gone through rule by rule."""
    changed = dict(exam)
    names = [element.name for element in VERSION.of(EXAM)]
    for name in data.draw(st.lists(st.sampled_from(names), max_size=2)):
        element = VERSION.element(name)
        assert element is not None
        changed[name] = data.draw(near(element))
    for name in data.draw(st.lists(st.sampled_from(sorted(changed)), max_size=1)):
        del changed[name]
    today = data.draw(st.sampled_from([date(2026, 6, 1), date(2025, 12, 1)]))
    facility = data.draw(st.sampled_from(["", str(exam.get("Facility_ID", "F"))]))
    whole = VALIDATOR._examine(changed, 0, today, facility)
    assert VALIDATOR.check(changed, index=0, today=today, facility=facility) == whole


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_wrong_types_are_told_as_the_schema_tells_them(exam: dict[str, Any], data: st.DataObject) -> None:
    """What is said of values of wrong types, and of the rest beside them, is what the whole schema's errors say."""
    changed: dict[Any, Any] = dict(exam)
    names = [element.name for element in VERSION.of(EXAM)]
    for name in data.draw(st.lists(st.sampled_from([*names, "Follow_Ups", "Unknown"]), min_size=1, max_size=6)):
        changed[name] = data.draw(ANYTHING)
    for name in data.draw(st.lists(st.sampled_from(sorted(changed)), max_size=2, unique=True)):
        del changed[name]
    found = VALIDATOR._first_layer(changed, "/Exams/0")
    whole = VALIDATOR._explainer.problems(VALIDATOR._schema.iter_errors(changed), "/Exams/0")
    told = [item for item in whole if VALIDATOR.valid(changed) is False]
    assert sorted(found, key=repr) == sorted([*told, *VALIDATOR._tolerated(changed, "/Exams/0")], key=repr)
