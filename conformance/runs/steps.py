"""What the harness does before a step, as the profile's directives ask: settings, plans, moved endpoints, expired tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from acrmock.clock import Clock, parse_rfc3339
from acrmock.errors import HarnessError
from acrmock.record import GrantFacts, HttpEntry, Operation, decode_line
from conformance.control import Control
from conformance.runs.events import Event, Waiting

LIFETIME = "auth.access_token_lifetime"
MARGIN = 0.3
KNOWN = frozenset({"settings", "plan", "move_endpoints", "wait_access_token_expired", "plant", "expect"})
"""`plant` and `expect` are done while the client runs, by `conformance.runs.doses`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directives:
    """A step's directives, and whom they are for; `settings` are those of the run."""

    run: str
    application: str
    environment: str
    values: Mapping[str, Any]
    settings: Mapping[str, Any]


def apply(directives: Directives, control: Control, clock: Clock, tell: Callable[[Event], None]) -> None:
    """Do what the directives ask; raises `HarnessError` for one that is not known."""
    values = directives.values
    if unknown := sorted(set(values) - KNOWN):
        raise HarnessError(
            "a profile's step has directives that are not known", expected=", ".join(sorted(KNOWN)), actual=", ".join(unknown)
        )
    who = (directives.application, directives.environment)
    if values.get("settings"):
        control.settings(*who, values["settings"])
    if values.get("plan"):
        control.plan(*who, values["plan"])
    if values.get("wait_access_token_expired"):
        _wait_for_expiry(directives, control, clock, tell)
    if values.get("move_endpoints"):
        control.move_endpoints(*who)


def _wait_for_expiry(directives: Directives, control: Control, clock: Clock, tell: Callable[[Event], None]) -> None:
    lifetime = directives.settings.get(LIFETIME)
    issued = _last_token(control, directives.run)
    if lifetime is None or issued is None:
        return
    expires = parse_rfc3339(issued) + timedelta(seconds=float(lifetime) + MARGIN)
    seconds = (expires - clock.now()).total_seconds()
    if seconds > 0:
        tell(Waiting(seconds, "until the access token has expired"))
        clock.wait(seconds)


def _last_token(control: Control, run: str) -> str | None:
    """When the run's last access token was issued (RFC 3339), or None."""
    last = None
    for line in control.journal(run=run):
        if b'"auth.token"' not in line:
            continue
        entry = decode_line(line)
        if isinstance(entry, HttpEntry) and _issued(entry):
            last = entry.t
    return last


def _issued(entry: HttpEntry) -> bool:
    return entry.facts.operation is Operation.TOKEN and entry.response.status == 200 and isinstance(entry.facts.grant, GrantFacts)
