"""The table for pull requests."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from conformance.reports import markdown
from conformance.reports.evidence import RecordingLike
from conformance.result import Finding, Outcome, Result, Verdict


def test_what_is_not_passed_is_listed(result: Result, recording: RecordingLike) -> None:
    """Verdict, points and each finding that counts and is not passed stand in the text; a challenge not scored does not."""
    shown = markdown.render(result, recording)
    assert shown.startswith("### ✗ not ready (self-test): ScreenSend\n")
    assert f"**{result.points.earned} of {result.points.possible} points**" in shown
    assert "| ✗ failed (must) | `auth-redirect-exact` |" in shown
    assert "auth-denied" not in shown


def test_every_row_has_as_many_cells_as_its_head(
    make_result: Callable[..., Result], finding: Callable[..., Finding], hostile: str
) -> None:
    """Pipes, backticks and line feeds in a value do not break the table."""
    one = finding("tx-schema", outcome=Outcome.FAILED, expected=hostile, actual="a|b``c\nd|", hint=hostile)
    rows = [line for line in markdown.render(make_result((one,))).splitlines() if line.startswith("| ✗")]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 7


@pytest.mark.parametrize(
    ("text", "shown"), [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a|b", "`a\\|b`"), ("", ""), ("\n", "")]
)
def test_code_spans_hold_any_text(text: str, shown: str) -> None:
    """A code span is fenced by more backticks than it holds."""
    assert markdown.code(text) == shown


def test_nobody_is_called() -> None:
    """An at sign does not notify the person of that name, and markup is inert."""
    assert markdown.escape("@all <b>*x*</b>") == "@<!-- -->all \\<b\\>\\*x\\*\\</b\\>"


def test_a_ready_result_is_short(make_result: Callable[..., Result], finding: Callable[..., Finding]) -> None:
    """Where all is passed there is no table of findings."""
    shown = markdown.render(make_result((finding("auth-csrf"),), verdict=Verdict.READY))
    assert "| expected |" not in shown
    assert shown.startswith("### ✓ ready (self-test)")
