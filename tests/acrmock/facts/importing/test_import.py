"""An element table of one's own: read from a workbook, CSV or JSON, refused with sheet and row, and written as a layer."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.facts.importing import (
    Columns,
    Origin,
    TableError,
    load_columns,
    read_elements,
    read_table,
    shipped_columns,
    shipped_text,
    write_layer,
)
from acrmock.facts.importing import table as limits
from acrmock.facts.registry import ElementType, Level

HEADING = (
    "Element Number",
    "Element Name",
    "Definition",
    "Data Type",
    "Valid Values",
    "Required to Submit a Transaction",
    "Length",
)
ROWS: tuple[tuple[Any, ...], ...] = (
    (1, "Other_ID", "The site's own number of the patient", "varchar(50)", "", "Yes", 50),
    (2, "Exam_Date", "The day of the exam", "date", "", "Yes", ""),
    ("Smoking history",),
    (3, "Smoking_Status", "Whether the patient smokes", "numeric", "1=Current\n2=Former\n7=Water pipe", "No", ""),
    (4, "Indication_Of_Exam", "Why", "code", "1 - Baseline; 2 - Annual", "Conditional on status", ""),
    (5, "A_New_Element", "Something new", "string", "", "", 5),
)


def workbook(path: Path, rows: Sequence[Sequence[Any]] = ROWS, heading: Sequence[str] = HEADING, *, sheet: str = "Exam") -> Path:
    """A workbook in ACR's layout: a cover sheet, then a title, an empty row, the heading and the elements."""
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    page = book.create_sheet(sheet)
    for row in (("LCSR data mapping, draft",), (), heading, *rows):
        page.append(list(row))
    book.save(path)
    return path


def elements_of(path: Path, columns: Columns | None = None, **options: Any) -> dict[str, Any]:
    """The elements of a document by name."""
    return {item.name: item for item in read_elements(read_table(path, **options), columns or shipped_columns())}


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("1=Current, 2=Former,7 = Never", {"1": "Current", "2": "Former", "7": "Never"}),
        ("1 = Yes, now and then, 2 = No", {"1": "Yes, now and then", "2": "No"}),
        ("1 = Head, neck; 2 = Chest, x = y", {"1": "Head, neck", "2": "Chest, x = y"}),
        ("1 - Head, neck", {"1": "Head, neck"}),
    ],
)
def test_a_comma_separates_codes_only_before_another_one(cell: str, codes: dict[str, str], tmp_path: Path) -> None:
    """A list written in one line is no single code; a comma of a label stays in the label."""
    row = (3, "Smoking_Status", "Whether the patient smokes", "code", cell, "No", "")
    assert dict(elements_of(workbook(tmp_path / "mapping.xlsx", [row]))["Smoking_Status"].codes) == codes


