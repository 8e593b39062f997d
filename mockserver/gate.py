"""The gate: whose a request is, whether its address may, how big it is; and that it is recorded before it is answered.

It stands around the wires as WSGI middleware. The path decides whose traffic it is: `/a/{application}/{environment}/…`, or
`/{environment}/…` for the application `default`; the RFC 8414 form stands at the host's root before the issuer's path.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, NamedTuple

import flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from acrmock.record import Channel, Operation
from mockserver import _striking
from mockserver._addresses import Addresses
from mockserver._exchange import (
    BODY_KEY,
    ROUTE_KEY,
    TLS_KEY,
    VIA_KEY,
    Environ,
    Reply,
    facts_of,
    raw,
    raw_headers,
    read_body,
    reason_of,
    refusal_of,
    status_line,
    target_of,
)
from mockserver._sought import Sought
from mockserver.app import ADMIT_KEY, ERROR_KEY, PROBLEM_KEY, Apps, refusal_status, wire_answer
from mockserver.context import CALL_KEY, CORE_KEY, Call, EngineCore, Notes, Plain
from mockserver.journal import Exchange, Whose
from mockserver.lane import LATER_KEY, MustWait
from mockserver.onboarding.model import Application
from mockserver.problem import Problem
from mockserver.proxies import BELIEVED, client_of
from mockserver.store import StoreError, StoreFull, Unit

StartResponse = Callable[..., Any]

FULL_KEY = "acrmock.full"
"""That the journal had no room for this exchange."""

WELL_KNOWN = "/.well-known/"
_LOOKS = frozenset({"/", "/favicon.ico"})
_LOOKING = frozenset({"GET", "HEAD"})
_LEAN_METHODS = frozenset({"GET", "POST"})
_LONGEST_ROUTE = 200
_MOST_ROUTES = 1024
_UNMATCHED_BODY = 64 * 1024
_log = logging.getLogger("mockserver")


class Route(NamedTuple):
    """Where a request goes whose view has a lean form: whose it is, the path that is left, and what the path says."""

    whose: tuple[str, str]
    rest: str
    view: Any
    arguments: Mapping[str, Any]


class Gate:
    """The WSGI application of one engine."""

    def __init__(self, core: EngineCore, apps: Apps) -> None:
        self._core = core
        self._addresses = Addresses()
        self._second: tuple[datetime | None, str] = (None, "")
        self._routes: dict[tuple[str, str], Route] = {}
        self._environments = frozenset(core.facts.texts("gate.environments"))
        self._wires = apps.wires
        self._house = apps.house
        self._house_routes = self._house.url_map.bind("")
        self._wire_routes = self._wires.url_map.bind("")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        environ[CORE_KEY] = self._core
        path = environ.get("PATH_INFO", "")
        route: Route | None = environ.get(ROUTE_KEY)
        whose, rest = self._whose(path) if route is None else route[:2]
        if whose is None and self._is_house(path, environ):
            return self._house(environ, start_response)
        call = self._open(environ, whose) if whose is not None else None
        try:
            return self._answer(environ, start_response, call, rest)
        finally:
            if call is not None:
                call.give_turn()
                call.environ = {}  # which holds the call

    # the lane's questions (`mockserver.lane.Quick`)

    def route(self, method: str, target: str) -> Route | None:
        """Where a request for a view with a lean form goes; None for any other."""
        path = target.partition("?")[0]
        route = self._routes.get((method, path))
        if route is None:
            route = self._find(method, path)
            if route is not None and len(path) <= _LONGEST_ROUTE:
                if len(self._routes) >= _MOST_ROUTES:
                    self._routes.clear()
                self._routes[method, path] = route
        application = self._core.applications.get(route.whose[0]) if route is not None else None
        return route if route is not None and application is not None and route.whose[1] in application.environments else None

    def _find(self, method: str, path: str) -> Route | None:
        """Where a path leads if there is such an application, which may come and go."""
        whose, rest = self._whose(path)
        found = self._lean_view(method, rest) if whose is not None else None
        return Route(whose, rest, *found) if whose is not None and found is not None else None

    def _lean_view(self, method: str, rest: str) -> tuple[Any, Mapping[str, Any]] | None:
        """The view that answers a path of an application, and what the path says; None for one without a lean form."""
        if method not in _LEAN_METHODS or not rest.isascii():
            return None
        try:
            endpoint, arguments = self._wire_routes.match(rest, method)
        except HTTPException:
            return None
        view = self._wires.view_functions[endpoint]
        return (view, arguments) if getattr(view, "acrmock_lean", None) is not None else None

    def whose(self, route: object) -> Hashable:
        """The application and environment of a route."""
        return route.whose if isinstance(route, Route) else None

    def begin(self) -> None:
        """Several exchanges are about to be made."""
        self._core.store.expect(1, settled=True)

    def end(self) -> None:
        """Commit them."""
        self._core.store.expect(-1, settled=True)
        self._core.store.settle(at_once=True)

    def _settle(self, environ: Environ, unit: Unit) -> None:
        """Wait until the exchange's unit is synced, or leave it to the lane to wait."""
        later = environ.get(LATER_KEY)
        if later is None:
            self._core.store.flush(unit.ticket)
        else:
            later.append(lambda: self._settled(unit))

    def _settled(self, unit: Unit) -> bytes | None:
        try:
            self._core.store.flush(unit.ticket)
        except StoreError as lost:
            return raw(self._lost(lost))
        return None

    def _answer(self, environ: Environ, start_response: StartResponse, call: Call | None, rest: str) -> Iterable[bytes]:
        began = self._core.clock.monotonic()
        if call is None:
            reply = self._unmatched(environ)
        else:
            environ["PATH_INFO"] = rest
            environ[CALL_KEY] = call
            environ[ADMIT_KEY] = self._admit
            reply = self._run_lean(environ, call) or self._run(environ)
            reply = _striking.change(call.struck, reply)
        took = (self._core.clock.monotonic() - began) * 1000
        reply.headers.extend((("Date", self._date()), ("Server", "acrmock")))
        kept = self._keep(environ, call, reply._replace(milliseconds=took))
        self._core.metrics.count(call.notes.operation if call is not None else "unmatched", kept.status[:3])
        if call is not None and call.struck is not None and kept.body is reply.body:
            return _striking.send(call.struck, kept, environ, start_response, self._wait)
        start_response(kept.status, kept.headers)
        return [kept.body]

    # whose it is

    def _whose(self, path: str) -> tuple[tuple[str, str] | None, str]:
        """(application, environment) by the path, and what is left of the path; (None, path) where it names neither."""
        if path.startswith(WELL_KNOWN):
            name, slash, issuer = path[len(WELL_KNOWN) :].partition("/")
            nested = issuer.startswith(WELL_KNOWN[1:])
            found, rest = self._whose(slash + issuer) if slash and not nested else (None, "")
            return found, WELL_KNOWN + name + rest if found else path
        segments = path.split("/", 4)
        if len(segments) > 1 and segments[1] == "a":
            if len(segments) > 3 and segments[3] in self._environments:
                return (segments[2], segments[3]), "/" + "/".join(segments[4:])
            return None, path
        if len(segments) > 1 and segments[1] in self._environments:
            return ("default", segments[1]), "/" + "/".join(segments[2:])
        return None, path

    def _is_house(self, path: str, environ: Environ) -> bool:
        """Whether the path is the house's own; at the root only a bare look is: whatever else comes there is a lost client."""
        if path in _LOOKS:
            return environ.get("REQUEST_METHOD") in _LOOKING and not environ.get("QUERY_STRING")
        try:
            self._house_routes.match(path, environ.get("REQUEST_METHOD", ""))
        except NotFound:
            return False
        except (MethodNotAllowed, RequestRedirect):
            return True
        return True

    def _open(self, environ: Environ, whose: tuple[str, str]) -> Call | None:
        application = self._core.applications.get(whose[0])
        registration = application.environments.get(whose[1]) if application is not None else None
        if application is None or registration is None:
            return None
        peer, forwarded = self._peer(environ)
        return Call(
            engine=self._core,
            application=application,
            environment=whose[1],
            registration=registration,
            peer=peer,
            notes=Notes(forwarded=forwarded),
            base_url=self._core.base_url(*whose),
            wall=self._core.clock.now(),
            environ=environ,
        )

    def _peer(self, environ: Environ) -> tuple[str, str]:
        """Who sent the request, and what became of what proxies said of it (`HttpFacts.forwarded`)."""
        peer = self._addresses.normal(environ.get("REMOTE_ADDR", ""))
        forwarded, others = environ.get("HTTP_FORWARDED", ""), environ.get("HTTP_X_FORWARDED_FOR", "")
        if not forwarded and not others:
            return peer, BELIEVED if environ.get(VIA_KEY) else ""
        return client_of(peer, forwarded, others, self._core.trusted_proxies, self._addresses)

    # before the handler

    def _admit(self) -> flask.Response | None:
        """What `_let_in` does, where Flask found the route."""
        environ = flask.request.environ
        view = self._wires.view_functions.get(flask.request.endpoint or "")
        return self._let_in(environ, environ[CALL_KEY], view, flask.request.view_args or {})

    def _let_in(self, environ: Environ, call: Call, view: Any, arguments: Mapping[str, Any]) -> flask.Response | None:
        """Once the route is known: operation and channel, then the allowlist, then the body, then the faults asked for.

        What it gives, if anything, stands in place of the view's answer.
        """
        operation, channel = getattr(view, "acrmock_wire", (Operation.OTHER, Channel.EXEMPT))
        call.notes.operation, call.notes.channel = operation, channel
        if channel is Channel.BACK:
            if environ.get("REQUEST_METHOD") == "POST" and self._core.journal.full:
                environ[FULL_KEY] = True
                raise Problem("store-full")
            sources = call.registration.local_sources or self._core.local_sources
            call.notes.allowed = self._addresses.within(call.peer, sources)
            if not call.notes.allowed:
                hint = f"add the address to the local sources of {call.environment}, or send from one of them"
                raise Problem("address-not-allowed", hint=hint)
        read_body(environ, call.settings.integer("nrdr.limit.body_bytes"))
        call.body = environ[BODY_KEY]
        return self._strike(environ, call, str(arguments.get("registry", "")))

    def _strike(self, environ: Environ, call: Call, word: str) -> flask.Response | None:
        """Ask the rules; what stands in place of the service's own answer, or None. Raises the `Problem` of an error."""
        core, scope = self._core, (call.application.id, call.environment)
        rules = core.faults.rules(scope)
        if not rules and core.magic is None:
            return None
        registry = core.facts.registry(word) if rules and word else None
        slug = registry.slug if registry is not None else ""
        sought = Sought(environ, environ.get(BODY_KEY, b""))
        if LATER_KEY in environ:  # to ask is to count, so nothing is asked twice
            if rules or (core.magic is not None and core.magic.asked(call.notes.operation, sought) is not None):
                raise MustWait
            return None
        call.struck, call.counted = core.faults.choose(scope, call.notes.operation, slug, sought, core.magic)
        if call.struck is None:
            return None
        call.notes.fault = call.struck.facts
        return _striking.begin(call.struck, core.facts, self._wait)

    def _wait(self, seconds: float) -> None:
        self._core.faults.wait(self._core.clock, seconds)

    # the handler

    def _run_lean(self, environ: Environ, call: Call) -> Reply | None:
        """The answer of a view that has a lean form, without Flask's contexts; None where Flask must answer."""
        known: Route | None = environ.get(ROUTE_KEY)
        method, rest = environ.get("REQUEST_METHOD", ""), environ["PATH_INFO"]
        found = (known.view, known.arguments) if known is not None else self._lean_view(method, rest)
        if found is None:
            return None
        view, arguments = found
        lean = view.acrmock_lean
        edge: _striking.Edge | None = environ.get(_striking.EDGE_KEY)
        if edge is not None:
            edge.quick()
        try:
            instead = self._let_in(environ, call, view, arguments)
            call.take_turn()  # a lean view waits for nobody
            call.lean = True
            response: flask.Response | Plain = lean(call, **arguments) if instead is None else instead
        except Problem as problem:
            environ[PROBLEM_KEY] = problem
            return self._plain(problem)
        except MustWait:
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of a library in Rust is no `Exception`, and the client gets a clean answer
            _log.error("a handler failed", exc_info=error)
            environ[ERROR_KEY] = error
            failed = environ[PROBLEM_KEY] = Problem("internal")
            return self._plain(failed)
        if isinstance(response, Plain):
            return Reply(status_line(response.status), list(response.headers), response.body)
        return Reply(response.status, response.headers.to_wsgi_list(), response.get_data())

    def _run(self, environ: Environ) -> Reply:
        answer: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None, /) -> Callable[[bytes], object]:
            answer[:] = [status, headers]
            return answer.append

        try:
            parts = self._wires(environ, start)
            try:
                body = b"".join(parts)
            finally:
                close = getattr(parts, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # noqa: BLE001 - the same
            _log.error("the wires failed", exc_info=error)
            environ[ERROR_KEY] = error
            return self._plain(Problem("internal"))
        return Reply(answer[0], answer[1], body)

    def _unmatched(self, environ: Environ) -> Reply:
        hint = "the path begins with /a/{application}/{environment} or, for the application default, with /{environment}"
        problem = Problem("application-unknown", hint=hint)
        environ[PROBLEM_KEY] = problem
        try:
            read_body(environ, _UNMATCHED_BODY)
        except Exception:  # noqa: BLE001 - a body that cannot be read changes nothing here
            environ[BODY_KEY] = b""
        return self._plain(problem)

    def _plain(self, problem: Problem) -> Reply:
        made = wire_answer(self._core.facts, problem, status=refusal_status(self._core.facts, problem))
        headers = [("Content-Type", made.media_type), ("Content-Length", str(len(made.body))), *made.headers]
        return Reply(f"{made.status} {reason_of(made.status)}", headers, made.body)

    def _date(self) -> str:
        """Protocol time as RFC 9110 section 5.6.7 writes it; made once a second."""
        now = self._core.clock.now().replace(microsecond=0)
        if self._second[0] != now:
            self._second = (now, format_datetime(now, usegmt=True))
        return self._second[1]

    # after the handler

    def _keep(self, environ: Environ, call: Call | None, reply: Reply) -> Reply:
        """Append the entry in the unit of the state change, wait until both are synced, and give what may be answered."""
        error = environ.get(ERROR_KEY)
        try:
            if error is not None and call is not None:
                call.leave(error)
            if isinstance(error, StoreError):
                raise error
            if call is not None:
                unit = call.unit
                if environ.get(FULL_KEY):
                    self._core.journal.refuse(unit, call.application.id, call.application.run)
                    call.leave()
                    call.give_turn()
                    self._settle(environ, unit)
                    return reply
                self._core.faults.keep(unit, call.scope, call.counted)
                self._record(unit, environ, call, reply)
                call.leave()
                call.give_turn()
                self._settle(environ, unit)
            else:
                with self._core.store.write() as unit:
                    self._record(unit, environ, None, reply)
        except StoreError as lost:
            if call is not None:
                call.leave(lost)
            return self._lost(lost)
        except BaseException as fault:  # noqa: BLE001 - the same
            _log.exception("an exchange could not be recorded")
            if call is not None:
                call.leave(fault)
            return self._plain(Problem("internal"))
        return reply

    def _lost(self, lost: StoreError) -> Reply:
        full = isinstance(lost, StoreFull)
        self._core.metrics.no_room |= full
        return self._plain(Problem("store-full" if full else "unavailable"))

    def _record(self, unit: Unit, environ: Environ, call: Call | None, reply: Reply) -> None:
        core = self._core
        number, _, reason = reply.status.partition(" ")
        exchange = Exchange(
            method=environ.get("REQUEST_METHOD", ""),
            url=core.public_url + target_of(environ),
            headers=raw_headers(environ),
            body=environ.get(BODY_KEY, b""),
            status=int(number),
            reason=reason,
            answer_headers=reply.headers,
            answer_body=reply.body,
            version=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
            milliseconds=reply.milliseconds,
            references=call.references if call is not None and ERROR_KEY not in environ else {},
        )
        notes = call.notes if call is not None else Notes(forwarded=self._peer(environ)[1])
        whose = self._entry_owner(environ, call)
        seq = core.journal.http(
            unit, exchange, facts_of(notes), whose, tls=environ.get(TLS_KEY), refusal=notes.refused or refusal_of(core, environ)
        )
        fault = environ.get(ERROR_KEY)
        if fault is not None:
            core.journal.event(
                unit,
                "harness-fault",
                {"entry": seq, "error": type(fault).__name__},
                application=whose.application,
                environment=whose.environment,
                run=whose.run,
            )

    def _entry_owner(self, environ: Environ, call: Call | None) -> Whose:
        trace = environ.get("HTTP_TRACEPARENT")
        if call is None:
            now = self._core.clock.now()
            peer, _ = self._peer(environ)
            return Whose(
                application=None, environment=None, run=None, peer=peer, at=now, t=now, matched="unmatched", traceparent=trace
            )
        application: Application = call.application
        return Whose(
            application=application.id,
            environment=call.environment,
            run=application.run,
            peer=call.peer,
            at=call.business,
            t=call.wall,
            matched="path",
            traceparent=trace,
        )
