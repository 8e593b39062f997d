"""The routes of the control API, with the guard before each and every refusal as a problem document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
from werkzeug.exceptions import HTTPException

from mockserver._sought import Sought
from mockserver.context import EngineCore, current_core
from mockserver.control import (
    applications,
    body,
    catalogue,
    central,
    faults,
    files,
    guard,
    pages,
    recordings,
    reports,
    runs,
    state,
    stations,
    unmatched,
    why,
)
from mockserver.control.errors import Code, refuse
from mockserver.faults import CONTROL
from mockserver.portal import words
from mockserver.problem import Problem, answer
from mockserver.store import GLOBAL, StoreError, StoreFull

if TYPE_CHECKING:
    from acrmock.facts import Facts

PREFIX = "/_acrmock"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OPEN = frozenset({"ca_pem", "files_page"})
"""Views that need no token."""


def blueprint(facts: Facts) -> flask.Blueprint:
    """The control API as a Flask blueprint; the engine's core is found in the request's environment.

    Raises `SetupError` where the layers say of data files what cannot be.
    """
    words.check(facts)
    control = flask.Blueprint("control", __name__, url_prefix=PREFIX)
    control.before_request(_guard)
    control.register_error_handler(Problem, _refused)
    control.register_error_handler(StoreFull, _store_full)
    control.register_error_handler(StoreError, _store_failed)
    for rule, method, view in (
        ("/applications", "POST", applications.register),
        ("/applications", "GET", applications.listing),
        ("/applications/<application>", "GET", applications.show),
        ("/applications/<application>/move", "POST", applications.move),
        ("/applications/<application>/settings", "POST", applications.settings),
        ("/applications/<application>/files", "POST", files.upload),
        ("/applications/<application>/files", "GET", files.listing),
        ("/applications/<application>/files/<file>", "GET", files.show),
        ("/applications/<application>/files/<file>/decision", "POST", files.decide),
        ("/applications/<application>/files/<file>/log", "GET", files.log),
        ("/upload", "GET", files.page),
        ("/applications/<application>/stations", "GET", stations.listing),
        ("/applications/<application>/stations", "POST", stations.configure),
        ("/applications/<application>/stations", "DELETE", stations.remove),
        ("/applications/<application>/reports", "GET", reports.listing),
        ("/applications/<application>/reports/<sop>", "GET", reports.show),
        ("/applications/<application>/reports/<sop>/anonymised", "GET", reports.anonymised),
        ("/applications/<application>/planted", "POST", reports.plant),
        ("/dirlink", "GET", pages.dirlink),
        ("/dirlink/stations", "POST", pages.change_station),
        ("/dirlink/reports/<sop>", "GET", pages.report),
        ("/dirlink/central", "GET", pages.central),
        ("/central", "GET", central.show_central),
        ("/central", "POST", central.set_central),
        ("/jobs", "GET", central.jobs),
        ("/runs", "POST", runs.start),
        ("/runs/<run>", "GET", runs.show),
        ("/runs/<run>/steps", "POST", runs.step),
        ("/runs/<run>/events", "POST", runs.note),
        ("/runs/<run>/finish", "POST", runs.finish),
        ("/journal", "GET", recordings.export),
        ("/journal/await", "GET", recordings.wait),
        ("/unmatched", "GET", unmatched.inbox),
        ("/observations", "POST", recordings.observe),
        ("/clock", "GET", state.clock),
        ("/clock", "POST", state.move_clock),
        ("/plans", "GET", state.plan_listing),
        ("/plans", "POST", state.set_plan),
        ("/faults", "GET", faults.listing),
        ("/faults", "POST", faults.set_fault),
        ("/faults", "DELETE", faults.clear),
        ("/errors", "GET", catalogue.listing),
        ("/why/<seq>", "GET", why.why),
        ("/reset", "POST", state.reset),
        ("/acknowledge", "POST", state.acknowledge),
        ("/ca.pem", "GET", ca_pem),
    ):
        name = f"{view.__module__.rpartition('.')[2]}_{view.__name__}" if view is not ca_pem else "ca_pem"
        control.add_url_rule(rule, endpoint=name, view_func=view, methods=[method], provide_automatic_options=False)
    stray = [*_METHODS, "OPTIONS"]
    control.add_url_rule("/", endpoint="stray_root", view_func=_stray, methods=stray, defaults={"rest": ""})
    control.add_url_rule("/<path:rest>", endpoint="stray", view_func=_stray, methods=stray)
    return control


def _stray(rest: str) -> flask.Response:  # noqa: ARG001 - the rest of a path that no call has
    """A path or method that no control call has: 404, or 405 with what is allowed (which OPTIONS asks for)."""
    allowed = [method for method in _METHODS if _takes(method)]
    if allowed and flask.request.method == "OPTIONS":
        return flask.Response(status=204, headers={"Allow": ", ".join([*allowed, "OPTIONS"])})
    if allowed:
        raise refuse(Code.METHOD_NOT_ALLOWED, f"allowed: {', '.join(allowed)}", headers=(("Allow", ", ".join(allowed)),))
    raise refuse(Code.PATH_UNKNOWN, hint="/openapi.json lists the control calls")


def _takes(method: str) -> bool:
    adapter = flask.globals.request_ctx.url_adapter
    if adapter is None:
        return False
    try:
        endpoint, _ = adapter.match(method=method)
    except HTTPException:
        return False
    return "stray" not in endpoint


def ca_pem() -> flask.Response:
    """GET ca.pem: the certificate authority to trust; needs no token."""
    return flask.Response(current_core().ca_pem, mimetype="application/x-pem-file")


def _guard() -> None:
    core, request = current_core(), flask.request
    guard.check_host(request.headers.get("Host", ""), core.public_url)
    guard.check_origin(request.headers.get("Origin"), request.headers.get("Host", ""), core.public_url)
    if (request.endpoint or "").rpartition(".")[2] not in _OPEN:
        given = request.headers.get("Authorization")
        guard.check_token(pages.bearer(given) if _is_page() else given, core.keys.control_token)
        _strike(core)


def _is_page() -> bool:
    name = (flask.request.endpoint or "").rpartition(".")[2]
    # two calls about files, and why, are pages where a browser asks
    return name.startswith("pages_") or (name in {"files_listing", "files_show", "why_why"} and files.wants_page())


def _strike(core: EngineCore) -> None:
    """Refuse where a rule about the control API says so; never what could take that rule back."""
    request = flask.request
    if request.path.startswith(f"{PREFIX}/faults") or not core.faults.rules(GLOBAL):
        return
    struck, counted = core.faults.choose(GLOBAL, CONTROL, "", Sought(request.environ, b""))
    if counted:
        with core.store.write() as unit:
            core.faults.keep(unit, GLOBAL, counted)
            if struck is not None:
                core.journal.event(unit, "fault-struck", {"name": struck.name, "path": request.path[:200]})
    if struck is not None:
        raise Problem(struck.error)


def _refused(problem: Problem) -> flask.Response:
    """The problem document; as the error catalogue has it."""
    if flask.request.method == "POST":
        body.drain()
    made = answer(problem, current_core().facts.errors.get(problem.code))
    response = flask.Response(made.body, status=made.status, content_type=made.media_type)
    response.headers.extend(made.headers)
    response.headers["Cache-Control"] = "no-store"
    if made.status == 401 and _is_page():
        response.headers.add("WWW-Authenticate", 'Basic realm="acrmock: any name, the control token as password"')
    return response


def _store_full(error: StoreFull) -> flask.Response:
    return _refused(refuse(Code.STORE_FULL, error.what))


def _store_failed(error: StoreError) -> flask.Response:
    return _refused(refuse(Code.UNAVAILABLE, error.what))
