"""Tables as people have them: a workbook (xlsx), CSV, or JSON; read with bounds, refused with sheet, row and reason."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from acrmock.errors import SetupError

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_CELL = 32_767
_HEADING_WITHIN = 30
"""The heading must stand within so many rows: titles and notes may stand above it."""

Cells = tuple[str, ...]


class TableError(SetupError):
    """A document that cannot be read as an element table."""


class Row(msgspec.Struct, frozen=True):
    """One row: its number as the reader of the file sees it, and its cells as text."""

    number: int
    cells: Cells


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table: where it comes from (file, sheet), and its rows from the first on, the heading among them."""

    file: str
    sheet: str
    rows: tuple[Row, ...]

    def where(self, row: int | None = None) -> str:
        """The place as messages show it."""
        place = f"{self.file}, sheet {self.sheet}" if self.sheet else self.file
        return place if row is None else f"{place}, row {row}"


def read_table(path: Path, *, sheet: str = "", known: Iterable[str] = ()) -> Table:
    """The table in a file, by its suffix; `sheet` names one of a workbook's.

    Else it is the only sheet with a heading of `known` ones, or the first that has rows. Raises `TableError`.
    """
    data = _bytes(path)
    readers = {".xlsx": _workbook, ".csv": _csv, ".tsv": _csv, ".txt": _csv, ".json": _json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TableError(
            "such a document cannot be read", where=str(path), expected="xlsx, csv or json", actual=path.suffix or "no suffix"
        )
    name, rows = reader(data, path.name, sheet, frozenset(known))
    table = Table(file=path.name, sheet=name, rows=tuple(_bounded(rows, path.name)))
    if not any(any(row.cells) for row in table.rows):
        raise TableError("the document is empty", where=table.where())
    return table


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as error:
        raise TableError("the document cannot be read", where=str(path), actual=error.strerror or str(error)) from error
    if size > MAX_FILE_BYTES:
        raise TableError(
            "the document is too large", where=str(path), expected=f"at most {MAX_FILE_BYTES} bytes", actual=str(size)
        )
    return data


def heading_of(table: Table, known: Iterable[str]) -> int | None:
    """The index of the row that holds most of the `known` headings (two at least), among the first."""
    wanted = set(known)
    scores = [len({plain(cell) for cell in row.cells} & wanted) for row in table.rows[:_HEADING_WITHIN]]
    best = max(scores, default=0)
    return scores.index(best) if best >= 2 else None


def plain(text: str) -> str:
    """A heading without case, punctuation and spaces; a lone sign stays."""
    kept = "".join(letter for letter in text.casefold() if letter.isalnum())
    return kept or text.strip()


def _bounded(rows: Iterable[Row], file: str) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if count >= MAX_ROWS:
            raise TableError("the table has too many rows", where=file, expected=f"at most {MAX_ROWS}")
        if len(row.cells) > MAX_COLUMNS:
            raise TableError("a row has too many columns", where=f"{file}, row {row.number}", expected=f"at most {MAX_COLUMNS}")
        for cell in row.cells:
            if len(cell) > MAX_CELL:
                raise TableError(
                    "a cell is too long", where=f"{file}, row {row.number}", expected=f"at most {MAX_CELL} characters"
                )
        yield row


def _workbook(data: bytes, file: str, sheet: str, known: frozenset[str]) -> tuple[str, Iterator[Row]]:
    from openpyxl import load_workbook  # noqa: PLC0415 - only workbooks need it

    _check_archive(data, file)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        names = book.sheetnames
        if sheet and sheet not in names:
            raise TableError("the workbook has no such sheet", where=file, expected=", ".join(names)[:200], actual=sheet[:80])
        chosen = sheet or _chosen(book, names, known, file)
        rows = [*_sheet_rows(book[chosen], file, chosen)]
        book.close()
    except TableError:
        raise
    except Exception as error:
        raise TableError("the workbook is damaged", where=file, actual=f"{type(error).__name__}: {error}"[:200]) from error
    return chosen, iter(rows)


def _check_archive(data: bytes, file: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise TableError("this is no workbook", where=file, expected="an xlsx file", actual=str(error)[:200]) from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise TableError("the workbook is too large unpacked", where=file, expected=f"at most {MAX_UNPACKED_BYTES} bytes")


def _chosen(book: Any, names: list[str], known: frozenset[str], file: str) -> str:
    """The sheet that holds the table: a cover, a list of revisions and notes have no heading of ours."""
    found: list[str] = []
    for least in (3, 2) if known else ():
        found = found or [name for name in names if _has_heading(book[name], known, least)]
    if len(found) > 1:
        raise TableError(
            "several sheets of the workbook hold a table of elements",
            where=file,
            actual=", ".join(found)[:200],
            fix="name with --sheet which of them to read, each by its own",
        )
    return found[0] if found else next((name for name in names if _has_rows(book[name])), names[0] if names else "")


def _has_heading(sheet: Any, known: frozenset[str], least: int) -> bool:
    rows = sheet.iter_rows(max_row=_HEADING_WITHIN, max_col=MAX_COLUMNS, values_only=True) if hasattr(sheet, "iter_rows") else ()
    return any(len({plain(_text(cell)) for cell in row if cell is not None} & known) >= least for row in rows)


def _has_rows(sheet: Any) -> bool:
    return hasattr(sheet, "iter_rows") and any(
        any(cell is not None for cell in row) for row in sheet.iter_rows(max_row=_HEADING_WITHIN, values_only=True)
    )


def _sheet_rows(sheet: Any, file: str, name: str) -> Iterator[Row]:
    for number, cells in enumerate(sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS + 1, values_only=True), 1):
        texts = tuple(_text(cell) for cell in cells)
        for text in texts:
            if text.startswith("=") and len(text) > 1 and not text[1].isspace():
                where = f"{file}, sheet {name}, row {number}"
                raise TableError("a cell holds a formula", where=where, actual=text[:80], fix="save the table with values only")
        yield Row(number, _trimmed(texts))


def _csv(data: bytes, file: str, _sheet: str, _known: frozenset[str]) -> tuple[str, Iterator[Row]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError("the file is not UTF-8", where=file, actual=f"byte {error.start}", fix="save it as UTF-8") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t|", key=first.count)
    return "", _csv_rows(text, file, delimiter)


def _csv_rows(text: str, file: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield Row(reader.line_num, _trimmed(tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        raise TableError("the file is no CSV", where=f"{file}, line {reader.line_num}", actual=str(error)) from error


def _json(data: bytes, file: str, _sheet: str, _known: frozenset[str]) -> tuple[str, Iterator[Row]]:
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise TableError("the file is no JSON", where=file, actual=str(error)[:200]) from error
    if isinstance(value, dict):
        value = next((item for item in value.values() if isinstance(item, list)), value)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise TableError("the JSON holds no table", where=file, expected="a list of objects, one an element")
    names = list(dict.fromkeys(str(name) for item in value for name in item))
    rows = [Row(0, tuple(names))]
    rows += [Row(number, tuple(_text(item.get(name)) for name in names)) for number, item in enumerate(value, 1)]
    return "", iter(rows)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the member {twice[:40]!r} twice")
    return found


def _trimmed(cells: Cells) -> Cells:
    kept = len(cells)
    while kept and not cells[kept - 1]:
        kept -= 1
    return cells[:kept]


def _text(value: Any) -> str:
    """A cell as text: a whole number without its fraction, a list joined, a mapping as codes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict):
        return "\n".join(f"{key}={_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    return str(value).replace("\r\n", "\n").strip()
