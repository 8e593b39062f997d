"""What becomes of a data set at once, in the unit in which it is made durable: its state, and the job that reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from acrmock.clock import parse_rfc3339, rfc3339
from mockserver.dirlink.model import REPORT, Copy, Received, Step, StoredReport
from mockserver.dirlink.states import State
from mockserver.jobs import Job

if TYPE_CHECKING:
    from mockserver.context import EngineCore
    from mockserver.store import Scope, Unit

DECODE = "dir-decode"
"""The job that reads a data set; its key is SOP/SHA256."""

RETAIN = "dir-retain"
"""The job that deletes a report of a real person in the end; its key is SOP."""


_CHANGED = "came again under the same SOP Instance UID with other bytes: changed on its way, or two reports under one UID"
_RECODED = "came again under the same SOP Instance UID in another transfer syntax; whether a value differs was not looked at"


def received(unit: Unit, core: EngineCore, data_set: Received, known: StoredReport | None) -> StoredReport:
    """Remember a data set that was taken, and have it read; `known` is what the unit has of it.

    The same bytes again change nothing; others under a UID that came before are kept as a copy, and that is said (fact D1.9).
    """
    scope = (data_set.application, data_set.environment)
    if known is None or not known.state or known.deleted:
        report = _new(core, data_set, known)
    elif known.sha256 == data_set.sha256 or any(copy.sha256 == data_set.sha256 for copy in known.copies):
        return known
    else:
        report = _with_copy(known, data_set)
        if known.synthetic and not (data_set.synthetic or data_set.planted):
            retain(core, unit, scope, report.sop_instance, data_set.at)
    unit.put(REPORT, scope, report.sop_instance, report)
    core.jobs.soon(unit, DECODE, *scope, f"{data_set.sop_instance}/{data_set.sha256}")
    return report


def _new(core: EngineCore, data_set: Received, before: StoredReport | None) -> StoredReport:
    word = State.RECEIVED.word(core.facts)
    history = before.history if before is not None and before.deleted else ()
    return StoredReport(
        sop_instance=data_set.sop_instance,
        sop_class=data_set.sop_class,
        transfer_syntax=data_set.transfer_syntax,
        sha256=data_set.sha256,
        size=data_set.size,
        at=data_set.at,
        association=data_set.association,
        calling_ae=data_set.calling_ae,
        station=data_set.header.station_name,
        state=word,
        history=(*history, Step(at=data_set.at, state=word)),
        study_uid=data_set.header.study_uid,
        planted=data_set.planted,
        synthetic=data_set.synthetic,
        run=data_set.run,
    )


def _with_copy(known: StoredReport, data_set: Received) -> StoredReport:
    copy = Copy(
        sha256=data_set.sha256,
        size=data_set.size,
        at=data_set.at,
        transfer_syntax=data_set.transfer_syntax,
        calling_ae=data_set.calling_ae,
    )
    why = _CHANGED if data_set.transfer_syntax == known.transfer_syntax else _RECODED
    reasons = known.reasons if why in known.reasons else (*known.reasons, why)
    synthetic = known.synthetic and (data_set.synthetic or data_set.planted)
    return msgspec.structs.replace(known, copies=(*known.copies, copy), reasons=reasons, synthetic=synthetic)


def retain(core: EngineCore, unit: Unit, scope: Scope, sop_instance: str, at: str) -> None:
    """Have a report of a real person, which came at `at`, deleted when its retention has passed, whatever became of it."""
    until = parse_rfc3339(at) + timedelta(days=core.settings_of(scope).number("dirlink.real_data.retention_days"))
    job = Job(kind=RETAIN, application=scope[0], environment=scope[1], key=sop_instance, due=rfc3339(until), business=True)
    core.jobs.put(unit, job)
