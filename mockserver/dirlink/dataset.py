"""A data set as a tree of raw elements: read from any transfer syntax of dose reports, written as explicit little endian.

Values stay bytes, so that nothing a sender wrote wrongly (an age of two digits, a date of `0`, several values in one number) can
stop us, and what is not to be changed is not changed (PS3.5 section 7 and Annex A).
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from acrmock.dose.elements import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Unreadable, inflate
from acrmock.dose.part10 import split

READABLE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG})

MAX_DEPTH = 60
MAX_ELEMENTS = 400_000
"""Elements and items, at any depth; a tree of more would take hundreds of megabytes."""

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_SHORT = frozenset(
    ["AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"]
)
_WIDTHS = {
    "US": 2,
    "SS": 2,
    "AT": 2,
    "OW": 2,
    "UL": 4,
    "SL": 4,
    "FL": 4,
    "OF": 4,
    "OL": 4,
    "FD": 8,
    "OD": 8,
    "SV": 8,
    "UV": 8,
    "OV": 8,
}
_NUL_PADDED = frozenset({"UI", "OB", "UN"})
_MOST_SHORT = 0xFFFF


@dataclass(slots=True)
class Element:
    """One data element: `tag`, value representation, and either raw `value` (little endian) or the `items` of a sequence."""

    tag: int
    vr: str
    value: bytes = b""
    items: list[list[Element]] = field(default_factory=list)

    @property
    def private(self) -> bool:
        """Whether the group is odd (PS3.5 section 7.8)."""
        return bool(self.tag >> 16 & 1)


@lru_cache(maxsize=4096)
def dictionary_vr(tag: int) -> str | None:
    """The value representation that PS3.6 gives `tag`, or None where PS3.6 does not know it; the first of several."""
    from pydicom.datadict import dictionary_VR  # noqa: PLC0415 - pydicom is heavy and few engines need it

    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return None


def read(data: bytes, transfer_syntax: str, *, inflated_limit: int) -> list[Element]:
    """The elements of a data set; a Part 10 preamble and file meta in front of it are passed over.

    Raises `Unreadable` when the bytes are no such data set, are cut, or inflate beyond `inflated_limit` bytes.
    """
    if data[128:132] == b"DICM":
        file = split(data)
        data, transfer_syntax = file.data_set, file.transfer_syntax if file.meta else transfer_syntax
    if transfer_syntax not in READABLE:
        raise Unreadable(f"the transfer syntax {transfer_syntax[:64]} is none of those of dose reports", 0)
    if transfer_syntax == DEFLATED:
        data = inflate(data, inflated_limit)
    reader = _Reader(data, "<" if transfer_syntax != EXPLICIT_BIG else ">")
    elements, _ = reader.elements(0, len(data), explicit=transfer_syntax != IMPLICIT_LITTLE, depth=0, delimited=False)
    return elements


def write(elements: list[Element]) -> bytes:
    """The data set of these elements in explicit little endian, lengths defined, ascending tags."""
    return b"".join(_written(element) for element in sorted(elements, key=lambda element: element.tag))


def walk(elements: list[Element], path: str = "") -> Iterator[tuple[str, list[Element], Element]]:
    """Every element at any depth with its path (`0040A730[2]/0040A30A`, items counted from 0) and the data set that holds it."""
    for element in elements:
        here = f"{path}{element.tag:08X}"
        yield here, elements, element
        for number, item in enumerate(element.items):
            yield from walk(item, f"{here}[{number}]/")


class _Reader:
    """Reads elements of one byte order from `data`, with the readers within it at most `MAX_ELEMENTS`."""

    def __init__(self, data: bytes, order: str, count: Iterator[int] | None = None) -> None:
        self._data = data
        self._order = order
        self._count = count if count is not None else itertools.count(1)
        self._tag = struct.Struct(f"{order}HH")
        self._u2 = struct.Struct(f"{order}H")
        self._u4 = struct.Struct(f"{order}I")

    def elements(self, start: int, end: int, *, explicit: bool, depth: int, delimited: bool) -> tuple[list[Element], int]:
        """The elements from `start` to `end`, or to the item delimiter where the item has no length; then where they ended."""
        if depth > MAX_DEPTH:
            raise Unreadable(f"sequences nested deeper than {MAX_DEPTH}", start)
        found: list[Element] = []
        seen: set[int] = set()
        while start < end:
            if self._peek(start, end) == _ITEM_END and delimited:
                return found, start + 8
            if depth == 0 and not self._data[start:end].strip(b"\0"):
                break
            self._one_more(start)
            element, start = self.element(start, end, explicit=explicit, depth=depth)
            if element.tag not in seen:
                seen.add(element.tag)
                found.append(element)
        if delimited:
            raise Unreadable("an item without an end", end)
        return found, start

    def _one_more(self, at: int) -> None:
        if next(self._count) > MAX_ELEMENTS:
            raise Unreadable(f"more than {MAX_ELEMENTS} elements and items", at)

    def _peek(self, at: int, end: int) -> int:
        if at + 8 > end:
            raise Unreadable("a data element is cut", at)
        group, element = self._tag.unpack_from(self._data, at)
        return int(group << 16 | element)

    def element(self, at: int, end: int, *, explicit: bool, depth: int) -> tuple[Element, int]:
        """One element at `at`, and where the next begins."""
        tag = self._peek(at, end)
        vr, length, start = self._explicit(at, end, tag) if explicit else self._implicit(at, tag)
        if tag >> 16 == 0xFFFE:
            raise Unreadable("a delimiter where an element was expected", at)
        if length == _UNDEFINED:
            return self._undefined(tag, vr, start, end, explicit=explicit and vr != "UN", depth=depth)
        if start + length > end:
            raise Unreadable(f"the element {tag:08X} claims {length} bytes, {end - start} are there", at)
        known = dictionary_vr(tag) if vr == "UN" and not tag >> 16 & 1 else None
        if vr == "SQ" and not (tag >> 16 & 1):
            return Element(tag, vr, items=self.items(start, start + length, explicit=explicit, depth=depth)[0]), start + length
        if known == "SQ":
            reader = _Reader(self._data, "<", self._count)
            return Element(tag, "SQ", items=reader.items(start, start + length, explicit=False, depth=depth)[0]), start + length
        value = self._data[start : start + length]
        return Element(tag, known or vr, value if known else self._little(value, vr)), start + length

    def _explicit(self, at: int, end: int, tag: int) -> tuple[str, int, int]:
        vr = self._data[at + 4 : at + 6].decode("latin-1")
        if vr in _SHORT:
            return vr, self._u2.unpack_from(self._data, at + 6)[0], at + 8
        if vr not in _LONG:
            raise Unreadable(f"the element {tag:08X} has no value representation", at)
        if at + 12 > end:
            raise Unreadable("a data element is cut", at)
        return vr, self._u4.unpack_from(self._data, at + 8)[0], at + 12

    def _implicit(self, at: int, tag: int) -> tuple[str, int, int]:
        vr = "UN" if tag >> 16 & 1 else (dictionary_vr(tag) or "UN")
        return vr, self._u4.unpack_from(self._data, at + 4)[0], at + 8

    def _undefined(self, tag: int, vr: str, start: int, end: int, *, explicit: bool, depth: int) -> tuple[Element, int]:
        if vr in {"OB", "OW"}:
            return self._fragments(tag, vr, start, end)
        if vr not in {"SQ", "UN"}:
            raise Unreadable(f"the element {tag:08X} has no length", start)
        reader = _Reader(self._data, "<", self._count) if vr == "UN" else self
        items, start = reader.items(start, end, explicit=explicit, depth=depth, delimited=True)
        return Element(tag, "SQ", items=items), start

    def items(
        self, start: int, end: int, *, explicit: bool, depth: int, delimited: bool = False
    ) -> tuple[list[list[Element]], int]:
        """The items of a sequence from `start` to `end`, or to the delimiter where the sequence has no length."""
        items: list[list[Element]] = []
        while start < end:
            tag = self._peek(start, end)
            length = self._u4.unpack_from(self._data, start + 4)[0]
            if tag == _SEQUENCE_END and delimited:
                return items, start + 8
            if tag != _ITEM:
                raise Unreadable("a sequence holds something that is no item", start)
            self._one_more(start)
            open_end = length == _UNDEFINED
            stop = end if open_end else start + 8 + length
            if stop > end:
                raise Unreadable("an item is cut", start)
            item, start = self.elements(start + 8, stop, explicit=explicit, depth=depth + 1, delimited=open_end)
            items.append(item)
        if delimited:
            raise Unreadable("a sequence without an end", end)
        return items, start

    def _fragments(self, tag: int, vr: str, start: int, end: int) -> tuple[Element, int]:
        while True:
            found = self._peek(start, end)
            length = self._u4.unpack_from(self._data, start + 4)[0]
            start += 8
            if found == _SEQUENCE_END:
                return Element(tag, vr), start
            if found != _ITEM or start + length > end:
                raise Unreadable("encapsulated data is cut", start)
            start += length

    def _little(self, value: bytes, vr: str) -> bytes:
        width = _WIDTHS.get(vr)
        if self._order == "<" or width is None or len(value) % width:
            return value
        return b"".join(value[at : at + width][::-1] for at in range(0, len(value), width))


def _written(element: Element) -> bytes:
    head = struct.pack("<HH", element.tag >> 16, element.tag & 0xFFFF)
    if element.vr == "SQ":
        items = [write(item) for item in element.items]
        body = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item for item in items)
        return head + b"SQ\0\0" + struct.pack("<I", len(body)) + body
    value = element.value
    if len(value) & 1:
        value += b"\0" if element.vr in _NUL_PADDED else b" "
    vr = element.vr if element.vr in _LONG or len(value) <= _MOST_SHORT else "UN"
    if vr in _LONG:
        return head + vr.encode() + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + vr.encode() + struct.pack("<H", len(value)) + value
