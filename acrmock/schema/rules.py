"""The second layer of rules, which JSON Schema cannot say: completeness, check digits, dates, windows, ranges, duplicates.

An evaluator looks at one record and never raises, whatever the values are: what is of a wrong type or missing is the first
layer's to report and is passed over here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from acrmock.facts import Condition, Element, ElementType, Level, MappingVersion, Rule, RuleKind
from acrmock.identity import luhn_npi
from acrmock.pointer import join
from acrmock.record import RecordProblem
from acrmock.schema.problems import ProblemKind, of_element, of_rule
from acrmock.schema.record import DATE_LENGTH, INSTANT_LENGTH


@dataclass(frozen=True, slots=True)
class Scene:
    """What a rule looks at: the record, its exam (itself for an exam), its pointer, business date and header facility."""

    record: Mapping[str, Any]
    exam: Mapping[str, Any]
    base: str
    today: date
    facility: str


ROUNDING = 0.01
"""So far a mean may lie outside of its bands, as it was rounded."""
Evaluator = Callable[[Scene], Iterator[RecordProblem]]


def evaluators(version: MappingVersion, record: str) -> tuple[Evaluator, ...]:
    """The evaluators of all rules of the second layer for one kind of record, cheapest form first."""
    found: list[Evaluator] = []
    needed = tuple(element for element in version.of(record) if element.level is Level.COMPLETE)
    if needed:
        found.append(_complete(version, needed))
    bounded = tuple(element for element in version.of(record) if element.minimum is not None or element.maximum is not None)
    if bounded:
        found.append(_ranges(version, bounded))
    found += [_MAKERS[rule.kind](version, rule) for rule in version.rules if rule.record == record and _second(rule)]
    return tuple(found)


def evaluator(version: MappingVersion, rule: Rule) -> Evaluator | None:
    """The evaluator of one rule, or None for a kind that no record breaks alone."""
    return _MAKERS[rule.kind](version, rule) if rule.kind in _MAKERS else None


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
    """The date that a value is, or the day of the instant that it is, or None."""
    found = moment(value)
    return found.date() if found is not None else None


def moment(value: Any) -> datetime | None:
    """The local instant that a value is (a date's first), or None."""
    if not isinstance(value, str) or len(value) not in (DATE_LENGTH, INSTANT_LENGTH):
        return None
    try:
        return datetime.fromisoformat(value)
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
    """The evaluator that reports each element of `rule` whose value is `wrong`, where the rule's condition holds."""

    def evaluate(scene: Scene) -> Iterator[RecordProblem]:
        if rule.when is not None and not holds(rule.when, scene.record):
            return
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
        return found is not None and found > scene.today - timedelta(days=rule.days)

    return _each(version, rule, wrong)


def _not_before(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        other = _other(rule, scene)
        first, second = moment(value), moment(other)
        if first is None or second is None:
            return False
        return first < second if len(value) == len(other) else first.date() < second.date()

    return _each(version, rule, wrong)


def _within(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        found, other = day(value), day(_other(rule, scene))
        return found is not None and other is not None and (found - other).days > rule.days

    return _each(version, rule, wrong)


def _other(rule: Rule, scene: Scene) -> Any:
    return scene.record[rule.other] if rule.other in scene.record else scene.exam.get(rule.other)


def _equals_header(version: MappingVersion, rule: Rule) -> Evaluator:
    return _each(version, rule, lambda scene, value: value != scene.facility)


def _excluded(version: MappingVersion, rule: Rule) -> Evaluator:
    return _each(version, rule, lambda _scene, _value: True)


def texts(value: Any) -> tuple[str, ...]:
    """The texts that a value is: itself, or those in a list."""
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _known(version: MappingVersion, rule: Rule, value: Any) -> tuple[str, ...]:
    """The texts in a value but for what its value list does not have: that is the first layer's to report."""
    sets = [e.code_set for name in rule.elements if (e := version.element(name, rule.record)) is not None and e.codes]
    return tuple(text for text in texts(value) if all(text in codes for codes in sets))


def _pairs(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        allowed = [rule.pairs[other] for other in texts(_other(rule, scene)) if other in rule.pairs]
        return bool(allowed) and any(all(item not in values for values in allowed) for item in _known(version, rule, value))

    return _each(version, rule, wrong)


def _among(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        others = set(_known(version, rule, _other(rule, scene)))  # without any, that is what is told
        return bool(others) and not set(_known(version, rule, value)) <= others

    return _each(version, rule, wrong)


def _within_percent(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        found, other = number(value), number(_other(rule, scene))
        return found is not None and other is not None and abs(found - other) > abs(other) * rule.percent / 100

    return _each(version, rule, wrong)


def mean_range(rule: Rule, record: Mapping[str, Any]) -> tuple[float, float] | None:
    """The least and greatest mean that the counts of a rule's bands allow; None where they are not all there, or all 0."""
    counts = [number(record.get(band.element)) for band in rule.bands]
    total = sum(count for count in counts if count is not None)
    if None in counts or total <= 0:
        return None
    known = [(band, count) for band, count in zip(rule.bands, counts, strict=True) if count]
    least = sum(band.least * count for band, count in known) / total
    most = sum((float("inf") if band.most is None else band.most) * count for band, count in known) / total
    return least, most


def _mean_in_bands(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        found, bounds = number(value), mean_range(rule, scene.record)
        return found is not None and bounds is not None and not bounds[0] - ROUNDING <= found <= bounds[1] + ROUNDING

    return _each(version, rule, wrong)


def _month_past(version: MappingVersion, rule: Rule) -> Evaluator:
    def wrong(scene: Scene, value: Any) -> bool:
        month, year = number(value), number(_other(rule, scene))
        return month is not None and year is not None and (year, month) >= (scene.today.year, scene.today.month)

    return _each(version, rule, wrong)


_MAKERS: dict[RuleKind, Callable[[MappingVersion, Rule], Evaluator]] = {
    RuleKind.REQUIRES: _requires,
    RuleKind.FORBIDS: _forbids,
    RuleKind.ANY_OF: _any_of,
    RuleKind.LUHN_NPI: _luhn,
    RuleKind.NOT_FUTURE: _not_future,
    RuleKind.NOT_BEFORE: _not_before,
    RuleKind.WITHIN_DAYS: _within,
    RuleKind.EQUALS_HEADER: _equals_header,
    RuleKind.EXCLUDED: _excluded,
    RuleKind.PAIRS: _pairs,
    RuleKind.AMONG: _among,
    RuleKind.WITHIN_PERCENT: _within_percent,
    RuleKind.MEAN_IN_BANDS: _mean_in_bands,
    RuleKind.MONTH_PAST: _month_past,
}
_BOTH_LAYERS = frozenset({RuleKind.REQUIRES, RuleKind.FORBIDS, RuleKind.ANY_OF})
