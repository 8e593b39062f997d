"""Data files: what is written is read again, whatever the values, and hostile bytes are a fault of the file or its rows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.datafile import (
    FileFault,
    FileFaultKind,
    Limits,
    Row,
    RowFault,
    layout_of,
    read_pipe,
    read_workbook,
    write_pipe,
    write_workbook,
)
from acrmock.datafile.workbook import _ValuedRows, text_of
from acrmock.errors import SetupError
from acrmock.facts import load_facts

FACTS = load_facts()
LIMITS = Limits()
CELL = st.text(
    st.characters(codec="utf-8", exclude_characters="|,\r\n\0", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20
)


def layout(registry: str = "lcsr", version: str = "1.8") -> Any:
    """The layout of a mapping version."""
    found = FACTS.registry(registry)
    assert found is not None
    mapping = found.version(version)
    assert mapping is not None
    return layout_of(FACTS, mapping)


@st.composite
def records(draw: Any) -> dict[str, Any]:
    """A record of LCSR with some elements and follow-ups, each with a value that text can hold."""
    made = layout()
    record: dict[str, Any] = {}
    groups = draw(st.integers(0, 3))
    for column in made.columns:
        if column.group > groups or not draw(st.booleans()):
            continue
        value = draw(st.lists(CELL, min_size=1, max_size=3) if column.element.multiple else CELL)
        place = record if not column.listed else record.setdefault(column.listed, {}).setdefault(column.group, {})
        place[column.element.name] = value
    if "Follow_Ups" in record:
        record["Follow_Ups"] = list(record["Follow_Ups"].values())
    return record


@settings(max_examples=30, deadline=None)
@given(st.lists(records(), min_size=1, max_size=3))
def test_records_survive_pipe_text_and_workbook(made: list[dict[str, Any]]) -> None:
    """What is written in either format is read as the same record."""
    columns = layout()
    made = [record or {"Other_ID": "x"} for record in made]
    text, book = io.BytesIO(), io.BytesIO()
    write_pipe((columns.row(record) for record in made), text)
    assert [columns.record(row.cells) for row in read_pipe(io.BytesIO(text.getvalue()), LIMITS)] == made
    write_workbook((columns.row(record) for record in made), book)
    assert [columns.record(row.cells) for row in read_workbook(book, LIMITS, columns.columns)] == made


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_a_fault(data: bytes) -> None:
    """Whatever the bytes, text and workbook give rows or say why the file is rejected; they raise nothing else."""
    for read in (lambda: list(read_pipe(io.BytesIO(data), LIMITS)), lambda: list(read_workbook(io.BytesIO(data), LIMITS, ()))):
        rows, fault = _read(read)
        assert (fault.what and fault.kind in FileFaultKind) if fault is not None else all(isinstance(row, Row) for row in rows)


def _read(read: Callable[[], list[Row]]) -> tuple[list[Row], FileFault | None]:
    try:
        return read(), None
    except FileFault as fault:
        return [], fault


def test_the_columns_are_the_elements_by_number() -> None:
    """The exam's elements come first in the order of their numbers, then each list's, as often as the layer says."""
    found = layout()
    numbers = [column.element.number for column in found.columns if not column.listed]
    assert numbers == sorted(numbers)
    groups = [column.heading for column in found.columns if column.listed]
    assert groups[0] == "Follow_Ups.1.Date_Of_Follow_Up"
    assert len(groups) == 3 * 18


def test_a_row_cannot_hold_everything() -> None:
    """Too many records, no list, a separator in a value, a line end, an unknown element: refused with a way out."""
    found = layout()
    for record in (
        {"Follow_Ups": [{}] * 4},
        {"Follow_Ups": "x"},
        {"Follow_Ups": ["x"]},
        {"Other_ID": "a|b"},
        {"Other_ID": "a\r\nb"},
        {"No_Such": "x"},
    ):
        with pytest.raises(SetupError) as caught:
            found.row(record)
        assert caught.value.fix


def test_a_long_row_is_skipped_and_the_next_is_read() -> None:
    """A row beyond the bound is a fault of its own; memory is bounded and the next row is whole."""
    data = b"x" * 100_000 + b"\r\na|b\r\n"
    rows = list(read_pipe(io.BytesIO(data), Limits(row_bytes=1024)))
    assert [(row.fault, len(row.cells[0]) <= 200) for row in rows] == [(RowFault.LONG, True), (None, True)]
    assert rows[1].cells == ("a", "b")


def test_the_last_record_needs_no_line_end() -> None:
    """CR LF ends a record; the file's end does too. A byte order mark is dropped."""
    assert [row.cells for row in read_pipe(io.BytesIO(b"\xef\xbb\xbfa|b\r\nc|"), LIMITS)] == [("a", "b"), ("c", "")]


def test_cells_as_text() -> None:
    """What Excel keeps as numbers and truths is read as what it shows."""
    assert [text_of(value) for value in (7, 7.0, 2.5, "x")] == ["7", "7", "2.5", "x"]
    assert (text_of(value=True), text_of(None)) == ("TRUE", "")


@given(
    rows=st.lists(st.sampled_from([("a", "1"), ("", ""), ("<row", "</row>"), (" ", "<v>")]), max_size=30), size=st.integers(1, 90)
)
def test_rows_with_values_are_counted_as_they_come(rows: list[tuple[str, str]], size: int) -> None:
    """However a sheet's XML is cut, its rows that hold a value are counted, but for the last, which may go on."""
    stream = io.BytesIO()
    write_workbook(rows, stream)
    with zipfile.ZipFile(stream) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    counted, told = _ValuedRows(), [0]
    told += [counted.add(sheet[at : at + size]) for at in range(0, len(sheet), size)]
    held = [any(row) for row in rows]
    assert told == sorted(told)
    assert told[-1] == sum(held[:-1])


@pytest.mark.parametrize("empty", [0, 50])
def test_too_many_rows_of_a_workbook(empty: int) -> None:
    """A workbook of more rows than may come is refused before the first is given; empty ones do not count."""
    stream = io.BytesIO()
    write_workbook([("a", "1")] * 20 + [("", "")] * empty + [("a", "1")], stream)
    assert len(list(read_workbook(stream, Limits(rows=21), ()))) == 21
    rows = read_workbook(stream, Limits(rows=19), ())
    with pytest.raises(FileFault) as told:
        next(rows)
    assert (told.value.kind, told.value.expected) == (FileFaultKind.TOO_MANY_ROWS, "at most 19")


def test_a_row_without_end_is_counted_once() -> None:
    """One row of very many cells is one, and is not kept while it comes."""
    counted = _ValuedRows()
    for piece in [b"<sheetData><row r='1'>", *[b"<c><v>1</v></c>" * 20_000] * 20, b"</row><row r='2'/><row r='3'>"]:
        counted.add(piece)
        assert len(counted._rest) < 2 * 1024 * 1024
    assert counted.valued == 1
