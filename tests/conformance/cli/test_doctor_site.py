"""`acrmock doctor --site` on the machine that runs the tests."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import jsonschema
import pytest

from acrmock.facts import load_facts
from conformance.cli.app import run
from conformance.reports.schemas import schemas
from conformance.reports.site import Host
from conformance.runs import hosting

GOOD = Host(
    system="Windows",
    build=17763,
    server=True,
    processor="Intel Xeon",
    cores=8,
    memory=64_000_000_000,
    drive_exists=True,
    disk=900_000_000_000,
)


def test_this_machine_is_measured() -> None:
    """Cores, memory and disk are what this system says they are; a drive C: is found on Windows only."""
    host = hosting.measure(load_facts().text("site.drive"))
    assert host.cores == os.cpu_count()
    assert host.memory is not None
    assert host.memory > 100_000_000
    assert host.disk is not None
    assert host.disk_free is not None
    assert 0 <= host.disk_free <= host.disk
    assert host.drive_exists is (sys.platform == "win32")
    assert host.build is None or sys.platform == "win32"


def test_the_checklist_as_json_follows_its_schema_and_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON is valid by its published schema; the exit code says whether anything is below its minimum."""
    exit_code = run(["doctor", "--site", "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    jsonschema.validate(report, schemas()["site-1.json"])
    below = [line["requirement"] for line in report["lines"] if line["status"] == "below-minimum"]
    assert report["met"] is (not below)
    assert exit_code == (1 if below else 0)


def test_the_checklist_as_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A good host ends with 0 and says what is left to look at; each line names its source."""
    monkeypatch.setattr(hosting, "measure", lambda _drive: GOOD)
    assert run(["doctor", "--site"]) == 0
    printed = capsys.readouterr().out
    assert "nothing is below ACR's minimum" in printed
    assert "Windows Server 2019" in printed
    assert printed.count("[acr: S1]") == 7


def test_a_host_that_tells_nothing_is_not_condemned_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that cannot be read and a memory that cannot be asked for are None, not a crash."""

    def fails(*_: object, **__: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(hosting.shutil, "disk_usage", fails)
    monkeypatch.setattr(hosting.os, "sysconf", fails, raising=False)
    monkeypatch.setattr(Path, "open", fails)
    host = hosting.measure("C:")
    assert host.disk is None
    assert host.memory is None or sys.platform == "win32"


def test_a_bad_overlay_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An overlay that is none gives a setup error with its file, not a traceback."""
    layer = tmp_path / "bad.yaml"
    layer.write_text("nonsense: [")
    assert run(["doctor", "--site", "--overlay", str(layer)]) == 2
    said = capsys.readouterr().err
    assert "bad.yaml" in said
    assert "Traceback" not in said


def test_the_machine_s_own_signs_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--site`, JSON gives the signs that the text gives."""
    run(["doctor", "--data", str(tmp_path), "--format", "json"])
    assert {"Python", "TLS", "disk", "trust"} <= {sign["what"] for sign in json.loads(capsys.readouterr().out)}
