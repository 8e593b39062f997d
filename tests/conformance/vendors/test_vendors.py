"""The reference vendor as a process: it passes everything, also under other settings, and leaves nothing secret behind."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acrmock.facts import load_facts
from conformance.result import Outcome, Result, Verdict, Weight
from conformance.runs import certification
from conformance.runs.certification import certify
from conformance.runs.demo import order
from conformance.runs.judging import Question, judge_recording, read_recording
from conformance.runs.package import JOURNAL

Run = Callable[[str | None], tuple[Result, Path]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the demonstration's vendor through `lcsr`; the result and the directory of its files."""

    def demonstrate(broken: str | None) -> tuple[Result, Path]:
        with order("lcsr", tmp_path, broken) as prepared:
            return certify(prepared), tmp_path

    return demonstrate


def _failed(result: Result) -> set[str]:
    return {finding.check for finding in result.findings if finding.outcome is Outcome.FAILED}


def test_the_reference_vendor_passes_everything(run: Run) -> None:
    """All points, ready, and the files say so; the recording, judged again, gives the same findings."""
    result, out = run(None)
    assert {
        f.check: f.actual for f in result.findings if f.weight is not Weight.NOT_SCORED and f.outcome is not Outcome.PASSED
    } == {}
    assert result.verdict is Verdict.READY
    assert result.points.earned == result.points.possible > 0
    again = judge_recording(read_recording(out / JOURNAL), load_facts(), Question())
    assert again.findings == result.findings
    assert again.points == result.points
    written = json.loads((out / "result.json").read_bytes())
    assert written["verdict"] == "ready"
    assert {path.name for path in out.iterdir()} == {"result.json", "report.html", "junit.xml", "traffic.har", JOURNAL, "logs"}


def test_the_reference_vendor_is_ready_for_rotation(tmp_path: Path) -> None:
    """Where each refresh gives a new refresh token, and PKCE is demanded, it passes everything too."""
    with order("lcsr", tmp_path) as prepared:
        settings = {**prepared.application.settings, "auth.refresh_mode": "rotate", "auth.pkce_required": True}
        application = dataclasses.replace(prepared.application, settings=settings)
        result = certify(dataclasses.replace(prepared, application=application))
    assert result.verdict is Verdict.READY
    assert _failed(result) == set()


def test_nothing_secret_is_left_behind(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client secret, password or token that the vendor held stands in any file of the package."""
    held: list[str] = []

    class Watched(certification.Steps):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            document = self._document
            held.extend([document["client_secret"], *(user["password"] for user in document["users"]), self._control.token])
            self._state = self._workplace / "vendor-state.json"

        def all(self) -> None:
            super().all()
            token = msgspec.json.decode(self._state.read_bytes())["token"]
            held.extend([token["access_token"], token["refresh_token"]])

    monkeypatch.setattr(certification, "Steps", Watched)
    _, out = run(None)
    assert len(held) >= 6
    for path in out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in held if one.encode() in content], path.name
