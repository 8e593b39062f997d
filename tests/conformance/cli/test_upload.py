"""`acrmock upload`: what is generated can be uploaded whole, for each registry; and what the log and exit codes say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from acrmock.clock import SystemClock, today
from acrmock.facts import Facts, MappingVersion, load_facts
from conformance.cli.generate import generate
from conformance.cli.upload import upload
from conformance.control import Control
from mockserver import Engine

FACTS: Facts = load_facts()
TODAY: date = today(SystemClock())
VERSIONS = [version for registry in FACTS.registries for version in registry.in_force(TODAY)]
COUNT = 40


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server with an application registered for every registry; gives its data directory."""
    data = tmp_path_factory.mktemp("served") / "data"
    with Engine(data) as engine:
        assert engine.ready is not None
        with Control(engine.ready.url, engine.ready.control_token, str(engine.ready.ca_file)) as control:
            slugs = [registry.slug for registry in FACTS.registries]
            control.register({"name": "Uploader", "redirect_url": ["https://localhost/cb"], "ip": ["8.8.4.4"], "registry": slugs})
        yield data


def run(data: Path, *arguments: str) -> tuple[Result, dict[str, Any]]:
    """`acrmock upload` with JSON."""
    done = CliRunner().invoke(upload, [*arguments, "--data", str(data), "--format", "json"])
    return done, json.loads(done.stdout) if done.stdout.startswith("{") else {}


def name_of(version: MappingVersion, suffix: str) -> str:
    """A name as the portal wants it, a new one for each version."""
    tail = "".join(letter for letter in version.version if letter.isalnum())
    if version.registry == "3dp":
        return f"3dp_case_{tail}.{suffix}"
    return f"{version.registry}_{version.form.replace('-', '_') or 'exam'}_{tail}.{suffix}"


