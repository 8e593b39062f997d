"""Runs: a certification attempt begins, goes through its profile's steps and ends; it may exist before its application."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Literal

import flask
import msgspec

from acrmock.clock import rfc3339
from acrmock.errors import SetupError
from mockserver.context import EngineCore, current_core
from mockserver.control import body
from mockserver.control.errors import Code, invalid, refuse, unknown
from mockserver.control.requests import BeginStep, NoteEvent, Nothing, StartRun
from mockserver.onboarding.model import APPLICATION, Application
from mockserver.store import GLOBAL, Stored, Unit

if TYPE_CHECKING:
    from acrmock.facts import Profile

RUN = "run"
"""The kind under which runs are stored, in the global scope, keyed by their id."""

_DECODING = 30.0
"""Seconds that the end of a run waits at most for reports that are being read."""


class Run(Stored, frozen=True, kw_only=True):
    """One certification attempt; `step` is the step under way, `steps` those that began, times are protocol time."""

    id: str
    profile: str
    revision: str
    claims: tuple[str, ...] = ()
    application: str | None = None
    launch: bool = False
    step: str | None = None
    steps: tuple[str, ...] = ()
    started: str = ""
    ended: str | None = None


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the control API shows it."""

    run: str
    profile: str
    revision: str
    claims: tuple[str, ...]
    launch: bool
    application: str | None
    state: Literal["open", "ended"]
    step: str | None
    steps: tuple[str, ...]
    started: str
    ended: str | None


def find(unit: Unit, run: str) -> Run:
    """The run as it stands in `unit`; raises 404."""
    found = unit.get(RUN, GLOBAL, run, Run) if run else None
    if found is None:
        raise unknown(Code.RUN_UNKNOWN, run, hint="POST /_acrmock/runs begins one")
    return found


def open_run(unit: Unit, run: str) -> Run:
    """A run that has not ended; raises 404 or 409."""
    found = find(unit, run)
    if found.ended is not None:
        raise refuse(Code.RUN_CLOSED, f"run {found.id!r} has ended", hint="begin another with POST /_acrmock/runs")
    return found


def bind(core: EngineCore, unit: Unit, run: Run, application: Application) -> Run:
    """The run with the application that it judges; one bound before is let go (the last registration decides)."""
    if run.application not in {None, application.id}:
        _let_go(core, unit, run)
    bound = msgspec.structs.replace(run, application=application.id)
    unit.put(RUN, GLOBAL, run.id, bound)
    if application.run != run.id:
        core.applications.save(unit, msgspec.structs.replace(application, run=run.id))
    return bound


def _let_go(core: EngineCore, unit: Unit, run: Run) -> None:
    application = unit.get(APPLICATION, GLOBAL, run.application, Application) if run.application else None
    if application is not None and application.run == run.id:
        core.applications.save(unit, msgspec.structs.replace(application, run=None))


def start() -> flask.Response:
    """POST runs: 201 with the run."""
    core, request = current_core(), body.read_kept(StartRun)
    profile = _profile(core, request)
    run = Run(
        id=f"run-{secrets.token_hex(6)}",
        profile=profile.name,
        revision=profile.revision,
        claims=request.claims,
        launch=request.launch,
        started=rfc3339(core.clock.now()),
    )
    with core.store.write() as unit:
        unit.put(RUN, GLOBAL, run.id, run)
        if request.application is not None:
            run = bind(core, unit, run, _free_application(unit, request.application))
        data = {"profile": run.profile, "revision": run.revision, "claims": list(run.claims), "launch": run.launch}
        _note(core, unit, run, "run-started", {**data, "facts_digest": core.facts.digest})
    response = body.answer(view(run), 201)
    response.headers["Location"] = f"{core.public_url}/_acrmock/runs/{run.id}"
    return response


def _profile(core: EngineCore, request: StartRun) -> Profile:
    try:
        profile = core.facts.profile(request.profile, request.revision)
    except SetupError as error:
        raise refuse(Code.PROFILE_UNKNOWN, error.what, hint=error.fix) from None
    if strangers := [claim for claim in request.claims if claim not in profile.claims]:
        known = ", ".join(profile.claims) or "none"
        raise invalid("claims", "the profile knows no such claim", expected=known, actual=", ".join(strangers))
    return profile


def _free_application(unit: Unit, application: str) -> Application:
    found = unit.get(APPLICATION, GLOBAL, application, Application)
    if found is None:
        raise unknown(Code.APPLICATION_UNKNOWN, application)
    if found.run is not None:
        raise refuse(
            Code.RUN_OPEN, f"application {found.id!r} is in run {found.run!r}", hint=f"POST /_acrmock/runs/{found.run}/finish"
        )
    return found


def show(run: str) -> flask.Response:
    """GET runs/ID."""
    with current_core().store.read() as snapshot:
        found = snapshot.get(RUN, GLOBAL, run, Run)
    if found is None:
        raise unknown(Code.RUN_UNKNOWN, run)
    return body.answer(view(found))


def view(run: Run) -> RunView:
    """A run as the control API shows it."""
    return RunView(
        run=run.id,
        profile=run.profile,
        revision=run.revision,
        claims=run.claims,
        launch=run.launch,
        application=run.application,
        state="open" if run.ended is None else "ended",
        step=run.step,
        steps=run.steps,
        started=run.started,
        ended=run.ended,
    )


def step(run: str) -> flask.Response:
    """POST runs/ID/steps: the step before ends and this one begins."""
    core, request = current_core(), body.read_kept(BeginStep)
    with core.store.write() as unit:
        found = open_run(unit, run)
        known = [one.name for one in core.facts.profile(found.profile, found.revision).steps]
        if request.step not in known:
            raise invalid("step", "the profile has no such step", expected=", ".join(known), actual=request.step)
        _end_step(core, unit, found)
        found = msgspec.structs.replace(found, step=request.step, steps=(*found.steps, request.step))
        unit.put(RUN, GLOBAL, found.id, found)
        _note(core, unit, found, "step-began", {"step": request.step})
    return body.answer(view(found))


def note(run: str) -> flask.Response:
    """POST runs/ID/events: something that happened beside the wires, such as the client's start or exit."""
    core, request = current_core(), body.read(NoteEvent)
    if len(msgspec.json.encode(request.data)) > 65536:
        raise invalid("data", "more than 64 KiB")
    with core.store.write() as unit:
        found = open_run(unit, run)
        seq = _note(core, unit, found, request.name, request.data)
    return body.answer({"seq": seq})


def finish(run: str) -> flask.Response:
    """POST runs/ID/finish: the step and the run end, and the application is free for another."""
    core, _ = current_core(), body.read(Nothing)
    core.jobs.idle(_DECODING)  # what was received in the run is read before it ends
    with core.store.write() as unit:
        found = open_run(unit, run)
        _end_step(core, unit, found)
        found = msgspec.structs.replace(found, step=None, ended=rfc3339(core.clock.now()))
        unit.put(RUN, GLOBAL, found.id, found)
        _note(core, unit, found, "run-ended", {})
        _let_go(core, unit, found)
    return body.answer(view(found))


def _end_step(core: EngineCore, unit: Unit, run: Run) -> None:
    if run.step is not None:
        _note(core, unit, run, "step-ended", {"step": run.step})


def _note(core: EngineCore, unit: Unit, run: Run, name: str, data: dict[str, Any]) -> int:
    return core.journal.event(unit, name, data, application=run.application, run=run.id)
