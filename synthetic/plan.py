"""The plan of a record: which elements are made, in which order, and under which conditions of the mapping version.

A plan is compiled once per mapping version and kind of record. Elements come after those that they depend on; what a rule
requires is made, what it forbids is left out, and an element that rules require only sometimes is made only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from acrmock.facts.registry import Condition, Element, Level, MappingVersion, Rule, RuleKind
from synthetic.hints import ElementHint, Hints
from synthetic.makers import Maker, Occasion, Record, maker
from synthetic.program import CERTAIN, program
from synthetic.randomness import Draws
from synthetic.related import related, without_excluded


class Wish:
    """What may stand in place of a value in a wish: the element left out, or made whatever it is."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


ABSENT: Final = Wish("ABSENT")
PRESENT: Final = Wish("PRESENT")
Wishes = Mapping[str, Any]
_NONE: Wishes = {}
_REQUIRED = (Level.SUBMIT, Level.COMPLETE)


def holds(condition: Condition | None, record: Mapping[str, Any]) -> bool:
    """Whether a rule's condition holds in a record; no condition always does."""
    if condition is None:
        return True
    value = record.get(condition.element)
    if value is None:
        return False
    if not condition.values:
        return True
    if isinstance(value, list):
        return any(item in condition.values for item in value)
    return value in condition.values


Conditions = tuple[tuple[str, frozenset[str]], ...]


def _compiled(conditions: Iterable[Condition | None]) -> Conditions:
    """Conditions as they are asked most quickly; that without a condition is never asked."""
    return tuple((condition.element, frozenset(condition.values)) for condition in conditions if condition is not None)


def _any_met(conditions: Conditions, record: Mapping[str, Any]) -> bool:
    """Whether any of the conditions holds, as `holds` would say."""
    for name, values in conditions:
        value = record.get(name)
        if value is None:
            continue
        if not values or (not values.isdisjoint(value) if type(value) is list else value in values):
            return True
    return False


class Step:
    """One element of a plan, with what decides whether it is made."""

    __slots__ = (
        "_whole",
        "always",
        "conditional",
        "forbidding",
        "forbids",
        "make",
        "multiple",
        "name",
        "needs",
        "requires",
        "requiring",
        "share",
        "unless",
    )

    def __init__(
        self,
        element: Element,
        rules: Iterable[Rule],
        hint: ElementHint,
        share: int,
        make: Maker,
        *,
        one_valued: frozenset[str] = frozenset(),
    ) -> None:
        targeting = [rule for rule in rules if element.name in rule.elements]
        requiring = [rule for rule in targeting if rule.kind is RuleKind.REQUIRES]
        self.name = element.name
        self.multiple = element.multiple
        self.make = make
        self.always = element.level in _REQUIRED or any(rule.when is None for rule in requiring)
        self.requiring = _compiled(rule.when for rule in requiring)
        self.conditional = bool(self.requiring)
        self.forbidding = _compiled(rule.when for rule in targeting if rule.kind is RuleKind.FORBIDS)
        self._whole = all(name in one_valued for name, _ in self.requiring)
        self.needs = hint.needs
        self.unless = tuple(Condition(element=other, values=values) for other, values in hint.unless.items())
        self.share = hint.share if hint.share is not None else share
        if any(rule.kind is RuleKind.EQUALS_HEADER for rule in targeting):
            self.share = 0  # only the sender knows it

    @property
    def plain(self) -> bool:
        """Whether nothing else in the record bears on the element."""
        return not (self.requiring or self.forbidding or self.needs or self.unless)

    @property
    def asks(self) -> frozenset[str]:
        """The elements whose values decide whether it is made."""
        conditions = (*self.requiring, *self.forbidding)
        return frozenset((*(name for name, _ in conditions), *self.needs, *(when.element for when in self.unless)))

    @property
    def parts(self) -> int:
        """The share of records with the element, in parts of 65,536."""
        return CERTAIN if self.always else self.share * CERTAIN // 1000

    @property
    def gate(self) -> tuple[str, frozenset[str]] | None:
        """The element and the values of it that alone decide whether the element is made; None where it is not so simple."""
        if self.always or len(self.requiring) != 1:
            return None
        name, values = self.requiring[0]
        apart = all(other == name and barring and barring.isdisjoint(values) for other, barring in self.forbidding)
        return (name, values) if values and apart and (self._whole or not self.forbidding) else None

    def barred(self, record: Record) -> bool:
        """Whether a rule forbids the element in this record."""
        return _any_met(self.forbidding, record)

    def demanded(self, record: Record) -> bool:
        """Whether the tables demand the element in this record, or allow no other way."""
        if self.barred(record):
            return False
        return self.always or _any_met(self.requiring, record)

    def wanted(self, draws: Draws, record: Record) -> bool:
        """Whether the element is made in this record: demanded, or optional and drawn."""
        if self.forbidding and _any_met(self.forbidding, record):
            return False
        if self.always:
            return True
        if self.conditional:
            return _any_met(self.requiring, record)
        for name in self.needs:
            if name not in record:
                return False
        return not self.implausible(record) and draws.below(1000) < self.share

    def implausible(self, record: Record) -> bool:
        """Whether the hints leave the element out beside what the record says."""
        return any(holds(condition, record) for condition in self.unless) if self.unless else False


