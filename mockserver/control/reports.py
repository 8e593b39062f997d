"""Dose reports through the control API: their states, what one became, what was planted, what DIR Link sends on."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import Any

import flask
import msgspec

from acrmock.dose.details import NOT_READ
from acrmock.dose.elements import Unreadable
from acrmock.dose.header import read_header
from acrmock.dose.text import unpadded
from acrmock.facts.dose import Dictionary
from acrmock.record import FieldProblem, PlantedFacts, ReportFacts
from mockserver.context import EngineCore, current_core
from mockserver.control import body
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import Code, invalid, unknown
from mockserver.control.events import write_event
from mockserver.control.requests import Plant, PlantedReport
from mockserver.dirlink import model, stations
from mockserver.dirlink.model import Planted, StoredReport
from mockserver.dirlink.receive import is_uid
from mockserver.dirlink.states import State

_MOST = 1000
_REMARKS_MOST = 100
"""So many remarks a page shows at most."""


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """That an element of a report is missing or odd: its name, its place (a tag path), and why."""

    what: str
    element: str
    where: str
    why: str


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A state that a report came to: when (business time) and why."""

    at: str
    state: str
    why: str


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """A received report as it is shown: nothing of a patient. `near` is the configured station that it nearly names."""

    sop_instance: str
    environment: str
    state: str
    station: str | None
    near: str
    modality: str
    dose: bool
    received: str
    sop_class: str
    transfer_syntax: str
    sha256: str
    size: int
    calling_ae: str
    planted: bool
    reasons: tuple[str, ...]
    history: tuple[StepView, ...]
    copies: tuple[model.Copy, ...]
    hold_until: str | None
    attempts: int
    next_try: str
    facility: str
    central: str


class ReportList(msgspec.Struct, frozen=True, kw_only=True):
    """Reports by SOP Instance UID; `next` is what `after` takes to go on (empty: that was all)."""

    application: str
    environment: str
    reports: tuple[ReportView, ...]
    next: str = ""


def view(report: StoredReport, environment: str) -> ReportView:
    """A stored report as it is shown."""
    names = {name for name in ReportView.__struct_fields__ if name in StoredReport.__struct_fields__}
    names -= {"hold_until", "history"}
    history = tuple(StepView(at=step.at, state=step.state, why=step.why) for step in report.history)
    until = report.hold_until.isoformat().replace("+00:00", "Z") if report.hold_until is not None else None
    same: dict[str, Any] = {name: getattr(report, name) for name in names}
    return ReportView(environment=environment, received=report.at, hold_until=until, history=history, **same)


def listing(application: str) -> flask.Response:
    """GET applications/ID/reports: the received reports of an environment, by SOP Instance UID."""
    body.only("environment", "state", "station", "after", "count")
    core, environment = current_core(), body.argument("environment", "test")
    state, station = _state(core), body.argument("station")
    count, after = body.whole("count", 100, 1, _MOST), body.argument("after")
    with core.store.read() as snapshot:
        environment_of(find(snapshot, application), environment)
        fitting = (
            view(report, environment)
            for _, report in snapshot.scan(model.REPORT, (application, environment), StoredReport, after=after)
            if state in {"", report.state} and (not station or _is_of(report, station))
        )
        found = tuple(islice(fitting, count + 1))
    rest = found[count - 1].sop_instance if len(found) > count else ""
    return body.answer(ReportList(application=application, environment=environment, reports=found[:count], next=rest))


def _is_of(report: StoredReport, station: str) -> bool:
    return station == (unpadded(report.station) or stations.NOWHERE)


def _state(core: EngineCore) -> str:
    given = body.argument("state")
    words = [state.word(core.facts) for state in State]
    if given and given.upper() not in words:
        raise invalid("state", "there is no such state", expected=", ".join(words), actual=given)
    return given.upper()


def show(application: str, sop: str) -> flask.Response:
    """GET applications/ID/reports/SOP: what became of a report, step by step, and why."""
    body.only("environment")
    core, environment = current_core(), body.argument("environment", "test")
    return body.answer(view(of(core, application, environment, sop), environment))


def of(core: EngineCore, application: str, environment: str, sop: str) -> StoredReport:
    """A stored report; raises 404."""
    with core.store.read() as snapshot:
        environment_of(find(snapshot, application), environment)
        found = snapshot.get(model.REPORT, (application, environment), sop, StoredReport)
    if found is None:
        raise unknown(Code.REPORT_UNKNOWN, sop, hint="GET reports lists those that came")
    return found


