"""The vendors prove the judge: the reference passes everything, each broken one fails its own check and no other."""

from __future__ import annotations

import dataclasses
import json
import sys
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
from conformance.vendors.faults import broken_checks

LINUX_ONLY = {"allow-registered"}
"""Only Linux has the whole of 127.0.0.0/8 without further ado."""

Run = Callable[[str | None], tuple[Result, Path]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the demonstration's vendor through `lcsr`; the result and the directory of its files."""

    def demonstrate(broken: str | None) -> tuple[Result, Path]:
        with order("lcsr", tmp_path, broken) as prepared:
            return certify(prepared), tmp_path

    return demonstrate


def _scored() -> list[str]:
    weights = load_facts().profile("lcsr").weights
    return sorted(check for check, weight in weights.items() if weight != "not-scored")


def _failed(result: Result) -> set[str]:
    return {finding.check for finding in result.findings if finding.outcome is Outcome.FAILED}


def test_every_scored_check_has_a_broken_vendor() -> None:
    """No scored check of the profile is without a vendor that fails it."""
    assert set(_scored()) <= set(broken_checks())


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


def test_a_rejected_record_is_corrected_and_sent_again(run: Run) -> None:
    """The vendor reads the errors of a rejected record, mends the element that they name and posts it anew."""
    _, out = run("tx-schema")
    log = (out / "logs" / "2-submit.log").read_text("utf-8").splitlines()
    rejected = next(number for number, line in enumerate(log) if line.startswith("rejected: /"))
    assert any(line.startswith("posted 1 exams") for line in log[rejected:])
    assert log[-1].endswith("Posted")


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


@pytest.mark.parametrize("check", broken_checks())
def test_a_broken_vendor_fails_its_own_check_and_no_other(check: str, run: Run) -> None:
    """The one check fails; whatever else is not passed is blocked, not exercised or not applicable, and says why."""
    if check in LINUX_ONLY and sys.platform != "linux":
        pytest.skip("needs a second loopback address")
    result, _ = run(check)
    assert _failed(result) == {check}, {f.check: f.actual for f in result.findings if f.outcome is Outcome.FAILED}
    weight = next(f.weight for f in result.findings if f.check == check)
    assert result.verdict is (Verdict.NOT_READY if weight is Weight.MUST else Verdict.READY)
    assert result.points.earned < result.points.possible
    for finding in result.findings:
        if finding.outcome is Outcome.NOT_EXERCISED and finding.weight is not Weight.NOT_SCORED:
            assert finding.blocked_by, finding.check
