"""A data set described by values only: elements with constants and holes, which either writer turns into bytes.

A *hole* names an attribute of the values that fill a layout (`Fill`); a layout is described once and filled often.
Element order and value representations follow PS3.5 section 7.1 and PS3.6.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Code(NamedTuple):
    """A coded concept (PS3.3 table 8.8-1): code value, coding scheme designator, meaning and, if any, scheme version."""

    value: str
    scheme: str
    meaning: str
    version: str = ""


class HoleKind(StrEnum):
    """What fills a hole: text of the element's value representation, or a code that becomes a code sequence item."""

    TEXT = "text"
    UID = "uid"  # never the same twice, so not worth remembering
    CODE = "code"


class Hole(NamedTuple):
    """A place for the attribute `name` of the values; `shift` moves the decimal point of a number to the right."""

    name: str
    kind: HoleKind = HoleKind.TEXT
    shift: int = 0


class Element(NamedTuple):
    """One data element; a sequence holds data sets, or one hole for a code."""

    tag: int
    vr: str
    value: Value


DataSet: TypeAlias = tuple[Element, ...]
Value: TypeAlias = str | bytes | int | Hole | tuple[DataSet, ...]

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})  # PS3.5 table 7.1-1
CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})  # PS3.5 section 6.1.2.3


def code_items(code: Code) -> DataSet:
    """The elements of one item of a code sequence (PS3.3 table 8.8-1)."""
    found = [
        Element(0x00080100, "SH", code.value),
        Element(0x00080102, "SH", code.scheme),
        Element(0x00080104, "LO", code.meaning),
    ]
    if code.version:
        found.insert(2, Element(0x00080103, "SH", code.version))
    return tuple(found)


def code_sequence(tag: int, code: Code | Hole) -> Element:
    """A sequence of one coded concept, or the hole for it."""
    return Element(tag, "SQ", code if isinstance(code, Hole) else (code_items(code),))


def in_order(elements: list[Element]) -> DataSet:
    """The elements by ascending tag, as PS3.5 section 7.1 asks."""
    return tuple(sorted(elements, key=lambda element: element.tag))


def shifted(number: str, places: int) -> str:
    """A decimal's text with its point moved `places` to the right: `shifted("0.0012", 3) == "1.2"`."""
    sign, digits = ("-", number[1:]) if number.startswith("-") else ("", number)
    whole, _, fraction = digits.partition(".")
    fraction = fraction.ljust(places, "0")
    whole = (whole + fraction[:places]).lstrip("0") or "0"
    rest = fraction[places:].rstrip("0")
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
