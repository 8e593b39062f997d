"""Tokens in use: whose they are, whether they live, and authenticating a bearer (RFC 6750).

A bearer is looked up by its keyed digest, which proves that it was issued here; no signature is computed for that.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from acrmock.record import BearerFacts, FieldProblem, SecretKind
from mockserver.auth.forms import FORM, first_value
from mockserver.auth.model import FAMILY, TOKEN, Family, IssuedToken
from mockserver.context import Call
from mockserver.journal import SECRET, IssuedSecret
from mockserver.onboarding.model import User
from mockserver.problem import Problem
from mockserver.store import GLOBAL, Reader

GRACE = "rotate-with-grace"
ROTATE_MODES = frozenset({"rotate", GRACE})
KINDS = {SecretKind.ACCESS_TOKEN: "access", SecretKind.ID_TOKEN: "id", SecretKind.REFRESH_TOKEN: "refresh"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a valid access token allows: the user it acts for, its scopes and its client."""

    user: User
    scopes: tuple[str, ...]
    client_id: str
    family: str = ""


def revoke_family(call: Call, family_id: str) -> None:
    """Revoke every token of a family; nothing happens where there is none yet."""
    family = call.unit.get(FAMILY, call.scope, family_id, Family)
    if family is not None and not family.revoked:
        call.unit.put(FAMILY, call.scope, family_id, msgspec.structs.replace(family, revoked=True))


def user_named(call: Call, username: str) -> User:
    """The user of that name; raises `LookupError` when the environment no longer has it."""
    for user in call.registration.users:
        if user.username == username:
            return user
    raise LookupError(username)


def token_state(reader: Reader, call: Call, token: IssuedToken) -> str:
    """`active`, `expired` or `revoked`, at the call's protocol time."""
    return _state(call, token, reader.get(FAMILY, call.scope, token.family, Family))


def _state(call: Call, token: IssuedToken, family: Family | None) -> str:
    if family is None or family.revoked or token.revoked:
        return "revoked"
    return "expired" if token.expires_at <= call.wall.timestamp() else "active"


def authenticate_bearer(call: Call, required_scope: str) -> Grant:
    """The grant behind the request's bearer token; notes `BearerFacts`.

    Raises `Problem` 401 when there is no valid access token and 403 when it lacks `required_scope` (RFC 6750 section 3.1,
    fact U9). A token in the query or in a form is accepted (RFC 6750 sections 2.2, 2.3) and left to the judge. Reads
    committed state only, so the call's unit stays closed.
    """
    place, value = _presented(call)
    if not value:
        call.notes.bearer = BearerFacts(place=place)
        raise _refuse("bearer-missing", "", "A bearer access token is required.", "missing", place)
    with call.engine.store.read() as reader:
        facts, token, family = _examine(call, reader, place, value, required_scope)
    call.notes.bearer = facts
    if token is None or family is None or facts.kind != "access" or facts.state != "active":
        raise _refuse("bearer-invalid-token", "invalid_token", "The access token is not valid.", _why(facts), place)
    if not facts.scope_sufficient:
        raise _refuse("bearer-insufficient-scope", "insufficient_scope", "The access token lacks a scope.",
                      f"the scope {required_scope} is missing", place, scope=required_scope)  # fmt: skip
    try:
        user = user_named(call, family.username)
    except LookupError:
        raise _refuse(
            "bearer-invalid-token", "invalid_token", "The access token is not valid.", "its user is gone", place
        ) from None
    return Grant(user=user, scopes=token.scopes, client_id=family.client_id, family=family.id)


def _presented(call: Call) -> tuple[str, str]:
    """Where a bearer token was found and its value; the header goes first (RFC 6750 section 2)."""
    header = str(call.environ.get("HTTP_AUTHORIZATION", ""))
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return "header", value.strip()
    request = call.request
    if request.args.get("access_token"):
        return "query", request.args["access_token"]
    if request.mimetype == FORM:
        value = first_value(call.body, "access_token")
        if value:
            return "body", value
    return "", ""


def _examine(
    call: Call, reader: Reader, place: str, value: str, required_scope: str
) -> tuple[BearerFacts, IssuedToken | None, Family | None]:
    mark = call.engine.digester.mark(value)
    issued = reader.get(SECRET, GLOBAL, mark, IssuedSecret)
    kind = KINDS.get(issued.kind, "foreign") if issued is not None else "foreign"
    if issued is not None:
        call.refer(issued.kind, value, mark)
    elsewhere = issued is not None and (issued.application, issued.environment) != call.scope
    other_environment = elsewhere and issued is not None and issued.application == call.application.id
    token = None if elsewhere or kind != "access" else reader.get(TOKEN, call.scope, mark, IssuedToken)
    if token is None:
        return BearerFacts(place=place, kind=kind, state="unknown", other_environment=other_environment), None, None
    family = reader.get(FAMILY, call.scope, token.family, Family)
    sufficient = not required_scope or required_scope in token.scopes
    facts = BearerFacts(place=place, kind=kind, state=_state(call, token, family), scope_sufficient=sufficient)
    return facts, token, family


def _why(facts: BearerFacts) -> str:
    if facts.other_environment:
        return "it was issued by the other environment"
    if facts.kind != "access":
        return {"id": "it is an ID token", "refresh": "it is a refresh token"}.get(facts.kind, "it was not issued here")
    return {"expired": "it has expired", "revoked": "it was revoked"}.get(facts.state, "it was not issued here")


def _refuse(code: str, error: str, detail: str, reason: str, place: str, *, scope: str = "") -> Problem:
    challenge = 'Bearer realm="acrmock"'
    if error:
        challenge += f', error="{error}"'
    if scope:
        challenge += f', scope="{scope}"'
    pointer = {"query": "/request/queryString", "body": "/request/postData"}.get(place, "/request/headers/Authorization")
    return Problem(
        code,
        detail,
        fields=(
            FieldProblem(pointer=pointer, element="Authorization", expected="Bearer and a live access token", reason=reason),
        ),
        hint="Send the access token as Authorization: Bearer; when a 401 comes, get a new one with the refresh token.",
        headers=(("WWW-Authenticate", challenge),),
    )
