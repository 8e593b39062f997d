"""The two Flask applications of one engine: the wires of the simulated ACR, and the house (control, health, pages)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from mockserver.problem import PROBLEM_JSON, Answer, Problem, answer

if TYPE_CHECKING:
    from acrmock.facts import Facts

PROBLEM_KEY = "acrmock.problem"
ERROR_KEY = "acrmock.error"
ADMIT_KEY = "acrmock.admit"
"""Where the gate leaves what decides, once the route is known, whether a request to the wires may come in."""

_log = logging.getLogger("mockserver")


class _Rule(Rule):
    """A rule that compiles how to build its URL when somebody wants to: nobody does, and it is most of what an app costs."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - werkzeug's own
        def build(rule: _Rule, *args: Any, **named: Any) -> tuple[str, str]:
            built: tuple[str, str] = Rule._compile_builder(rule, append_unknown)(rule, *args, **named)  # noqa: SLF001
            return built

        return build


class _App(flask.Flask):
    """Flask with rules that are quickly made."""

    url_rule_class = _Rule


def make_app(
    name: str, facts: Facts, blueprints: Iterable[flask.Blueprint], *, before: Callable[[], flask.Response | None] | None = None
) -> flask.Flask:
    """A Flask application that answers every error as a terse problem document and shows no traceback.

    The problem and the exception are left in the WSGI environment for the gate. `before` runs once the route is known;
    the answer that it gives, if any, stands in place of the handler's.
    """
    app = _App(name, static_folder=None, template_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    if before is not None:
        app.before_request(before)
    app.register_error_handler(Problem, lambda problem: _refuse(facts, problem))
    app.register_error_handler(HTTPException, lambda error: _refuse_http(facts, error))
    app.register_error_handler(Exception, lambda error: _fail(facts, error))
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app


@dataclass(frozen=True, slots=True)
class Apps:
    """The two applications of an engine. They know facts and no engine: which one it is stands in each request's environment."""

    wires: flask.Flask
    house: flask.Flask


def make_apps(facts: Facts, wires: Iterable[flask.Blueprint], house: Iterable[flask.Blueprint]) -> Apps:
    """The applications of these parts; every request to the wires is admitted by the gate that it came through."""
    return Apps(make_app("mockserver.wires", facts, wires, before=_admitted), make_app("mockserver.house", facts, house))


def _admitted() -> flask.Response | None:
    admit: Callable[[], flask.Response | None] = flask.request.environ[ADMIT_KEY]
    return admit()


def wire_answer(facts: Facts, problem: Problem, *, status: int | None = None) -> Answer:
    """The wire form of a problem, as the catalogue of these facts has it."""
    return answer(problem, facts.errors.get(problem.code), status=status)


def refusal_status(facts: Facts, problem: Problem) -> int | None:
    """The status that the layers give to a refusal in place of the catalogue's, if they do."""
    return facts.integer("gate.refusal_status") if problem.code == "address-not-allowed" else None


def _refuse(facts: Facts, problem: Problem) -> Response:
    flask.request.environ[PROBLEM_KEY] = problem
    made = wire_answer(facts, problem, status=refusal_status(facts, problem))
    response = Response(made.body, status=made.status, content_type=made.media_type)
    for name, value in made.headers:
        response.headers[name] = value
    return response


def _refuse_http(facts: Facts, error: HTTPException) -> Response:
    if error.response is not None and isinstance(error.response, Response) and error.code is not None and error.code < 400:
        return error.response
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(error, MethodNotAllowed):
        code = "method-not-allowed"
        headers = (("Allow", ", ".join(sorted(error.valid_methods or ()))),)
    elif isinstance(error, NotFound):
        code = "path-unknown"
    elif isinstance(error, RequestEntityTooLarge):
        code = "body-too-large"
    else:
        code = "request-malformed" if (error.code or 500) < 500 else "internal"
    problem = Problem(code, headers=headers)
    response = _refuse(facts, problem)
    if code == "request-malformed" and error.code is not None:
        response.status_code = error.code
        response.set_data(b"")
        response.set_data(_with_status(error.code, error.name))
        response.content_type = PROBLEM_JSON
    return response


def _with_status(status: int, title: str) -> bytes:
    return answer(Problem("request-malformed", body={"title": title, "status": status}), None).body


def _fail(facts: Facts, error: Exception) -> Response:
    _log.error("a handler failed", exc_info=error)
    flask.request.environ[ERROR_KEY] = error
    return _refuse(facts, Problem("internal"))
