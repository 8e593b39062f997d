"""Problems of a record: stable codes, and sentences that a vendor's developer understands.

A code is `acrmock:` + the registry's word + what is wrong + the element's number, or the rule's id, e.g.
`acrmock:LCSR-REQ-044`. Codes and sentences are ours, never ACR's (fact U20). A sentence never repeats a value that could
name a person.
"""

from __future__ import annotations

import difflib
from enum import StrEnum

from acrmock.facts import Bounds, ChildList, Element, ElementType, Facts, Level, MappingVersion, Provenance, Rule
from acrmock.pointer import printable
from acrmock.record import RecordProblem

PREFIX = "acrmock:"
ERROR, WARNING = "error", "warning"


class ProblemKind(StrEnum):
    """What is wrong with an element's value, as it stands in a problem's code."""

    REQUIRED = "REQ"
    TYPE = "TYPE"
    CODE = "CODE"
    LENGTH = "LEN"
    FORMAT = "FMT"
    RANGE = "RANGE"
    REPEATED = "REP"
    LIST = "LIST"
    UNKNOWN = "UNKNOWN"
    RECORD = "RECORD"


_RANGE = {Bounds.WARN: "is implausible: expected", Bounds.REJECT: "must be"}
_ATTRIBUTE = {
    ProblemKind.REQUIRED: "level",
    ProblemKind.TYPE: "type",
    ProblemKind.CODE: "codes",
    ProblemKind.LENGTH: "max_length",
    ProblemKind.FORMAT: "pattern",
    ProblemKind.RANGE: "maximum",
    ProblemKind.REPEATED: "multiple",
}


def element_code(version: MappingVersion, kind: ProblemKind, element: Element) -> str:
    """The stable code of a problem with an element."""
    return f"{PREFIX}{version.header_word}-{kind}-{element.tag}"


def rule_code(version: MappingVersion, rule: Rule) -> str:
    """The stable code of a breach of a rule."""
    return f"{PREFIX}{version.header_word}-{rule.id}"


def breached(facts: Facts, code: str) -> tuple[str, ...]:
    """The keys (as `acrmock.facts.show` takes them) of the elements or rules of which a record error's code tells."""
    wanted = PREFIX + code.strip().removeprefix(PREFIX)
    found = []
    for registry in facts.registries:
        for version in registry.versions:
            base = f"registry.{registry.slug}.{version.version}"
            found += [f"{base}.rule.{rule.id}" for rule in version.rules if rule_code(version, rule) == wanted]
            found += [
                f"{base}.{element.name}"
                for element in version.elements
                if any(element_code(version, kind, element) == wanted for kind in ProblemKind)
            ]
    return tuple(found)


def of_element(version: MappingVersion, kind: ProblemKind, element: Element, pointer: str, message: str = "") -> RecordProblem:
    """A problem with one element's value; a missing element of level complete, or an implausible number, is a warning."""
    implausible = kind is ProblemKind.RANGE and element.bounds is Bounds.WARN
    mild = implausible or (kind is ProblemKind.REQUIRED and element.level is Level.COMPLETE)
    return RecordProblem(
        code=element_code(version, kind, element),
        severity=WARNING if mild else ERROR,
        pointer=pointer,
        element=element.name,
        message=message or _sentence(kind, element),
        provenance=str(element.provenance_of(_ATTRIBUTE.get(kind, "type"))),
    )


def of_rule(version: MappingVersion, rule: Rule, pointer: str, element: str) -> RecordProblem:
    """A breach of a rule; only the level submit makes it an error."""
    return RecordProblem(
        code=rule_code(version, rule),
        severity=ERROR if rule.level is Level.SUBMIT else WARNING,
        pointer=pointer,
        element=element,
        message=rule.message,
        provenance=str(rule.provenance),
    )


def of_record(version: MappingVersion, kind: ProblemKind, pointer: str, element: str, message: str) -> RecordProblem:
    """A problem with a record as a whole, or with something in it that is no element."""
    mild = kind is ProblemKind.UNKNOWN and version.unknown_elements == "warn"
    return RecordProblem(
        code=f"{PREFIX}{version.header_word}-{kind}",
        severity=WARNING if mild else ERROR,
        pointer=pointer,
        element=element,
        message=message,
        provenance=str(Provenance.MOCK_CHOICE),
    )


def of_list(version: MappingVersion, child: ChildList, pointer: str) -> RecordProblem:
    """A problem with a list of an exam as a whole: it is none, or has too few or too many records."""
    many = f"at most {child.most}" if not child.least else f"{child.least} to {child.most}"
    return of_record(version, ProblemKind.LIST, pointer, child.name, f"{child.name} must be a list of {many} objects")


def unknown_element(version: MappingVersion, pointer: str, name: str, known: tuple[str, ...]) -> RecordProblem:
    """A name that is no element of the version, with the nearest one that is."""
    shown = printable(name, 64)
    near = difflib.get_close_matches(shown, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    message = f"{shown} is no element of mapping version {version.version}{hint}"
    return of_record(version, ProblemKind.UNKNOWN, pointer, shown, message)


def _sentence(kind: ProblemKind, element: Element) -> str:
    name = element.name
    if kind is ProblemKind.REQUIRED:
        return f"{name} is missing; " + (
            "a record is complete only with it" if element.level is Level.COMPLETE else "a record is not accepted without it"
        )
    sentences = {
        ProblemKind.TYPE: lambda: f"must be {_shape(element)}",
        ProblemKind.CODE: lambda: f"has a value outside its value list ({_codes(element)})",
        ProblemKind.LENGTH: lambda: f"must have {_length(element)}",
        ProblemKind.FORMAT: lambda: f"must be {element.pattern_hint or _shape(element)}",
        ProblemKind.RANGE: lambda: f"{_RANGE[element.bounds]} {_range(element)}",
    }
    return f"{name} {sentences.get(kind, lambda: 'has the same code twice')()}"


def _shape(element: Element) -> str:
    if element.type is ElementType.CODE:
        return "a list of codes, each a string, at least one" if element.multiple else "one code, as a string"
    shapes = {
        ElementType.DATE: "a date of the calendar as YYYY-MM-DD",
        ElementType.INSTANT: "a day of the calendar and a time of day as YYYY-MM-DDThh:mm:ss",
        ElementType.NUMBER: "a number, or a number as a string",
    }
    return shapes.get(element.type, "a string")


def _codes(element: Element) -> str:
    codes = [code.code for code in element.codes]
    return ", ".join(codes) if len(codes) <= 20 else ", ".join(codes[:20]) + ", …"


def _length(element: Element) -> str:
    low, high = element.min_length or 1, element.max_length
    if high is None:
        return f"at least {low} character{'s' if low > 1 else ''}"
    return f"{high} characters" if low == high else f"{low} to {high} characters"


def _range(element: Element) -> str:
    unit = f" {element.unit}" if element.unit else ""
    if element.minimum is None:
        return f"at most {element.maximum:g}{unit}"
    if element.maximum is None:
        return f"at least {element.minimum:g}{unit}"
    return f"{element.minimum:g} to {element.maximum:g}{unit}"
