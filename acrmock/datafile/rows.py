"""A row of a data file, and the bounds within which rows are read."""

from __future__ import annotations

from dataclasses import dataclass

from acrmock.datafile.faults import RowFault


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as who made the file sees it (from 1 on), its cells as text, and what keeps it from being read."""

    number: int
    cells: tuple[str, ...]
    fault: RowFault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a reader bears: bytes of a row of text, rows, and bytes of a workbook unpacked (in all, and for each byte packed)."""

    row_bytes: int = 262_144
    rows: int = 200_000
    unpacked_bytes: int = 500 * 1024 * 1024
    unpacked_ratio: int = 100
