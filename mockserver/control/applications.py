"""Applications through the control API: register, look, move endpoints, override settings."""

from __future__ import annotations

from typing import Any

import flask
import msgspec

from mockserver.context import EngineCore, current_core
from mockserver.control import body, runs
from mockserver.control.errors import Code, invalid, refuse, unknown
from mockserver.control.events import write_event
from mockserver.control.requests import Move, Settings
from mockserver.onboarding.admission import Declined
from mockserver.onboarding.document import document
from mockserver.onboarding.model import APPLICATION, Application, Registration
from mockserver.onboarding.overrides import check_settings
from mockserver.onboarding.register import Accepted, Attempt, admit, attempt, secrets_told, write_down
from mockserver.onboarding.request import RegistrationRequest
from mockserver.store import GLOBAL, Reader


def find(unit: Reader, application: str) -> Application:
    """The application as it stands in `unit`; raises 404."""
    found = unit.get(APPLICATION, GLOBAL, application, Application) if application else None
    if found is None:
        raise unknown(Code.APPLICATION_UNKNOWN, application, hint="GET /_acrmock/applications lists them")
    return found


def environment_of(application: Application, environment: str) -> Registration:
    """One environment of an application; raises 404."""
    registration = application.environments.get(environment)
    if registration is None:
        there = ", ".join(application.environments)
        raise unknown(Code.ENVIRONMENT_UNKNOWN, environment, hint=f"registered: {there}")
    return registration


def changed(application: Application, registration: Registration) -> Application:
    """`application` with one of its environments replaced."""
    return msgspec.structs.replace(application, environments={**application.environments, registration.environment: registration})


def register() -> flask.Response:
    """POST applications: 201 with the registration document, or 422 with every reason."""
    core = current_core()
    request = body.read(RegistrationRequest)
    existing = core.applications.get(request.application) if request.application is not None else None
    if request.application is not None and existing is None:
        raise unknown(Code.APPLICATION_UNKNOWN, request.application, hint="leave `application` out to register a new one")
    tried = attempt(core, request, existing=existing, wall=core.clock.now())
    accepted = _settle(core, tried, flask.request.remote_addr)
    if isinstance(accepted, Declined):
        count = len(accepted.reasons)
        detail = f"{count} reason{'s' if count > 1 else ''}: " + "; ".join(reason.reason for reason in accepted.reasons)
        raise refuse(Code.REGISTRATION_REFUSED, detail[:1000], fields=(*accepted.reasons, *accepted.remarks))
    response = body.answer(document(core, accepted), 201)
    response.headers["Location"] = f"{core.public_url}/_acrmock/applications/{accepted.application.id}"
    return response


def _settle(core: EngineCore, tried: Attempt, peer: str | None) -> Accepted | Declined:
    """The attempt stored with its event, bound to its run."""
    with core.store.write() as unit:
        run = runs.open_run(unit, tried.request.run) if tried.request.run is not None else None
        existing = find(unit, tried.existing.id) if tried.existing else None
        if existing is not None and tried.request.environment in existing.environments:
            raise refuse(
                Code.ENVIRONMENT_EXISTS, f"application {existing.id!r} is registered in {tried.request.environment!r} already"
            )
        if existing is not None and run is not None and existing.run not in {None, run.id}:
            raise refuse(Code.RUN_OPEN, f"application {existing.id!r} is in run {existing.run!r}", hint="finish that run first")
        outcome = tried.outcome
        told = secrets_told(core, unit, tried.request) if not isinstance(outcome, Declined) else ()
        if told:
            outcome = Declined(reasons=told)
        if isinstance(outcome, Declined):
            write_down(core, unit, tried, outcome, peer=peer)
            return outcome
        accepted = admit(core, unit, tried, outcome, peer=peer)
        if run is not None:
            runs.bind(core, unit, run, accepted.application)
        return accepted


def listing() -> flask.Response:
    """GET applications: all of them, without secrets."""
    core = current_core()
    return body.answer({"applications": [view(core, application) for application in core.applications.all()]})


def show(application: str) -> flask.Response:
    """GET applications/ID: one of them, without secrets."""
    core = current_core()
    with core.store.read() as snapshot:
        found = find(snapshot, application)
    return body.answer(view(core, found))


def view(core: EngineCore, application: Application) -> dict[str, Any]:
    """An application as the control API shows it: everything but secrets and their marks."""
    return {
        "application": application.id,
        "name": application.name,
        "run": application.run,
        "local": application.local,
        "business_time": msgspec.to_builtins(application.business),
        "environments": {name: _registration(core, application, value) for name, value in application.environments.items()},
    }


def _registration(core: EngineCore, application: Application, registration: Registration) -> dict[str, Any]:
    shown = msgspec.to_builtins(registration)
    shown.pop("client_secret_digest", None)
    shown["users"] = [
        {"username": user.username, "facility_id": user.facility_id, "name": user.name} for user in registration.users
    ]
    settings = core.settings_for(registration)
    base = core.base_url(application.id, registration.environment)
    shown["issuer"] = base + settings.text("auth.base_path")
    shown["nrdr"] = base + settings.text("nrdr.base_path")
    return dict(shown)


def move(application: str) -> flask.Response:
    """POST applications/ID/move: the endpoints of the authorization server move, so that only discovery finds them."""
    core, request = current_core(), body.read(Move)
    with core.store.write() as unit:
        found = find(unit, application)
        registration = environment_of(found, request.environment)
        moved = not registration.endpoints_moved if request.moved is None else request.moved
        core.applications.save(unit, changed(found, msgspec.structs.replace(registration, endpoints_moved=moved)))
        segment = core.settings_for(registration).text("auth.moved_segment" if moved else "auth.version_segment")
        data = {"environment": request.environment, "moved": moved, "segment": segment}
        write_event(core, unit, "endpoints-moved", data, found, environment=request.environment)
    return body.answer({"application": found.id, **data})


def settings(application: str) -> flask.Response:
    """POST applications/ID/settings: overrides of layer settings for one environment; null takes one back."""
    core, request = current_core(), body.read_kept(Settings)
    given = {key: value for key, value in request.settings.items() if value is not None}
    if problems := check_settings(given, core.facts):
        raise refuse(Code.SETTING_INVALID, "; ".join(problem.reason for problem in problems)[:1000], fields=problems)
    if not request.settings:
        raise invalid("settings", "no setting is given", expected="at least one")
    with core.store.write() as unit:
        found = find(unit, application)
        registration = environment_of(found, request.environment)
        kept = {key: value for key, value in registration.settings.items() if key not in request.settings}
        registration = msgspec.structs.replace(registration, settings={**kept, **given})
        core.applications.save(unit, changed(found, registration))
        data = {"environment": request.environment, "settings": request.settings}
        write_event(core, unit, "settings-changed", data, found, environment=request.environment)
    return body.answer({"application": found.id, "environment": request.environment, "settings": registration.settings})
