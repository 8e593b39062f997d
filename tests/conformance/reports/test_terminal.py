"""The terminal's report."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from conformance.reports import terminal
from conformance.reports.evidence import RecordingLike
from conformance.result import Evidence, Finding, Outcome, Points, Result, Verdict

_SNAPSHOT = """\
✗ not ready (self-test)
ScreenSend · profile lcsr, revision 1
Profile lcsr, revision 1: a self-test with acrmock, not an ACR certification.

Sign-in and tokens (auth)
✓ passed          auth-csrf   must        standard
✗ failed          auth-pkce   must        standard
○ not exercised   auth-nonce  must        standard

Points: 1 of 3
  by group      auth 1/3
  by whose word standard 1/3

✗ auth-pkce: failed (must)
  required   S256 challenge and a matching verifier.
  expected   a verifier that matches
  actual     plain
  where      entry 6: GET /test/oauth2/default/v1/authorize → 200 at
             /request/queryString/6/value
  hint       Use S256.
  source     RFC 7636 (a published standard)

○ auth-nonce: not exercised (must)
  required   nonce is sent and new each time.
  expected   as required
  hint       Use S256.
  blocked by auth-csrf
  source     RFC 7636 (a published standard)
"""


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_text_at_80_columns(
    make_result: Callable[..., Result], finding: Callable[..., Finding], recording: RecordingLike
) -> None:
    """Without a terminal the report is plain text, whole and in order."""
    told = {"source": "RFC 7636", "provenance": "standard", "hint": "Use S256."}
    place = (Evidence(entry=6, pointer="/request/queryString/6/value"),)
    findings = (
        finding("auth-csrf", **told),
        finding(
            "auth-pkce",
            **told,
            weight="must",
            outcome=Outcome.FAILED,
            expected="a verifier that matches",
            actual="plain",
            evidence=place,
        ),
        finding(
            "auth-nonce", **told, weight="must", outcome=Outcome.NOT_EXERCISED, actual="", evidence=(), blocked_by="auth-csrf"
        ),
    )
    points = Points(earned=1, possible=3, by_group={"auth": (1, 3)}, by_provenance={"standard": (1, 3)})
    assert terminal.render(make_result(_weighed(findings), points=points, notes=(), resolutions=()), recording) == _SNAPSHOT


def _weighed(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    import msgspec  # noqa: PLC0415 - only to make enums of the words above

    return tuple(msgspec.convert(msgspec.to_builtins(one), Finding) for one in findings)


@pytest.mark.parametrize("width", [40, 60, 80, 132])
def test_no_line_is_wider_than_the_terminal(result: Result, recording: RecordingLike, width: int) -> None:
    """The report fits the width it is given."""
    assert max(len(line) for line in terminal.render(result, recording, width).splitlines()) <= width


def test_colour_only_when_asked(result: Result, recording: RecordingLike, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape codes come with colour and never without, whatever the environment says."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" not in terminal.render(result, recording)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" in terminal.render(result, recording, 80, True)


@pytest.mark.parametrize(
    ("stream", "environ", "wanted"),
    [
        (_Terminal(), {}, True),
        (_Terminal(), {"NO_COLOR": ""}, True),
        (_Terminal(), {"NO_COLOR": "1"}, False),
        (_Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_who_wants_colour(stream: io.StringIO, environ: dict[str, str], wanted: bool) -> None:  # noqa: FBT001 - a parameter
    """A terminal does, unless it is dumb or NO_COLOR is set to something."""
    assert terminal.wants_colour(stream, environ) is wanted


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "no-such-encoding"])
def test_a_terminal_without_the_signs_gets_plain_ones(result: Result, recording: RecordingLike, encoding: str) -> None:
    """On an old code page every outcome still has a sign of its own."""
    shown = terminal.render(result, recording, encoding=encoding)
    shown.encode("ascii" if encoding.startswith("no-") else encoding)
    assert "x failed" in shown
    assert "+ passed" in shown


def test_a_huge_value_is_cut(make_result: Callable[..., Result], finding: Callable[..., Finding]) -> None:
    """A megabyte of actual text takes a few lines, and a thousand places are counted."""
    many = tuple(Evidence(entry=number) for number in range(1000))
    one = finding("tx-schema", outcome=Outcome.FAILED, actual="x" * 1_000_000, evidence=many)
    shown = terminal.render(make_result((one,), verdict=Verdict.NOT_READY), None)
    assert len(shown) < 5_000
    assert "and 994 more places" in shown
