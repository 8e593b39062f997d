"""The journal through the control API: read it as a recording, wait for an entry, report what the robot user saw."""

from __future__ import annotations

from itertools import chain

import flask

from acrmock.record import Channel, HttpFacts, Operation
from mockserver.context import EngineCore, current_core
from mockserver.control import body, runs
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import Code, invalid, refuse, unknown
from mockserver.control.requests import Observation
from mockserver.onboarding.model import APPLICATION, Application
from mockserver.store import GLOBAL

NDJSON = "application/x-ndjson"
LONGEST_WAIT = 600.0
MOST_SEQ = 2**53


def export() -> flask.Response:
    """GET journal: header, entries and footer, one a line, as far as they are committed."""
    core = current_core()
    body.only("application", "run", "after")
    application, run = _whose(core)
    lines = core.journal.export(application=application, run=run, after=body.whole("after", 0, 0, MOST_SEQ))
    first = next(lines, b"")
    response = flask.Response(chain((first,), lines), mimetype=NDJSON)
    response.headers["Cache-Control"] = "no-store"
    return response


def wait() -> flask.Response:
    """GET journal/await: the last matching entry's number and how many matched, when enough did or the time is up."""
    core = current_core()
    body.only("application", "run", "operation", "name", "after", "count", "timeout")
    application, run = _whose(core)
    labels = [label for name in ("operation", "name") for label in body.argument(name).split(",") if label]
    count = body.whole("count", 1, 1, 1_000_000)
    came = core.journal.await_entries(
        application=application,
        run=run,
        labels=labels,
        after=body.whole("after", 0, 0, MOST_SEQ),
        count=count,
        timeout=body.number("timeout", 30, 0, LONGEST_WAIT),
    )
    if came.matched < count:
        problem = refuse(Code.AWAIT_TIMEOUT, f"{came.matched} of {count} came")
        problem.body = {**(problem.body or {}), "seq": came.seq, "matched": came.matched}
        raise problem
    return body.answer(came)


def _whose(core: EngineCore) -> tuple[str | None, str | None]:
    """The application and run asked for, each known; raises 404."""
    application, run = body.argument("application") or None, body.argument("run") or None
    with core.store.read() as snapshot:
        if application is not None and snapshot.get(APPLICATION, GLOBAL, application, Application) is None:
            raise unknown(Code.APPLICATION_UNKNOWN, application)
        if run is not None and snapshot.get(runs.RUN, GLOBAL, run, runs.Run) is None:
            raise unknown(Code.RUN_UNKNOWN, run)
    return application, run


def observe() -> flask.Response:
    """POST observations: an exchange that the robot user had with the vendor's redirect URL, redacted before it is stored."""
    core, request = current_core(), body.read(Observation)
    with core.store.write() as unit:
        found = find(unit, request.application)
        environment_of(found, request.environment)
        if request.run is not None and request.run != found.run:
            raise invalid(
                "run", f"application {found.id!r} is not in that run", expected=found.run or "no run", actual=request.run
            )
        facts = HttpFacts(operation=Operation.BROWSER, channel=Channel.FRONT)
        seq = core.journal.exchange(
            unit,
            request.request,
            request.response,
            facts,
            application=found.id,
            environment=request.environment,
            run=found.run,
            peer=flask.request.remote_addr,
        )
    return body.answer({"seq": seq}, 201)
