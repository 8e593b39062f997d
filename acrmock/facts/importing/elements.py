"""The rows of a table as elements; whatever cannot be understood is refused with sheet, row and reason, all of it at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from acrmock.facts.importing.columns import Columns, Words
from acrmock.facts.importing.table import Row, Table, TableError, heading_of, plain
from acrmock.facts.registry import EXAM, ElementType, Level

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_SHOWN = 20
_AT_COMMA = re.compile(r",(?=\s*[A-Za-z0-9]{1,10}\s*=)")


class ImportedElement(msgspec.Struct, frozen=True, kw_only=True):
    """One element as a table says it is; None and empty are what the table does not say. `row` is its place."""

    name: str
    row: int
    label: str
    type: ElementType = ElementType.TEXT
    level: Level = Level.OPTIONAL
    kind: str = EXAM
    number: int | None = None
    codes: Mapping[str, str] = {}
    multiple: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    unit: str = ""


class _Fault(Exception):  # noqa: N818 - says what a row has
    """Why one row cannot be understood."""


def read_elements(table: Table, columns: Columns) -> tuple[ImportedElement, ...]:
    """The elements of a table; raises `TableError` that names every row that cannot be understood."""
    roles = columns.roles()
    index = heading_of(table, roles)
    if index is None:
        expected = "two columns at least, one of them " + " or ".join(columns.headings["name"][:3])
        raise TableError("no heading is known", where=table.where(), expected=expected, fix="say which is which with --columns")
    heading = table.rows[index]
    places = _places(heading, columns)
    if "name" not in places:
        expected = " or ".join(columns.headings["name"])
        raise TableError("no column names the elements", where=table.where(heading.number), expected=expected[:200])
    found: list[ImportedElement] = []
    faults: list[str] = []
    for row in table.rows[index + 1 :]:
        cells = {role: row.cells[place].strip() if place < len(row.cells) else "" for role, place in places.items()}
        if not any(row.cells) or _is_title(row):
            continue
        try:
            found.append(_element(row, cells, columns))
        except _Fault as fault:
            faults.append(f"{table.where(row.number)}: {fault}")
    faults += _twice(found, table)
    if faults:
        more = f"\nand {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise TableError(
            f"{len(faults)} rows cannot be understood", where=table.where(), actual="\n".join(faults[:_SHOWN]) + more
        )
    if not found:
        raise TableError("the table has no elements", where=table.where(heading.number))
    return tuple(found)


def _places(heading: Row, columns: Columns) -> dict[str, int]:
    """The column of each meaning; of several headings the mapping's first wins."""
    here = {plain(cell): place for place, cell in reversed([*enumerate(heading.cells)]) if cell}
    found: dict[str, int] = {}
    taken: set[int] = set()
    for role, headings in columns.headings.items():
        for name in headings:
            place = here.get(plain(name))
            if place is not None and place not in taken:
                found[role] = place
                taken.add(place)
                break
    return found


def _is_title(row: Row) -> bool:
    """A row of which only the first cell is filled: the title of a section."""
    return bool(row.cells) and bool(row.cells[0]) and not any(row.cells[1:]) and _NAME.fullmatch(row.cells[0]) is None


def _twice(elements: list[ImportedElement], table: Table) -> Iterator[str]:
    seen: dict[tuple[str, str], int] = {}
    for element in elements:
        first = seen.setdefault((element.kind, element.name), element.row)
        if first != element.row:
            yield f"{table.where(element.row)}: {element.name} stands in row {first} already"


def _element(row: Row, cells: Mapping[str, str], columns: Columns) -> ImportedElement:
    name = cells.get("name", "")
    if not _NAME.fullmatch(name):
        raise _Fault(_no_name(name) if name else "the name of the element is missing")
    codes = _codes(cells.get("codes", ""), columns)
    if not codes and _is_one_of(cells.get("type", "").casefold().strip(), columns.yes_or_no):
        codes = dict(columns.yes_and_no)
    kind = _type(cells.get("type", ""), columns, coded=bool(codes))
    if kind is ElementType.CODE and not codes:
        raise _Fault("a list of values is its type, and no values are given: give them, or make it text")
    return ImportedElement(
        name=name,
        row=row.number,
        label=cells.get("label") or name.replace("_", " "),
        type=kind,
        level=_level(cells, columns),
        kind=_kind(cells.get("record", ""), columns),
        number=_whole(cells, "number", lenient=True),
        codes=codes if kind is ElementType.CODE else {},
        multiple=_said(cells.get("multiple", ""), columns, "multiple"),
        min_length=_whole(cells, "min_length"),
        max_length=_whole(cells, "max_length"),
        minimum=_decimal(cells, "minimum"),
        maximum=_decimal(cells, "maximum"),
        pattern=_pattern(cells.get("pattern", "")),
        unit=cells.get("unit", ""),
    )


