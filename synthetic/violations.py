"""Exams that are wrong in exactly one named way: one violation per element and breach, and per rule and element.

Each violation says which problem codes it must be answered with and at which pointers. Where one wrong date cannot be
wrong alone (a birth in the future is after the exam too), all that follows is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from acrmock.facts.registry import EXAM, Bounds, ChildList, Element, ElementType, Level, MappingVersion, Rule, RuleKind
from acrmock.schema import PREFIX, ProblemKind, RecordState, element_code, rule_code
from synthetic.dateviolations import date_violation
from synthetic.exammaker import ExamMaker
from synthetic.makers import Record
from synthetic.plan import ABSENT, PRESENT
from synthetic.tiedviolations import TIED, tied_violation
from synthetic.violation import STATE, Answer, Bench, Breach, Change, Violation, Wishing, rule_violation
from synthetic.wishing import Wish, Wisher


def violations(version: MappingVersion) -> tuple[Violation, ...]:
    """Every named violation of a mapping version, elements first, in the order of the tables."""
    found: list[Violation] = []
    for element in version.elements:
        found += _of_element(Bench(version, element.record), element)
    found += [_unknown(Bench(version, record)) for record in version.kinds]
    for child in version.lists:
        found += _of_list(Bench(version, EXAM), child)
    for rule in version.rules:
        found += _of_rule(Bench(version, rule.record), rule)
    return tuple(found)


def invalid_exams(maker: ExamMaker, indices: range) -> Iterator[Record]:
    """Exam `index` wrong in the way number `index` (around again after the last), those that lead to rejection only."""
    ways = [way for way in violations(maker.version) if way.state is RecordState.REJECTED and not way.batch]
    return (ways[index % len(ways)].exams(maker, index)[-1] for index in indices)


def _of_element(bench: Bench, element: Element) -> list[Violation]:
    found = []
    if element.level is not Level.OPTIONAL:
        found.append(_element(bench, element, Breach.MISSING, lambda record, _m, _e: record.pop(element.name)))
    found += [_element(bench, element, breach, _setting(element.name, value)) for breach, value in _wrong_values(element)]
    if element.multiple:
        found.append(_element(bench, element, Breach.TWICE, lambda record, _m, _e: _repeat(record, element.name)))
    against = _against(element)
    if against is not None:
        found.append(_element(bench, element, Breach.PATTERN, lambda record, _m, _e: _spoil(record, element, against)))
    return found


def _element(bench: Bench, element: Element, breach: Breach, change: Change) -> Violation:
    state = RecordState.REJECTED
    if breach is Breach.MISSING:
        state = STATE[element.level]
    elif breach in (Breach.BELOW, Breach.ABOVE):
        state = RecordState.COMPLETE if element.bounds is Bounds.WARN else RecordState.REJECTED
    pointer = bench.pointer(element.name) + ("/0" if breach is Breach.CODE and element.multiple else "")
    return Violation(
        name=f"{element.name}:{breach.value}",
        breach=breach,
        state=state,
        answer=Answer(element_code(bench.version, _PROBLEM[breach], element), pointer),
        make=bench.making(lambda wisher: _alone(bench, wisher, element), change),
        element=element.name,
        also=tuple(_following(bench, element, breach)),
    )


def _alone(bench: Bench, wisher: Wisher, element: Element) -> Wish | None:
    """The wish for an element without the elements to which rules tie its value, where they may be left out."""
    tied = [r for r in bench.version.rules if r.record == bench.record and r.kind in _TYING]
    named = [(r, {*r.elements, r.other, *(band.element for band in r.bands)}) for r in tied]
    others = {name for _, names in named if element.name in names for name in names if name and name != element.name}
    found: Wish | None = {}
    for name in sorted(others):
        other = bench.version.element(name, bench.record)
        if found is not None and other is not None and other.level is Level.OPTIONAL:
            found = wisher.add(found, name, ABSENT)
    for rule, _ in named:
        if found is not None and rule.kind is RuleKind.PAIRS and _texts_paired(rule, element):
            found = wisher.add(found, rule.other, next(iter(rule.pairs)))
    return None if found is None else wisher.add(found, element.name, PRESENT)


def _texts_paired(rule: Rule, element: Element) -> bool:
    return rule.kind is RuleKind.PAIRS and element.name in rule.elements and not element.codes


_TYING = frozenset({RuleKind.PAIRS, RuleKind.WITHIN_PERCENT, RuleKind.MEAN_IN_BANDS})


def _following(bench: Bench, element: Element, breach: Breach) -> Iterator[Answer]:
    """What a wrong value brings with it: nothing wrong is the header's value, or goes with another value."""
    pointer = bench.pointer(element.name)
    if breach is not Breach.MISSING:
        for rule in bench.version.rules:
            if rule.record != bench.record or element.name not in rule.elements:
                continue
            spoiled = breach in (Breach.TOO_LONG, Breach.TOO_SHORT) and _texts_paired(rule, element)
            if rule.kind is RuleKind.EQUALS_HEADER or spoiled:
                yield Answer(rule_code(bench.version, rule), pointer)


def _wrong_values(element: Element) -> Iterator[tuple[Breach, Any]]:
    """Wrong values, each in one way only; `True` is no type that any element has."""
    yield Breach.TYPE, True
    if element.type is ElementType.CODE:
        yield from _wrong_codes(element)
    elif element.type is ElementType.DATE:
        yield Breach.DATE, "2025-02-30"
    elif element.type is ElementType.INSTANT:
        yield Breach.DATE, "2025-02-30T12:00:00"
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


