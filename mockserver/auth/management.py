"""Looking into a token and giving it up: introspection (RFC 7662) and revocation (RFC 7009) on Authlib's endpoints.

Authlib authenticates the client and keeps the order of things; here stands where tokens are found. A hint about the type is
not needed, because tokens are found by their digest, and an unknown hint is ignored (RFC 7009 section 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, UnsupportedTokenTypeError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from acrmock.record import BearerFacts, SecretKind
from mockserver.auth.clients import Client
from mockserver.auth.grants import TokenRequest, refresh_state
from mockserver.auth.model import FAMILY, TOKEN, Family, IssuedToken
from mockserver.auth.settings import issuer_of
from mockserver.auth.tokens import KINDS, revoke_family, token_state, user_named
from mockserver.context import Call
from mockserver.journal import SECRET, IssuedSecret
from mockserver.store import GLOBAL, Reader

FORM_FIELD = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A token of this environment with its family and its state, as Authlib asks about it."""

    call: Call
    mark: str
    token: IssuedToken
    family: Family
    state: str

    def check_client(self, client: Client) -> bool:
        """Whether the token is this client's; each application keeps its own tokens, so it always is."""
        return client is not None

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.state == "expired"

    def is_revoked(self) -> bool:
        """Whether it is worth nothing for another reason: revoked, or rotated away."""
        return self.state in {"revoked", "reused"}


def find(call: Call, value: str) -> tuple[Found | None, BearerFacts]:
    """The token `value` as far as it belongs to this environment, and the facts about it, whosever it is."""
    mark = call.engine.digester.mark(value)
    with call.engine.store.read() as reader:
        issued = reader.get(SECRET, GLOBAL, mark, IssuedSecret)
        kind = KINDS.get(issued.kind, "foreign") if issued is not None else "foreign"
        elsewhere = issued is not None and (issued.application, issued.environment) != call.scope
        other_environment = elsewhere and issued is not None and issued.application == call.application.id
        token = None if elsewhere else reader.get(TOKEN, call.scope, mark, IssuedToken)
        family = reader.get(FAMILY, call.scope, token.family, Family) if token is not None else None
        state = _state(reader, call, token) if token is not None else "unknown"
    facts = BearerFacts(place="body", kind=kind, state=state, other_environment=other_environment)
    if token is None or family is None:
        return None, facts
    return Found(call=call, mark=mark, token=token, family=family, state=state), facts


def _state(reader: Reader, call: Call, token: IssuedToken) -> str:
    if token.kind == SecretKind.REFRESH_TOKEN:
        return refresh_state(reader, call, token)
    return token_state(reader, call, token)


class _Looking:
    """What both endpoints share: the token must be there, and is found by its digest."""

    def check_params(self, request: TokenRequest, client: Client) -> None:  # noqa: ARG002 - Authlib's own signature
        """Raise `InvalidRequestError` where no token was sent; any hint will do."""
        if FORM_FIELD not in request.form:
            raise InvalidRequestError("The parameter token is missing.")


class Introspection(_Looking, IntrospectionEndpoint):  # type: ignore[misc]
    """The introspection endpoint (RFC 7662 section 2); of what is not live it says no more than that."""

    def authenticate_token(self, request: TokenRequest, client: Client) -> Found | None:
        """The token sent, or None; notes its facts."""
        self.check_params(request, client)
        found, request.call.notes.bearer = find(request.call, request.form[FORM_FIELD])
        return found

    def introspect_token(self, token: Found) -> dict[str, Any]:
        """What is told of a live token (RFC 7662 section 2.2), with Okta's `uid` beside."""
        call, family = token.call, token.family
        try:
            user = user_named(call, family.username)
        except LookupError:
            return {"active": False}
        members: dict[str, Any] = {
            "active": True,
            "scope": " ".join(token.token.scopes),
            "client_id": family.client_id,
            "username": user.username,
            "exp": int(token.token.expires_at),
            "iat": int(token.token.issued_at),
            "sub": user.sub,
            "uid": user.sub,
            "iss": issuer_of(call),
        }
        if token.token.kind == SecretKind.ACCESS_TOKEN:
            members |= {"token_type": "Bearer", "aud": call.settings.text("auth.audience")}
        return members


class Revocation(_Looking, RevocationEndpoint):  # type: ignore[misc]
    """The revocation endpoint (RFC 7009 section 2): a refresh token takes its family with it, an access token only itself."""

    def authenticate_token(self, request: TokenRequest, client: Client) -> Found | None:
        """The token sent, or None for one that is unknown, which is no error (RFC 7009 section 2.2).

        Raises `InvalidGrantError` for another client's and `UnsupportedTokenTypeError` for an ID token.
        """
        self.check_params(request, client)
        found, facts = find(request.call, request.form[FORM_FIELD])
        request.call.notes.bearer = facts
        if found is None and facts.kind in {"access", "refresh"} and facts.state == "unknown":
            raise InvalidGrantError("The token was issued to another client.")
        if facts.kind == "id":
            raise UnsupportedTokenTypeError("An ID token cannot be revoked.")
        return found

    def revoke_token(self, token: Found, request: TokenRequest) -> None:
        """Revoke the token, for a refresh token with all that came of its sign-in (RFC 7009 section 2.1)."""
        call = request.call
        if token.token.kind == SecretKind.REFRESH_TOKEN:
            revoke_family(call, token.family.id)
        elif not token.token.revoked:
            current = call.unit.get(TOKEN, call.scope, token.mark, IssuedToken) or token.token
            call.unit.put(TOKEN, call.scope, token.mark, msgspec.structs.replace(current, revoked=True))
