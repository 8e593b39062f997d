"""Compiling a mapping version to JSON Schema 2020-12: types, value lists, lengths, patterns, what is required, conditions.

Rules that JSON Schema cannot say (dates against each other and today, check digits, duplicates, plausible ranges) are the
second layer, `acrmock.schema.rules`.
"""

from __future__ import annotations

from typing import Any

from acrmock.facts import EXAM, Condition, Element, ElementType, Level, MappingVersion, Rule, RuleKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_TEXT = 4000
LARGEST = 1_000_000_000
DATE_LENGTH, INSTANT_LENGTH = len("2026-04-30"), len("2026-04-30T12:00:00")

_YEAR = "(?:1[89]|2[01])[0-9][0-9]"
_LEAP_YEAR = "(?:(?:1[89]|2[01])(?:0[48]|[2468][048]|[13579][26])|2000)"
DATE_PATTERN = (
    f"^(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)$"
)
INSTANT_PATTERN = DATE_PATTERN.removesuffix("$") + "[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
NUMBER_PATTERN = r"^-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9})?$"
_NUMBER_LENGTH = 20

SCHEMA_RULES = frozenset({RuleKind.REQUIRES, RuleKind.FORBIDS, RuleKind.ANY_OF})


def record_schema(version: MappingVersion, level: Level = Level.SUBMIT) -> dict[str, Any]:
    """The JSON Schema of one exam: at level submit what is accepted at all, at level complete what makes it complete."""
    schema = {
        "$schema": DIALECT,
        "$id": f"urn:acrmock:schema:record:{version.registry}:{version.version}:{level}",
        "title": f"{version.header_word} {version.version}: one exam, {level}",
        "description": "Derived by acrmock from its tables; not an ACR document. " + version.unknown,
        **_object(version, EXAM, level),
    }
    for child in version.lists:
        schema["properties"][child.name] = {
            "type": "array",
            "minItems": child.least,
            "maxItems": child.most,
            "items": _object(version, child.kind, level),
        }
        if child.least:
            schema["required"].append(child.name)
    return schema


def schema_rules(version: MappingVersion, record: str, level: Level) -> tuple[Rule, ...]:
    """The rules that the schema of `level` says, in the order of its `allOf`."""
    levels = {Level.SUBMIT, level}
    return tuple(rule for rule in version.rules if rule.record == record and rule.kind in SCHEMA_RULES and rule.level in levels)


def _object(version: MappingVersion, record: str, level: Level) -> dict[str, Any]:
    elements = version.of(record)
    levels = {Level.SUBMIT, level} - {Level.OPTIONAL}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {element.name: element_schema(element) for element in elements},
        "required": [element.name for element in elements if element.level in levels],
    }
    if version.unknown_elements == "reject":
        schema["additionalProperties"] = False
    rules = schema_rules(version, record, level)
    if rules:
        schema["allOf"] = [_rule(version, rule) for rule in rules]
    return schema


def element_schema(element: Element) -> dict[str, Any]:
    """The JSON Schema of one element's value."""
    head = {"title": element.label, "x-acrmock-provenance": str(element.provenance)}
    if element.type is ElementType.CODE:
        value: dict[str, Any] = {"type": "string", "enum": [code.code for code in element.codes]}
        if element.multiple:
            value = {"type": "array", "minItems": 1, "uniqueItems": True, "items": value}
        return {**head, **value}
    if element.type is ElementType.DATE:
        return {**head, "type": "string", "minLength": DATE_LENGTH, "maxLength": DATE_LENGTH, "pattern": DATE_PATTERN}
    if element.type is ElementType.INSTANT:
        return {**head, "type": "string", "minLength": INSTANT_LENGTH, "maxLength": INSTANT_LENGTH, "pattern": INSTANT_PATTERN}
    if element.type is ElementType.NUMBER:
        text = {"type": "string", "maxLength": _NUMBER_LENGTH, "pattern": NUMBER_PATTERN}
        return {**head, "anyOf": [{"type": "number", "minimum": -LARGEST, "maximum": LARGEST}, text]}
    value = {"type": "string", "minLength": element.min_length or 1, "maxLength": element.max_length or MAX_TEXT}
    if element.pattern:
        value["pattern"] = element.pattern
    return {**head, **value}


def _rule(version: MappingVersion, rule: Rule) -> dict[str, Any]:
    comment = f"{version.header_word}-{rule.id}"
    if rule.kind is RuleKind.ANY_OF:
        return {"$comment": comment, "anyOf": [{"required": [name]} for name in rule.elements]}
    if rule.kind is RuleKind.REQUIRES:
        then: dict[str, Any] = {"required": list(rule.elements)}
    else:
        then = {"properties": dict.fromkeys(rule.elements, False)}
    return {"$comment": comment, "if": _condition(version, rule), "then": then}


def _condition(version: MappingVersion, rule: Rule) -> dict[str, Any]:
    when = rule.when or Condition(element="")
    schema: dict[str, Any] = {"required": [when.element]}
    if when.values:
        element = version.element(when.element, rule.record)
        value: dict[str, Any] = {"enum": list(when.values)}
        if element is not None and element.multiple:
            value = {"type": "array", "contains": value}
        schema["properties"] = {when.element: value}
    return schema
