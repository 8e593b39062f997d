"""Wishes that hold together: fixing one element also fixes what the tables and the hints make it depend on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acrmock.facts.registry import EXAM, Condition, Element, Level, MappingVersion, Rule, RuleKind
from acrmock.schema.rules import texts
from synthetic.exammaker import pseudo_element
from synthetic.hints import ElementHint, Hints
from synthetic.plan import ABSENT, PRESENT, holds

Wish = dict[str, Any]


class Wisher:
    """Adds wishes for the elements of one kind of record without contradicting those already made."""

    def __init__(self, version: MappingVersion, record: str, hints: Hints) -> None:
        self._elements = {element.name: element for element in version.of(record)}
        if record == EXAM:
            self._elements |= {child.name: pseudo_element(child) for child in version.lists}
        self._rules = tuple(rule for rule in version.rules if rule.record == record)
        self._pairs = tuple(rule for rule in self._rules if rule.kind is RuleKind.PAIRS)
        self._hints = hints.of(record)

    def add(self, wishes: Mapping[str, Any], name: str, value: Any) -> Wish | None:
        """The wishes with `name` fixed to `value` (or `ABSENT`, `PRESENT`) and all it needs, or None if they contradict."""
        return self._add(dict(wishes), name, value, ())

    def _add(self, wishes: Wish, name: str, value: Any, above: tuple[str, ...]) -> Wish | None:
        element = self._elements.get(name)
        if element is None or name in above:
            return None if element is None else wishes
        joined = self._join(element, wishes.get(name), value)
        if joined is None:
            return None
        found: Wish | None = {**wishes, name: joined}
        if value is ABSENT and element.level is not Level.OPTIONAL:
            return None
        if value is ABSENT:
            return self._unasked(found, name, (*above, name))
        hint = self._hints.get(name, ElementHint())
        below = (*above, name)
        found = self._condition(found, element, below)
        for needed in hint.needs:
            found = None if found is None else self._add(found, needed, PRESENT, below)
        for condition in self._excluding(name, hint):
            found = None if found is None else self._avoid(found, condition, below)
        for rule in self._pairs:
            if found is not None and name in (rule.other, *rule.elements):
                found = self._paired(found, rule, below)
        return found

    def _paired(self, wishes: Wish, rule: Rule, above: tuple[str, ...]) -> Wish | None:
        """The wishes once the values that a rule pairs go together; where only one is fixed, the other is chosen to fit."""
        for name in rule.elements:
            wished = texts(wishes.get(name))
            others = texts(wishes.get(rule.other))
            if not wished:
                continue
            if others:
                allowed = [rule.pairs[other] for other in others if other in rule.pairs]
                if allowed and any(all(value not in values for values in allowed) for value in wished):
                    return None
                continue
            fitting = (other for other, values in rule.pairs.items() if set(wished) <= set(values))
            element = self._elements[rule.other]
            tries = (self._add(wishes, rule.other, [other] if element.multiple else other, above) for other in fitting)
            found = next((found for found in tries if found is not None), None)
            if found is None:
                return None
            wishes = found
        return wishes

    def _unasked(self, wishes: Wish | None, name: str, above: tuple[str, ...]) -> Wish | None:
        """The wishes under which no rule asks for an element that is left out."""
        for rule in self._rules:
            if wishes is not None and rule.kind is RuleKind.REQUIRES and name in rule.elements and rule.when is not None:
                wishes = self._avoid(wishes, rule.when, above)
        return wishes

    def _join(self, element: Element, before: Any, value: Any) -> Any:
        """One value that grants both wishes, or None."""
        if before is None or before is value:
            return value
        if ABSENT in (before, value):
            return None
        if PRESENT in (before, value):
            return before if value is PRESENT else value
        if not element.multiple:
            return value if before == value else None
        both = {*before, *value}
        hint = self._hints.get(element.name, ElementHint())
        if len(both) > 1 and both & set(hint.alone):
            return None
        return [code.code for code in element.codes if code.code in both]

    def _condition(self, wishes: Wish | None, element: Element, above: tuple[str, ...]) -> Wish | None:
        """Make one of the conditions hold under which the element belongs into a record."""
        rules = [rule for rule in self._rules if rule.kind is RuleKind.REQUIRES and element.name in rule.elements]
        conditions = [rule.when for rule in rules if rule.when is not None]
        if wishes is None or len(conditions) < len(rules) or not conditions or element.level is not Level.OPTIONAL:
            return wishes
        known = {name: value for name, value in wishes.items() if value is not ABSENT}
        if any(holds(condition, known) for condition in conditions):
            return wishes
        tries = (self.satisfy(wishes, condition, above) for condition in conditions)
        return next((found for found in tries if found is not None), None)

    def satisfy(self, wishes: Mapping[str, Any], condition: Condition, above: tuple[str, ...] = ()) -> Wish | None:
        """The wishes under which a rule's condition holds, or None."""
        element = self._elements.get(condition.element)
        for value in condition.values or (PRESENT,):
            wished = [value] if element is not None and element.multiple and value is not PRESENT else value
            found = self._add(dict(wishes), condition.element, wished, above)
            if found is not None:
                return found
        return None

    def _excluding(self, name: str, hint: ElementHint) -> list[Condition]:
        rules = [rule for rule in self._rules if rule.kind is RuleKind.FORBIDS and name in rule.elements]
        own = [Condition(element=other, values=values) for other, values in hint.unless.items()]
        return [rule.when for rule in rules if rule.when is not None] + own

    def _avoid(self, wishes: Wish, condition: Condition, above: tuple[str, ...]) -> Wish | None:
        """The wishes under which a condition does not hold, or None."""
        element = self._elements.get(condition.element)
        known = {name: value for name, value in wishes.items() if value not in (ABSENT, PRESENT)}
        if element is None or condition.element in known:
            return None if holds(condition, known) else wishes
        other = next((code.code for code in element.codes if condition.values and code.code not in condition.values), None)
        if other is None:
            return self._add(wishes, condition.element, ABSENT, above)
        return self._add(wishes, condition.element, [other] if element.multiple else other, above)

    def avoid(self, wishes: Mapping[str, Any], condition: Condition) -> Wish | None:
        """The wishes under which a rule's condition does not hold, or None."""
        return self._avoid(dict(wishes), condition, ())
