"""Clock, plans, reset and giving up: what moves an application without its doing."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import flask
import msgspec

from acrmock.clock import BusinessTime, parse_rfc3339, rfc3339
from acrmock.errors import SetupError
from mockserver import plans
from mockserver.context import EngineCore, current_core
from mockserver.control import body
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import Code, invalid, refuse, unknown
from mockserver.control.events import write_event
from mockserver.control.requests import Acknowledge, MoveClock, Reset, SetPlan
from mockserver.nrdr.model import TRANSACTION, Transaction, transaction_key
from mockserver.onboarding.model import APPLICATION, Application
from mockserver.onboarding.register import configure_stations
from mockserver.store import GLOBAL, Reader, Scope, Stored, Unit

ACKNOWLEDGED = "acknowledged"
"""The kind under which given-up transactions are known, in the application's scope, keyed by transaction ID."""

_AT_ONCE = 20_000
"""So many values of an environment are forgotten in one unit."""
_PART = 5_000
"""So many are forgotten at a time where there are more: a tenth of a second in which nobody else is answered."""


class Acknowledged(Stored, frozen=True, kw_only=True):
    """That somebody gave a transaction's rejected records up."""

    who: str
    why: str
    when: str


def clock() -> flask.Response:
    """GET clock: an application's business time beside protocol time."""
    body.only("application")
    core, application = current_core(), body.argument("application")
    with core.store.read() as snapshot:
        found = snapshot.get(APPLICATION, GLOBAL, application, Application) if application else None
    if found is None:
        raise unknown(Code.APPLICATION_UNKNOWN, application, hint="?application=ID")
    return body.answer(_clock_view(found, core.clock.now()))


def _clock_view(application: Application, wall: datetime) -> dict[str, Any]:
    business = application.business
    return {
        "application": application.id,
        "now": rfc3339(business.now(wall)),
        "wall": rfc3339(wall),
        "frozen": business.frozen_at is not None,
        "offset": (business.now(wall) - wall).total_seconds(),
    }


def move_clock() -> flask.Response:
    """POST clock: set, advance, freeze or resume an application's business time."""
    core, request = current_core(), body.read(MoveClock)
    action = _action(request)
    with core.store.write() as unit:
        found, wall = find(unit, request.application), core.clock.now()
        moved = _moved(found.business, request, action, wall)
        before = rfc3339(found.business.now(wall))
        found = msgspec.structs.replace(found, business=moved)
        core.applications.save(unit, found)
        view = _clock_view(found, wall)
        data = {"action": action, "before": before, "after": view["now"], "frozen": view["frozen"]}
        write_event(core, unit, "clock-changed", data, found)
    core.jobs.wake()
    return body.answer(view)


def _action(request: MoveClock) -> str:
    actions = {
        "set": request.set is not None,
        "advance": request.advance is not None,
        "freeze": bool(request.freeze),
        "resume": bool(request.resume),
    }
    chosen = [name for name, given in actions.items() if given]
    if len(chosen) != 1:
        raise invalid(
            "set",
            "exactly one change is needed",
            expected="set, advance, freeze or resume",
            actual=", ".join(chosen) or "none",
            code=Code.CLOCK_INVALID,
        )
    return chosen[0]


def _moved(business: BusinessTime, request: MoveClock, action: str, wall: datetime) -> BusinessTime:
    try:
        match action:
            case "set":
                return business.set(wall, parse_rfc3339(request.set or ""))
            case "advance":
                return business.advance(wall, request.advance or 0.0)
            case "freeze":
                return business.freeze(wall)
            case _:
                return business.resume(wall)
    except SetupError as error:
        raise invalid(action, error.what, expected=error.expected, actual=error.actual, code=Code.CLOCK_INVALID) from None


def plan_listing() -> flask.Response:
    """GET plans: the plans in force for an environment, by registry (`*` for all)."""
    body.only("application", "environment")
    core, application = current_core(), body.argument("application")
    environment = body.argument("environment", "test")
    with core.store.read() as unit:
        registration = environment_of(find(unit, application), environment)
        found = {
            key: plans.current(unit, (application, environment), key) for key in (plans.ANY_REGISTRY, *registration.registries)
        }
    own = {key: record for key, record in found.items() if record is not None and record.registry == key}
    return body.answer({"application": application, "environment": environment, "plans": own})


