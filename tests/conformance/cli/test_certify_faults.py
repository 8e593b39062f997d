"""`certify --fault`: a run in which the service fails on purpose is judged without blaming the vendor, who retries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from acrmock.record import EventEntry, HttpEntry, Operation
from conformance.cli.app import run
from conformance.recording import read

ROOT = Path(__file__).parents[3]
VENDOR = f"{sys.executable} -m conformance.vendors"


def certify(out: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """The reference vendor through the whole profile."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "conformance.cli", "certify", "--launch", VENDOR, "--once", "--format", "json"]
    done = subprocess.run([*line, "--out", str(out), *flags], capture_output=True, text=True, env=env, timeout=110, check=False)
    assert done.returncode in {0, 3}, done.stderr
    return done


def test_the_vendor_is_not_blamed(tmp_path: Path) -> None:
    """Twice 503 with Retry-After, an answer that is lost, a slow token: sent again with the same bytes, and nothing failed."""
    faults = ("nrdr.post busy 503 1 first 2", "nrdr.status unavailable first 1", "auth.token delay 1 first 1")
    done = certify(tmp_path / "out", *(word for fault in faults for word in ("--fault", fault)), "--guide", "next")
    result = json.loads(done.stdout)
    assert [one["check"] for one in result["findings"] if one["outcome"] in {"failed", "harness-error"}] == []
    with (tmp_path / "out" / "journal.ndjson").open("rb") as lines:
        recording = read(lines)
    told = [entry.data for entry in recording.entries if isinstance(entry, EventEntry) and entry.name == "fault-set"]
    assert [(one["operation"], one["error"] or one["effect"]["kind"]) for one in told] == [
        ("nrdr.post", "busy"),
        ("nrdr.status", "unavailable"),
        ("auth.token", "delay"),
    ]
    http = [entry for entry in recording.entries if isinstance(entry, HttpEntry)]
    posts = [entry for entry in http if entry.facts.operation is Operation.NRDR_POST]
    struck = [entry for entry in posts if entry.facts.fault is not None]
    assert [entry.response.status for entry in struck] == [503, 503]
    assert all(entry.facts.fault is not None and entry.facts.fault.instead for entry in struck)
    assert {pair.value for entry in struck for pair in entry.response.headers if pair.name == "Retry-After"} == {"1"}
    healed = [entry for entry in posts if entry.facts.body_digest == struck[0].facts.body_digest][-1]
    assert healed.response.status == 202
    assert all("/oauth2/next/" in entry.request.url for entry in http if entry.facts.operation is Operation.TOKEN)
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "injected on purpose by the fault busy" in page


@pytest.mark.parametrize("words", ["", "busy", "nrdr.post", "nrdr.post explode", "nrdr.post unavailable first x"])
def test_a_fault_that_cannot_be(words: str, tmp_path: Path) -> None:
    """Words that are not understood are a usage error, before anything is started."""
    assert run(["certify", "--launch", "true", "--out", str(tmp_path / "out"), "--fault", words]) == 2
    assert not (tmp_path / "out").exists()
