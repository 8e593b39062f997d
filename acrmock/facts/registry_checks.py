"""Checking that what a registry's layers say fits together."""

from __future__ import annotations

import re

from acrmock.facts.merge import Entries, Entry
from acrmock.facts.registry import Condition, Element, ElementType, MappingVersion, RecordKind, Rule, RuleKind

RESERVED = frozenset({"REQ", "TYPE", "CODE", "LEN", "FMT", "RANGE", "REP", "FOLLOWUPS", "UNKNOWN", "RECORD"})
"""What problem codes of elements begin with (`acrmock.schema.problems`); a rule's id may not."""


def check_element(element: Element, entry: Entry) -> Element:
    """The element itself, once its attributes fit together; raises `FactsError`."""
    if (element.type is ElementType.CODE) != bool(element.codes):
        raise entry.error("an element of type code, and no other, has `codes`", "codes")
    if element.multiple and element.type is not ElementType.CODE:
        raise entry.error("only an element of type code can be `multiple`", "multiple")
    for low, high in (("min_length", "max_length"), ("minimum", "maximum")):
        if (entry.get(low) or 0) > (entry.get(high, float("inf"))):
            raise entry.error(f"`{low}` is above `{high}`", low)
    if element.pattern:
        try:
            re.compile(element.pattern)
        except re.error as error:
            raise entry.error(f"the pattern cannot be read: {error}", "pattern") from error
    return element


def check_version(version: MappingVersion, entry: Entry, elements: Entries, rules: Entries) -> None:
    """Check that everything that a described version names is there; raises `FactsError` at the place that names it."""
    if not version.elements:
        return
    for attribute in ("key_elements", "patient_elements"):
        for name in getattr(version, attribute):
            if version.element(name) is None:
                raise entry.error(f"`{attribute}` names {name}, which is no element of {version.version}", attribute)
    numbers: dict[int, str] = {}
    for element in version.elements:
        if element.number is not None and numbers.setdefault(element.number, element.name) != element.name:
            raise elements[element.name].error(f"has the number of {numbers[element.number]}", "number")
    for rule in version.rules:
        _check_rule(version, rule, rules[rule.id])


def _check_rule(version: MappingVersion, rule: Rule, entry: Entry) -> None:
    if rule.id.partition("-")[0] in RESERVED:
        raise entry.error(f"a rule's id cannot begin with {rule.id.partition('-')[0]}: it is the code of a problem")
    for name in rule.elements:
        if version.element(name, rule.record) is None:
            raise entry.error(f"names {name}, which is no element of {version.version}", "elements")
    if rule.other and not any(version.element(rule.other, record) for record in {rule.record, RecordKind.EXAM}):
        raise entry.error(f"names {rule.other}, which is no element of {version.version}", "other")
    _check_parts(rule, entry)
    if rule.when is not None:
        _check_condition(version, rule, rule.when, entry)


def _check_parts(rule: Rule, entry: Entry) -> None:
    if rule.kind in {RuleKind.NOT_BEFORE, RuleKind.WITHIN_DAYS} and not rule.other:
        raise entry.error(f"a rule of kind {rule.kind} needs `other`", "kind")
    if rule.kind in {RuleKind.REQUIRES, RuleKind.FORBIDS} and rule.when is None:
        raise entry.error(f"a rule of kind {rule.kind} needs `when`", "kind")
    if rule.kind is not RuleKind.UNIQUE_EXAM and not rule.elements:
        raise entry.error("names no element", "elements")


def _check_condition(version: MappingVersion, rule: Rule, when: Condition, entry: Entry) -> None:
    element = version.element(when.element, rule.record)
    if element is None:
        raise entry.error(f"names {when.element}, which is no element of {version.version}", "when")
    for value in when.values:
        if element.codes and value not in element.code_set:
            raise entry.error(f"{element.name} has no code {value}", "when")