def as_csv(path: Path, delimiter: str = ",") -> Path:
    """The same table as CSV."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([HEADING, *ROWS])
    return path


def as_json(path: Path) -> Path:
    """The same table as JSON."""
    path.write_text(json.dumps([dict(zip(HEADING, row, strict=True)) for row in ROWS if len(row) > 1]), encoding="utf-8")
    return path


@pytest.mark.parametrize("make", [workbook, as_csv, lambda path: as_csv(path, ";"), lambda path: as_csv(path, "\t"), as_json])
def test_what_is_read(tmp_path: Path, make: Any) -> None:
    """Name, type, codes, level and length are read from each kind of document alike; titles of sections are passed over."""
    suffix = {workbook: "xlsx", as_json: "json"}.get(make, "csv")
    found = elements_of(make(tmp_path / f"table.{suffix}"))
    assert list(found) == ["Other_ID", "Exam_Date", "Smoking_Status", "Indication_Of_Exam", "A_New_Element"]
    assert [item.type for item in found.values()] == [
        ElementType.TEXT, ElementType.DATE, ElementType.CODE, ElementType.CODE, ElementType.TEXT,
    ]  # fmt: skip
    assert dict(found["Smoking_Status"].codes) == {"1": "Current", "2": "Former", "7": "Water pipe"}
    assert dict(found["Indication_Of_Exam"].codes) == {"1": "Baseline", "2": "Annual"}
    assert (found["Other_ID"].level, found["Indication_Of_Exam"].level) == (Level.SUBMIT, Level.OPTIONAL)
    assert (found["Other_ID"].max_length, found["Other_ID"].number) == (50, 1)


def test_places_are_those_of_the_document(tmp_path: Path) -> None:
    """The row of an element is the one that the workbook shows."""
    assert elements_of(workbook(tmp_path / "t.xlsx"))["Smoking_Status"].row == 7


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((3, "Smoking Status", "x", "date", "", "", ""), "'Smoking Status' is no name of an element"),
        ((3, "", "x", "date", "", "", ""), "the name of the element is missing"),
        ((3, "Other_ID", "x", "date", "", "", ""), "Other_ID stands in row 4 already"),
        ((3, "Smoking Status", "x", "date", "", "", ""), "e.g. Smoking_Status"),
        ((3, "Status", "x", "blob", "", "", ""), "'blob' is no known data type, as are text, date, "),
        ((3, "Status", "x", "code", "", "", ""), "a list of values is its type, and no values are given"),
        ((3, "Status", "x", "code", "1=a; 1=b", "", ""), "the code '1' stands twice"),
        ((3, "Status", "x", "text", "", "perhaps", ""), "'perhaps' is neither yes nor no"),
        ((3, "Status", "x", "text", "", "", "long"), "max length: 'long' is no whole number"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, change: tuple[Any, ...], reason: str) -> None:
    """A row that cannot be understood is refused with sheet, row and reason."""
    rows = [*ROWS[:3], change, *ROWS[4:]]
    with pytest.raises(TableError) as told:
        elements_of(workbook(tmp_path / "t.xlsx", rows))
    (line,) = (line for line in str(told.value).splitlines() if "row 7" in line)
    assert line.strip().removeprefix("actual: ").startswith("t.xlsx, sheet Exam, row 7: ")
    assert reason in line


def test_all_broken_rows_are_named_at_once(tmp_path: Path) -> None:
    """A person mends all of them in one go."""
    rows = [(number, f"bad name {number}", "", "", "", "", "") for number in range(30)]
    with pytest.raises(TableError) as told:
        elements_of(workbook(tmp_path / "t.xlsx", rows))
    assert "30 rows cannot be understood" in str(told.value)
    assert "row 4" in str(told.value)
    assert "and 10 more" in str(told.value)


def test_sheets(tmp_path: Path) -> None:
    """A sheet can be named; one that is not there is refused with those that are."""
    path = workbook(tmp_path / "t.xlsx", sheet="Elements 1.8")
    assert len(elements_of(path, sheet="Elements 1.8")) == 5
    with pytest.raises(TableError, match="Elements"):
        read_table(path, sheet="other")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("t.xlsx", b"", "no workbook"),
        ("t.xlsx", b"PK\x03\x04 not really", "no workbook"),
        ("t.csv", b"", "empty"),
        ("t.csv", b"\n\n,,\n", "empty"),
        ("t.csv", b"\xff\xfe\x00a", "not UTF-8"),
        ("t.csv", b'"never closed', "no CSV"),
        ("t.csv", b"a,b\n1,2\n", "no heading is known"),
        ("t.csv", b"Element Name,Data Type\n", "has no elements"),
        ("t.json", b"{", "no JSON"),
        ("t.json", b"[" * 100_000, "no JSON"),
        ("t.json", b"[1, 2]", "no table"),
        ("t.json", b'"text"', "no table"),
        ("t.doc", b"anything", "cannot be read"),
        ("t", b"anything", "cannot be read"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    """A document that is empty, damaged or of another kind is refused in one sentence."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(TableError, match=reason):
        elements_of(path)


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is said to be missing."""
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path / "none.xlsx")


def test_hostile_workbooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Formulas, bombs, and archives that are no workbook are refused; nothing is unpacked beyond the bound."""
    with pytest.raises(TableError, match=r"row 4\n|holds a formula"):
        elements_of(workbook(tmp_path / "f.xlsx", [(1, "=HYPERLINK(0)", "", "", "", "", "")]))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (limits.MAX_UNPACKED_BYTES + 1))
    (tmp_path / "b.xlsx").write_bytes(bomb.getvalue())
    with pytest.raises(TableError, match="too large unpacked"):
        read_table(tmp_path / "b.xlsx")
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("hello.txt", b"hello")
    (tmp_path / "o.xlsx").write_bytes(other.getvalue())
    with pytest.raises(TableError, match="damaged"):
        read_table(tmp_path / "o.xlsx")
    monkeypatch.setattr(limits, "MAX_ROWS", 4)
    with pytest.raises(TableError, match="too many rows"):
        read_table(workbook(tmp_path / "r.xlsx"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), max_size=7), max_size=8))
