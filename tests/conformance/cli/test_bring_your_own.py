"""Documents of one's own, from the command line to the verdict: an imported table, and an overlay that moves everything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import yaml
from command_line import acrmock

from acrmock.facts import FactsError, load_facts
from acrmock.schema import RecordValidator
from mockserver import Engine

MOVED = {
    "auth.base_path": "/sso/as/authorization",
    "auth.path.authorize": "/{segment}/begin",
    "auth.path.token": "/{segment}/exchange",
    "auth.path.keys": "/{segment}/jwks.json",
    "nrdr.base_path": "/api/registries",
    "nrdr.path.post": "/{registry}/mapping-{mapping}/upload",
    "nrdr.path.status": "/{registry}/upload/{transaction_id}/state",
    "nrdr.envelope.header": "HeaderRecord",
    "nrdr.envelope.exams": "ExamRecords",
    "nrdr.header.transaction_id": "TxnNumber",
    "nrdr.header.partner_id": "PartnerCode",
    "nrdr.status.word.posted": "Loaded",
    "nrdr.status.field.status": "State",
}


def overlay(path: Path, moved: Mapping[str, object] = MOVED) -> Path:
    """A layer that moves endpoints and renames the header and its elements."""
    told = {key: {"value": value, "provenance": "mock-choice", "sources": ["MOCK"]} for key, value in moved.items()}
    path.write_text(yaml.safe_dump({"schema": "acrmock/layer/1", "kind": "settings", "settings": told}), encoding="utf-8")
    return path


def test_the_reference_vendor_follows_an_overlay(tmp_path: Path) -> None:
    """Every endpoint moved and the header renamed: the reference vendor is ready by configuration alone."""
    layer = overlay(tmp_path / "moved.yaml")
    checked = acrmock("facts", "check", str(layer), cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    answer = acrmock("demo", "--overlay", str(layer), "--format", "json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["verdict"] == "ready"
    journal = (tmp_path / "acrmock-out" / "journal.ndjson").read_text("utf-8")
    assert "/api/registries/lcsr/mapping-" in journal
    assert "HeaderRecord" in journal
    assert "/nrdr/lcsr" not in journal
    assert "Transaction_Header" not in journal


def test_documents_with_an_access_token_at_another_place(tmp_path: Path) -> None:
    """Where a layer asks for an access token and moves the path, the vendor of documents signs in there, and is ready."""
    moved = {
        "cdsr.bearer_required": True,
        "cdsr.scope": "cds.write",
        "cdsr.path": "/elsewhere/documents",
        "cdsr.envelope.header": "envelope",
    }
    layer = overlay(tmp_path / "token.yaml", moved)
    answer = acrmock("demo", "--profile", "cdsr", "--overlay", str(layer), "--format", "json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["verdict"] == "ready"
    lines = [json.loads(line) for line in (tmp_path / "acrmock-out" / "journal.ndjson").read_text("utf-8").splitlines()]
    sent = [line for line in lines if line.get("facts", {}).get("operation") == "cdsr.post"]
    assert len(sent) >= 4
    assert all("/elsewhere/documents" in line["request"]["url"] for line in sent)
    posts = [line["facts"]["bearer"] for line in sent]
    assert {(bearer["place"], bearer["state"]) for bearer in posts} == {("header", "active")}


def table(path: Path, *, broken: bool = False) -> Path:
    """A workbook of a small mapping."""
    book = openpyxl.Workbook()
    rows = [
        ("Element Name", "Definition", "Data Type", "Valid Values", "Required to Submit"),
        ("Other_ID", "number of the patient", "text", "", "Yes"),
        ("Exam_Date", "day", "date", "", "Yes"),
        ("Smoking_Status", "smoking", "code", "8=Water pipe; 9=Pipe", "perhaps" if broken else "Yes"),
    ]
    for row in rows:
        book.active.append(row)
    book.active.title = "Elements"
    book.save(path)
    return path


def test_a_workbook_changes_what_is_accepted(tmp_path: Path) -> None:
    """A code that only the workbook knows is accepted after the import, and what it does not know is refused."""
    made = acrmock("facts", "import", str(table(tmp_path / "own.xlsx")), "--registry", "lcsr", "--version", "1.8",
                   "--out", "own.yaml", cwd=tmp_path)  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "removed" in made.stderr
    again = acrmock("facts", "import", "own.xlsx", "--registry", "lcsr", "--version", "1.8", "--out", "own.yaml", cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr
    exam = {"Other_ID": "1", "Exam_Date": "2026-01-02", "Smoking_Status": "8"}
    with Engine(overlays=[tmp_path / "own.yaml"]) as engine:
        assert engine.core is not None
        facts = engine.core.facts
        registry = facts.registry("lcsr")
        assert registry is not None
        version = registry.version("1.8")
        assert version is not None
        validator = RecordValidator(facts, version)
        day = date(2026, 2, 1)
        assert validator.check(exam, index=0, today=day, facility="1").status == "Complete"
        refused = validator.check(exam | {"Patient_Sex": "M"}, index=0, today=day, facility="1")
        assert [problem.pointer for problem in refused.problems] == ["/Exams/0/Patient_Sex"]


HELD = {
    "Other_ID": "the number on the yellow card",
    "Exam_Date": "the day on the yellow card",
    "Site_Code": "the word of the yellow card",
    "Read_At": "the hour on the yellow card",
    "Result": "what the yellow card says",
}
"""What only the document says of its elements: no report needs it."""
CODES = "1 = yellow and folded; 2 = yellow and torn; 3 = yellow and lost"


def test_an_imported_document_is_named_by_its_hash_alone(tmp_path: Path) -> None:
    """A run on a table with patterns, shapes and ranges is ready; every report says what was imported, none what it holds."""
    book = openpyxl.Workbook()
    rows = [
        ("Element Name", "Definition", "Data Type", "Valid Values", "Range", "Pattern", "Required to Submit"),
        ("Other_ID", HELD["Other_ID"], "text", "", "", "", "Yes"),
        ("Exam_Date", HELD["Exam_Date"], "Date (MM/DD/YYYY)", "", "", "", "Yes"),
        ("Site_Code", HELD["Site_Code"], "text", "", "", "^[A-Z]{2}-[0-9]{4}(X|Y)?$", "Yes"),
        ("Read_At", HELD["Read_At"], "Time", "", "", "", "Yes"),
        ("Score", "", "integer", "", "0-10", "", "Yes"),
        ("Result", HELD["Result"], "code", CODES, "", "", "Yes"),
    ]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "own.xlsx")
    made = acrmock("facts", "import", "own.xlsx", "--registry", "grid", "--version", "2.2", "--key", "Exam_Date",
                   "--out", "own.yaml", cwd=tmp_path)  # fmt: skip
    assert made.returncode == 0, made.stderr
    run = acrmock("demo", "--profile", "grid", "--overlay", "own.yaml", cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    digest = hashlib.sha256((tmp_path / "own.xlsx").read_bytes()).hexdigest()
    out = tmp_path / "acrmock-out"
    markdown = acrmock("report", "--format", "markdown", "--overlay", "own.yaml", cwd=tmp_path)
    reports = {"text": run.stdout, "markdown": markdown.stdout}
    reports |= {name: (out / name).read_text("utf-8") for name in ("result.json", "report.html", "junit.xml")}
    for name, text in reports.items():
        assert digest in "".join(text.split()), name
    package = "".join(path.read_text("utf-8") for path in out.rglob("*") if path.is_file())
    assert '"Site_Code"' in package.replace("\\", ""), "what was sent is in the journal"
    assert [text for text in (*HELD.values(), "yellow") if text in package] == []


def test_a_broken_workbook(tmp_path: Path) -> None:
    """It is refused with sheet, row and reason, and nothing is written."""
    table(tmp_path / "own.xlsx", broken=True)
    answer = acrmock("facts", "import", "own.xlsx", "--registry", "lcsr", "--version", "1.8", "--out", "own.yaml", cwd=tmp_path)
    assert answer.returncode == 2
    assert "own.xlsx, sheet Elements, row 4: required to submit: 'perhaps' is neither yes nor no" in answer.stderr
    assert not (tmp_path / "own.yaml").exists()
    assert "Traceback" not in answer.stderr


def test_unknown_registry_and_columns(tmp_path: Path) -> None:
    """A registry that nobody knows is refused; the column mapping can be printed and given back."""
    table(tmp_path / "own.xlsx")
    answer = acrmock("facts", "import", "own.xlsx", "--registry", "none", "--version", "1", cwd=tmp_path)
    assert answer.returncode == 2
    assert "no such registry" in answer.stderr
    columns = acrmock("facts", "columns", cwd=tmp_path)
    (tmp_path / "columns.yaml").write_text(columns.stdout, encoding="utf-8")
    made = acrmock(
        "facts", "import", "own.xlsx", "--registry", "lcsr", "--version", "1.8", "--columns", "columns.yaml", cwd=tmp_path
    )
    assert made.returncode == 0, made.stderr
    assert yaml.safe_load(made.stdout)["registry"] == "lcsr"


def test_new_and_diff(tmp_path: Path) -> None:
    """A new overlay can be changed and compared; diff's exit code says whether anything differs."""
    begun = acrmock("facts", "new", "nrdr.base_path", cwd=tmp_path)
    (tmp_path / "mine.yaml").write_text(begun.stdout.replace("/nrdr", "/elsewhere"), encoding="utf-8")
    told = acrmock("facts", "diff", "mine.yaml", "--format", "json", cwd=tmp_path)
    assert told.returncode == 1, told.stderr
    assert [change["key"] for change in json.loads(told.stdout)] == ["nrdr.base_path"]
    (tmp_path / "unchanged.yaml").write_text(begun.stdout, encoding="utf-8")
    unchanged = acrmock("facts", "diff", "unchanged.yaml", cwd=tmp_path)
    assert unchanged.returncode == 0, unchanged.stderr
    assert unchanged.stdout.strip() == "nothing differs"
    (tmp_path / "vouched.yaml").write_text(begun.stdout.replace("mock-choice", "third-party"), encoding="utf-8")
    vouched = acrmock("facts", "diff", "vouched.yaml", cwd=tmp_path)
    assert vouched.stdout.startswith("nothing differs\n1 with the same value on another word"), vouched.stderr
    assert acrmock("facts", "diff", "vouched.yaml", "--words", cwd=tmp_path).returncode == 1
    same = acrmock("facts", "diff", "mine.yaml", "--against", "mine.yaml", cwd=tmp_path)
    assert (same.returncode, same.stdout.strip()) == (0, "nothing differs")


