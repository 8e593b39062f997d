"""The rows of a table as elements; whatever cannot be understood is refused with sheet, row and reason, all of it at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from acrmock.facts.importing.cells import Fault, Values, kind_of, level_of, pattern_of, said, values_of, whole
from acrmock.facts.importing.columns import Columns
from acrmock.facts.importing.table import Row, Table, TableError, heading_of, plain
from acrmock.facts.registry import EXAM, ElementType, Level

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_SHOWN = 20


class ImportedElement(msgspec.Struct, frozen=True, kw_only=True):
    """One element as a table says it is; None and empty are what the table does not say. `row` is its place.

    `unread` is what stands in its column of values and is neither a list nor a range: it has no effect.
    `sheet` is named where several sheets were read.
    """

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
    pattern_hint: str = ""
    identity: str = ""
    unit: str = ""
    unread: str = ""
    sheet: str = ""


def read_elements(table: Table | Iterable[Table], columns: Columns) -> tuple[ImportedElement, ...]:
    """The elements of a table, or of several sheets; raises `TableError` that names every row that cannot be understood."""
    tables = (table,) if isinstance(table, Table) else tuple(table)
    found: list[tuple[Table, ImportedElement]] = []
    faults: list[str] = []
    for one in tables:
        sheet = one.sheet if len(tables) > 1 else ""
        found += [(one, msgspec.structs.replace(element, sheet=sheet)) for element in _elements(one, columns, faults)]
    faults += _twice(found)
    if faults:
        more = f"\nand {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise TableError(
            f"{len(faults)} rows cannot be understood", where=tables[0].where(), actual="\n".join(faults[:_SHOWN]) + more
        )
    if not found:
        raise TableError("the table has no elements", where=tables[0].where() if tables else "")
    return _numbered_once([element for _, element in found])


def _elements(table: Table, columns: Columns, faults: list[str]) -> Iterator[ImportedElement]:
    """The elements of one sheet; what is wrong with a row is added to `faults`."""
    index = heading_of(table, columns.roles())
    if index is None:
        expected = "two columns at least, one of them " + " or ".join(columns.headings["name"][:3])
        raise TableError("no heading is known", where=table.where(), expected=expected, fix="say which is which with --columns")
    heading = table.rows[index]
    places = _places(table, heading, columns)
    if "name" not in places:
        expected = " or ".join(columns.headings["name"])
        raise TableError("no column names the elements", where=table.where(heading.number), expected=expected[:200])
    for row in table.rows[index + 1 :]:
        if not any(row.cells) or _is_title(row) or row.cells == heading.cells:
            continue
        cells = {role: row.cells[place].strip() if place < len(row.cells) else "" for role, place in places.items()}
        try:
            yield _element(row, cells, columns, kind_of(table.sheet, columns))
        except Fault as fault:
            faults.append(f"{table.where(row.number)}: {fault}")


def _places(table: Table, heading: Row, columns: Columns) -> dict[str, int]:
    """The column of each meaning; of several headings the mapping's first wins, one that stands twice is refused."""
    here: dict[str, list[int]] = {}
    for place, cell in enumerate(heading.cells):
        if cell:
            here.setdefault(plain(cell), []).append(place)
    found: dict[str, int] = {}
    taken: set[int] = set()
    for role, headings in columns.headings.items():
        for name in headings:
            places = here.get(plain(name), [])
            if len(places) > 1:
                raise TableError(
                    f"the heading {heading.cells[places[0]]!r} stands twice, so nobody can tell which column is meant",
                    where=table.where(heading.number),
                    actual="columns " + " and ".join(str(place + 1) for place in places),
                    fix="rename one of them, or name another heading with --columns",
                )
            if places and places[0] not in taken:
                found[role] = places[0]
                taken.add(places[0])
                break
    return found


def _numbered_once(elements: list[ImportedElement]) -> tuple[ImportedElement, ...]:
    """The elements, without the numbers that stand for several of them: sections often begin anew with 1."""
    often = Counter(element.number for element in elements)
    return tuple(msgspec.structs.replace(item, number=None) if often[item.number] > 1 else item for item in elements)


def _is_title(row: Row) -> bool:
    """A row of which only the first cell is filled: the title of a section."""
    return bool(row.cells) and bool(row.cells[0]) and not any(row.cells[1:]) and _NAME.fullmatch(row.cells[0]) is None


def _twice(elements: list[tuple[Table, ImportedElement]]) -> Iterator[str]:
    seen: dict[tuple[str, str], tuple[Table, int]] = {}
    for table, element in elements:
        first, row = seen.setdefault((element.kind, element.name), (table, element.row))
        if (first, row) != (table, element.row):
            place = f"row {row}" if first is table else f"row {row} of sheet {first.sheet}"
            yield f"{table.where(element.row)}: {element.name} stands in {place} already"


def _element(row: Row, cells: Mapping[str, str], columns: Columns, sheet_kind: str) -> ImportedElement:
    name = cells.get("name", "")
    if not _NAME.fullmatch(name):
        raise Fault(_no_name(name) if name else "the name of the element is missing")
    values = values_of(cells, columns)
    pattern = pattern_of(cells.get("pattern", ""))
    several = values.multiple or said(cells.get("multiple", ""), columns, "multiple")
    if several and values.type is not ElementType.CODE:
        raise Fault("several answers are allowed, and no values are given: give them, or allow one answer")
    return ImportedElement(
        name=name,
        row=row.number,
        label=cells.get("label") or name.replace("_", " "),
        type=values.type,
        level=level_of(cells, columns),
        kind=kind_of(cells.get("record", ""), columns) if cells.get("record") else sheet_kind,
        number=whole(cells, "number", lenient=True),
        codes=values.codes,
        multiple=several,
        min_length=whole(cells, "min_length"),
        max_length=_length(cells, values),
        minimum=values.minimum,
        maximum=values.maximum,
        pattern=pattern or (values.shape.pattern if values.shape is not None else ""),
        pattern_hint=values.shape.hint if values.shape is not None and not pattern else "",
        identity=values.shape.identity if values.shape is not None else "",
        unit=cells.get("unit", ""),
        unread=values.unread,
    )


def _length(cells: Mapping[str, str], values: Values) -> int | None:
    """The greatest length; that of a shape is in its pattern, of a value that is no text in its type."""
    length = whole(cells, "max_length")
    return length if values.type is ElementType.TEXT and values.shape is None else None


def _no_name(name: str) -> str:
    near = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:100]
    example = f", e.g. {near}" if _NAME.fullmatch(near) else ""
    return f"{name[:40]!r} is no name of an element: a letter, then letters, digits, '_', '.' or '-'{example}"
