"""Synthetic records as a table: pipe text or a workbook, one record a row, the records of its lists in numbered columns.

That files are pipe text or xlsx is published (fact N3.1); how a file lays out what stands in lists is not: `Name_1`, `Name_2`
and so on, for as many as a list may have and at most ten, are our choice, and a comma between the codes of one element.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from acrmock.errors import SetupError
from acrmock.facts import EXAM, MappingVersion
from synthetic.makers import Record

ENDING = "\r\n"
WIDEST = 10
_BATCH = 64 * 1024


class Layout:
    """The columns of a mapping version's table, in the order of its elements."""

    def __init__(self, version: MappingVersion) -> None:
        self._own = tuple(element.name for element in version.of(EXAM))
        lists = [(child.name, min(child.most, WIDEST), child.kind) for child in version.lists]
        self._lists = [(name, many, tuple(e.name for e in version.of(kind))) for name, many, kind in lists]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        listed = [f"{name}_{place + 1}" for _, many, names in self._lists for place in range(many) for name in names]
        return [*self._own, *listed]

    def cells(self, record: Record) -> list[str]:
        """The cells of a record; raises `SetupError` when a list of it has more records than columns."""
        found = [_cell(record.get(name)) for name in self._own]
        for name, many, names in self._lists:
            listed = record.get(name, ())
            if len(listed) > many:
                raise SetupError("a list has more records than a table has columns", expected=f"at most {many}", where=name)
            for place in range(many):
                inner = listed[place] if place < len(listed) else {}
                found += [_cell(inner.get(column)) for column in names]
        return found


def _cell(value: object) -> str:
    if value is None:
        return ""
    return (",".join(map(str, value)) if isinstance(value, list) else str(value)).replace("|", "/")


def write_pipe(version: MappingVersion, records: Iterable[Record], stream: BinaryIO) -> int:
    """Write records as pipe text in UTF-8 under a row of names and give their number; each row ends in CR LF."""
    layout = Layout(version)
    written = 0
    buffer = bytearray(("|".join(layout.columns) + ENDING).encode())
    for record in records:
        buffer += ("|".join(layout.cells(record)) + ENDING).encode()
        written += 1
        if len(buffer) >= _BATCH:
            stream.write(buffer)
            buffer.clear()
    stream.write(buffer)
    stream.flush()
    return written


def write_workbook(version: MappingVersion, records: Iterable[Record], stream: BinaryIO) -> int:
    """Write records as a workbook of text cells, without formulas, under a row of names, and give their number."""
    from openpyxl import Workbook  # noqa: PLC0415 - only who wants a workbook pays for it

    layout = Layout(version)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Exams")
    written = -1
    for row in _rows(layout, records):
        sheet.append([cell or None for cell in row])
        written += 1
    book.save(stream)
    return written


def _rows(layout: Layout, records: Iterable[Record]) -> Iterator[list[str]]:
    yield layout.columns
    for record in records:
        yield layout.cells(record)
