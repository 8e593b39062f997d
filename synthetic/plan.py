"""The plan of a record: which elements are made, in which order, and under which conditions of the mapping version.

A plan is compiled once per mapping version and kind of record. Elements come after those that they depend on; what a rule
requires is made, what it forbids is left out, and an element that rules require only sometimes is made only then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from acrmock.facts.registry import Condition, Element, Level, MappingVersion, Rule, RuleKind
from synthetic.hints import ElementHint, Hints
from synthetic.makers import Maker, Occasion, Record, maker
from synthetic.randomness import LOW, Draws
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
_CERTAIN = 1 << 16
_LOT = _CERTAIN - 1
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


_Conditions = tuple[tuple[str, frozenset[str]], ...]


def _compiled(conditions: Iterable[Condition | None]) -> _Conditions:
    """Conditions as they are asked most quickly; that without a condition is never asked."""
    return tuple((condition.element, frozenset(condition.values)) for condition in conditions if condition is not None)


def _any_met(conditions: _Conditions, record: Mapping[str, Any]) -> bool:
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
        "_forbidding",
        "_requiring",
        "_whole",
        "always",
        "conditional",
        "forbids",
        "make",
        "name",
        "needs",
        "requires",
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
        self.make = make
        self.always = element.level in _REQUIRED or any(rule.when is None for rule in requiring)
        self._requiring = _compiled(rule.when for rule in requiring)
        self.conditional = bool(self._requiring)
        self._forbidding = _compiled(rule.when for rule in targeting if rule.kind is RuleKind.FORBIDS)
        self._whole = all(name in one_valued for name, _ in self._requiring)
        self.needs = hint.needs
        self.unless = tuple(Condition(element=other, values=values) for other, values in hint.unless.items())
        self.share = hint.share if hint.share is not None else share
        if any(rule.kind is RuleKind.EQUALS_HEADER for rule in targeting):
            self.share = 0  # only the sender knows it

    @property
    def plain(self) -> bool:
        """Whether nothing else in the record bears on the element."""
        return not (self._requiring or self._forbidding or self.needs or self.unless)

    @property
    def parts(self) -> int:
        """The share of records with the element, in parts of 65,536."""
        return _CERTAIN if self.always else self.share * _CERTAIN // 1000

    @property
    def gate(self) -> tuple[str, frozenset[str]] | None:
        """The element and the values of it that alone decide whether the element is made; None where it is not so simple."""
        if self.always or len(self._requiring) != 1:
            return None
        name, values = self._requiring[0]
        apart = all(other == name and barring and barring.isdisjoint(values) for other, barring in self._forbidding)
        return (name, values) if values and apart and (self._whole or not self._forbidding) else None

    def barred(self, record: Record) -> bool:
        """Whether a rule forbids the element in this record."""
        return _any_met(self._forbidding, record)

    def demanded(self, record: Record) -> bool:
        """Whether the tables demand the element in this record, or allow no other way."""
        if self.barred(record):
            return False
        return self.always or _any_met(self._requiring, record)

    def wanted(self, draws: Draws, record: Record) -> bool:
        """Whether the element is made in this record: demanded, or optional and drawn."""
        if self._forbidding and _any_met(self._forbidding, record):
            return False
        if self.always:
            return True
        if self.conditional:
            return _any_met(self._requiring, record)
        for name in self.needs:
            if name not in record:
                return False
        return not self.implausible(record) and draws.below(1000) < self.share

    def implausible(self, record: Record) -> bool:
        """Whether the hints leave the element out beside what the record says."""
        return any(holds(condition, record) for condition in self.unless) if self.unless else False


class RecordPlan:
    """How records of one kind (an exam, or what stands in a list of it) of one mapping version are made."""

    __slots__ = ("_any_of", "_in_order", "_program", "_steps", "elements", "order", "rules")

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
        self._program = tuple(_instruction(step) for step in self._steps)
        self._in_order = tuple(step.name for step in self._steps) == self.order
        self._any_of = tuple((rule, frozenset(rule.elements)) for rule in self.rules if rule.kind is RuleKind.ANY_OF)

    def make(self, draws: Draws, occasion: Occasion, wishes: Wishes = _NONE) -> Record:
        """A record that is complete but for what `wishes` say: per element a value, `ABSENT` or `PRESENT`."""
        record: Record = {}
        if wishes:
            self._grant(draws, occasion, wishes, record)
        else:
            self._fill(draws, occasion, record)
        if self._mend(draws, occasion, wishes, record) or wishes or not self._in_order:
            return {name: record[name] for name in self.order if name in record}
        return record

    def _fill(self, draws: Draws, occasion: Occasion, record: Record) -> None:  # noqa: C901 - each call less is time
        """Without wishes. Most of the time goes here: what most steps need is done in place, without a call.

        Four shares (16 bits each) are drawn from one word.
        """
        bits = left = 0
        words, refill, get = draws.words, draws.refill, record.get
        for name, share, gate, among, wanted, table, make in self._program:
            if gate is not None:
                value = get(gate)
                if value is None or (among.isdisjoint(value) if type(value) is list else value not in among):
                    continue
            elif wanted is not None:
                if not wanted(draws, record):
                    continue
            elif share < _CERTAIN:
                if not left:
                    if not words:
                        refill()
                    bits, left = words.pop(), 4
                left -= 1
                lot = bits & _LOT
                bits >>= 16
                if lot >= share:
                    continue
            if table is None:
                record[name] = make(draws, occasion, record)
                continue
            if not words:  # as `Draws.choice` does
                refill()
            bound = len(table)
            product = words.pop() * bound
            record[name] = table[product >> 64 if product & LOW >= bound else draws.again(product, bound)]

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


Wanted = Callable[[Draws, Record], bool]
_Instruction = tuple[str, int, str | None, frozenset[str], Wanted | None, Sequence[Any] | None, Maker]


def _instruction(step: Step) -> _Instruction:
    """A step as it is carried out most quickly: its name and share, what it depends on, what it draws from or how it is made."""
    gate, among = step.gate or (None, frozenset())
    wanted = None if step.plain else step.wanted
    return step.name, step.parts, gate, among, wanted, getattr(step.make, "table", None), step.make


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
