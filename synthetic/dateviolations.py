"""Violations of the rules about dates: in the future, before another date, too long after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from acrmock.facts.registry import ElementType, Level, MappingVersion, Rule, RuleKind
from acrmock.schema import rule_code
from synthetic.exammaker import ExamMaker
from synthetic.makers import Record
from synthetic.plan import ABSENT, PRESENT
from synthetic.violation import Ago, Answer, Bench, Violation, rule_violation
from synthetic.wishing import Wish, Wisher


def date_violation(bench: Bench, rule: Rule, name: str) -> Violation:
    """A date moved just past what its rule allows; dates that would contradict it are left out where they may be."""
    dates = [r for r in bench.version.rules if r.kind in _DATE_RULES]
    dropped = {
        other
        for r in dates
        if r.record == rule.record and name in (r.other, *r.elements) and r is not rule
        for other in (*r.elements, r.other)
        if other and other not in (name, rule.other) and _optional(bench.version, other, rule.record)
    }

    def wish(wisher: Wisher) -> Wish | None:
        base: Wish | None = {}
        for child in _dated_by(bench, name):
            base = None if base is None else wisher.add(base, child, ABSENT)
        for left_out in sorted(dropped):
            base = None if base is None else wisher.add(base, left_out, ABSENT)
        base = None if base is None else wisher.add(base, name, PRESENT)
        if base is not None and rule.other and bench.version.element(rule.other, rule.record) is not None:
            base = wisher.add(base, rule.other, PRESENT)
        return base

    def change(record: Record, maker: ExamMaker, exam: Record) -> None:
        element = bench.version.element(name, rule.record)
        found = _moved(rule, {**exam, **record}, maker.as_of)
        instant = element is not None and element.type is ElementType.INSTANT
        record[name] = found.isoformat() if instant else found.date().isoformat()

    return rule_violation(
        bench, rule, name, wish, change, also=_implied(bench, rule, name, dates, dropped), ago=_ago(rule, name, dates)
    )


def _dated_by(bench: Bench, name: str) -> list[str]:
    """The lists of the exam whose records' dates are compared with this one of its own."""
    kinds = {rule.record for rule in bench.version.rules if rule.kind in _DATE_RULES and rule.other == name}
    return [child.name for child in bench.version.lists if bench.child is None and child.kind in kinds]


def _ago(rule: Rule, name: str, dates: list[Rule]) -> Ago:
    """How long ago the exam lies, so that only this rule is broken: past a window, or near enough to stay within it."""
    if rule.kind is RuleKind.WITHIN_DAYS:
        return (rule.days + 14, 2 * rule.days + 14)
    near = [r.days for r in dates if r.kind is RuleKind.WITHIN_DAYS and name in r.elements]
    return (0, max(0, min(near) // 2)) if near else None


_DATE_RULES = (RuleKind.NOT_FUTURE, RuleKind.NOT_BEFORE, RuleKind.WITHIN_DAYS)


def _optional(version: MappingVersion, name: str, record: str) -> bool:
    element = version.element(name, record)
    return element is not None and element.level is Level.OPTIONAL


def _moved(rule: Rule, record: Mapping[str, Any], as_of: date) -> datetime:
    """The first day that breaks the rule (a week past today, so that a later reading still finds it in the future)."""
    if rule.kind is RuleKind.NOT_FUTURE:
        return datetime.combine(as_of, datetime.min.time()) + timedelta(days=7)
    other = datetime.fromisoformat(record[rule.other])
    return other - timedelta(days=1) if rule.kind is RuleKind.NOT_BEFORE else other + timedelta(days=rule.days + 1)


def _implied(bench: Bench, rule: Rule, name: str, dates: list[Rule], dropped: set[str]) -> tuple[Answer, ...]:
    """What else a date must break: in the future it is after every date that it should not be after, and so on down."""
    found = []
    for other in dates:
        if other is rule or other.record != rule.record:
            continue
        if other.kind is RuleKind.WITHIN_DAYS and rule.kind is RuleKind.NOT_BEFORE and other.other == name:
            kept = [e for e in other.elements if e not in dropped and _kept(bench, e, rule.record)]
            found += [Answer(rule_code(bench.version, other), bench.pointer(e)) for e in kept]
        if other.kind is not RuleKind.NOT_BEFORE:
            continue
        later = [e for e in other.elements if e not in dropped]
        if rule.kind is RuleKind.NOT_FUTURE and other.other == name:  # every later date is now before this one
            found += [Answer(rule_code(bench.version, other), bench.pointer(e)) for e in later if _kept(bench, e, rule.record)]
        if rule.kind is RuleKind.NOT_BEFORE and name in other.elements and _chained(dates, rule.other, other.other):
            found.append(Answer(rule_code(bench.version, other), bench.pointer(name)))
    return tuple(found)


def _kept(bench: Bench, name: str, record: str) -> bool:
    return not _optional(bench.version, name, record)


def _chained(dates: list[Rule], earlier: str, later: str) -> bool:
    """Whether a rule says that `later` is not before `earlier`: what is before the earlier is before the later too."""
    return any(r.kind is RuleKind.NOT_BEFORE and later in r.elements and r.other == earlier for r in dates)
