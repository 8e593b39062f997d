"""What can be wrong with a data file: with the whole of it, so that nothing is kept, or with one row."""

from __future__ import annotations

from enum import StrEnum

from acrmock.errors import SetupError

PREFIX = "acrmock:FILE-"


class FileFaultKind(StrEnum):
    """Why a whole file is rejected (facts N3.1); the value ends its code."""

    EMPTY = "EMPTY"
    NOT_TEXT = "NOT-TEXT"
    LINE_END = "LINE-END"
    NOT_A_WORKBOOK = "NOT-A-WORKBOOK"
    DAMAGED = "DAMAGED"
    TOO_LARGE_UNPACKED = "TOO-LARGE-UNPACKED"
    FORMULA = "FORMULA"
    SEPARATOR = "SEPARATOR"
    TOO_MANY_ROWS = "TOO-MANY-ROWS"

    @property
    def code(self) -> str:
        """The stable code."""
        return PREFIX + self


class RowFault(StrEnum):
    """Why one row is rejected before its record is looked at; the value ends its code."""

    COUNT = "COUNT"
    HEADER = "HEADER-ROW"
    LONG = "ROW-TOO-LONG"
    ENCODING = "ENCODING"
    SPACE = "SPACE"
    FACILITY = "FACILITY"

    @property
    def code(self) -> str:
        """The stable code."""
        return PREFIX + self


class FileFault(SetupError):  # noqa: N818 - says what it is
    """The whole file is rejected: `kind` says why, `row` the first row where it shows (0: none)."""

    def __init__(self, kind: FileFaultKind, what: str, *, row: int = 0, expected: str = "", actual: str = "") -> None:
        super().__init__(what, expected=expected, actual=actual, where=f"row {row}" if row else "")
        self.kind = kind
        self.row = row
