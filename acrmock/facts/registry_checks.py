"""Checking that what a registry's layers say fits together."""

from __future__ import annotations

from collections.abc import Mapping

from acrmock.facts.merge import Entries, Entry
from acrmock.facts.patterns import why_unreadable
from acrmock.facts.registry import EXAM, Condition, Element, ElementType, MappingVersion, Rule, RuleKind

RESERVED = frozenset({"REQ", "TYPE", "CODE", "LEN", "FMT", "RANGE", "REP", "LIST", "UNKNOWN", "RECORD"})
"""What problem codes of elements begin with (`acrmock.schema.problems`); a rule's id may not."""


def check_element(element: Element, entry: Entry) -> Element:
    """The element itself, once its attributes fit together; raises `FactsError`."""
    if (element.type is ElementType.CODE) != bool(element.codes):
        raise entry.error("an element of type code, and no other, has `codes`", "codes")
    if element.multiple and element.type is not ElementType.CODE:
        raise entry.error("only an element of type code can be `multiple`", "multiple")
    for low, high in (("min_length", "max_length"), ("minimum", "maximum")):
        least, most = entry.get(low), entry.get(high)
        if least is not None and most is not None and least > most:
            raise entry.error(f"`{low}` is above `{high}`", low)
    if element.pattern:
        reason = "" if entry.layer.shipped else why_unreadable(element.pattern)
        if reason:
            raise entry.error(f"the pattern cannot be read: {reason}", "pattern")
    return element


def check_version(version: MappingVersion, entry: Entry, elements: Mapping[str, Entries], rules: Entries) -> None:
    """Check that everything that a described version names is there; raises `FactsError` at the place that names it."""
    if not version.elements:
        return
    for attribute in ("key_elements", "patient_elements"):
        for name in getattr(version, attribute):
            if version.element(name) is None:
                raise entry.error(f"`{attribute}` names {name}, which is no element of {version.version}", attribute)
    numbers: dict[int, Element] = {}
    for element in version.elements:
        if element.number is not None and numbers.setdefault(element.number, element) is not element:
            place = elements[element.record][element.name]
            raise place.error(f"has the number of {numbers[element.number].name}", "number")
    for child in version.lists:
        if version.element(child.name) is not None:
            raise entry.error(f"the list {child.name} has the name of an element of {version.version}", "lists")
    for rule in version.rules:
        _check_rule(version, rule, rules[rule.id])


def _check_rule(version: MappingVersion, rule: Rule, entry: Entry) -> None:
    if rule.id.partition("-")[0] in RESERVED:
        raise entry.error(f"a rule's id cannot begin with {rule.id.partition('-')[0]}: it is the code of a problem")
    if rule.record not in version.kinds:
        raise entry.error(f"is of the record {rule.record}, of which {version.version} has no element", "record")
    for name in (*rule.elements, *(band.element for band in rule.bands)):
        listed = rule.record == EXAM and rule.kind in _OF_LISTS and version.listed(name) is not None
        if version.element(name, rule.record) is None and not listed:
            raise entry.error(f"names {name}, which is no element of {version.version}", "elements")
    if rule.other and not any(version.element(rule.other, record) for record in (rule.record, EXAM)):
        raise entry.error(f"names {rule.other}, which is no element of {version.version}", "other")
    _check_parts(rule, entry)
    if rule.when is not None:
        _check_condition(version, rule, rule.when, entry)


def _check_parts(rule: Rule, entry: Entry) -> None:
    needed = _NEEDED.get(rule.kind, ())
    for part in needed:
        if not getattr(rule, part):
            raise entry.error(f"a rule of kind {rule.kind} needs `{part}`", "kind")
    if rule.kind is not RuleKind.UNIQUE_EXAM and not rule.elements:
        raise entry.error("names no element", "elements")


_OF_LISTS = frozenset({RuleKind.REQUIRES, RuleKind.FORBIDS})
_NEEDED: dict[RuleKind, tuple[str, ...]] = {
    RuleKind.NOT_BEFORE: ("other",),
    RuleKind.WITHIN_DAYS: ("other",),
    RuleKind.REQUIRES: ("when",),
    RuleKind.FORBIDS: ("when",),
    RuleKind.EXCLUDED: ("when",),
    RuleKind.PAIRS: ("other", "pairs"),
    RuleKind.AMONG: ("other",),
    RuleKind.WITHIN_PERCENT: ("other", "percent"),
    RuleKind.MEAN_IN_BANDS: ("bands",),
    RuleKind.MONTH_PAST: ("other",),
    RuleKind.NEEDS_FORM: ("form",),
}


def _check_condition(version: MappingVersion, rule: Rule, when: Condition, entry: Entry) -> None:
    element = version.element(when.element, rule.record)
    if element is None:
        raise entry.error(f"names {when.element}, which is no element of {version.version}", "when")
    for value in when.values:
        if element.codes and value not in element.code_set:
            raise entry.error(f"{element.name} has no code {value}", "when")