def _setting(name: str, value: Any) -> Change:
    def change(record: Record, _maker: ExamMaker, _exam: Record) -> None:
        record[name] = value

    return change


def _repeat(record: Record, name: str) -> None:
    record[name] = [*record[name], record[name][0]]


def _against(element: Element) -> str | None:
    """A text of the right length that the element's pattern does not find; None where it has none, or finds all of these."""
    lengths = {max(1, element.min_length or 0), min(element.max_length or 20, 20)}
    texts = (sign * length for sign in "#0aA " for length in sorted(lengths)) if element.pattern else ()
    return next((text for text in texts if re.search(element.pattern, text) is None), None)


def _spoil(record: Record, element: Element, against: str) -> None:
    near = "#" + record[element.name][1:]
    record[element.name] = near if re.search(element.pattern, near) is None else against


def _unknown(bench: Bench) -> Violation:
    name = "No_Such_Element"
    warned = bench.version.unknown_elements == "warn"
    return Violation(
        name=f"{bench.record}:{Breach.UNKNOWN.value}",
        breach=Breach.UNKNOWN,
        state=RecordState.COMPLETE if warned else RecordState.REJECTED,
        answer=Answer(_record_code(bench.version, ProblemKind.UNKNOWN), bench.pointer(name)),
        make=bench.making(lambda _wisher: {}, _setting(name, "x")),
    )


def _of_list(bench: Bench, child: ChildList) -> list[Violation]:
    """A list that is none, holds what is no object, or holds too many or too few."""
    own = Bench(bench.version, child.kind)

    def fill(record: Record, _maker: ExamMaker, _exam: Record) -> None:
        record[child.name] = [record[child.name][0]] * (child.most + 1)

    changes: list[tuple[Breach, Change]] = [
        (Breach.LIST, _setting(child.name, "x")),
        (Breach.RECORD, _setting(child.name, ["x"] * max(1, child.least))),
        (Breach.TOO_MANY, fill),
    ]
    if child.least:
        changes += [(Breach.TOO_FEW, _setting(child.name, [])), (Breach.MISSING, _removal(child.name))]
    return [
        Violation(
            name=f"{child.name}:{breach.value}",
            breach=breach,
            state=RecordState.REJECTED,
            answer=Answer(_record_code(bench.version, kind := _LIST_PROBLEM.get(breach, ProblemKind.LIST)), _place(own, kind)),
            make=bench.making(lambda wisher: wisher.add({}, child.name, PRESENT), change),
        )
        for breach, change in changes
    ]


def _place(own: Bench, kind: ProblemKind) -> str:
    return own.here if kind is ProblemKind.RECORD else own.here.removesuffix("/0")


def _removal(name: str) -> Change:
    return lambda record, _maker, _exam: record.pop(name)


_LIST_PROBLEM = {Breach.RECORD: ProblemKind.RECORD}


def _record_code(version: MappingVersion, kind: ProblemKind) -> str:
    return f"{PREFIX}{version.header_word}-{kind}"


_PROBLEM = {
    Breach.MISSING: ProblemKind.REQUIRED,
    Breach.TYPE: ProblemKind.TYPE,
    Breach.CODE: ProblemKind.CODE,
    Breach.DATE: ProblemKind.FORMAT,
    Breach.NUMBER: ProblemKind.TYPE,
    Breach.EMPTY: ProblemKind.TYPE,
    Breach.TWICE: ProblemKind.REPEATED,
    Breach.TOO_LONG: ProblemKind.LENGTH,
    Breach.TOO_SHORT: ProblemKind.LENGTH,
    Breach.PATTERN: ProblemKind.FORMAT,
    Breach.BELOW: ProblemKind.RANGE,
    Breach.ABOVE: ProblemKind.RANGE,
}


def _of_rule(bench: Bench, rule: Rule) -> list[Violation]:
    if rule.kind is RuleKind.UNIQUE_EXAM:
        return [_twice(bench, rule)]
    if rule.kind is RuleKind.NEEDS_FORM:  # whether it is broken is for the store to say
        return []
    if rule.kind is RuleKind.ANY_OF:
        return [rule_violation(bench, rule, rule.elements[0], _none_of(rule), _nothing)]
    return [found for name in rule.elements if (found := _of_target(bench, rule, name)) is not None]


def _of_target(bench: Bench, rule: Rule, name: str) -> Violation | None:
    """The violation of a rule at one of its elements; None where the element's own level already demands it."""
    element = bench.version.element(name, rule.record)
    if rule.kind is RuleKind.REQUIRES and element is not None and element.level is not Level.OPTIONAL:
        return None
    if rule.kind in TIED:
        return tied_violation(bench, rule, name)
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


def _twice(bench: Bench, rule: Rule) -> Violation:
    def make(maker: ExamMaker, index: int) -> list[Record]:
        exam = maker.exam(index, lists={})
        return [exam, dict(exam)]

    return Violation(
        name=rule.id,
        breach=Breach.RULE,
        state=STATE[rule.level],
        answer=Answer(rule_code(bench.version, rule), ""),
        make=make,
        rule=rule.id,
        batch=True,
    )
