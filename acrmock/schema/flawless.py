"""Telling quickly that an exam leaves nothing to say, neither error nor warning: most exams are such.

One compiled schema says at once what the first layer says and what of the second JSON Schema can say (completeness, conditions);
ranges, dates and check digits follow. Whatever is not flawless is gone through rule by rule, so that a no is never an
answer that anybody sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import jsonschema_rs

from acrmock.facts import EXAM, Element, ElementType, Level, MappingVersion, Rule, RuleKind
from acrmock.identity import luhn_npi
from acrmock.schema.record import SCHEMA_RULES, record_schema
from acrmock.schema.rules import day, holds

Test = Callable[[Mapping[str, Any], Mapping[str, Any], str, str], bool]
"""Whether a record breaks nothing, given its exam, the business date as text and the header's facility."""


class Flawless:
    """The quick test of one mapping version; made once, then used from any thread.

    It raises what jsonschema-rs raises, and `TypeError` where a number is a string: it cannot tell quickly then.
    """

    def __init__(self, version: MappingVersion) -> None:
        self._schema = jsonschema_rs.validator_for(_schema(version))
        self._exam = _tests(version, EXAM)
        self._below = tuple((child.name, tests) for child in version.lists if (tests := _tests(version, child.kind)))

    def __call__(self, exam: Any, today: date, facility: str) -> bool:
        """Whether an exam has no problem at all; False where that cannot be told quickly."""
        if type(exam) is not dict or not self._schema.is_valid(exam):
            return False
        now = today.isoformat()
        for test in self._exam:
            if not test(exam, exam, now, facility):
                return False
        for name, tests in self._below:
            if name in exam:
                for record in exam[name]:
                    for test in tests:
                        if not test(record, exam, now, facility):
                            return False
        return True


def _schema(version: MappingVersion) -> dict[str, Any]:
    """The schema at level complete, where no unknown element is tolerated."""
    schema = record_schema(version, Level.COMPLETE)
    schema["additionalProperties"] = False
    for child in version.lists:
        schema["properties"][child.name]["items"]["additionalProperties"] = False
    return schema


def _tests(version: MappingVersion, record: str) -> tuple[Test, ...]:
    """What the schema cannot say of one kind of record, and what it leaves out because its level is optional."""
    bounded = [element for element in version.of(record) if element.minimum is not None or element.maximum is not None]
    made = [_ranges(bounded)] if bounded else []
    for rule in version.rules:
        if rule.record == record and rule.kind not in _OF_OTHERS:
            dated = _all_dates(version, rule)
            if rule.kind in SCHEMA_RULES:
                if rule.level is Level.OPTIONAL:
                    made.append(_never)
            elif rule.kind in _MAKERS and (rule.kind not in _DATED or dated):
                made.append(_MAKERS[rule.kind](rule))
            else:
                made.append(_never)
    return tuple(made)


def _all_dates(version: MappingVersion, rule: Rule) -> bool:
    """Whether all that a rule compares are dates of the first layer, so that their texts stand in the order of the days.

    One that must lie some days back is not told quickly.
    """
    if rule.kind is RuleKind.NOT_FUTURE and rule.days:
        return False
    other = version.element(rule.other, rule.record) or version.element(rule.other)
    compared = [version.element(name, rule.record) for name in rule.elements] + ([other] if rule.other else [])
    return all(element is not None and element.type is ElementType.DATE for element in compared)


def _never(_record: Mapping[str, Any], _exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
    return False


def _ranges(bounded: list[Element]) -> Test:
    """Numbers in their ranges; one written as a string, which costs more to tell, is left to the second layer."""
    limits = tuple(
        (
            element.name,
            -math.inf if element.minimum is None else element.minimum,
            math.inf if element.maximum is None else element.maximum,
        )
        for element in bounded
        if element.type is ElementType.NUMBER
    )

    def test(record: Mapping[str, Any], _exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        # a string raises TypeError, which the caller takes for a no
        for name, low, high in limits:  # noqa: SIM110 - a generator would cost more than the rest
            if name in record and not low <= record[name] <= high:
                return False
        return True

    return test


def _luhn(rule: Rule) -> Test:
    names = rule.elements

    def test(record: Mapping[str, Any], _exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        for name in names:  # noqa: SIM110 - a generator would cost more than the rest
            if name in record and not luhn_npi(record[name]):
                return False
        return True

    return test


def _not_future(rule: Rule) -> Test:
    names = rule.elements

    def test(record: Mapping[str, Any], _exam: Mapping[str, Any], today: str, _facility: str) -> bool:
        for name in names:  # noqa: SIM110 - a generator would cost more than the rest
            if name in record and record[name] > today:
                return False
        return True

    return test


def _not_before(rule: Rule) -> Test:
    names, other = rule.elements, rule.other

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        first = record.get(other) or exam.get(other)
        if first is not None:
            for name in names:
                if name in record and record[name] < first:
                    return False
        return True

    return test


def _within(rule: Rule) -> Test:
    names, other, days = rule.elements, rule.other, rule.days

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        first = day(record.get(other) or exam.get(other))
        if first is not None:
            for name in names:
                found = day(record.get(name))
                if found is not None and (found - first).days > days:
                    return False
        return True

    return test


def _equals_header(rule: Rule) -> Test:
    names = rule.elements

    def test(record: Mapping[str, Any], _exam: Mapping[str, Any], _today: str, facility: str) -> bool:
        for name in names:  # noqa: SIM110 - a generator would cost more than the rest
            if name in record and record[name] != facility:
                return False
        return True

    return test


def _excluded(rule: Rule) -> Test:
    when = rule.when

    def test(record: Mapping[str, Any], _exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        return when is not None and not holds(when, record)

    return test


_OF_OTHERS = frozenset({RuleKind.UNIQUE_EXAM, RuleKind.NEEDS_FORM})
"""What no record says alone: it is held against the other records of the transaction, or against what was loaded before."""
_DATED = frozenset({RuleKind.NOT_FUTURE, RuleKind.NOT_BEFORE})
_MAKERS: dict[RuleKind, Callable[[Rule], Test]] = {
    RuleKind.LUHN_NPI: _luhn,
    RuleKind.NOT_FUTURE: _not_future,
    RuleKind.NOT_BEFORE: _not_before,
    RuleKind.WITHIN_DAYS: _within,
    RuleKind.EQUALS_HEADER: _equals_header,
    RuleKind.EXCLUDED: _excluded,
}
