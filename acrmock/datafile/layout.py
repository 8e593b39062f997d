"""The columns of a data file: the elements of a mapping version in the order of their numbers, and records made from cells.

A file is flat. The elements of an exam come first; behind them, for each list in an exam, those of its records, as often as the
layer says (`portal.format.groups`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts import EXAM, Element, Facts, MappingVersion

GROUPS, DEFAULT_GROUPS = "portal.format.groups", "portal.format.groups_default"
FACILITY = "nrdr.header.facility_id"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the element, the name of the list that its record stands in (empty: the exam's own), which record of it."""

    element: Element
    listed: str = ""
    group: int = 0

    @property
    def heading(self) -> str:
        """The column's name: the element's, with list and number in front where it is in a list."""
        return f"{self.listed}.{self.group}.{self.element.name}" if self.listed else self.element.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of one mapping version; `separator` parts elements, `multiple` the codes of one element."""

    version: MappingVersion
    columns: tuple[Column, ...]
    separator: str
    multiple: str
    facility: str
    _names: frozenset[str] = field(init=False, repr=False)
    _known: frozenset[str] = field(init=False, repr=False)
    _own: tuple[str, ...] = field(init=False, repr=False)
    _lists: tuple[tuple[str, int, tuple[str, ...]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Work out what is asked for each row."""
        own = tuple(column.element.name for column in self.columns if not column.listed)
        most = {column.listed: column.group for column in self.columns if column.listed}
        lists = tuple(
            (listed, many, tuple(c.element.name for c in self.columns if (c.listed, c.group) == (listed, 1)))
            for listed, many in most.items()
        )
        object.__setattr__(self, "_own", own)
        object.__setattr__(self, "_lists", lists)
        object.__setattr__(self, "_known", frozenset((*own, *most)))
        object.__setattr__(self, "_names", frozenset(column.element.name for column in self.columns))

    @property
    def headings(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.heading for column in self.columns)

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether a row holds the names of elements in place of values: at least half of its cells that are not empty."""
        given = [cell.strip() for cell in cells if cell.strip()]
        return bool(given) and 2 * sum(cell.rpartition(".")[2] in self._names for cell in given) >= len(given)

    def record(self, cells: Sequence[str]) -> dict[str, Any]:
        """The record that a row's cells are; an empty cell is an element that was not sent. As many cells as columns."""
        exam: dict[str, Any] = {}
        below: dict[tuple[str, int], dict[str, Any]] = {}
        for column, cell in zip(self.columns, cells, strict=True):
            if not cell:
                continue
            place = exam if not column.listed else below.setdefault((column.listed, column.group), {})
            place[column.element.name] = cell.split(self.multiple) if column.element.multiple else cell
        for (listed, _), record in below.items():
            exam.setdefault(listed, []).append(record)
        return exam

    def facility_of(self, record: Mapping[str, Any], selected: str) -> str:
        """The facility of a record: its own where the row names one, else the selected one (facts N3.1)."""
        own = record.get(self.facility)
        return own if isinstance(own, str) and own else selected

    def row(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """The cells of a record; raises `SetupError` where a row cannot hold it."""
        get, multiple = record.get, self.multiple
        cells = [value if type(value := get(name, "")) is str else _cell(value, multiple) for name in self._own]
        for listed, most, names in self._lists:
            records = record.get(listed) or []
            if not isinstance(records, list) or not all(isinstance(inner, Mapping) for inner in records):
                fix = "send it as a transaction, in JSON"
                raise SetupError(f"{listed} is no list of records", where=listed, expected="a list of JSON objects", fix=fix)
            if len(records) > most:
                fix = f"raise {GROUPS} by an overlay, or send it as a transaction"
                raise SetupError(f"a row has room for {most} records of {listed}", actual=str(len(records)), fix=fix)
            for inner in records:
                cells += [_cell(inner.get(name), multiple) for name in names]
            cells += [""] * (len(names) * (most - len(records)))
        joined = "".join(cells)
        if self.separator in joined or "\r" in joined or "\n" in joined or not record.keys() <= self._known:
            raise self._unfit(record, cells)
        return tuple(cells)

    def _unfit(self, record: Mapping[str, Any], cells: Sequence[str]) -> SetupError:
        """Why a row cannot hold a record."""
        fix = "send it as a transaction, in JSON"
        strange = next((str(name)[:80] for name in record if name not in self._known), "")
        if strange:
            return SetupError("a record has an element for which there is no column", actual=strange, fix=fix)
        bad = {self.separator, "\r", "\n"}
        where = next((column.heading for column, cell in zip(self.columns, cells, strict=True) if bad & set(cell)), "")
        return SetupError("a value cannot stand in a data file", where=where, expected=f"text without {self.separator}", fix=fix)


def _cell(value: Any, multiple: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return multiple.join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def layout_of(facts: Facts, version: MappingVersion) -> Layout:
    """The layout of data files of `version`, as the layers have it; raises `FactsError` where one lacks a setting."""
    groups, default = facts.mapping(GROUPS), facts.integer(DEFAULT_GROUPS)
    columns = tuple(_columns(version, groups, default))
    return Layout(
        version=version,
        columns=columns,
        separator=facts.text("portal.format.separator"),
        multiple=facts.text("portal.format.multiple_separator"),
        facility=facts.text(FACILITY),
    )


def _columns(version: MappingVersion, groups: Mapping[str, str], default: int) -> Iterator[Column]:
    yield from (Column(element) for element in _numbered(version, EXAM))
    for child in version.lists:
        elements = _numbered(version, child.kind)
        for group in range(1, min(child.most, int(groups.get(child.kind, default))) + 1):
            yield from (Column(element, child.name, group) for element in elements)


def _numbered(version: MappingVersion, kind: str) -> list[Element]:
    """The elements of a kind of record by number; those without one come last, in the table's order."""
    return sorted(version.of(kind), key=lambda element: (element.number is None, element.number or 0))