class RecordPlan:
    """How records of one kind (an exam, or what stands in a list of it) of one mapping version are made."""

    __slots__ = ("_any_of", "_fill", "_steps", "elements", "order", "rules")

    def __init__(self, version: MappingVersion, record: str, hints: Hints) -> None:
        own = hints.of(record)
        self.elements = version.of(record)
        self.rules = tuple(rule for rule in version.rules if rule.record == record)
        steps = {}
        one_valued = frozenset(element.name for element in self.elements if not element.multiple)
        for element in self.elements:
            hint = own.get(element.name, ElementHint())
            make = related(element, hint, self.rules, maker(element, without_excluded(hint, element, self.rules), hints.phrases))
            steps[element.name] = Step(element, self.rules, hint, hints.optional_share, make, one_valued=one_valued)
        self.order = tuple(steps)
        self._steps = tuple(steps[name] for name in _sorted(steps, _dependencies(self.rules, own)))
        self._any_of = tuple((rule, frozenset(rule.elements)) for rule in self.rules if rule.kind is RuleKind.ANY_OF)
        known = frozenset(steps)
        self._fill = program(self._steps, self.order, tuple(names & known for _, names in self._any_of))

    def make(self, draws: Draws, occasion: Occasion, wishes: Wishes = _NONE) -> Record:
        """A record that is complete but for what `wishes` say: per element a value, `ABSENT` or `PRESENT`."""
        record: Record = {}
        if wishes:
            self._grant(draws, occasion, wishes, record)
        elif self._fill(draws, occasion, record):
            return record
        if self._mend(draws, occasion, wishes, record) or wishes:
            return {name: record[name] for name in self.order if name in record}
        return record

    def _grant(self, draws: Draws, occasion: Occasion, wishes: Wishes, record: Record) -> None:
        for step in self._steps:
            name = step.name
            if name in wishes:
                value = wishes[name]
                if value is not ABSENT:
                    record[name] = step.make(draws, occasion, record) if value is PRESENT else value
            elif step.wanted(draws, record):
                record[name] = step.make(draws, occasion, record)

    def _mend(self, draws: Draws, occasion: Occasion, wishes: Wishes, record: Record) -> bool:
        """Add what is still demanded: one of each any-of, and what a wish or a circle of rules brought about.

        Whether anything was added.
        """
        before = len(record)
        for rule, names in self._any_of:
            if names.isdisjoint(record) and holds(rule.when, record):
                fit = [s for s in self._steps if s.name in rule.elements and s.name not in wishes]
                for step in sorted(fit, key=lambda s: s.implausible(record))[:1]:
                    record[step.name] = step.make(draws, occasion, record)
        if wishes:
            for step in self._steps:
                if step.name not in record and step.name not in wishes and step.demanded(record):
                    record[step.name] = step.make(draws, occasion, record)
        return len(record) > before


def _dependencies(rules: Iterable[Rule], hints: Mapping[str, ElementHint]) -> dict[str, set[str]]:
    needed: dict[str, set[str]] = {}
    for rule in rules:
        for name in rule.elements:
            before = needed.setdefault(name, set())
            if rule.when is not None:
                before.add(rule.when.element)
            if rule.other:
                before.add(rule.other)
            before.update(band.element for band in rule.bands)
    for name, hint in hints.items():
        needed.setdefault(name, set()).update(hint.needs, hint.product_of, hint.unless, (hint.after,))
    return needed


def _sorted(steps: Mapping[str, Step], needed: Mapping[str, set[str]]) -> list[str]:
    """The names in table order, but each after what it depends on; a circle is broken at its first name."""
    waiting = list(steps)
    done: list[str] = []
    while waiting:
        ready = next((n for n in waiting if not any(b in waiting and b != n for b in needed.get(n, ()))), waiting[0])
        waiting.remove(ready)
        done.append(ready)
    return done
