"""Exams that are wrong in exactly one named way: one violation per element and breach, and per rule and element.

Each violation says which problem codes it must be answered with and at which pointers. Where one wrong date cannot be
wrong alone (a birth in the future is after the exam too), all that follows is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from acrmock.facts.registry import Element, ElementType, Level, MappingVersion, RecordKind, Rule, RuleKind
from synthetic.dateviolations import date_violation
from synthetic.exammaker import ExamMaker
from synthetic.makers import Record
from synthetic.plan import ABSENT, PRESENT
from synthetic.violation import SEVERITY, Answer, Bench, Breach, Change, Severity, Violation, Wishing, rule_violation
from synthetic.wishing import Wish, Wisher


def violations(version: MappingVersion) -> tuple[Violation, ...]:
    """Every named violation of a mapping version, elements first, in the order of the tables."""
    found: list[Violation] = []
    for element in version.elements:
        found += _of_element(Bench(version, element.record), element)
    for record in RecordKind:
        if version.of(record):
            found.append(_unknown(Bench(version, record)))
    for rule in version.rules:
        found += _of_rule(Bench(version, rule.record), rule)
    return tuple(found)


def invalid_exams(maker: ExamMaker, indices: range) -> Iterator[Record]:
    """Exam `index` wrong in the way number `index` (around again after the last), those that lead to rejection only."""
    ways = [way for way in violations(maker.version) if way.severity is Severity.REJECTED and not way.batch]
    return (ways[index % len(ways)].exams(maker, index)[-1] for index in indices)


def _of_element(bench: Bench, element: Element) -> list[Violation]:
    found = []
    if element.level is not Level.OPTIONAL:
        found.append(_element(bench, element, Breach.MISSING, lambda record, _m, _e: record.pop(element.name)))
    for breach, value in _wrong_values(element):
        found.append(_element(bench, element, breach, _setting(element.name, value)))
    if element.pattern:
        found.append(_element(bench, element, Breach.PATTERN, lambda record, _m, _e: _spoil(record, element.name)))
    return found


def _element(bench: Bench, element: Element, breach: Breach, change: Change) -> Violation:
    severity = Severity.REJECTED
    if breach is Breach.MISSING:
        severity = SEVERITY[element.level]
    elif breach in (Breach.BELOW, Breach.ABOVE):
        severity = Severity.WARNING
    return Violation(
        name=f"{element.name}:{breach.value}",
        severity=severity,
        main=Answer(breach=breach, pointer=bench.pointer(element.name), element=element.name),
        make=bench.making(lambda wisher: wisher.add({}, element.name, PRESENT), change),
    )


def _wrong_values(element: Element) -> Iterator[tuple[Breach, Any]]:
    """Wrong values, each in one way only; `True` is no type that any element has."""
    yield Breach.TYPE, True
    if element.type is ElementType.CODE:
        yield from _wrong_codes(element)
    elif element.type is ElementType.DATE:
        yield Breach.DATE, "2025-02-30"
    elif element.type is ElementType.NUMBER:
        yield Breach.NUMBER, "many"
        if element.minimum is not None:
            yield Breach.BELOW, element.minimum - 1
        if element.maximum is not None:
            yield Breach.ABOVE, element.maximum + 1
    elif not element.pattern:  # a patterned text of another length does not fit its pattern either
        if element.max_length is not None:
            yield Breach.TOO_LONG, "x" * (element.max_length + 1)
        yield Breach.TOO_SHORT, "x" * ((element.min_length or 1) - 1)


def _wrong_codes(element: Element) -> Iterator[tuple[Breach, Any]]:
    unknown = "no-such-code"
    yield Breach.CODE, [unknown] if element.multiple else unknown
    if element.multiple:
        yield Breach.EMPTY, []
        yield Breach.TWICE, [element.codes[-1].code] * 2


def _setting(name: str, value: Any) -> Change:
    def change(record: Record, _maker: ExamMaker, _exam: Record) -> None:
        record[name] = value

    return change


def _spoil(record: Record, name: str) -> None:
    record[name] = "#" + record[name][1:]


def _unknown(bench: Bench) -> Violation:
    name = "No_Such_Element"
    return Violation(
        name=f"{bench.record.value}:{Breach.UNKNOWN.value}",
        severity=Severity.REJECTED if bench.version.unknown_elements == "reject" else Severity.WARNING,
        main=Answer(breach=Breach.UNKNOWN, pointer=bench.pointer(name), element=name),
        make=bench.making(lambda _wisher: {}, _setting(name, "x")),
    )


def _of_rule(bench: Bench, rule: Rule) -> list[Violation]:
    if rule.kind is RuleKind.UNIQUE_EXAM:
        return [_twice(rule)]
    if rule.kind is RuleKind.ANY_OF:
        return [rule_violation(bench, rule, rule.elements[0], _none_of(rule), _nothing)]
    return [found for name in rule.elements if (found := _of_target(bench, rule, name)) is not None]


def _of_target(bench: Bench, rule: Rule, name: str) -> Violation | None:
    """The violation of a rule at one of its elements; None where the element's own level already demands it."""
    element = bench.version.element(name, rule.record)
    if element is None or (rule.kind is RuleKind.REQUIRES and element.level is not Level.OPTIONAL):
        return None
    if rule.kind in _CHANGES:
        wish = _conditioned(rule, name) if rule.kind in _CONDITIONAL else _present(name)
        return rule_violation(bench, rule, name, wish, partial(_CHANGES[rule.kind], name=name))
    return date_violation(bench, rule, name)


