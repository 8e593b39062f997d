"""The second layer of rules, which JSON Schema cannot say: completeness, check digits, dates, windows, ranges, duplicates.

An evaluator looks at one record and never raises, whatever the values are: what is of a wrong type or missing is the first
layer's to report and is passed over here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from acrmock.facts import Condition, Element, ElementType, Level, MappingVersion, RecordKind, Rule, RuleKind
from acrmock.identity import luhn_npi
from acrmock.pointer import join
from acrmock.record import RecordProblem
from acrmock.schema.problems import ProblemKind, of_element, of_rule


@dataclass(frozen=True, slots=True)
class Scene:
    """What a rule looks at: the record, its exam (itself for an exam), its pointer, business date and header facility."""

    record: Mapping[str, Any]
    exam: Mapping[str, Any]
    base: str
    today: date
    facility: str


Evaluator = Callable[[Scene], Iterator[RecordProblem]]


def evaluators(version: MappingVersion, record: RecordKind) -> tuple[Evaluator, ...]:
    """The evaluators of all rules of the second layer for one kind of record, cheapest form first."""
    found: list[Evaluator] = []
    needed = tuple(element for element in version.of(record) if element.level is Level.COMPLETE)
    if needed:
        found.append(_complete(version, needed))
    bounded = tuple(element for element in version.of(record) if element.minimum is not None or element.maximum is not None)
    if bounded:
        found.append(_ranges(version, bounded))
    found += [_MAKERS[rule.kind](version, rule) for rule in version.rules if rule.record is record and _second(rule)]
    return tuple(found)


def _second(rule: Rule) -> bool:
    return rule.kind in _MAKERS and not (rule.kind in _BOTH_LAYERS and rule.level is Level.SUBMIT)


def holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether a condition holds for a record."""
    value = record.get(condition.element)
    if not condition.values:
        return condition.element in record
    if isinstance(value, list):
        return any(isinstance(item, str) and item in condition.values for item in value)
    return isinstance(value, str) and value in condition.values


def day(value: Any) -> date | None:
    """The date that a value is, or None."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def number(value: Any) -> float | None:
    """The finite number that a value is, as number or as string, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or (isinstance(value, str) and len(value) > 20):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if -1e18 < result < 1e18 else None


def _complete(version: MappingVersion, needed: tuple[Element, ...]) -> Evaluator:
    names = frozenset(element.name for element in needed)

    def evaluate(scene: Scene) -> Iterator[RecordProblem]:
        if names <= scene.record.keys():
            return
        for element in needed:
            if element.name not in scene.record:
                yield of_element(version, ProblemKind.REQUIRED, element, join(scene.base, element.name))

    return evaluate


def _ranges(version: MappingVersion, bounded: tuple[Element, ...]) -> Evaluator:
    def evaluate(scene: Scene) -> Iterator[RecordProblem]:
        for element in bounded:
            if element.name not in scene.record or element.type is not ElementType.NUMBER:
                continue
            value = number(scene.record[element.name])
            if value is None:
                continue
            below = element.minimum is not None and value < element.minimum
            above = element.maximum is not None and value > element.maximum
            if below or above:
                yield of_element(version, ProblemKind.RANGE, element, join(scene.base, element.name))

    return evaluate


def _requires(version: MappingVersion, rule: Rule) -> Evaluator:
    def evaluate(scene: Scene) -> Iterator[RecordProblem]:
        if rule.when is not None and holds(rule.when, scene.record):
            for name in rule.elements:
                if name not in scene.record:
                    yield of_rule(version, rule, join(scene.base, name), name)

    return evaluate


def _forbids(version: MappingVersion, rule: Rule) -> Evaluator:
    def evaluate(scene: Scene) -> Iterator[RecordProblem]:
        if rule.when is not None and holds(rule.when, scene.record):
            for name in rule.elements:
                if name in scene.record:
                    yield of_rule(version, rule, join(scene.base, name), name)

    return evaluate


def _any_of(version: MappingVersion, rule: Rule) -> Evaluator:
    names = frozenset(rule.elements)

    def evaluate(scene: Scene) -> Iterator[RecordProblem]:
        if names.isdisjoint(scene.record.keys()):
            yield of_rule(version, rule, scene.base, rule.elements[0])

    return evaluate


def _each(version: MappingVersion, rule: Rule, wrong: Callable[[Scene, Any], bool]) -> Evaluator:
    """The evaluator that reports each element of `rule` whose value is `wrong`."""

    def evaluate(scene: Scene) -> Iterator[RecordProblem]:
        for name in rule.elements:
            value = scene.record.get(name)
            if value is not None and wrong(scene, value):
                yield of_rule(version, rule, join(scene.base, name), name)

    return evaluate


def _luhn(version: MappingVersion, rule: Rule) -> Evaluator:
    return _each(version, rule, lambda _, value: isinstance(value, str) and _ten_digits(value) and not luhn_npi(value))


def _ten_digits(value: str) -> bool:
    return len(value) == 10 and value.isascii() and value.isdigit()


def _not_future(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        found = day(value)
        return found is not None and found > scene.today

    return _each(version, rule, wrong)


def _not_before(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        found, other = day(value), _other(rule, scene)
        return found is not None and other is not None and found < other

    return _each(version, rule, wrong)


def _within(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        found, other = day(value), _other(rule, scene)
        return found is not None and other is not None and (found - other).days > rule.days

    return _each(version, rule, wrong)


def _other(rule: Rule, scene: Scene) -> date | None:
    return day(scene.record[rule.other] if rule.other in scene.record else scene.exam.get(rule.other))


def _equals_header(version: MappingVersion, rule: Rule) -> Evaluator:
    return _each(version, rule, lambda scene, value: value != scene.facility)


_MAKERS: dict[RuleKind, Callable[[MappingVersion, Rule], Evaluator]] = {
    RuleKind.REQUIRES: _requires,
    RuleKind.FORBIDS: _forbids,
    RuleKind.ANY_OF: _any_of,
    RuleKind.LUHN_NPI: _luhn,
    RuleKind.NOT_FUTURE: _not_future,
    RuleKind.NOT_BEFORE: _not_before,
    RuleKind.WITHIN_DAYS: _within,
    RuleKind.EQUALS_HEADER: _equals_header,
}
_BOTH_LAYERS = frozenset({RuleKind.REQUIRES, RuleKind.FORBIDS, RuleKind.ANY_OF})