def test_a_registry_of_ones_own_is_judged(tmp_path: Path) -> None:
    """A registry that only a table of the user's knows is certified by its name, alone or joined, and the result says how."""
    rows = ["Element Name,Type,Required,Values", "MRN,Text,Yes,", "Seen_On,Date,Yes,", "Stripes,Number,Yes,0-90", "Calm,Yes/No,,"]
    (tmp_path / "stripes.csv").write_text("\n".join(rows), encoding="utf-8")
    new = ("--registry", "zebra", "--version", "1.0", "--title", "Stripes", "--key", "Seen_On", "--patient", "MRN")
    imported = acrmock("facts", "import", "stripes.csv", *new, "--out", "zebra.yaml", cwd=tmp_path)
    assert imported.returncode == 0, imported.stderr
    assert "there is no profile zebra" in acrmock("demo", "--profile", "zebra", cwd=tmp_path).stderr
    demo = ("demo", "--profile", "zebra", "--overlay", "zebra.yaml", "--format", "json")
    answer = acrmock(*demo, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert (told["profile"], told["verdict"]) == ("zebra", "ready")
    assert "No profile is made for this registry: it was judged as ctc is." in told["notes"]
    assert json.loads(acrmock(*demo, "--broken", "tx-schema", cwd=tmp_path).stdout)["verdict"] == "not-ready"
    facts = load_facts([tmp_path / "zebra.yaml"])
    assert facts.profile("lcsr+zebra").registries == ("lcsr", "zebra")
    assert not facts.profile("lcsr").like
    with pytest.raises(FactsError, match="no profile zebra in revision 7"):
        facts.profile("zebra", "7")
