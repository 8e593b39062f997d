"""Reading a received data set, and deciding by it what becomes of the report: held, sent on, dropped, or put aside."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from acrmock.clock import parse_rfc3339, rfc3339
from acrmock.dose.text import unpadded
from acrmock.record import ReportFacts
from mockserver.dirlink import duplicates, stations
from mockserver.dirlink.guard import put_aside, suspicion
from mockserver.dirlink.intake import retain
from mockserver.dirlink.model import REPORT, StoredReport
from mockserver.dirlink.outcome import Reading
from mockserver.dirlink.states import State, blame, come_to, save, say
from mockserver.jobs import Job, Step
from mockserver.store import Scope, Unit

if TYPE_CHECKING:
    from mockserver.context import EngineCore

FORWARD, EXPIRE, RELEASE = "dir-forward", "dir-expire", "dir-release"
HELD = "dir-held"
"""The kind under which held reports are found, keyed STATION/SOP (the station trimmed, in hexadecimal)."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """That a report is held."""

    sop_instance: str


def decode(core: EngineCore, job: Job) -> Step:
    """Read the data set that the job names; the report's state follows from what it says."""
    scope = (job.application, job.environment)
    sop_instance, _, sha256 = job.key.rpartition("/")
    with core.store.read() as snapshot:
        report = snapshot.get(REPORT, scope, sop_instance, StoredReport)
    data = core.objects.get(scope, sop_instance, sha256)
    if report is None or data is None:
        return lambda _unit: None
    reading = core.apart.read(data, _syntax(report, sha256), _known(report, sha256))

    def step(unit: Unit) -> None:
        now = unit.get(REPORT, scope, sop_instance, StoredReport)
        if now is not None and not now.deleted:
            _settle(core, unit, scope, now, sha256=sha256, reading=reading)
            if reading.fault:
                blame(core, unit, scope, now, reading.problem)

    return step


def _syntax(report: StoredReport, sha256: str) -> str:
    copies = {copy.sha256: copy.transfer_syntax for copy in report.copies}
    return copies.get(sha256) or report.transfer_syntax


def _known(report: StoredReport, sha256: str) -> ReportFacts:
    return ReportFacts(
        sop_instance=report.sop_instance,
        sha256=sha256,
        sop_class=report.sop_class,
        transfer_syntax=_syntax(report, sha256),
        station=report.station,
        planted=report.planted,
        synthetic=report.synthetic,
    )


def _settle(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, *, sha256: str, reading: Reading) -> None:
    """Write down what was read, and for the first bytes under the UID what becomes of the report."""
    found = stations.match(unit, scope, reading.facts.station)
    facts = msgspec.structs.replace(reading.facts, station_configured=found.station is not None, station_near=found.near)
    if why := suspicion(reading):
        report, facts = put_aside(core, unit, scope, report, facts, why)
    if sha256 == report.sha256 and report.state == State.RECEIVED.word(core.facts):
        report = place(core, unit, scope, _described(report, reading, found), reading=reading, found=found)
    facts = msgspec.structs.replace(facts, state=facts.state or report.state)
    say(core, unit, "dir-report", msgspec.to_builtins(facts), scope, run=report.run)


def _described(report: StoredReport, reading: Reading, found: stations.Match) -> StoredReport:
    facilities = found.station.facilities if found.station is not None else ()
    return msgspec.structs.replace(
        report,
        station=reading.facts.station,
        dose=reading.facts.dose,
        modality=reading.facts.modality,
        near=found.near,
        facility=facilities[0] if facilities else "",
        study_uid=report.study_uid if reading.problem else reading.study_uid,
        event_uids=reading.facts.events,
    )


def place(
    core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, *, reading: Reading, found: stations.Match
) -> StoredReport:
    """The report in the state that it comes to first, stored, with what is to happen next."""
    if not report.synthetic and not report.planted:
        retain(core, unit, scope, report.sop_instance, report.at)
    if why := _aside(report, reading):
        report = come_to(core, scope[0], report, (State.QUARANTINED, why))
    elif found.station is None:
        report = hold(core, unit, scope, report, found.why)
    else:
        return queue(core, unit, scope, report, "", tell=False)
    save(core, unit, scope, report, tell=False)
    return report


def _aside(report: StoredReport, reading: Reading) -> str:
    """Why the object is put aside, or an empty string."""
    if not reading.facts.readable:
        return f"cannot be read: {reading.problem}"[:300]
    if not reading.facts.dose:
        return "not a dose report"
    if not reading.collected:
        name = f" ({reading.kind})" if reading.kind else ""
        return f"not collected by the registry: modality {report.modality or 'unknown'}, SOP class {report.sop_class}{name}"
    return ""


def hold(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, why: str) -> StoredReport:
    """The report held for the layer's days of business time from its receipt (fact D1.7)."""
    until = parse_rfc3339(report.at) + timedelta(days=core.settings_of(scope).number("dirlink.hold_days"))
    unit.put(HELD, scope, held_key(report.station, report.sop_instance), Held(sop_instance=report.sop_instance))
    core.jobs.put(unit, _at(scope, EXPIRE, report.sop_instance, rfc3339(until)))
    return come_to(core, scope[0], report, (State.HELD, why), hold_until=until)


def held_key(station: str | None, sop_instance: str) -> str:
    """Where a held report is found by its station."""
    return f"{unpadded(station).encode().hex()}/{sop_instance}"


def _at(scope: Scope, kind: str, sop_instance: str, due: str) -> Job:
    return Job(kind=kind, application=scope[0], environment=scope[1], key=sop_instance, due=due, business=True)


def queue(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, why: str, *, tell: bool = True) -> StoredReport:
    """The report queued to be sent on, unless another of its study says the same; stored."""
    study = core.digester.ref("study", report.study_uid) if report.study_uid else ""
    ruling = duplicates.judge(report.sop_instance, report.event_uids, duplicates.of_study(unit, scope, study))
    if ruling.duplicate_of:
        report = come_to(core, scope[0], report, (State.DUPLICATE, f"every event is in {ruling.duplicate_of}"))
        save(core, unit, scope, report, tell=tell)
        return report
    for other in ruling.replaces:
        _replace(core, unit, scope, study, sop_instance=other, by=report.sop_instance)
    if ruling.overlaps:
        why = "; ".join(filter(None, (why, f"shares some events with {', '.join(ruling.overlaps)}")))
    duplicates.enter(unit, scope, study, report.sop_instance, report.event_uids)
    report = come_to(core, scope[0], report, (State.QUEUED, why), replaces=ruling.replaces)
    save(core, unit, scope, report, tell=tell)
    core.jobs.soon(unit, FORWARD, *scope, report.sop_instance)
    return report


def _replace(core: EngineCore, unit: Unit, scope: Scope, study: str, *, sop_instance: str, by: str) -> None:
    """A report of which every event is in another one goes on no more; where it went on already, the other replaces it there."""
    duplicates.leave(unit, scope, study, sop_instance)
    old = unit.get(REPORT, scope, sop_instance, StoredReport)
    if old is not None:
        save(
            core, unit, scope, come_to(core, scope[0], old, (State.DUPLICATE, f"replaced by {by}, which has its events and more"))
        )
