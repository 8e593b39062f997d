"""A mapping version's exam as a type that msgspec converts to: presence, JSON types, value lists, lengths and ranges at once.

One conversion takes a third of what a compiled JSON Schema takes, and leaves the values where a rule finds them quickest:
in attributes, None where an element is absent (an element that is null is refused). What the type cannot say of a value
(dates, patterns, repeated codes) and all rules are `quickrules`.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acrmock.facts import EXAM, ChildList, Element, ElementType, Level, MappingVersion
from acrmock.schema.record import DATE_LENGTH, INSTANT_LENGTH, LARGEST, MAX_TEXT

NEEDED = (Level.SUBMIT, Level.COMPLETE)
"""The levels of the elements that every flawless record has."""


class Shape:
    """The type of one kind of record, and the attribute where each of its elements and lists is.

    Made once by whoever owns it, and used up to then by nobody else: msgspec works a type out at its first use, which is
    here.
    """

    __slots__ = ("attributes", "elements", "lists", "type")

    def __init__(self, version: MappingVersion, kind: str) -> None:
        self.elements = version.of(kind)
        self.lists = {child.name: (child, Shape(version, child.kind)) for child in version.lists} if kind == EXAM else {}
        names = [*(element.name for element in self.elements), *self.lists]
        self.attributes = {name: f"f{place}" for place, name in enumerate(names)}
        self.type: Any
        fields: list[Any] = [
            _field(self.attributes[element.name], value_type(element), needed=element.level in NEEDED)
            for element in self.elements
        ]
        fields += [
            _field(self.attributes[child.name], _list(child, below.type), needed=bool(child.least))
            for child, below in self.lists.values()
        ]
        self.type = msgspec.defstruct(
            "Record",
            fields,
            kw_only=True,
            forbid_unknown_fields=True,
            gc=False,
            rename={attribute: name for name, attribute in self.attributes.items()},
        )
        msgspec.json.Decoder(self.type)


def _field(attribute: str, type_: Any, *, needed: bool) -> Any:
    return (attribute, type_) if needed else (attribute, type_, None)


def _list(child: ChildList, type_: Any) -> Any:
    return Annotated[list[type_], Meta(min_length=child.least, max_length=child.most)]


def value_type(element: Element) -> Any:
    """The type of one element's value; a number that is written as a string is not told quickly."""
    if element.type is ElementType.CODE:
        codes: Any = Literal.__getitem__(tuple(code.code for code in element.codes))
        return Annotated[list[codes], Meta(min_length=1)] if element.multiple else codes
    if element.type is ElementType.DATE:
        return Annotated[str, Meta(min_length=DATE_LENGTH, max_length=DATE_LENGTH)]
    if element.type is ElementType.INSTANT:
        return Annotated[str, Meta(min_length=INSTANT_LENGTH, max_length=INSTANT_LENGTH)]
    if element.type is ElementType.NUMBER:
        low = -math.inf if element.minimum is None else element.minimum
        high = math.inf if element.maximum is None else element.maximum
        return Annotated[float, Meta(ge=float(max(-LARGEST, low)), le=float(min(LARGEST, high)))]
    return Annotated[str, Meta(min_length=element.min_length or 1, max_length=element.max_length or MAX_TEXT)]