def _nothing(_record: Record, _maker: ExamMaker, _exam: Record) -> None:
    """The wish alone is wrong enough."""


def _present(name: str) -> Wishing:
    return lambda wisher: wisher.add({}, name, PRESENT)


def _none_of(rule: Rule) -> Wishing:
    def wish(wisher: Wisher) -> Wish | None:
        base = {} if rule.when is None else wisher.satisfy({}, rule.when)
        return None if base is None else {**base, **dict.fromkeys(rule.elements, ABSENT)}

    return wish


def _conditioned(rule: Rule, name: str) -> Wishing:
    def wish(wisher: Wisher) -> Wish | None:
        base = {} if rule.when is None else wisher.satisfy({}, rule.when)
        return None if base is None else {**base, name: PRESENT}

    return wish


def _remove(record: Record, _maker: ExamMaker, _exam: Record, *, name: str) -> None:
    del record[name]


def _keep(_record: Record, _maker: ExamMaker, _exam: Record, *, name: str) -> None:
    """A forbidden element that was wished for is wrong enough."""
    del name


def _miscount(record: Record, _maker: ExamMaker, _exam: Record, *, name: str) -> None:
    value = record[name]
    record[name] = value[:-1] + str((int(value[-1]) + 1) % 10)


def _differ(record: Record, _maker: ExamMaker, _exam: Record, *, name: str) -> None:
    record[name] = "another-one"


_CONDITIONAL = (RuleKind.REQUIRES, RuleKind.FORBIDS)
_CHANGES: dict[RuleKind, Callable[..., None]] = {
    RuleKind.REQUIRES: _remove,
    RuleKind.FORBIDS: _keep,
    RuleKind.LUHN_NPI: _miscount,
    RuleKind.EQUALS_HEADER: _differ,
}


def _twice(rule: Rule) -> Violation:
    def make(maker: ExamMaker, index: int) -> list[Record]:
        exam = maker.exam(index, follow_ups=())
        return [exam, dict(exam)]

    return Violation(
        name=rule.id,
        severity=SEVERITY[rule.level],
        main=Answer(breach=Breach.RULE, pointer="", rule=rule.id),
        make=make,
        batch=True,
    )
