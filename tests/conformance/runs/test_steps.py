"""What the harness does before a step, and the body of a registration within a run."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acrmock.clock import ManualClock
from acrmock.errors import HarnessError, SetupError
from acrmock.facts import load_facts
from acrmock.record import GrantFacts, HttpEntry, HttpFacts, HttpRequest, HttpResponse, Operation, encode_line
from conformance.runs.application import ApplicationRequest
from conformance.runs.events import Event, Waiting
from conformance.runs.steps import Directives, apply

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


class Recorder:
    """A control API that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def settings(self, *arguments: Any) -> None:
        """Note new settings."""
        self.asked.append(("settings", *arguments))

    def plan(self, *arguments: Any) -> None:
        """Note a plan."""
        self.asked.append(("plan", *arguments))

    def move_endpoints(self, *arguments: Any) -> None:
        """Note a move."""
        self.asked.append(("move", *arguments))

    def journal(self, *, run: str) -> list[bytes]:
        """A token that was issued, and a token request that was refused a second later."""
        assert run == "r1"
        facts = HttpFacts(operation=Operation.TOKEN, grant=GrantFacts(grant_type="authorization_code"))
        request = HttpRequest(method="POST", url="https://localhost/token")
        entry = {"at": "2026-04-01T12:00:00.000000Z", "request": request, "facts": facts}
        return [
            encode_line(HttpEntry(seq=1, t="2026-04-01T11:59:58.000000Z", response=HttpResponse(status=200), **entry)),
            encode_line(HttpEntry(seq=2, t="2026-04-01T11:59:59.000000Z", response=HttpResponse(status=400), **entry)),
        ]


def _apply(values: dict[str, Any], settings: dict[str, Any] | None = None) -> tuple[Recorder, list[Event], ManualClock]:
    control, told, clock = Recorder(), list[Event](), ManualClock(NOW)
    directives = Directives(run="r1", application="a", environment="test", values=values, settings=settings or {})
    apply(directives, control, clock, told.append)  # type: ignore[arg-type]
    return control, told, clock


def test_directives_are_done_in_order() -> None:
    """Settings, plans and moves reach the control API of the run's application."""
    control, told, _ = _apply({"settings": {"k": 1}, "plan": {"kind": "immediate"}, "move_endpoints": True})
    assert control.asked == [
        ("settings", "a", "test", {"k": 1}),
        ("plan", "a", "test", {"kind": "immediate"}),
        ("move", "a", "test"),
    ]
    assert told == []


def test_the_run_waits_until_the_last_token_has_expired() -> None:
    """It waits from the last token that was issued, not from a refusal, and says how long."""
    _, told, clock = _apply({"wait_access_token_expired": True}, {"auth.access_token_lifetime": 4})
    assert clock.monotonic() == pytest.approx(2.3)
    assert told == [Waiting(pytest.approx(2.3), "until the access token has expired")]
    _, told, clock = _apply({"wait_access_token_expired": True}, {"auth.access_token_lifetime": 1})
    assert told == []


def test_an_unknown_directive_is_our_fault() -> None:
    """A profile that asks for what nobody can do is a harness error."""
    with pytest.raises(HarnessError, match="not known"):
        _apply({"dance": True})


def test_defaults_are_told_apart_from_what_was_given(tmp_path: Path) -> None:
    """`given` names exactly the flags; the rest is the harness's."""
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"png")
    body = ApplicationRequest(name="Mine", logo=logo).body_with_defaults(load_facts().profile("lcsr"), load_facts(), run="r1")
    assert body["given"] == ["logo", "name"]
    assert body["name"] == "Mine"
    assert body["registry"] == ["lcsr"]
    assert base64.b64decode(body["logo"]) == b"png"
    assert body["redirect_url"]
    assert body["ip"]


def test_a_logo_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """An absent or huge logo is a setup error with its path."""
    with pytest.raises(SetupError, match="cannot be read"):
        ApplicationRequest(logo=tmp_path / "none.png").body()
    huge = tmp_path / "huge.png"
    huge.write_bytes(bytes(2_000_000))
    with pytest.raises(SetupError, match="too large"):
        ApplicationRequest(logo=huge).body()