def _no_name(name: str) -> str:
    near = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:100]
    example = f", e.g. {near}" if _NAME.fullmatch(near) else ""
    return f"{name[:40]!r} is no name of an element: a letter, then letters, digits, '_', '.' or '-'{example}"


def _kind(text: str, columns: Columns) -> str:
    """The kind of record that a row belongs to."""
    word = text.casefold().strip()
    return next((kind for kind, words in columns.records.items() if word == kind or _is_one_of(word, words)), EXAM)


def _type(text: str, columns: Columns, *, coded: bool) -> ElementType:
    word = re.sub(r"\s*\(\s*\d+(\s*,\s*\d+)?\s*\)$", "", text.casefold()).strip()
    if not word:
        return ElementType.CODE if coded else ElementType.TEXT
    for name, words in columns.types.items():
        if word in {item.casefold() for item in words}:
            kind = ElementType(name)
            # a list of values says more than "text" or "number" does
            return ElementType.CODE if coded and kind is not ElementType.DATE else kind
    if coded and _is_one_of(word, columns.yes_or_no):
        return ElementType.CODE
    known = ", ".join(words[0] for words in columns.types.values() if words)
    raise _Fault(f"{text[:40]!r} is no known data type, as are {known} and others: see `acrmock facts columns`")


def _level(cells: Mapping[str, str], columns: Columns) -> Level:
    if _said(cells.get("level", ""), columns, "required to submit"):
        return Level.SUBMIT
    return Level.COMPLETE if _said(cells.get("complete", ""), columns, "required to complete") else Level.OPTIONAL


def _said(text: str, columns: Columns, what: str) -> bool:
    word = text.casefold().strip()
    if _is_one_of(word, columns.said_yes):
        return True
    if _is_one_of(word, columns.said_no) or word.startswith(("conditional", "if ")):
        return False
    raise _Fault(f"{what}: {text[:40]!r} is neither yes nor no")


def _is_one_of(word: str, words: Words) -> bool:
    return word in {item.casefold() for item in words}


def _codes(text: str, columns: Columns) -> dict[str, str]:
    """`1 = Current smoker; 2 = Former` as codes with labels; a text without separators is no list.

    A comma may stand in a label: it separates only where nothing else does, and before another `code =`.
    """
    separator = next((item for item in columns.code_separators if item in text), "")
    parts = [part.strip() for part in (text.split(separator) if separator else _AT_COMMA.split(text)) if part.strip()]
    found: dict[str, str] = {}
    for part in parts:
        label_separator = next((item for item in columns.label_separators if item in part), "")
        code, _, label = (item.strip() for item in part.partition(label_separator)) if label_separator else (part, "", part)
        if not label_separator and len(parts) == 1:
            return {}
        if not code or len(code) > 100:
            raise _Fault(f"{part[:40]!r} is no code with its label")
        if code in found:
            raise _Fault(f"the code {code!r} stands twice")
        found[code] = label or code
    return found


def _whole(cells: Mapping[str, str], role: str, *, lenient: bool = False) -> int | None:
    text = cells.get(role, "")
    if text.isascii() and text.isdigit() and len(text) <= 6:
        number = int(text)
        return number if number or role == "min_length" else None
    if not text or lenient:
        return None
    raise _Fault(f"{role.replace('_', ' ')}: {text[:40]!r} is no whole number")


def _decimal(cells: Mapping[str, str], role: str) -> float | None:
    text = cells.get(role, "")
    if not text:
        return None
    if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text, re.ASCII) is None:
        raise _Fault(f"{role}: {text[:40]!r} is no number")
    return float(text)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise _Fault(f"pattern: {error}") from None
    return text