def made(folder: Path, version: MappingVersion, format_: str, suffix: str) -> Path:
    """A generated file."""
    out = folder / name_of(version, suffix)
    arguments = ["exams", "--registry", version.registry, "--mapping", version.version, "--count", str(COUNT), "--seed", "5"]
    done = CliRunner().invoke(generate, [*arguments, "--format", format_, "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: f"{version.registry}-{version.version}")
def test_what_is_generated_can_be_uploaded_whole(served: Path, tmp_path: Path, version: MappingVersion) -> None:
    """Pipe text loads every record, and the same as a workbook updates every one; nothing is rejected."""
    chosen = ("--registry", version.registry, "--mapping", version.version, "--plan", "now")
    done, told = run(served, str(made(tmp_path, version, "pipe", "txt")), *chosen)
    assert (told["counts"]["received"], told["counts"]["rejected"]) == (COUNT, 0), told
    assert done.exit_code == 0
    again, updated = run(served, str(made(tmp_path, version, "xlsx", "xlsx")), *chosen)
    assert (updated["counts"]["received"], updated["counts"]["updated"]) == (COUNT, COUNT), again.output


def test_decisions_log_and_exit_codes(served: Path, tmp_path: Path) -> None:
    """Without a decision 3, with one 0; the log is written as text or workbook by its suffix."""
    version = next(version for version in VERSIONS if version.registry == "lcsr")
    file = made(tmp_path, version, "pipe", "txt")
    file.write_bytes(file.read_bytes() + b"too|few\r\n")
    log, book = tmp_path / "log.txt", tmp_path / "log.xlsx"
    chosen = ("--registry", "lcsr", "--mapping", version.version, "--plan", "now")
    asked, told = run(served, str(file), *chosen, "--name", "lcsr_exam_asked.txt")
    assert (asked.exit_code, told["status"], told["decision_needed"]) == (3, "Pending", True)
    done, told = run(served, str(file), *chosen, "--name", "lcsr_exam_go.txt", "--continue", "--log", str(log))
    assert (done.exit_code, told["status"], told["counts"]["rejected"]) == (0, "Successful", 1)
    assert "FILE-COUNT" in log.read_text("utf-8").splitlines()[-1]
    done, told = run(served, str(file), *chosen, "--name", "lcsr_exam_stop.txt", "--cancel", "--log", str(book))
    assert (done.exit_code, told["status"]) == (1, "Cancelled")
    assert openpyxl.load_workbook(book).worksheets[0].max_row == COUNT + 2
    again = CliRunner().invoke(upload, [str(file), "--registry", "lcsr", "--name", "lcsr_exam_go.txt", "--data", str(served)])
    assert again.exit_code != 0
    assert "uploaded before" in str(again.exception)
    text = CliRunner().invoke(upload, [str(file), *chosen, "--name", "lcsr_exam_text.txt", "--data", str(served)])
    assert "some records have errors" in text.output


def test_deciding_later(served: Path, tmp_path: Path) -> None:
    """A file that waits is listed with how to decide, is continued or cancelled once, and one that is held is released."""
    version = next(version for version in VERSIONS if version.registry == "lcsr")
    file = made(tmp_path, version, "pipe", "txt")
    good = file.read_bytes()
    file.write_bytes(good + b"too|few\r\n")
    chosen = ("--registry", "lcsr", "--mapping", version.version, "--plan", "now")
    files = {}
    for name in ("go", "stop"):
        _, told = run(served, str(file), *chosen, "--name", f"lcsr_exam_later_{name}.txt")
        files[name] = told["file"]
    listed = CliRunner().invoke(upload, ["list", "--registry", "lcsr", "--data", str(served)])
    assert f"acrmock upload decide {files['go']} --continue or --cancel" in listed.output
    done, told = run(served, "decide", files["go"], "--continue")
    assert (done.exit_code, told["status"], told["counts"]["rejected"]) == (0, "Successful", 1)
    done, told = run(served, "decide", files["stop"], "--cancel")
    assert (done.exit_code, told["status"]) == (1, "Cancelled")
    again, _ = run(served, "decide", files["go"], "--cancel")
    assert "nothing is to be decided" in str(again.exception)
    file.write_bytes(good)
    held, told = run(served, str(file), *chosen[:-1], "pending", "--name", "lcsr_exam_later_held.txt")
    assert (held.exit_code, told["held"]) == (0, True)
    done, told = run(served, "decide", told["file"], "--release")
    assert (done.exit_code, told["held"], told["status"]) == (0, False, "Successful")
    found = json.loads(CliRunner().invoke(upload, ["list", "--format", "json", "--data", str(served)]).stdout)
    assert {told["file"]: told["status"] for told in found}[files["stop"]] == "Cancelled"


def test_what_cannot_be_decided_or_listed(served: Path) -> None:
    """Nothing said, a file that nobody knows, a day that is none: told in a sentence, by the exit code of a usage error."""
    none = CliRunner().invoke(upload, ["decide", "x", "--data", str(served)])
    assert (none.exit_code, "say --continue, --cancel or --release" in none.output) == (2, True)
    unknown, _ = run(served, "decide", "../x", "--cancel")
    assert getattr(unknown.exception, "exit_code", 0) == 2
    day, _ = run(served, "list", "--date", "soon")
    assert getattr(day.exception, "exit_code", 0) == 2
    other = CliRunner().invoke(upload, ["list", "--date", "2001-01-01", "--data", str(served)])
    assert "no such file was uploaded by application default" in other.output


def test_a_header_row_is_rejected_and_the_rest_loads(served: Path, tmp_path: Path) -> None:
    """`generate --header` writes the row of names that the portal rejects."""
    out = tmp_path / "lcsr_exam_header.txt"
    arguments = ["exams", "--registry", "lcsr", "--count", "3", "--seed", "9", "--format", "pipe", "--header", "--out", str(out)]
    assert CliRunner().invoke(generate, arguments).exit_code == 0
    _, told = run(served, str(out), "--registry", "lcsr", "--plan", "now", "--continue")
    assert (told["counts"]["received"], told["counts"]["rejected"]) == (4, 1)
