"""Synthetic records as a data file: pipe text or a workbook, one record a row, as the portal takes them.

The columns are those of `acrmock.datafile`, so that a file can be uploaded whole. The portal needs no row of names and rejects
one, so none is written unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from acrmock.datafile import Layout, layout_of, write_pipe, write_workbook
from acrmock.facts import Facts, MappingVersion
from synthetic.makers import Record


def write_table(
    facts: Facts, version: MappingVersion, records: Iterable[Record], stream: IO[bytes], *, workbook: bool, header: bool = False
) -> int:
    """Write records and give their number; raises `SetupError` where a row cannot hold one."""
    layout = layout_of(facts, version)
    rows = _rows(layout, records, header=header)
    written = write_workbook(rows, stream) if workbook else write_pipe(rows, stream, layout.separator)
    return written - header


def _rows(layout: Layout, records: Iterable[Record], *, header: bool) -> Iterator[tuple[str, ...]]:
    if header:
        yield layout.headings
    for record in records:
        yield layout.row(record)
