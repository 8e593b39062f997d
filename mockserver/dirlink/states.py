"""The states of a report, and coming from one to the next with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from acrmock.clock import rfc3339
from mockserver.dirlink.model import REPORT, Step, StoredReport
from mockserver.store import Scope, Unit

if TYPE_CHECKING:
    from acrmock.facts import Facts
    from mockserver.context import EngineCore


class State(StrEnum):
    """The states by the names of their settings; the words that are shown are the layer's."""

    RECEIVED = "received"
    HELD = "held"
    EXPIRED = "expired"
    QUEUED = "queued"
    ANONYMIZED = "anonymized"
    SUBMITTED = "submitted"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"

    def word(self, facts: Facts) -> str:
        """The state's word (setting `dirlink.state.*`)."""
        return facts.text(f"dirlink.state.{self.value}")


WAITING = (State.QUEUED, State.FAILED)
"""The states from which a report is sent on."""


def come_to(core: EngineCore, application: str, report: StoredReport, *steps: tuple[State, str], **more: Any) -> StoredReport:
    """The report after one or several states, each with its reason; `more` are other fields that change with it."""
    at = rfc3339(core.applications.business(application, core.clock.now()))
    taken = tuple(Step(at=at, state=state.word(core.facts), why=why) for state, why in steps)
    return msgspec.structs.replace(
        report, state=taken[-1].state, reasons=(*report.reasons, *_new(report, steps)), history=(*report.history, *taken), **more
    )


def _new(report: StoredReport, steps: Sequence[tuple[State, str]]) -> list[str]:
    return [why for why in dict.fromkeys(why for _, why in steps) if why and why not in report.reasons]


def save(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, *, tell: bool = True) -> None:
    """Store `report`, and say in the journal what state it came to."""
    unit.put(REPORT, scope, report.sop_instance, report)
    if tell:
        reason = report.history[-1].why if report.history else ""
        data = {"sop_instance": report.sop_instance, "state": report.state, "reason": reason}
        say(core, unit, "dir-state", data, scope, run=report.run)


def say(core: EngineCore, unit: Unit, name: str, data: dict[str, Any], scope: Scope, *, run: str | None) -> int:
    """Append an event about a report; returns its `seq`. `data` holds nothing of a patient."""
    return core.journal.event(unit, name, data, application=scope[0], environment=scope[1], run=run)


def blame(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, problem: str) -> None:
    """Say that what became of `report` is a fault of the harness's own: a verdict over it is void."""
    data = {"sop_instance": report.sop_instance, "error": problem}
    say(core, unit, "harness-fault", data, scope, run=report.run)
