"""The endpoints as Flask views: each resolves the call, refuses a segment that is not in force, and hands over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import flask
import msgspec

from acrmock.record import Channel, FieldProblem, Operation
from mockserver import guides
from mockserver.auth.authorize import answer_authorize
from mockserver.auth.discovery import answer_keys, answer_metadata
from mockserver.auth.logout import answer_logout
from mockserver.auth.management import Introspection, Revocation
from mockserver.auth.server import TokenServer, answer_endpoint, answer_token_request
from mockserver.auth.settings import Paths, paths_for, paths_of
from mockserver.auth.signin import answer_sign_in
from mockserver.auth.signing import SigningKeys
from mockserver.auth.tokens import authenticate_bearer
from mockserver.context import Call, Plain, Settings, current_call, wire
from mockserver.problem import Problem

if TYPE_CHECKING:
    from acrmock.facts import Facts

Answer = Callable[[Call], flask.Response | Plain]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One endpoint that stands under a segment: its name among the paths, what it is for, and who answers."""

    name: str
    methods: tuple[str, ...]
    operation: Operation
    channel: Channel
    answer: Answer


FIXED = frozenset({"discovery", "metadata"})
SEGMENTS = ("auth.version_segment", "auth.moved_segment")


def blueprint(facts: Facts) -> flask.Blueprint:
    """The service's endpoints, at the paths of the layers, for the segment in force and the one they can move to."""
    found = flask.Blueprint("auth", __name__)
    signing = SigningKeys()
    server = TokenServer(signing)
    introspection = partial(answer_endpoint, server, Introspection.ENDPOINT_NAME)
    revocation = partial(answer_endpoint, server, Revocation.ENDPOINT_NAME)
    endpoints = (
        _Endpoint("discovery", ("GET",), Operation.DISCOVERY, Channel.FRONT, answer_metadata),
        _Endpoint("metadata", ("GET",), Operation.DISCOVERY, Channel.FRONT, answer_metadata),
        _Endpoint("authorize", ("GET", "POST"), Operation.AUTHORIZE, Channel.FRONT, answer_authorize),
        _Endpoint("sign_in", ("POST",), Operation.SIGN_IN, Channel.FRONT, answer_sign_in),
        _Endpoint("logout", ("GET", "POST"), Operation.LOGOUT, Channel.FRONT, partial(answer_logout, signing)),
        _Endpoint("token", ("POST",), Operation.TOKEN, Channel.BACK, partial(answer_token_request, server)),
        _Endpoint("keys", ("GET",), Operation.KEYS, Channel.FRONT, lambda call: answer_keys(call, signing)),
        _Endpoint("userinfo", ("GET", "POST"), Operation.USERINFO, Channel.BACK, answer_userinfo),
        _Endpoint("introspect", ("POST",), Operation.INTROSPECT, Channel.BACK, introspection),
        _Endpoint("revoke", ("POST",), Operation.REVOKE, Channel.BACK, revocation),
    )
    seen: set[tuple[str, str]] = set()
    for paths in _all_paths(facts):
        for endpoint in endpoints:
            path = getattr(paths, endpoint.name)
            if (endpoint.name, path) in seen:
                continue
            seen.add((endpoint.name, path))
            answer = _in_force(endpoint.name, path, endpoint.answer)
            lean = answer if endpoint.name == "token" else None
            marked = wire(endpoint.operation, endpoint.channel, lean=lean)(_view(answer))
            found.add_url_rule(path, f"{endpoint.name}-{len(seen)}", marked, methods=list(endpoint.methods))
    return found


def _all_paths(facts: Facts) -> Iterator[Paths]:
    """Where the endpoints can stand: by each guide's settings, in the segment in force and the one they can move to."""
    for guide in guides.names(facts):
        text = Settings(facts, guides.overrides(facts, guide)).text
        for key in SEGMENTS:
            yield paths_for(text, text(key))


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

    def guarded(call: Call) -> flask.Response | Plain:
        current = getattr(paths_of(call), name)
        if path == current:
            # discovery stands where it always did: only what it names can move
            call.notes.moved = call.registration.endpoints_moved and name not in FIXED
            return answer(call)
        raise Problem(
            "endpoint-moved-away" if call.registration.endpoints_moved else "path-unknown",
            fields=(FieldProblem(pointer="/request/url", expected=current, actual=path, reason="the endpoint is not here"),),
            hint="Take every endpoint from the discovery document, and read it again before a sign-in.",
        )

    return guarded


def _view(answer: Answer) -> Callable[[], flask.Response | Plain]:
    def view() -> flask.Response | Plain:
        return answer(current_call())

    return view
