"""Workbooks (xlsx): the first sheet, one record a row; a formula or a pipe in a cell rejects the file (facts N3.1, LUP, APPUPL).

What is read may be hostile: what it unpacks to is bounded before anything is parsed, and document types, which could expand
without bound, are refused.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING, Any

from acrmock.datafile.faults import FileFault, FileFaultKind
from acrmock.datafile.rows import Limits, Row

if TYPE_CHECKING:
    from acrmock.datafile.layout import Column

_CHUNK = 256 * 1024
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")
_MOST_PARTS = 2000
_SMALL = 1024 * 1024
_CELL = 32_767
_SHEETS = "xl/worksheets/"
_ROW = b"<row"
_VALUES = (b"<v>", b"<t>", b"<t ")


def read_workbook(stream: IO[bytes], limits: Limits, columns: tuple[Column, ...], separator: str = "|") -> Iterator[Row]:
    """The rows of a workbook's first sheet, one at a time; raises `FileFault` where the whole of it is rejected."""
    _check_archive(stream, limits)
    try:
        yield from _rows(stream, limits, columns, separator)
    except FileFault:
        raise
    except Exception as error:
        raise FileFault(FileFaultKind.DAMAGED, "the workbook is damaged", actual=type(error).__name__) from error


def write_workbook(rows: Iterable[tuple[str, ...]], stream: IO[bytes]) -> int:
    """Write rows as a workbook of texts, never formulas; how many there were."""
    from openpyxl import Workbook  # noqa: PLC0415 - heavy: only workbooks need it
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet("records")
    count = 0

    def cell(text: str) -> Any:
        made = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)[:_CELL])
        made.data_type = "s"
        return made

    for cells in rows:
        sheet.append([cell(text) if text else None for text in cells])
        count += 1
    book.save(stream)
    return count


def _check_archive(stream: IO[bytes], limits: Limits) -> None:
    """Whether the parts of the archive, unpacked, stay within bounds, declare no document type and hold not too many rows."""
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            packed = sum(part.compress_size for part in parts)
            bound = min(limits.unpacked_bytes, limits.unpacked_ratio * packed + _SMALL)
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > bound:
                what, most = "the workbook is too large unpacked", f"at most {bound} bytes in {_MOST_PARTS} parts"
                raise FileFault(FileFaultKind.TOO_LARGE_UNPACKED, what, expected=most)
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_part(archive, part, limits)
    except FileFault:
        raise
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        what = "this is no workbook"
        raise FileFault(FileFaultKind.NOT_A_WORKBOOK, what, expected="an xlsx file", actual=type(error).__name__) from error
    except Exception as error:  # zlib and others have errors of their own
        raise FileFault(FileFaultKind.DAMAGED, "the workbook is damaged", actual=type(error).__name__) from error
    stream.seek(0)


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: Limits) -> None:
    kept, rows = b"", _ValuedRows()
    counts = part.filename.lower().startswith(_SHEETS)
    with archive.open(part) as unpacked:
        while piece := unpacked.read(_CHUNK):
            seen = kept + piece
            strange = any(word in seen.upper() for word in _FORBIDDEN) or (not kept and piece.startswith(_WIDE))
            if strange:
                raise FileFault(FileFaultKind.DAMAGED, "the workbook declares a document type", expected="plain XML in UTF-8")
            if counts and rows.add(piece) > limits.rows:
                most = f"at most {limits.rows}"
                raise FileFault(FileFaultKind.TOO_MANY_ROWS, "the file has too many rows", expected=most)
            kept = seen[-16:]


class _ValuedRows:
    """Counts a sheet's rows that hold a value while its XML comes in, in a hundredth of the time that reading them takes.

    What is written in an unusual way may be missed here, and is counted when it is read.
    """

    def __init__(self) -> None:
        self.valued = 0
        self._rest = b""

    def add(self, piece: bytes) -> int:
        """Take in the next piece; how many rows there were by now that are known to be whole."""
        _, *rows = (self._rest + piece).split(_ROW)
        if not rows:
            self._rest = (self._rest + piece)[-len(_ROW) :]
            return self.valued
        *whole, last = rows
        self.valued += sum(any(value in row for value in _VALUES) for row in whole)
        if len(last) > _SMALL:  # what one row holds need not be kept
            last = next((value for value in _VALUES if value in last), b"") + last[-len(_ROW) :]
        self._rest = _ROW + last
        return self.valued


def _rows(stream: IO[bytes], limits: Limits, columns: tuple[Column, ...], separator: str) -> Iterator[Row]:
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy: only workbooks need it

    book = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    try:
        if not book.worksheets:
            raise FileFault(FileFaultKind.EMPTY, "the workbook has no sheet")
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        held = 0
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            row = _row(number, cells, columns, separator)
            if row is None:
                continue
            held += 1
            if held > limits.rows:
                most = f"at most {limits.rows}"
                raise FileFault(FileFaultKind.TOO_MANY_ROWS, "the file has too many rows", row=number, expected=most)
            yield row
        if held == 0:
            raise FileFault(FileFaultKind.EMPTY, "the workbook's first sheet is empty", expected="one record a row")
    finally:
        book.close()


def _row(number: int, cells: tuple[Any, ...], columns: tuple[Column, ...], separator: str) -> Row | None:
    """A row with as many cells as there are columns, or more where more are filled; None for an empty row."""
    texts = []
    for index, cell in enumerate(cells):
        if cell.data_type == "f" or (cell.value is not None and not isinstance(cell.value, _PLAIN)):
            raise FileFault(FileFaultKind.FORMULA, "a cell holds a formula", row=number, expected="values only")
        text = text_of(cell.value, instant=index < len(columns) and columns[index].element.type == "date-time")
        if separator in text:
            raise FileFault(
                FileFaultKind.SEPARATOR, f"a cell holds {separator}", row=number, expected=f"cells without {separator}"
            )
        texts.append(text)
    while len(texts) > len(columns) and not texts[-1]:
        texts.pop()
    if not any(texts):
        return None
    return Row(number, (*texts, *("" for _ in range(len(columns) - len(texts)))))


_PLAIN = (str, bool, int, float, datetime, date, time)


def text_of(value: Any, *, instant: bool = False) -> str:
    """A cell's value as text: a date as YYYY-MM-DD, an instant as YYYY-MM-DDThh:mm:ss, a whole number without a point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S") if instant or value.time() != time() else value.strftime("%Y-%m-%d")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return ("TRUE" if value else "FALSE") if isinstance(value, bool) else str(value)