def plant(application: str) -> flask.Response:
    """POST applications/ID/planted: these reports were given to a vendor and may come; each is an event of the run."""
    core, request = current_core(), body.read(Plant)
    planted = [_planted(core, index, report) for index, report in enumerate(request.reports)]
    with core.store.write() as unit:
        found = find(unit, application)
        environment_of(found, request.environment)
        for facts in planted:
            kept = Planted(sop_instance=facts.sop_instance, sha256=facts.sha256, expected=facts.expected)
            unit.put(model.PLANTED, (found.id, request.environment), facts.sop_instance, kept)
            write_event(core, unit, "dir-planted", msgspec.to_builtins(facts), found, environment=request.environment)
    return body.answer({"planted": len(request.reports)}, 201)


def _planted(core: EngineCore, index: int, report: PlantedReport) -> PlantedFacts:
    """What the journal keeps of a planted report: digests, so that a changed tag can be named without it."""
    from acrmock.dose.compare import digest_tags  # noqa: PLC0415 - loaded when the first report is planted

    try:
        header = read_header(report.data, report.transfer_syntax)
        digest, tags = digest_tags(report.data, report.transfer_syntax, core.digester.mark)
    except Unreadable as error:
        raise invalid(f"reports/{index}/data", "is no data set that can be read", actual=str(error)) from None
    if not is_uid(header.sop_instance):
        where, what = f"reports/{index}/data", "its SOP Instance UID (0008,0018) is no UID, so it could never come"
        raise invalid(where, what, expected="a UID", actual=header.sop_instance[:80])
    return PlantedFacts(
        sop_instance=header.sop_instance,
        sha256=hashlib.sha256(report.data).hexdigest(),
        digest=digest,
        station=header.station_name or "",
        transfer_syntax=report.transfer_syntax,
        expected=report.expected,
        tags=tags,
    )


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the anonymiser: where, what, and what stood there before and after."""

    path: str
    what: str
    before: str
    after: str


class AnonymisedView(msgspec.Struct, frozen=True, kw_only=True):
    """What leaves the site in place of a report, beside what came."""

    sop_instance: str
    central: str
    size: int
    birth_date: str
    problem: str
    changes: tuple[ChangeView, ...]


def anonymised(application: str, sop: str) -> flask.Response:
    """GET applications/ID/reports/SOP/anonymised: before and after, for who holds the token."""
    body.only("environment")
    core, environment = current_core(), body.argument("environment", "test")
    return body.answer(before_after(core, application, environment, sop))


def remarks(core: EngineCore, application: str, environment: str, sop: str) -> list[Remark]:
    """What a kept report lacks or has that is odd, at most `_REMARKS_MOST`; none where its bytes are gone or cannot be read.

    Whoever reads reports as they come reads this one too: it may be hostile.
    """
    report = of(core, application, environment, sop)
    data = core.objects.get((application, environment), report.sop_instance, report.sha256)
    if data is None:
        return []
    known = ReportFacts(sop_instance=report.sop_instance, sha256=report.sha256, synthetic=False)
    facts = core.apart.read(data, report.transfer_syntax, known).facts
    words = core.facts.dose
    needed = [("the registry needs it", one) for one in facts.missing]
    asked = [("the template asks for it", one) for one in facts.template]
    found = [Remark(what=what, element=_element(one, words), where=one.pointer, why=one.reason) for what, one in needed + asked]
    return [*found, *(_odd(warning, words) for warning in facts.warnings)][:_REMARKS_MOST]


def _odd(warning: str, words: Dictionary) -> Remark:
    """A warning of the reader, which is one line: its place, the element, why."""
    where, name, why = [*warning.split(": ", 2), "", ""][:3]
    known = words.elements.get(name)
    what = NOT_READ if why.startswith(NOT_READ) else "odd"
    return Remark(what=what, element=name if known is None else known.title, where=where, why=why.removeprefix(f"{NOT_READ}: "))


def _element(problem: FieldProblem, words: Dictionary) -> str:
    """The element as people call it: an element of the dictionary by its title."""
    ours = problem.element.partition(",")[0] in words.elements
    return problem.expected if ours else problem.element or problem.expected


def before_after(core: EngineCore, application: str, environment: str, sop: str) -> AnonymisedView:
    """The before/after view of a report; raises 404 where its bytes are not there (any more)."""
    from mockserver.dirlink import view as outgoing  # noqa: PLC0415 - the anonymiser is loaded when somebody looks

    scope = (application, environment)
    report = of(core, application, environment, sop)
    data = core.objects.get(scope, report.sop_instance, report.sha256)
    if data is None:
        raise unknown(Code.REPORT_UNKNOWN, sop, hint="the report was deleted")
    made = outgoing.anonymised(core, scope, report, data, show_before=True)
    changes = tuple(
        ChangeView(path=change.path, what=str(change.what), before=change.before, after=change.after) for change in made.changes
    )
    return AnonymisedView(
        sop_instance=sop,
        central=outgoing.remapped(core, scope, sop),
        size=len(made.data),
        birth_date=made.birth_date,
        problem=made.problem,
        changes=changes,
    )
