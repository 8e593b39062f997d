"""One object's content: header, parts of the content sequence with the values that fill them, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from acrmock.dose.elements import EXPLICIT_LITTLE
from synthetic.dose.bytes_writer import Layout, compile_elements, compile_items, sequence_bytes
from synthetic.dose.elements import DataSet, Element, Hole, HoleKind
from synthetic.dose.encoding import Encoding

PREAMBLE = bytes(128) + b"DICM"
IMPLEMENTATION = "2.25.302371518417346182337195166382091348961"
IMPLEMENTATION_NAME = "ACRMOCK_SYN"
_META = Encoding(EXPLICIT_LITTLE, "")


class Part:
    """Items of a content sequence, described once; compiled for each encoding when it is first asked for."""

    __slots__ = ("_layouts", "items")

    def __init__(self, items: Sequence[DataSet]) -> None:
        self.items = tuple(items)
        self._layouts: dict[Encoding, Layout] = {}

    def layout(self, encoding: Encoding) -> Layout:
        """The compiled form; made twice at worst when two threads are first."""
        found = self._layouts.get(encoding)
        if found is None:
            found = self._layouts[encoding] = compile_items(self.items, encoding)
        return found


class Elements:
    """Elements that stand side by side, described once; compiled for each encoding when it is first asked for."""

    __slots__ = ("_layouts", "elements")

    def __init__(self, elements: DataSet) -> None:
        self.elements = elements
        self._layouts: dict[Encoding, Layout] = {}

    def layout(self, encoding: Encoding) -> Layout:
        """The compiled form; made twice at worst when two threads are first."""
        found = self._layouts.get(encoding)
        if found is None:
            found = self._layouts[encoding] = compile_elements(self.elements, encoding)
        return found


_NOTHING = Elements(())


class Content(NamedTuple):
    """A data set by its values: `values` fill header and trailer, each part has its own; `meta` is the file's."""

    encoding: Encoding
    header: Elements
    values: object
    meta: Elements
    parts: Sequence[tuple[Part, object]] = ()
    trailer: Elements = _NOTHING

    def plain(self) -> bytes:
        """The data set before any compression."""
        encoding = self.encoding
        made = self.header.layout(encoding).fill(self.values)
        if self.parts:
            made += sequence_bytes(0x0040A730, b"".join([part.layout(encoding).fill(one) for part, one in self.parts]), encoding)
        return made + self.trailer.layout(encoding).fill(self.values)

    def data_set(self) -> bytes:
        """The data set as it goes over the wire."""
        return self.encoding.finished(self.plain())

    def file(self, data_set: bytes) -> bytes:
        """A file around the finished data set (PS3.10 section 7.1)."""
        meta = self.meta.layout(_META).fill(self.values)
        return PREAMBLE + _META.head(0x00020000, "UL", 4) + _META.long(len(meta)) + meta + data_set


def file_meta(sop_class: str | Hole, transfer_syntax: str) -> Elements:
    """The file meta information of an object whose values have `sop_instance`, without its group length."""
    return Elements(
        (
            Element(0x00020001, "OB", b"\0\1"),
            Element(0x00020002, "UI", sop_class),
            Element(0x00020003, "UI", Hole("sop_instance", HoleKind.UID)),
            Element(0x00020010, "UI", transfer_syntax),
            Element(0x00020012, "UI", IMPLEMENTATION),
            Element(0x00020013, "SH", IMPLEMENTATION_NAME),
        )
    )
