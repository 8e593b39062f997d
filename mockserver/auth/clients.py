"""Who the client is and how it proved it (RFC 6749 section 2.3, facts N1.19 and U8).

Own code in place of Authlib's `ClientAuthentication`: that one takes the first method that works, so it can neither refuse
two methods at once nor say which was used, and it lets bytes that are not UTF-8 inside Basic end in a server error.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from urllib.parse import unquote_plus

from acrmock.record import ClientFacts, FieldProblem, SecretKind
from mockserver.context import Call

BASIC = "basic"
BODY = "body"


@dataclass(frozen=True, slots=True)
class Client:
    """The application's client as Authlib asks about it; grant types and methods are the same for all."""

    client_id: str

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use `grant_type`; what the server offers, every client may use."""
        return bool(grant_type)


@dataclass(frozen=True, slots=True)
class Presented:
    """The credentials found in a request; `broken` says what was wrong with the Authorization header, if anything."""

    client_id: str = ""
    secret: str | None = None
    methods: tuple[str, ...] = ()
    broken: str = ""
    disagree: bool = False


def read_credentials(authorization: str | None, form: dict[str, str]) -> Presented:
    """The credentials in the Authorization header and in the form body, whichever are there (RFC 6749 section 2.3.1)."""
    body_id, body_secret = form.get("client_id", ""), form.get("client_secret")
    methods = (BODY,) if body_secret else ()
    if authorization is None:
        return Presented(body_id, body_secret, methods)
    pair, broken = _decode_basic(authorization)
    if pair is None:
        return Presented(body_id, body_secret, methods, broken=broken)
    disagree = bool(body_id) and body_id != pair[0]
    return Presented(pair[0], pair[1], (BASIC, *methods), disagree=disagree)


def _decode_basic(header: str) -> tuple[tuple[str, str] | None, str]:
    """Client ID and secret of a Basic header, form-decoded as RFC 6749 section 2.3.1 wants, or None and what is wrong."""
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None, "the scheme is not Basic"
    try:
        text = base64.b64decode(token.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None, "what follows Basic is not Base64 of UTF-8 text"
    name, colon, secret = text.partition(":")
    if not colon or not name:
        return None, "there is no client ID and colon inside"
    return (unquote_plus(name), unquote_plus(secret)), ""


def whose(call: Call, client_id: str) -> str:
    """Whose the client ID is: `own`, `other-environment`, `other-application`, `unknown`, or empty when none was given."""
    if not client_id:
        return ""
    if client_id == call.registration.client_id:
        return "own"
    if any(client_id == other.client_id for other in call.application.environments.values()):
        return "other-environment"
    for application in call.engine.applications.all():
        if any(client_id == other.client_id for other in application.environments.values()):
            return "other-application"
    return "unknown"


def secret_matches(call: Call, secret: str | None) -> bool:
    """Whether `secret` is the client secret issued to this environment; compared in constant time, as keyed digests."""
    if not secret:
        return False
    mark = call.engine.digester.mark(secret)
    matches = hmac.compare_digest(mark, call.registration.client_secret_digest)
    if matches:
        call.refer(SecretKind.CLIENT_SECRET, secret, mark)
    return matches


def client_facts(call: Call, presented: Presented) -> ClientFacts:
    """The facts for the journal; `authenticated` when the issued ID and secret came by exactly one method."""
    owner = whose(call, presented.client_id)
    sound = owner == "own" and not presented.broken and not presented.disagree and len(presented.methods) == 1
    return ClientFacts(
        presented=bool(presented.client_id),
        whose=owner,
        methods=presented.methods,
        authenticated=sound and secret_matches(call, presented.secret),
    )


def client_problem(presented: Presented, facts: ClientFacts) -> FieldProblem:
    """What was wrong with the client's credentials, for the journal; holds no credential."""
    if presented.broken:
        return FieldProblem(pointer="/request/headers/Authorization", element="Authorization", reason=presented.broken)
    if not facts.presented:
        return FieldProblem(pointer="/request/postData", element="client_id", expected="the issued client ID", reason="missing")
    if facts.whose != "own":
        return FieldProblem(
            pointer="/request/postData",
            element="client_id",
            expected="the issued client ID",
            actual=facts.whose,
            reason="not issued here",
        )
    if not facts.methods:
        return FieldProblem(
            pointer="/request/postData", element="client_secret", expected="the issued client secret", reason="missing"
        )
    return FieldProblem(
        pointer="/request/postData", element="client_secret", expected="the issued client secret", reason="another value"
    )
