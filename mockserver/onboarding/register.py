"""Registering an application or its other environment: weighed, issued, stored and written down in one unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from acrmock.clock import BusinessTime, rfc3339
from acrmock.record import FieldProblem, SecretKind
from mockserver.dirlink import stations
from mockserver.journal import secrets_in
from mockserver.onboarding.admission import Admission, Declined, weigh
from mockserver.onboarding.attempt import EVENT, event_data
from mockserver.onboarding.issue import Issued, Shapes, issue
from mockserver.onboarding.model import APPLICATION, Application
from mockserver.onboarding.names import ae_title, application_id
from mockserver.onboarding.reasons import wrong
from mockserver.onboarding.request import RegistrationRequest
from mockserver.store import GLOBAL, Unit

if TYPE_CHECKING:
    from mockserver.context import EngineCore


@dataclass(frozen=True, slots=True)
class Accepted:
    """An application with what was issued for one of its environments, and remarks that did not stop it."""

    application: Application
    issued: Issued
    remarks: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request with what came of weighing it; nothing is stored yet. `day` is the business date it was held against."""

    request: RegistrationRequest
    outcome: Admission | Declined
    existing: Application | None
    day: str


def attempt(core: EngineCore, request: RegistrationRequest, *, existing: Application | None, wall: datetime) -> Attempt:
    """`request` weighed; `existing` is the application it names, if any. Takes no lock, however large the request is."""
    day = (existing.business if existing else BusinessTime()).now(wall).date()
    outcome = weigh(request, core.facts, day, existing=existing, local_sources=core.local_sources)
    return Attempt(request, outcome, existing, day.isoformat())


def secrets_told(core: EngineCore, unit: Unit, request: RegistrationRequest) -> tuple[FieldProblem, ...]:
    """The fields of `request` in which a secret stands that was issued here: what is registered is kept and shown."""
    known = secrets_in(unit)
    held = {name: getattr(request, name) for name in ("name", "redirect_url", "post_logout_url", "link", "user", "settings")}
    return tuple(
        wrong(name, "holds a secret that was issued to a client", expected="no secret")
        for name, value in held.items()
        if value and core.redactor.scanner.holds(msgspec.json.encode(value).decode("utf-8"), known) is not None
    )


def write_down(core: EngineCore, unit: Unit, tried: Attempt, declined: Declined, *, peer: str | None = None) -> None:
    """The event of an attempt that was refused."""
    data = event_data(
        tried.request,
        application=tried.existing,
        registration=None,
        reasons=declined.reasons,
        remarks=declined.remarks,
        logo=declined.logo,
        day=tried.day,
    )
    existing = tried.existing
    run = tried.request.run or (existing.run if existing else None)
    core.journal.event(unit, EVENT, data, application=existing.id if existing else None, run=run, peer=peer)


def admit(core: EngineCore, unit: Unit, tried: Attempt, admission: Admission, *, peer: str | None = None) -> Accepted:
    """What `admission` gets, issued, stored and written down within `unit`.

    Whether the application has that environment already is the caller's to ask, in the same unit.
    """
    existing = unit.get(APPLICATION, GLOBAL, tried.existing.id, Application) if tried.existing else None
    application = existing or _new_application(core, unit, admission)

    def remember(kind: SecretKind, value: str) -> str:
        return core.issue(unit, kind, value, application=application.id, environment=admission.environment)

    issued = issue(unit, admission, application.id, remember, Shapes.of(core.facts))
    registration = issued.registration
    run = tried.request.run or application.run
    environments = {**application.environments, admission.environment: registration}
    application = msgspec.structs.replace(application, environments=environments, run=run)
    core.applications.save(unit, application)
    data = event_data(
        tried.request,
        application=application,
        registration=registration,
        remarks=admission.remarks,
        logo=registration.logo,
        day=tried.day,
    )
    core.journal.event(
        unit,
        EVENT,
        data,
        application=application.id,
        environment=admission.environment,
        run=run,
        peer=peer,
    )
    configure_stations(core, unit, application, admission.environment)
    return Accepted(application, issued, admission.remarks)


def configure_stations(core: EngineCore, unit: Unit, application: Application, environment: str) -> None:
    """Configure the stations named in an environment's registration, for its first facility (fact D1.6)."""
    registration = application.environments[environment]
    facility = next(iter(registration.facilities), "")
    now = rfc3339(application.business.now(core.clock.now()))
    for name in registration.stations:
        station = stations.configure(unit, (application.id, environment), name, facility, now)
        core.journal.event(
            unit,
            "station-configured",
            {"station": station.name, "facility": facility},
            application=application.id,
            environment=environment,
            run=application.run,
        )


def _new_application(core: EngineCore, unit: Unit, admission: Admission) -> Application:
    def taken(candidate: str) -> bool:
        return unit.get(APPLICATION, GLOBAL, candidate, Application) is not None

    identity = application_id(admission.name, taken)
    titles = {application.ae_title for _, application in unit.scan(APPLICATION, GLOBAL, Application)}
    words = {"default": core.facts.text("dirlink.ae_title"), "prefix": core.facts.text("dirlink.ae_title_prefix")}
    title = ae_title(identity, titles.__contains__, **words)
    return Application(id=identity, name=admission.name, ae_title=title, local=admission.local)