def test_any_rows(rows: list[list[str]]) -> None:
    """Any cells under a known heading give elements or a clear refusal."""
    table = limits.Table(
        file="t.csv",
        sheet="",
        rows=(limits.Row(1, HEADING), *(limits.Row(number, tuple(row)) for number, row in enumerate(rows, 2))),
    )
    filled = [row for row in rows if any(row)]
    try:
        found = read_elements(table, shipped_columns())
    except TableError:
        found = ()
    assert len(found) <= len(filled)
    assert all(item.name and item.label for item in found)


def cell(tmp_path: Path, **row: str) -> Any:
    """The element that one row with these cells makes."""
    names = {"kind": "Data Type", "values": "Valid Values", "span": "Range", "pattern": "Pattern", "several": "Multiple"}
    path = tmp_path / "one.json"
    path.write_text(json.dumps([{"Element Name": "X"} | {names[name]: text for name, text in row.items()}]), encoding="utf-8")
    return elements_of(path)["X"]


@pytest.mark.parametrize(
    ("row", "bounds"),
    [
        ({"values": "0-10"}, (0, 10)),
        ({"kind": "numeric", "values": "1 - 3"}, (1, 3)),
        ({"kind": "varchar", "values": "0.01 to 999.99"}, (0.01, 999.99)),
        ({"kind": "number", "values": "-5..5"}, (-5, 5)),
        ({"kind": "decimal(6,2)", "span": "0\u2013500"}, (0, 500)),
        ({"kind": "number", "span": ">= 0"}, (0, None)),
        ({"kind": "number", "values": "max 90"}, (None, 90)),
    ],
)
def test_a_range_is_a_range(tmp_path: Path, row: dict[str, str], bounds: tuple[float | None, float | None]) -> None:
    """A range in the column of values, or in one of its own, bounds a number; it is no list of codes, and is not passed over."""
    found = cell(tmp_path, **row)
    assert (found.type, dict(found.codes)) == (ElementType.NUMBER, {})
    assert (found.minimum, found.maximum) == bounds


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"kind": "code", "values": "0-10"}, "no values are given"),
        ({"kind": "number", "span": "10 - 0"}, "the least value 10 is above the most, 0"),
        ({"kind": "number", "span": "small"}, "'small' is no range"),
        ({"kind": "text", "several": "Yes"}, "several answers are allowed, and no values are given"),
        ({"kind": "multi-select"}, "no values are given"),
        ({"kind": "text", "pattern": "["}, "pattern: "),
        ({"kind": "text", "pattern": r"^[0-9]+\Z"}, "a regular expression of Python alone"),
    ],
)
def test_cells_that_contradict_themselves(tmp_path: Path, row: dict[str, str], reason: str) -> None:
    """They are refused with their row, before a layer is written."""
    with pytest.raises(TableError, match="row 1: ") as told:
        cell(tmp_path, **row)
    assert reason in str(told.value)


def test_types_of_a_shape(tmp_path: Path) -> None:
    """A time, an NPI or a date in a notation of its own needs no mapping of columns; several answers are a type too."""
    assert re.search(cell(tmp_path, kind="Time").pattern, "14:05")
    npi = cell(tmp_path, kind="NPI")
    assert (npi.type, npi.identity, npi.pattern) == (ElementType.TEXT, "npi", "^[0-9]{10}$")
    assert cell(tmp_path, kind="Date (MM/DD/YYYY)").type is ElementType.DATE
    races = cell(tmp_path, kind="Multi-select", values="1=A\n2=B")
    assert (races.type, races.multiple, dict(races.codes)) == (ElementType.CODE, True, {"1": "A", "2": "B"})
    assert cell(tmp_path, kind="text", values="see the appendix").unread == "see the appendix"


