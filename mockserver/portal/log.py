"""A file's log: the table as it came, with an Error column appended (MIPSREV); as text or as a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from acrmock.datafile import Layout, write_pipe, write_workbook
from mockserver.portal.model import LogRow, PortalFile
from mockserver.portal.upload import rows_of
from mockserver.store import Reader, Scope

FORMATS = {"text": ("text/plain; charset=utf-8", ".txt")} | {
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx")
}
"""Media type and suffix of each format."""


def write_log(
    reader: Reader, scope: Scope, file: PortalFile, layout: Layout, stream: IO[bytes], *, kind: str, column: str
) -> None:
    """Write the log; a workbook has a heading with the columns' names, text has none, as the portal's files have none."""
    rows = _rows(reader, scope, file, layout)
    if kind == "xlsx":
        write_workbook(_headed(layout, column, rows), stream)
    else:
        write_pipe(rows, stream, layout.separator)


def _headed(layout: Layout, column: str, rows: Iterator[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    yield (*layout.headings, column)
    yield from rows


def _rows(reader: Reader, scope: Scope, file: PortalFile, layout: Layout) -> Iterator[tuple[str, ...]]:
    for _, row in rows_of(reader, scope, file.id):
        missing = ("" for _ in range(len(layout.columns) - len(row.cells)))
        yield (*row.cells, *missing, told(row).replace(layout.separator, "/"))


def told(row: LogRow) -> str:
    """All that is wrong with a row, in one cell."""
    return "; ".join((*row.errors, *(f"warning: {text}" for text in row.warnings)))
