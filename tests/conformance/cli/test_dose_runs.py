"""`acrmock demo` and `certify` with dose reports, from beginning to end, as processes; and what is said before the beginning."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import VENDOR, acrmock

from conformance.cli.certify import certify


def test_the_demo_of_a_forwarder_is_ready(tmp_path: Path) -> None:
    """Reports are planted, forwarded over real associations, and judged: ready (self-test); `score` agrees."""
    demo = acrmock("demo", "--profile", "dir-rdim", cwd=tmp_path)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "ready (self-test)" in demo.stdout
    assert "planting 4 reports" in demo.stderr
    out = tmp_path / "acrmock-out"
    assert {path.name for path in out.iterdir()} >= {"result.json", "report.html", "junit.xml", "traffic.har", "journal.ndjson"}
    score = acrmock("score", str(out / "journal.ndjson"), "--format", "json", cwd=tmp_path)
    live = json.loads((out / "result.json").read_text("utf-8"))
    assert json.loads(score.stdout)["findings"] == live["findings"]


def test_a_changed_tag_is_named(tmp_path: Path) -> None:
    """A forwarder that changes a value is not ready, and the finding names the tag: Institution Name."""
    demo = acrmock("demo", "--profile", "dir-rdim", "--broken", "dir-pass-through", cwd=tmp_path)
    assert demo.returncode == 1, demo.stderr
    assert "0008,0080" in demo.stdout or "00080080" in demo.stdout
    assert "Institution" in demo.stdout
    result = json.loads((tmp_path / "acrmock-out" / "result.json").read_text("utf-8"))
    assert [f["check"] for f in result["findings"] if f["outcome"] == "failed"] == ["dir-pass-through"]


def test_a_missing_echo_costs_its_point(tmp_path: Path) -> None:
    """A failed should leaves the verdict as it is, and one point away."""
    demo = acrmock("demo", "--profile", "dir-rdim", "--broken", "dir-echo", "--format", "json", cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr
    result = json.loads(demo.stdout)
    assert [f["check"] for f in result["findings"] if f["outcome"] == "failed"] == ["dir-echo"]
    assert result["points"]["possible"] - result["points"]["earned"] == 1


def test_certify_plants_in_a_folder(tmp_path: Path) -> None:
    """A client that watches a folder is certified with `--plant-dir`; the seed is told, so that a run can be repeated."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    answer = acrmock(
        *("certify", "--profile", "dir-rdim", "--plant-dir", str(folder), "--seed", "42", "--format", "json"),
        *("--launch", f'{VENDOR} --folder "{folder}" --calling RDIM', "--dicom", "RDIM", "--station", "CT1"),
        cwd=tmp_path,
    )
    assert answer.returncode == 0, answer.stderr
    assert "--seed 42" in answer.stderr
    assert len(list(folder.glob("*.dcm"))) == 4
    findings = {f["check"]: f["outcome"] for f in json.loads(answer.stdout)["findings"]}
    assert {findings[check] for check in ("dir-each-exam", "dir-pass-through", "dir-pass-through-bytes")} == {"passed"}


def test_certify_expects_reports_that_do_not_come(tmp_path: Path) -> None:
    """A modality that was to send a report it never sent fails just that."""
    listed = tmp_path / "expected.txt"
    listed.write_text("2.25.4711\n")
    answer = acrmock(
        *("certify", "--profile", "dir-direct", "--expect", str(listed), "--format", "json"),
        *("--launch", f"{VENDOR} --calling CT1", "--dicom", "CT1", "--station", "CT1"),
        cwd=tmp_path,
    )
    assert answer.returncode == 1, answer.stderr
    findings = {f["check"]: f for f in json.loads(answer.stdout)["findings"]}
    assert [check for check, f in findings.items() if f["outcome"] == "failed"] == ["dir-each-exam"]


def test_certify_over_tls(tmp_path: Path) -> None:
    """A sender that claims TLS gets a port for it in its registration, with the authority to trust, and is judged there."""
    made = acrmock("generate", "rdsr", "--count", "2", "--seed", "3", "--station", "CT1", "--out", "reports", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    sender = tmp_path / "sender.py"
    sender.write_text(
        "import os, subprocess, sys\n"
        "if os.environ['ACRMOCK_STEP'] != 'exams':\n"
        "    sys.exit(0)\n"
        "call = [sys.executable, '-m', 'acrmock', 'send', 'reports', '--calling', 'CT1', '--echo', '--each', '--tls']\n"
        "sys.exit(subprocess.call([*call, '--registration', os.environ['ACRMOCK_REGISTRATION']]))\n"
    )
    answer = acrmock(
        *("certify", "--profile", "dir-direct", "--claim", "tls-dicom", "--expect", "2", "--format", "json"),
        *("--launch", f'"{sys.executable}" sender.py', "--dicom", "CT1", "--station", "CT1"),
        cwd=tmp_path,
    )
    assert answer.returncode == 0, answer.stderr
    findings = {f["check"]: f["outcome"] for f in json.loads(answer.stdout)["findings"]}
    assert (findings["dir-each-exam"], findings["dir-echo"]) == ("passed", "passed")
    lines = [json.loads(line) for line in (tmp_path / "acrmock-out" / "journal.ndjson").read_text("utf-8").splitlines()]
    assert {line["facts"]["secure"] for line in lines if line.get("kind") == "association"} == {True}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--profile", "dir-pacs"), "--plant-to AE@HOST:PORT or --plant-dir DIR"),
        (("--profile", "dir-rdim", "--plant-to", "PACS@localhost"), "AE@HOST:PORT"),
        (("--profile", "dir-rdim", "--plant-to", "A\tB@localhost:104"), "no AE title"),
        (("--profile", "dir-rdim", "--plant-to", "A@b:104", "--plant-dir", "."), "in one place"),
        (("--profile", "dir-rdim", "--plant-dir", "nowhere"), "no such folder"),
        (("--profile", "dir-rdim", "--plant-dir", ".", "--expect", "4"), "which reports to expect"),
        (("--profile", "dir-direct", "--plant-dir", "."), "plants no reports"),
        (("--profile", "dir-direct", "--expect", "0"), "no report is expected"),
        (("--profile", "dir-direct", "--expect", "nowhere.txt"), "cannot be read"),
        (("--profile", "dir-direct", "--seed", "-1"), "--seed"),
        (("--profile", "dir-nothing", "--plant-dir", "."), "dir-nothing"),
    ],
)
def test_what_does_not_fit_is_said_at_once(flags: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """Before a server is started or a file written: which flag, and what was expected."""
    answer = CliRunner().invoke(certify, [*flags, "--out", str(tmp_path / "out")])
    assert answer.exit_code != 0
    assert words in answer.output + str(answer.exception)
    assert not (tmp_path / "out").exists()