def test_a_heading_that_stands_twice(tmp_path: Path) -> None:
    """Nobody can tell which column is meant: it is refused with both; one that means nothing to us may stand twice."""
    path = workbook(tmp_path / "t.xlsx", heading=(*HEADING[:4], "Data Type", *HEADING[5:]))
    with pytest.raises(TableError, match=r"row 3: the heading 'Data Type' stands twice(.|\n)*columns 4 and 5"):
        elements_of(path)
    assert elements_of(workbook(tmp_path / "o.xlsx", heading=("Note", *HEADING[1:], "Note")))
    (tmp_path / "t.json").write_text('[{"Element Name": "A", "Type": "date", "Type": "text"}]', encoding="utf-8")
    with pytest.raises(TableError, match="'Type' twice"):
        elements_of(tmp_path / "t.json")


def sheets(path: Path, *names: str) -> Path:
    """A workbook whose first sheet lists revisions, and whose others hold a table each."""
    book = openpyxl.Workbook()
    book.active.title = "Revisions"
    for row in (("Date", "Version", "Name"), ("2025-01-01", "1.8", "somebody")):
        book.active.append(row)
    for name in names:
        page = book.create_sheet(name)
        page.append(HEADING)
        page.append((1, f"{name[:1]}_Day", "", "date", "", "Yes", ""))
    book.save(path)
    return path


def test_the_sheet_with_the_table_is_found(tmp_path: Path) -> None:
    """A list of revisions before it does not hide it; of several tables nobody guesses, and each can be named."""
    known = shipped_columns().roles()
    assert read_table(sheets(tmp_path / "one.xlsx", "Exam"), known=known).sheet == "Exam"
    two = sheets(tmp_path / "two.xlsx", "Exam", "Follow-up")
    with pytest.raises(TableError, match=r"several sheets(.|\n)*Exam, Follow-up(.|\n)*--sheet"):
        read_table(two, known=known)
    tables = [read_table(two, sheet=name, known=known) for name in ("Exam", "Follow-up")]
    found = read_elements(tables, shipped_columns())
    assert [(item.name, item.kind, item.sheet, item.number) for item in found] == [
        ("E_Day", "exam", "Exam", None), ("F_Day", "follow_up", "Follow-up", None),
    ]  # fmt: skip


def test_columns_of_ones_own(tmp_path: Path) -> None:
    """Another layout is read by an edited mapping; a broken mapping is refused."""
    text = tmp_path / "columns.yaml"
    text.write_text(shipped_text().replace('name: ["Element Name"', 'name: ["Feldname"'), encoding="utf-8")
    path = workbook(tmp_path / "t.xlsx", heading=(HEADING[0], "Feldname", *HEADING[2:]))
    assert len(elements_of(path, load_columns(text))) == 5
    for broken in ("[]", "schema: other", "{", "headings: {}\ntypes: {}\nsaid_yes: []\nsaid_no: []\n"):
        text.write_text(broken, encoding="utf-8")
        with pytest.raises(SetupError, match=r"column mapping|name of an element"):
            load_columns(text)


def imported(tmp_path: Path, version: str = "1.8", *, keep: bool = False) -> tuple[Any, Path]:
    """The layer made of the workbook, and its file."""
    path = workbook(tmp_path / "acr.xlsx")
    elements = read_elements(read_table(path), shipped_columns())
    made = write_layer(load_facts(), "lcsr", version, elements, Origin.of(path.name, path.read_bytes(), keep=keep))
    out = tmp_path / "layer.yaml"
    out.write_text(made.text, encoding="utf-8")
    return made, out


