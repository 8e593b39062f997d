"""Data files over the real control API: what is taken, what is refused, what the log says."""

from __future__ import annotations

import base64
import io
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
import pytest


def test_a_good_file(files: Any, an_exam: Any) -> None:
    """Both formats load whole; the counts are those of a transaction."""
    for number, (make, suffix) in enumerate(((files.pipe, "txt"), (files.workbook, "xlsx"))):
        made = make(*(an_exam(10 * number + place) for place in range(3)))
        told = files.upload(made, f"lcsr_exam_good.{suffix}", plan="now")
        assert told["status"] == "Successful", told
        assert told["counts"] == {"received": 3, "uploaded": 3, "updated": 0, "rejected": 0, "warnings": 3}
        assert told["uploaded_eastern"].endswith("US Eastern")


def test_continue_or_cancel(files: Any, an_exam: Any) -> None:
    """With errors the user is asked: continue loads the valid rows, cancel none; each is decided once."""
    data = files.pipe(an_exam(1), an_exam(2, Smoking_Status=None), an_exam(3, Smoking_Status="nonsense"))
    first = files.upload(data, "lcsr_exam_first.txt", plan="now")
    assert (first["status"], first["decision_needed"], first["counts"]["rejected"]) == ("Pending", True, 2)
    assert files.decide(first, "cancel").document["status"] == "Cancelled"
    assert files.decide(first, "continue").status == 409
    second = files.upload(data, "lcsr_exam_second.txt", plan="now")
    done = files.decide(second, "continue").document
    assert (done["status"], done["counts"]["uploaded"], done["counts"]["updated"]) == ("Successful", 1, 0)
    third = files.upload(data, "lcsr_exam_third.txt", plan="now", errors="continue")
    assert (third["decision_needed"], third["counts"]["uploaded"], third["counts"]["updated"]) == (False, 0, 1)


def test_the_log_is_the_table_with_an_error_column(files: Any, an_exam: Any) -> None:
    """Each row comes back as it was with one column more, as text and as workbook."""
    data = files.pipe(an_exam(1), an_exam(2, Smoking_Status=None))
    told = files.upload(data, "lcsr_exam_log.txt", errors="continue")
    rows, sent = files.log(told), [line.split("|") for line in data.decode().splitlines()]
    assert [row[:-1] for row in rows] == sent
    assert "warning:" in rows[0][-1]
    assert rows[1][-1].startswith("Smoking_Status is missing")
    seen = files.walk.session.get(
        f"{files.walk.url}/_acrmock{files.base}/{told['file']}/log?format=xlsx",
        headers={"Authorization": f"Bearer {files.walk.control_token}"},
        timeout=30,
    )
    sheet = [[cell or "" for cell in row] for row in openpyxl.load_workbook(io.BytesIO(seen.content)).worksheets[0].values]
    assert sheet[0][-1] == "Error"
    assert [row[:-1] for row in sheet[1:]] == sent
    assert sheet[2][-1] == rows[1][-1].strip()


def test_a_log_cannot_run_anything(files: Any, an_exam: Any) -> None:
    """A value that begins like a formula stays text in the workbook of the log."""
    told = files.upload(files.pipe(an_exam(1, Other_ID="=1+1")), "lcsr_exam_text.txt")
    seen = files.walk.session.get(
        f"{files.walk.url}/_acrmock{files.base}/{told['file']}/log?format=xlsx",
        headers={"Authorization": f"Bearer {files.walk.control_token}"},
        timeout=30,
    )
    sheet = openpyxl.load_workbook(io.BytesIO(seen.content)).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}


def test_header_row_is_rejected_and_the_rest_kept(files: Any, an_exam: Any) -> None:
    """A header row is no record: it alone is rejected."""
    header = "|".join(files.layout().headings).encode() + b"\r\n"
    told = files.upload(header + files.pipe(an_exam(1)), "lcsr_exam_header.txt", plan="now", errors="continue")
    assert (told["counts"]["rejected"], told["counts"]["uploaded"]) == (1, 1)
    assert "header row" in files.log(told)[0][-1]


def test_row_faults(files: Any, an_exam: Any) -> None:
    """Too few elements, spaces for nothing, bytes that are no UTF-8, a foreign facility, a row too long: each is said."""
    good = files.pipe(an_exam(1))
    place = files.layout().headings.index("Other_Smoking_Cancers_Spec")
    cells = good.decode().rstrip("\r\n").split("|")
    cells[place] = "  "
    spaces = "|".join(cells).encode() + b"\r\n"
    wrong = files.pipe(an_exam(2)).replace(b"P2", b"P\xff")
    foreign = files.pipe(an_exam(3, Facility_ID="999999"))
    long = b"x" * 300_000 + b"\r\n"
    told = files.upload(good + b"a|b\r\n" + spaces + wrong + foreign + long + good, "lcsr_exam_rows.txt", errors="continue")
    errors = [row[-1] for row in files.log(told)]
    assert [
        word in text
        for word, text in zip(
            ("FILE-COUNT", "FILE-SPACE", "FILE-ENCODING", "FILE-FACILITY", "FILE-ROW-TOO-LONG", "DUP"), errors[1:], strict=True
        )
    ] == [True] * 6, errors
    assert told["counts"] == {"received": 7, "uploaded": 0, "updated": 0, "rejected": 6, "warnings": 1}


