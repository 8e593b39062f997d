"""The end of holding: by the clock, by configuring the station, or by the retention of real data."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from acrmock.clock import parse_rfc3339, rfc3339
from mockserver.dirlink import duplicates, stations
from mockserver.dirlink.decode import HELD, RELEASE, Held, held_key, queue
from mockserver.dirlink.model import REPORT, StoredReport
from mockserver.dirlink.states import State, come_to, save, say
from mockserver.jobs import Job, Step
from mockserver.store import Scope, Unit

if TYPE_CHECKING:
    from mockserver.context import EngineCore

_PAGE = 100


def expire(core: EngineCore, job: Job) -> Step:
    """At the end of a report's time: deleted, unless its station was configured before."""
    scope = (job.application, job.environment)

    def step(unit: Unit) -> None:
        report = unit.get(REPORT, scope, job.key, StoredReport)
        if report is None or report.hold_until is None or rfc3339(report.hold_until) != job.due:
            return
        if report.state == State.HELD.word(core.facts):
            _end(core, unit, scope, report)

    return step


def retain(core: EngineCore, job: Job) -> Step:
    """At the end of the retention of real data: deleted, whatever became of the report."""
    scope = (job.application, job.environment)

    def step(unit: Unit) -> None:
        report = unit.get(REPORT, scope, job.key, StoredReport)
        if report is None or report.deleted:
            return
        until = parse_rfc3339(report.at) + timedelta(days=core.settings_of(scope).number("dirlink.real_data.retention_days"))
        if until <= parse_rfc3339(job.due):
            delete(core, unit, scope, report, "the retention of real data has passed")
        else:  # the retention is longer now, or the report came anew
            core.jobs.put(unit, msgspec.structs.replace(job, due=rfc3339(until)))

    return step


def release(core: EngineCore, job: Job) -> Step:
    """After a station was configured: its whole backlog goes on, a page at a time."""
    scope = (job.application, job.environment)
    name = job.key

    def step(unit: Unit) -> None:
        prefix = held_key(name, "")
        page = [held.sop_instance for _, held in islice(unit.scan(HELD, scope, Held, prefix=prefix), _PAGE)]
        for sop_instance in page:
            report = unit.get(REPORT, scope, sop_instance, StoredReport)
            if report is None:
                unit.delete(HELD, scope, prefix + sop_instance)
            elif stations.match(unit, scope, report.station).station is not None:
                _end(core, unit, scope, report)
        if len(page) == _PAGE and stations.match(unit, scope, name).station is not None:
            core.jobs.soon(unit, RELEASE, *scope, name)

    return step


def _end(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport) -> None:
    """A held report goes on if its station was configured while it was held, to the second; else it is deleted."""
    unit.delete(HELD, scope, held_key(report.station, report.sop_instance))
    station = stations.match(unit, scope, report.station).station
    until = report.hold_until
    if station is not None and until is not None and parse_rfc3339(station.since) < until:
        report = msgspec.structs.replace(report, near="", facility=station.facilities[0] if station.facilities else "")
        queue(core, unit, scope, report, "its station was configured")
        return
    delete(core, unit, scope, report, "held to the end, its station was not configured")


def delete(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, why: str) -> None:
    """Delete a report's bytes and what could identify a patient; that it was there stays."""
    core.objects.delete(unit, scope, report.sop_instance)
    unit.delete(HELD, scope, held_key(report.station, report.sop_instance))
    if report.study_uid:
        duplicates.leave(unit, scope, core.digester.ref("study", report.study_uid), report.sop_instance)
    gone = come_to(core, scope[0], report, (State.EXPIRED, why), study_uid="", event_uids=(), copies=(), deleted=True)
    save(core, unit, scope, gone, tell=False)
    data = {"sop_instance": report.sop_instance, "received": report.at, "reason": why}
    say(core, unit, "dir-expired", data, scope, run=report.run)