def test_the_layer_is_the_document(tmp_path: Path) -> None:
    """The version has the document's elements and no other; each says that it was imported, and the version says so too."""
    made, out = imported(tmp_path)
    version = load_facts([out]).registry("lcsr").version("1.8")
    names = [item.name for item in version.elements]
    assert names == ["Other_ID", "Exam_Date", "Smoking_Status", "Indication_Of_Exam", "A_New_Element"]
    assert {item.provenance for item in version.elements} == {"third-party"}
    assert version.elements[2].sources == ("IMPORTED acr.xlsx row 7",)
    assert "acr.xlsx" in version.unknown
    assert "SHA-256" in version.unknown
    assert made.added == ("A_New_Element",)
    assert "Patient_SSN" in made.removed
    assert "COND-001" in made.dropped_rules
    others = load_facts([out]).registry("lcsr").version("1.7")
    assert len(others.elements) == len(load_facts().registry("lcsr").version("1.7").elements)


def test_keep(tmp_path: Path) -> None:
    """With `keep` what the document does not have stays."""
    made, out = imported(tmp_path, keep=True)
    assert made.removed == ()
    assert made.dropped_rules == ("COND-014",), "it asks for a code that the document no longer has"
    before = load_facts().registry("lcsr").version("1.8")
    assert len(load_facts([out]).registry("lcsr").version("1.8").elements) == len(before.elements) + 1


def test_a_version_that_nobody_knew(tmp_path: Path) -> None:
    """A document can describe a mapping version that is new: its keys, and rules that still fit, are the newest's."""
    made, out = imported(tmp_path, "9.9")
    version, newest = (load_facts([out]).registry("lcsr").version(name) for name in ("9.9", "1.8"))
    assert len(version.elements) == 5
    assert version.key_elements == ("Exam_Date", "Indication_Of_Exam")
    assert version.patient_elements == ("Other_ID",)
    assert (version.in_force_from, len(newest.elements)) == (None, 89)
    assert "DUP-001" in {rule.id for rule in version.rules}
    assert "COND-001" in made.dropped_rules
    assert "acr.xlsx" in version.unknown


def test_a_registry_that_nobody_knew(tmp_path: Path) -> None:
    """A document can describe a registry that is new, once it is said what tells its exams and patients apart."""
    path = workbook(tmp_path / "acr.xlsx")
    elements = read_elements(read_table(path), shipped_columns())
    origin = Origin.of(path.name, path.read_bytes(), title="Zebras")
    with pytest.raises(SetupError, match="one exam of a new registry from another"):
        write_layer(load_facts(), "zebra", "1.0", elements, origin)
    wrong = msgspec.structs.replace(origin, key_elements=("None",))
    with pytest.raises(SetupError, match="--key names an element that the table does not have"):
        write_layer(load_facts(), "zebra", "1.0", elements, wrong)
    told = msgspec.structs.replace(origin, key_elements=("Exam_Date",), patient_elements=("Other_ID",))
    made = write_layer(load_facts(), "zebra", "1.0", elements, told)
    out = tmp_path / "zebra.yaml"
    out.write_text(made.text, encoding="utf-8")
    registry = load_facts([out]).registry("zebra")
    assert (registry.title, registry.header_word, registry.scope) == ("Zebras", "ZEBRA", "zebra_data_submission")
    assert registry.version("1.0").patient_elements == ("Other_ID",)
    assert registry.version("1.0").element("Other_ID").identity == "id"


def test_what_a_document_bounds_is_refused_beyond(tmp_path: Path) -> None:
    """A number outside the range of the document is no valid value, as a code that is not in its list is none."""
    path = workbook(tmp_path / "acr.xlsx", [*ROWS, (6, "Pain", "", "numeric", "0-10", "No", "")])
    elements = read_elements(read_table(path), shipped_columns())
    made = write_layer(load_facts(), "lcsr", "1.8", elements, Origin.of(path.name, path.read_bytes()))
    out = tmp_path / "layer.yaml"
    out.write_text(made.text, encoding="utf-8")
    pain = load_facts([out]).registry("lcsr").version("1.8").element("Pain")
    assert (pain.minimum, pain.maximum, str(pain.bounds)) == (0, 10, "reject")
