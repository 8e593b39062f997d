"""Telling quickly that an exam leaves nothing to say, neither error nor warning: most exams are such.

One compiled schema says at once what the first layer says and what of the second JSON Schema can say (completeness, conditions);
ranges, dates and check digits follow. Whatever is not flawless is gone through rule by rule, so that a no is never an
answer that anybody sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import jsonschema_rs

from acrmock.facts import EXAM, Element, ElementType, Level, MappingVersion, Rule, RuleKind
from acrmock.identity import luhn_npi
from acrmock.schema.record import SCHEMA_RULES, record_schema
from acrmock.schema.rules import Evaluator, Scene, day, evaluator, holds, texts

_DAY = len("2026-04-30")
Test = Callable[[Mapping[str, Any], Mapping[str, Any], str, str], bool]
"""Whether a record breaks nothing, given its exam, the business date as text and the header's facility."""


class Flawless:
    """The quick test of one mapping version; made once, then used from any thread.

    It raises what jsonschema-rs raises, and `TypeError` or `ValueError` where a number is a string: it cannot tell quickly
    then.
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
        said = rule.kind in SCHEMA_RULES and rule.level is not Level.OPTIONAL
        if rule.record == record and rule.kind not in _OF_OTHERS and not said:
            made.append(_where(rule, _test(version, rule)))
    return tuple(made)


def _test(version: MappingVersion, rule: Rule) -> Test:
    """The quick test of a rule, whatever its condition; else the rule's own evaluator, of which nothing is to be heard."""
    if rule.kind in _MAKERS and (rule.kind not in _DATED or _ordered(version, rule)):
        return _MAKERS[rule.kind](rule)
    evaluate = evaluator(version, rule)
    return _never if evaluate is None else _silent(evaluate)


def _silent(evaluate: Evaluator) -> Test:
    def test(record: Mapping[str, Any], exam: Mapping[str, Any], today: str, facility: str) -> bool:
        scene = Scene(record, exam, "", date.fromisoformat(today), facility)
        return next(evaluate(scene), None) is None

    return test


def _where(rule: Rule, test: Test) -> Test:
    """The test of a rule where the rule's condition holds; one that excludes looks at its own."""
    when = rule.when
    if when is None or rule.kind is RuleKind.EXCLUDED:
        return test

    def conditional(record: Mapping[str, Any], exam: Mapping[str, Any], today: str, facility: str) -> bool:
        return not holds(when, record) or test(record, exam, today, facility)

    return conditional


def _ordered(version: MappingVersion, rule: Rule) -> bool:
    """Whether all that a rule compares are of one type of the first layer whose texts stand in the order of time.

    A day that is compared with today may be that of an instant.
    """
    other = version.element(rule.other, rule.record) or version.element(rule.other)
    compared = [version.element(name, rule.record) for name in rule.elements] + ([other] if rule.other else [])
    types = {element.type if element is not None else ElementType.TEXT for element in compared}
    if rule.kind is RuleKind.NOT_FUTURE:
        return types <= {ElementType.DATE, ElementType.INSTANT}
    return types in ({ElementType.DATE}, {ElementType.INSTANT})


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


@lru_cache(maxsize=64)
def _days_before(today: str, days: int) -> str:
    return (date.fromisoformat(today) - timedelta(days=days)).isoformat()


def _not_future(rule: Rule) -> Test:
    names, days = rule.elements, rule.days

    def test(record: Mapping[str, Any], _exam: Mapping[str, Any], today: str, _facility: str) -> bool:
        last = _days_before(today, days) if days else today
        for name in names:  # noqa: SIM110 - a generator would cost more than the rest
            if name in record and record[name][:_DAY] > last:
                return False
        return True

    return test


def _not_before(rule: Rule) -> Test:
    """Texts of one length stand in the order of time, but for instants whose separators differ: those are not told quickly."""
    names, other = rule.elements, rule.other

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        first = record.get(other) or exam.get(other)
        if first is not None:
            for name in names:
                if name in record:
                    value = record[name]
                    if value < first or value[_DAY : _DAY + 1] != first[_DAY : _DAY + 1]:
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


def _pairs(rule: Rule) -> Test:
    """Values beside those that go with them; all are of their lists, since the schema accepted them."""
    names, other = rule.elements, rule.other
    pairs = {value: frozenset(allowed) for value, allowed in rule.pairs.items()}

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        beside = record[other] if other in record else exam.get(other)
        for one in (beside,) if type(beside) is str else texts(beside):
            allowed = pairs.get(one)
            if allowed is not None:
                for name in names:
                    value = record.get(name)
                    if not (value is None or (value in allowed if type(value) is str else allowed.issuperset(texts(value)))):
                        return False
        return True

    return test


def _among(rule: Rule) -> Test:
    names, other = rule.elements, rule.other

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        there = texts(record[other] if other in record else exam.get(other))
        for name in names:  # noqa: SIM110 - a generator would cost more than the rest
            if name in record and there and not set(texts(record[name])).issubset(there):
                return False
        return True

    return test


def _within_percent(rule: Rule) -> Test:
    """What is no number raises ValueError, which the caller takes for a no; so for the next two."""
    names, other, share = rule.elements, rule.other, rule.percent

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        beside = record[other] if other in record else exam.get(other)
        if beside is not None:
            middle = float(beside)
            most = abs(middle) * share / 100
            for name in names:
                if name in record and not abs(float(record[name]) - middle) <= most:
                    return False
        return True

    return test


def _month_past(rule: Rule) -> Test:
    names, other = rule.elements, rule.other

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], today: str, _facility: str) -> bool:
        year = record[other] if other in record else exam.get(other)
        if year is not None:
            now = (float(today[:4]), float(today[5:7]))
            for name in names:
                if name in record and not (float(year), float(record[name])) < now:
                    return False
        return True

    return test


def _mean_in_bands(rule: Rule) -> Test:
    names = rule.elements
    bands = tuple((band.element, band.least, math.inf if band.most is None else band.most) for band in rule.bands)

    def test(record: Mapping[str, Any], _exam: Mapping[str, Any], _today: str, _facility: str) -> bool:
        for name in names:
            if name in record:
                total = least = most = 0.0
                for element, low, high in bands:
                    if element not in record:
                        break
                    count = float(record[element])
                    if count:
                        total, least, most = total + count, least + low * count, most + high * count
                else:
                    if total > 0 and not least / total <= float(record[name]) <= most / total:
                        return False
        return True

    return test


def _requires(rule: Rule) -> Test:
    names = frozenset(rule.elements)
    return lambda record, _exam, _today, _facility: names <= record.keys()


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
    RuleKind.REQUIRES: _requires,
    RuleKind.PAIRS: _pairs,
    RuleKind.AMONG: _among,
    RuleKind.WITHIN_PERCENT: _within_percent,
    RuleKind.MEAN_IN_BANDS: _mean_in_bands,
    RuleKind.MONTH_PAST: _month_past,
}