def _book(**cells: Any) -> bytes:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _archive(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def _with_part(name: str, data: bytes) -> bytes:
    source, made = io.BytesIO(_book(A1="x")), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, data if item.filename == name else old.read(item.filename))
    return made.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>'
HOSTILE = {
    "empty": (b"", "txt", "EMPTY"),
    "only-a-mark": (b"\xef\xbb\xbf", "txt", "EMPTY"),
    "binary": (bytes(range(256)) * 10, "txt", "NOT-TEXT"),
    "utf-16": ("a|b\r\n".encode("utf-16"), "txt", "NOT-TEXT"),
    "workbook-as-text": (_book(A1="x"), "txt", "NOT-TEXT"),
    "lf-alone": (b"a|b\nc|d\n", "txt", "LINE-END"),
    "cr-alone": (b"a|b\rc|d\r", "txt", "LINE-END"),
    "text-as-workbook": (b"a|b\r\n", "xlsx", "NOT-A-WORKBOOK"),
    "no-bytes": (b"", "xlsx", "NOT-A-WORKBOOK"),
    "another-archive": (_archive("x.txt", b"x"), "xlsx", "DAMAGED"),
    "bomb": (_archive("xl/x.xml", b"0" * 50_000_000), "xlsx", "TOO-LARGE-UNPACKED"),
    "entities": (_with_part(SHEET, ENTITIES), "xlsx", "DAMAGED"),
    "wide": (_with_part(SHEET, ENTITIES.decode().encode("utf-16")), "xlsx", "DAMAGED"),
    "no-xml": (_with_part(SHEET, b"<worksheet"), "xlsx", "DAMAGED"),
    "formula": (_book(A1="x", B1="=1+1"), "xlsx", "FORMULA"),
    "pipe": (_book(A1="x", B1="a|b"), "xlsx", "SEPARATOR"),
    "no-rows": (_book(), "xlsx", "EMPTY"),
    "cut": (_book(A1="x")[:-200], "xlsx", "NOT-A-WORKBOOK"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_rejected_whole(files: Any, case: str) -> None:
    """Whatever is no data file is rejected with our code and a sentence, keeps nothing, and has no log."""
    data, suffix, code = HOSTILE[case]
    told = files.upload(data, f"lcsr_exam_{case}.{suffix}", plan="now")
    assert told["reason"]["code"] == f"acrmock:FILE-{code}", told
    assert (told["status"], told["counts"]["received"], told["log"]) == ("Rejected", 0, False)
    assert files.walk.control("GET", f"{files.base}/{told['file']}/log").status == 409


@pytest.mark.parametrize(
    "name",
    [
        "", "lcsr.txt", "lcsr_exam_.txt", "lcsr_exam_a b.txt", "lcsr_exam_x.csv", "lcsr_exam_x", "nmd_exam_x.txt",
        "../lcsr_exam_x.txt", "lcsr_exam_/etc/passwd.txt", "lcsr_exam_..%5Cx.txt", "lcsr_exam_%00.txt", "lcsr_exam_C:x.txt",
        "lcsr_exam_" + "x" * 51 + ".txt", "x" * 500, "lcsr_exam_%0A.txt", "lcsr_exam_%E2%80%AE.txt",
    ],
)  # fmt: skip
def test_names(files: Any, name: str) -> None:
    """A name that is not as the portal wants it is refused; nothing is kept under it."""
    assert files.send(b"x\r\n", name).status == 422
    assert files.walk.control("GET", files.base).document["files"] == []


def test_a_name_is_used_once(files: Any, an_exam: Any) -> None:
    """A second upload needs a new name, whatever became of the first, and whatever its case."""
    files.upload(b"x\r\n", "lcsr_exam_once.txt", plan="now")
    seen = files.send(files.pipe(an_exam()), "LCSR_EXAM_ONCE.TXT")
    assert (seen.status, seen.document["code"]) == (409, "acrmock:file-name-used")


def test_size_media_type_and_mapping(files: Any) -> None:
    """A file too large, of a strange media type, under a wrong mapping, registry, facility or plan is refused."""
    settings = {"settings": {"portal.limit.bytes": 1024}}
    assert files.walk.control("POST", f"/applications/{files.application}/settings", settings).status == 200
    assert files.send(b"x" * 2000, "lcsr_exam_a.txt").document["code"] == "acrmock:file-too-large"
    assert files.send(b"x\r\n", "lcsr_exam_a.txt", media="image/png").status == 415
    assert files.send(b"x\r\n", "lcsr_exam_a.txt", mapping="1.0").document["code"] == "acrmock:file-mapping-invalid"
    assert files.send(b"x\r\n", "grid_exam_a.txt", "grid", channel="app", mapping="2.0").status == 422
    assert files.send(b"x\r\n", "lcsr_exam_a.txt", channel="app").status == 422
    for wrong in ({"registry": "moon"}, {"facility": "x"}, {"plan": "x"}, {"errors": "x"}, {"channel": "x"}, {"other": "x"}):
        assert files.send(b"x\r\n", **({"name": "lcsr_exam_a.txt"} | wrong)).status == 422, wrong
    assert files.send(b"x\r\n", "3dp_case_a-b.txt", "3dp").status == 422
    assert files.upload(b"x\r\n", "3dp_case_a1.txt", "3dp")["status"] == "Pending"


def test_dates_and_numbers_of_a_workbook(files: Any, an_exam: Any) -> None:
    """Cells that Excel keeps as dates and numbers are read as what they show."""
    layout = files.layout()
    book = openpyxl.Workbook()
    row = list(layout.row(an_exam(1, CTDIvol="2.5")))
    row[layout.headings.index("Exam_Date")] = datetime(2026, 2, 1)  # noqa: DTZ001 - a workbook knows no zones
    row[layout.headings.index("Smoking_Status")] = 1
    row[layout.headings.index("CTDIvol")] = 2.5
    book.active.append([cell or None for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    told = files.upload(stream.getvalue(), "lcsr_exam_cells.xlsx", plan="now")
    assert told["counts"]["uploaded"] == 1, files.log(told)


def test_more_rows_than_a_transaction_may_have(files: Any, an_exam: Any) -> None:
    """A file is no transaction: it holds more exams than that, and the limit of rows is its own."""
    data = files.pipe(*(an_exam(number) for number in range(1201)))
    told = files.upload(data, "lcsr_exam_many.txt", plan="now")
    assert told["counts"]["uploaded"] == 1201
    settings = {"settings": {"portal.limit.rows": 1000}}
    assert files.walk.control("POST", f"/applications/{files.application}/settings", settings).status == 200
    assert files.upload(data, "lcsr_exam_too-many.txt")["reason"]["code"] == "acrmock:FILE-TOO-MANY-ROWS"


def test_list_and_pages(files: Any, an_exam: Any) -> None:
    """Files are listed by registry, facility and day; a browser gets pages without a script, and the shell needs no token."""
    other = files.doc["facilities"][1]
    first = files.upload(files.pipe(an_exam(1, Smoking_Status="<b>")), "lcsr_exam_first.txt")
    files.upload(files.pipe(an_exam(2)), "lcsr_exam_second.txt", facility=other)
    day = first["uploaded_at"][:10]
    for query, count in (
        (f"date={day}", 2),
        ("date=2020-01-01", 0),
        (f"facility={other}", 1),
        ("registry=grid", 0),
        ("registry=LCSR", 2),
    ):
        assert len(files.walk.control("GET", f"{files.base}?{query}").document["files"]) == count, query
    assert files.walk.control("GET", f"{files.base}?date=yesterday").status == 422
    headers = {"Authorization": f"Bearer {files.walk.control_token}", "Accept": "text/html"}
    page = files.walk.control("GET", f"{files.base}/{first['file']}", headers=headers)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "lcsr_exam_first.txt: Pending" in page.body
    assert "<script" not in page.body
    assert "lcsr_exam_second.txt" in files.walk.control("GET", files.base, headers=headers).body
    basic = base64.b64encode(f"me:{files.walk.control_token}".encode()).decode()
    browser = {"Accept": "text/html", "Authorization": f"Basic {basic}"}
    assert "Data files" in files.walk.control("GET", files.base, headers=browser).body
    assert files.walk.control("GET", files.base, headers={"Authorization": f"Basic {basic}"}).status == 401
    asked = files.walk.control("GET", files.base, headers={"Accept": "text/html"})
    assert asked.status == 401
    assert "Basic" in asked.headers["WWW-Authenticate"]
    shell = files.walk.control("GET", "/upload", headers={})
    assert shell.status == 200
    assert "'sha256-" in shell.headers["Content-Security-Policy"]
    assert files.walk.control_token not in shell.body
    assert files.walk.control("GET", files.base, headers={}).status == 401
    assert files.walk.control("GET", "/upload", headers={"Host": "evil.example"}).status == 403
