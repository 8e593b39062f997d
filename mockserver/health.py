"""`/healthz` and `/metrics`: whether the engine can keep what it is told, and how much it did; no token, no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask
import msgspec

from acrmock.clock import rfc3339
from acrmock.redaction import BODY_LIMIT
from mockserver.context import EngineCore, current_core
from mockserver.retention import Dropped, dropped
from mockserver.store import GLOBAL, StoreError

if TYPE_CHECKING:
    from acrmock.facts import Facts

HEALTH = "health"
FRESH_SECONDS = 2.0
"""For so long the answer to whether the store can be written holds, so that probing costs nothing."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """That the store could be written, and when (protocol time); `ballast` only fills room, to see whether there is some."""

    at: str
    ballast: str = ""


def _fault(core: EngineCore) -> str:
    """Why the store cannot be written, or an empty string; it is written to at most once in a while."""
    probed = core.probed
    with probed.lock:
        now = core.clock.monotonic()
        if probed.last is None or now - probed.last[0] > FRESH_SECONDS:
            probed.last = (now, _write(core))
        return probed.last[1]


def _write(core: EngineCore) -> str:
    """Why nothing can be kept, or an empty string.

    After something was refused for want of room, as much as a large body is written (and freed) until that succeeds: the few
    bytes of a probe find room where a post finds none.
    """
    if core.journal.full:
        return "the journal is full: posts are refused with 507"
    at = rfc3339(core.clock.now())
    try:
        if core.metrics.no_room:
            with core.store.write() as unit:
                unit.put(HEALTH, GLOBAL, HEALTH, Health(at=at, ballast="0" * BODY_LIMIT))
        with core.store.write() as unit:
            unit.put(HEALTH, GLOBAL, HEALTH, Health(at=at))
    except StoreError as error:
        return error.what
    core.metrics.no_room = False
    return ""


def blueprint(facts: Facts) -> flask.Blueprint:  # noqa: ARG001 - every part is made from the facts
    """Health and metrics as a Flask blueprint; the engine's core is found in the request's environment."""
    health = flask.Blueprint("health", __name__)

    def healthz() -> flask.Response:
        core = current_core()
        fault = _fault(core)
        state = {
            "status": "failed" if fault else "ok",
            "store": fault or "ok",
            "version": core.version,
            "clock": rfc3339(core.clock.now()),
            "facts_digest": core.facts.digest,
        }
        return _json(state, 503 if fault else 200)

    def metrics() -> flask.Response:
        core = current_core()
        return flask.Response(exposition(core), content_type="text/plain; version=0.0.4; charset=utf-8")

    health.add_url_rule("/healthz", view_func=healthz, methods=["GET"])
    health.add_url_rule("/metrics", view_func=metrics, methods=["GET"])
    return health


def exposition(core: EngineCore) -> str:
    """The metrics in Prometheus's text format 0.0.4."""
    with core.store.read() as snapshot:
        entries, lost = snapshot.last_seq(), dropped(snapshot)
    lines = ["# HELP acrmock_requests_total Requests answered on the wires.", "# TYPE acrmock_requests_total counter"]
    for (operation, status), count in sorted(core.metrics.requests().items()):
        lines.append(f'acrmock_requests_total{{operation="{operation}",status="{status}"}} {count}')
    lines += ["# HELP acrmock_dimse_total DIMSE operations answered.", "# TYPE acrmock_dimse_total counter"]
    for (service, code), count in sorted(core.metrics.operations().items()):
        lines.append(f'acrmock_dimse_total{{service="{service}",status="{code:04X}"}} {count}')
    for name, kind, text, value in _gauges(core, entries, lost):
        lines += [f"# HELP acrmock_{name} {text}", f"# TYPE acrmock_{name} {kind}", f"acrmock_{name} {value:g}"]
    lines += [
        "# HELP acrmock_info The version that answers.",
        "# TYPE acrmock_info gauge",
        f'acrmock_info{{version="{core.version}"}} 1',
    ]
    return "\n".join(lines) + "\n"


def _gauges(core: EngineCore, entries: int, lost: Dropped) -> list[tuple[str, str, str, float]]:
    store: Any = core.store
    found = [
        ("journal_entries_total", "counter", "Entries appended to the journal.", float(entries)),
        ("journal_dropped_total", "counter", "Entries dropped to keep the journal within its bound.", float(lost.entries)),
        ("journal_dropped_runs_total", "counter", "Whole runs dropped for the same reason.", float(lost.runs)),
        ("journal_held_entries", "gauge", "Entries that the journal holds.", float(store.held[0])),
        ("journal_held_bytes", "gauge", "Bytes of the entries that the journal holds.", float(store.held[1])),
        ("uptime_seconds", "gauge", "Seconds since the engine was made.", core.clock.monotonic() - core.metrics.began),
        ("associations", "gauge", "DICOM associations that are open.", float(core.metrics.associations)),
        ("applications", "gauge", "Registered applications.", float(len(core.applications.all()))),
    ]
    counters = getattr(store, "counters", None)
    if callable(counters):
        found += [
            (f"store_{name}_total", "counter", f"Store: {name}.", float(value)) for name, value in sorted(counters().items())
        ]
    return found


def _json(value: dict[str, Any], status: int) -> flask.Response:
    response = flask.Response(msgspec.json.encode(value), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def openapi(facts: Facts) -> dict[str, Any]:  # noqa: ARG001 - every part is made from the facts
    """Paths of this part for the OpenAPI document."""
    state = {"type": "object", "required": ["status", "store", "version", "clock"], "properties": {}}
    state["properties"] = {name: {"type": "string"} for name in ("status", "store", "version", "clock", "facts_digest")}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/HealthState"}}}
    return {
        "paths": {
            "/healthz": {
                "get": {
                    "operationId": "healthz",
                    "summary": "Whether the engine can keep what it is told",
                    "tags": ["health"],
                    "security": [],
                    "responses": {
                        "200": {"description": "It can", "content": content},
                        "503": {"description": "The store failed", "content": content},
                    },
                }
            },
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "Counters in Prometheus's text format",
                    "tags": ["health"],
                    "security": [],
                    "responses": {
                        "200": {"description": "The counters", "content": {"text/plain": {"schema": {"type": "string"}}}}
                    },
                }
            },
        },
        "components": {"schemas": {"HealthState": state}},
    }