def set_plan() -> flask.Response:
    """POST plans: the plan for transactions accepted from now on, or the release of the hold in force."""
    core, request = current_core(), body.read_kept(SetPlan)
    if (request.plan is None) is not request.release:
        raise invalid("plan", "either a plan or `release` is needed", expected="one of them", code=Code.PLAN_INVALID)
    slug = _registry(core, request.registry)
    with core.store.write() as unit:
        found = find(unit, request.application)
        environment_of(found, request.environment)
        scope, now = (found.id, request.environment), found.business.now(core.clock.now())
        record = _plan_record(unit, scope, request, slug, now)
        data = {
            "environment": request.environment,
            "registry": slug or None,
            "plan": msgspec.to_builtins(record.plan),
            "released": request.release,
        }
        write_event(core, unit, "plan-set", data, found, environment=request.environment)
    return body.answer(record)


def _plan_record(unit: Unit, scope: tuple[str, str], request: SetPlan, slug: str, now: datetime) -> plans.PlanRecord:
    if request.plan is not None:
        return plans.set_plan(unit, scope, request.plan, new_id=lambda: secrets.token_hex(8), registry=slug, now=now)
    record = plans.release(unit, scope, slug, now)
    if record is None:
        raise refuse(Code.PLAN_INVALID, "no hold is in force", hint='set one with {"plan": {"kind": "hold"}}')
    return record


def _registry(core: EngineCore, text: str | None) -> str:
    if text is None or text == plans.ANY_REGISTRY:
        return ""
    registry = core.facts.registry(text.lower())
    if registry is None:
        raise invalid(
            "registry", "there is no such registry", expected=", ".join(r.slug for r in core.facts.registries), actual=text
        )
    return registry.slug


def reset() -> flask.Response:
    """POST reset: what an application (or every one) did is forgotten; registrations, with their stations, and the journal stay.

    All of it at once, unless it is so much that others would wait for it: then most of it goes bit by bit beforehand.
    """
    core, request = current_core(), body.read(Reset)
    with core.store.read() as snapshot:
        chosen = _chosen(snapshot, request)
    for application in chosen:
        for environment in application.environments:
            _thin(core, (application.id, environment))
    with core.store.write() as unit:
        chosen = _chosen(unit, request)
        for application in chosen:
            _forget(core, unit, application)
    core.faults.forget()
    return body.answer({"reset": [application.id for application in chosen]})


def _chosen(reader: Reader, request: Reset) -> list[Application]:
    if request.application is not None:
        return [find(reader, request.application)]
    return [application for _, application in reader.scan(APPLICATION, GLOBAL, Application)]


def _thin(core: EngineCore, scope: Scope) -> None:
    more = True
    while more:
        with core.store.write() as unit:
            more = unit.thin_scope(scope, most=_AT_ONCE, part=_PART)


def _forget(core: EngineCore, unit: Unit, application: Application) -> None:
    for environment in application.environments:
        core.jobs.forget(unit, application.id, environment)
        unit.delete_scope((application.id, environment))
    environments = {
        name: msgspec.structs.replace(registration, endpoints_moved=False, settings={})
        for name, registration in application.environments.items()
    }
    application = msgspec.structs.replace(application, business=BusinessTime(), environments=environments)
    core.applications.save(unit, application)
    write_event(core, unit, "reset", {}, application)
    for environment in environments:
        configure_stations(core, unit, application, environment)


def acknowledge() -> flask.Response:
    """POST acknowledge: a transaction's rejected records are given up, by whom and why."""
    core, request = current_core(), body.read_kept(Acknowledge)
    request = msgspec.structs.replace(request, transaction=core.redactor.kept(request.transaction))
    with core.store.write() as unit:
        found = find(unit, request.application)
        environment_of(found, request.environment)
        if not _is_known(core, unit, (found.id, request.environment), request.transaction):
            raise unknown(Code.TRANSACTION_UNKNOWN, request.transaction, hint="only what was accepted can be given up")
        when = rfc3339(core.clock.now())
        unit.put(
            ACKNOWLEDGED,
            (found.id, request.environment),
            request.transaction,
            Acknowledged(who=request.who, why=request.why, when=when),
        )
        data = {"transaction": request.transaction, "who": request.who, "why": request.why}
        seq = write_event(core, unit, "acknowledged", data, found, environment=request.environment)
    return body.answer({"seq": seq, "transaction": request.transaction})


def _is_known(core: EngineCore, unit: Unit, scope: tuple[str, str], transaction: str) -> bool:
    """Whether some registry accepted a transaction of that ID."""
    keys = (transaction_key(registry.slug, transaction) for registry in core.facts.registries)
    return any(unit.get(TRANSACTION, scope, key, Transaction) is not None for key in keys)
