"""Violations of the rules that tie a value to others: excluded codes, pairs, names, tolerances, means, months."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from acrmock.facts.registry import Condition, Element, Rule, RuleKind
from acrmock.schema.rules import texts
from synthetic.exammaker import ExamMaker
from synthetic.makers import Record
from synthetic.plan import PRESENT
from synthetic.related import excluded_codes
from synthetic.violation import Bench, Violation, rule_violation
from synthetic.wishing import Wish, Wisher

_COUNTED = 10


def tied_violation(bench: Bench, rule: Rule, name: str) -> Violation | None:
    """The violation of such a rule at one of its elements; None where its tables leave no value that breaks it."""
    if rule.kind is RuleKind.PAIRS:
        return _unpaired(bench, rule, name)
    return rule_violation(bench, rule, name, partial(_wish, bench, rule, name), partial(_CHANGES[rule.kind], bench, rule, name))


def _wish(bench: Bench, rule: Rule, name: str, wisher: Wisher) -> Wish | None:
    """Everything that the rule speaks of is there, and its condition holds, unless that is what it forbids."""
    found: Wish | None = {}
    if rule.when is not None and rule.kind is not RuleKind.EXCLUDED:
        found = wisher.satisfy({}, rule.when)
    for other in (name, rule.other, *(band.element for band in rule.bands)):
        if found is not None and other and bench.version.element(other, rule.record) is not None:
            found = wisher.add(found, other, PRESENT)
    return found


def _shaped(element: Element | None, value: str) -> Any:
    return [value] if element is not None and element.multiple else value


def _exclude(bench: Bench, rule: Rule, name: str, record: Record, _maker: ExamMaker, _exam: Record) -> None:
    when = rule.when or Condition(element=name)
    record[name] = _shaped(bench.version.element(name, rule.record), when.values[0])


def _unnamed(bench: Bench, rule: Rule, name: str, record: Record, _maker: ExamMaker, exam: Record) -> None:
    element = bench.version.element(name, rule.record)
    codes = [code.code for code in element.codes] if element is not None else []
    free = [code for code in codes if code not in texts(exam.get(rule.other))]
    if not free:
        exam[rule.other] = [codes[0]]
        free = codes[1:]
    record[name] = _shaped(element, free[0])


def _too_far(_bench: Bench, rule: Rule, name: str, record: Record, _maker: ExamMaker, _exam: Record) -> None:
    record[name] = int(float(record[rule.other]) * (1 + rule.percent / 100)) + 2


def _impossible(_bench: Bench, rule: Rule, name: str, record: Record, _maker: ExamMaker, _exam: Record) -> None:
    closed = next(band for band in rule.bands if band.most is not None)
    for band in rule.bands:
        record[band.element] = _COUNTED if band is closed else 0
    record[name] = (closed.most or 0) + 1


def _this_month(_bench: Bench, rule: Rule, name: str, record: Record, maker: ExamMaker, _exam: Record) -> None:
    record[name], record[rule.other] = str(maker.as_of.month), str(maker.as_of.year)


_CHANGES: dict[RuleKind, Callable[..., None]] = {
    RuleKind.EXCLUDED: _exclude,
    RuleKind.AMONG: _unnamed,
    RuleKind.WITHIN_PERCENT: _too_far,
    RuleKind.MEAN_IN_BANDS: _impossible,
    RuleKind.MONTH_PAST: _this_month,
}
TIED = frozenset({*_CHANGES, RuleKind.PAIRS})


def _unpaired(bench: Bench, rule: Rule, name: str) -> Violation | None:
    """A value that goes with another value than the one beside it."""
    element = bench.version.element(name, rule.record)
    if element is None:
        return None
    known = [code.code for code in element.codes] or sorted({value for values in rule.pairs.values() for value in values})
    asked = {value for r in bench.version.rules if r.when and r.when.element == name for value in r.when.values}
    spared = excluded_codes(name, bench.version.rules)
    for other, allowed in rule.pairs.items():
        wrong = sorted((value for value in known if value not in allowed and value not in spared), key=lambda v: v in asked)
        if wrong:
            return _unpaired_with(bench, rule, element, other, wrong[0])
    return None


def _unpaired_with(bench: Bench, rule: Rule, element: Element, other: str, wrong: str) -> Violation:
    def wish(wisher: Wisher) -> Wish | None:
        found: Wish | None = {} if rule.when is None else wisher.satisfy({}, rule.when)
        beside = bench.version.element(rule.other, rule.record)
        found = None if found is None else wisher.add(found, rule.other, _shaped(beside, other))
        found = None if found is None else wisher.add(found, element.name, PRESENT)
        return None if found is None else {**found, element.name: _shaped(element, wrong)}

    return rule_violation(bench, rule, element.name, wish, _wished_for)


def _wished_for(_record: Record, _maker: ExamMaker, _exam: Record) -> None:
    """The wish alone is wrong enough."""
