"""What a baseline makes of the exit code."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from acrmock.errors import SetupError
from conformance.result import Finding, Outcome, Points, Result, Verdict, Weight
from conformance.runs.judging import exit_code, read_recording

EMPTY = Points(earned=0, possible=0, by_group={}, by_provenance={})


def finding(check: str, outcome: Outcome) -> Finding:
    """A finding of one check on a must."""
    return Finding(
        check=check, registry=None, requirement="", group="auth", subject="vendor", weight=Weight.MUST, outcome=outcome,
        expected="", actual="", evidence=(), source="", provenance="standard", hint="",
    )  # fmt: skip


def result(failed: tuple[str, ...], passed: tuple[str, ...] = ()) -> Result:
    """A result in which some checks failed and some passed."""
    findings = (*(finding(c, Outcome.FAILED) for c in failed), *(finding(c, Outcome.PASSED) for c in passed))
    return Result(
        schema="", profile="p", revision="1", verdict=Verdict.NOT_READY if failed else Verdict.READY, statement="", points=EMPTY,
        findings=findings,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "passed", "code"),
    [(("a",), ("b",), 0), (("a", "c"), ("b",), 1), (("b",), ("a",), 1)],
)
def test_a_baseline_lets_the_build_go_on_where_just_its_checks_fail(
    tmp_path: Path, failed: tuple[str, ...], passed: tuple[str, ...], code: int
) -> None:
    """Exit 0 when only what the baseline names failed; 1 for another failure and for a pass that it does not expect."""
    baseline = tmp_path / "baseline"
    baseline.write_text("a  # known\n")
    assert exit_code(result(failed, passed), baseline) == code


def test_the_verdict_stands_whatever_the_baseline_says(tmp_path: Path) -> None:
    """Other verdicts keep their exit codes, and without a baseline nothing changes."""
    baseline = tmp_path / "baseline"
    baseline.write_text("a\n")
    assert exit_code(result(("a",)), None) == 1
    for verdict in (Verdict.VOID, Verdict.INCOMPLETE, Verdict.READY):
        changed = msgspec.structs.replace(result(("a",)), verdict=verdict)
        assert exit_code(changed, baseline) == verdict.exit_code


@pytest.mark.parametrize(("name", "content"), [("a.ndjson", b"no json"), ("b.ndjson", b""), ("c.har", b"[]")])
def test_what_is_no_recording_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    """Of several files the one that cannot be read is named, with the place in it where that is known."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SetupError) as caught:
        read_recording(path)
    assert caught.value.where.startswith(str(path))
