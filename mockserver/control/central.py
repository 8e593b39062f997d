"""The central server through the control API, and the jobs that are waiting."""

from __future__ import annotations

from typing import Any

import flask
import msgspec

from mockserver.central import behaviour
from mockserver.central.model import REPORT, Behaviour, CentralReport
from mockserver.context import current_core
from mockserver.control import body
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import invalid
from mockserver.control.events import write_event
from mockserver.control.requests import SetCentral
from mockserver.dirlink.forward import RETRY

_MOST_JOBS = 1000


def set_central() -> flask.Response:
    """POST central: how the central server answers an environment's DIR Link from now on."""
    core, request = current_core(), body.read_kept(SetCentral)
    asked = _asked(request)
    with core.store.write() as unit:
        found = find(unit, request.application)
        environment_of(found, request.environment)
        scope = (found.id, request.environment)
        behaviour.ask(unit, scope, asked)
        data = {"answer": asked.answer if asked else None, "first": asked.left if asked else None}
        write_event(core, unit, "central-set", data, found, environment=request.environment)
        if asked is None:
            core.jobs.soon(unit, RETRY, *scope, "all")
    return body.answer({"application": found.id, "environment": request.environment, **data})


def _asked(request: SetCentral) -> Behaviour | None:
    if request.answer is not None and request.down:
        raise invalid("answer", "a server that is down gives no other answer", expected="`down` or `answer`, not both")
    answer = behaviour.DOWN if request.down else request.answer
    return None if answer is None else Behaviour(answer=int(answer), left=request.first)


def show_central() -> flask.Response:
    """GET central: the reports of an environment in the registry, with their indices."""
    body.only("application", "environment")
    core = current_core()
    application, environment = body.argument("application", "default"), body.argument("environment", "test")
    with core.store.read() as snapshot:
        environment_of(find(snapshot, application), environment)
        asked = behaviour.current(snapshot, (application, environment))
        found = [report for _, report in snapshot.scan(REPORT, (application, environment), CentralReport, limit=1000)]
    shown: dict[str, Any] = {"application": application, "environment": environment}
    return body.answer({**shown, "answer": asked.answer if asked else None, "reports": msgspec.to_builtins(found)})


def jobs() -> flask.Response:
    """GET jobs: what is still to be done; with `wait`, once everything that is due is done or so many seconds have passed."""
    body.only("wait")
    core = current_core()
    idle = core.jobs.idle(body.number("wait", 0.0, 0.0, 600.0))
    with core.store.read() as snapshot:
        waiting = core.jobs.all(snapshot)
    return body.answer({"idle": idle, "waiting": len(waiting), "jobs": waiting[:_MOST_JOBS]})
