"""The endpoints as Flask views: each resolves the call, refuses a segment that is not in force, and hands over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import flask
import msgspec

from acrmock.record import Channel, FieldProblem, Operation
from mockserver.auth.authorize import answer_authorize, answer_sign_in
from mockserver.auth.discovery import answer_keys, answer_metadata
from mockserver.auth.mint import SigningKeys
from mockserver.auth.server import TokenServer, answer_token_request
from mockserver.auth.settings import paths_for, paths_of
from mockserver.auth.tokens import authenticate_bearer
from mockserver.context import Call, current_call, wire
from mockserver.problem import Problem

if TYPE_CHECKING:
    from acrmock.facts import Facts

Answer = Callable[[Call], flask.Response]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One endpoint that stands under a segment: its name among the paths, what it is for, and who answers."""

    name: str
    methods: tuple[str, ...]
    operation: Operation
    channel: Channel
    answer: Answer


SEGMENTS = ("auth.version_segment", "auth.moved_segment")


def blueprint(facts: Facts) -> flask.Blueprint:
    """The service's endpoints, at the paths of the layers, for the segment in force and the one they can move to."""
    found = flask.Blueprint("auth", __name__)
    signing = SigningKeys()
    server = TokenServer(signing)
    base = facts.text("auth.base_path")
    discovery = wire(Operation.DISCOVERY, Channel.FRONT)
    for name, path in (
        ("discovery", base + facts.text("auth.discovery_path")),
        ("metadata", facts.text("auth.metadata_path") + base),
    ):
        found.add_url_rule(path, name, discovery(_view(answer_metadata)), methods=["GET"])
    endpoints = (
        _Endpoint("authorize", ("GET", "POST"), Operation.AUTHORIZE, Channel.FRONT, answer_authorize),
        _Endpoint("sign_in", ("POST",), Operation.SIGN_IN, Channel.FRONT, answer_sign_in),
        _Endpoint("token", ("POST",), Operation.TOKEN, Channel.BACK, partial(answer_token_request, server)),
        _Endpoint("keys", ("GET",), Operation.KEYS, Channel.FRONT, lambda call: answer_keys(call, signing)),
        _Endpoint("userinfo", ("GET", "POST"), Operation.USERINFO, Channel.BACK, answer_userinfo),
    )
    for segment in dict.fromkeys(facts.text(key) for key in SEGMENTS):
        paths = paths_for(facts.text, segment)
        for endpoint in endpoints:
            path = getattr(paths, endpoint.name)
            answer = _in_force(endpoint.name, path, endpoint.answer)
            lean = answer if endpoint.name == "token" else None
            marked = wire(endpoint.operation, endpoint.channel, lean=lean)(_view(answer))
            found.add_url_rule(path, f"{endpoint.name}-{segment}", marked, methods=list(endpoint.methods))
    return found


def answer_userinfo(call: Call) -> flask.Response:
    """The claims about the user of the access token (OpenID Connect Core 5.3; `name` and `email_verified`: fact N1.22)."""
    grant = authenticate_bearer(call, call.settings.texts("auth.scopes.required")[0])
    user = grant.user
    claims: dict[str, object] = {"sub": user.sub, "name": user.name, "preferred_username": user.username}
    if "email" in grant.scopes:
        claims |= {"email": f"{user.sub}@acrmock.invalid", "email_verified": False}
    answer = flask.Response(msgspec.json.encode(claims), 200, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _in_force(name: str, path: str, answer: Answer) -> Answer:
    """`answer` while `path` is where the endpoint stands, else 404."""

    def guarded(call: Call) -> flask.Response:
        current = getattr(paths_of(call), name)
        if path == current:
            call.notes.moved = call.registration.endpoints_moved
            return answer(call)
        raise Problem(
            "endpoint-moved-away" if call.registration.endpoints_moved else "path-unknown",
            fields=(FieldProblem(pointer="/request/url", expected=current, actual=path, reason="the endpoint is not here"),),
            hint="Take every endpoint from the discovery document, and read it again before a sign-in.",
        )

    return guarded


def _view(answer: Answer) -> Callable[[], flask.Response]:
    def view() -> flask.Response:
        return answer(current_call())

    return view
