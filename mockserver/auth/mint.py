"""Minting access, ID and refresh tokens (RFC 9068, OpenID Connect Core 2, facts N1.17, N1.18, U5, U6).

An access token is a JWT with the claims of RFC 9068 and, beside them, those of Okta's custom authorization servers. Signing
is the heavy part: a draft is signed first, and only then written in the call's unit.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from acrmock.record import SecretKind
from mockserver.auth import wrong
from mockserver.auth.endings import forget_ended, note_ending
from mockserver.auth.model import FAMILY, TOKEN, AuthorizationCode, Family, IssuedToken
from mockserver.auth.settings import issuer_of
from mockserver.auth.signing import SigningKey, half_hash
from mockserver.auth.tokens import user_named
from mockserver.context import Call, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the layers say of the tokens of one environment; lifetimes in seconds (fact U5)."""

    access_lifetime: int
    id_lifetime: int
    opaque: bool
    audience: str
    algorithm: str

    @classmethod
    def of(cls, settings: Settings) -> Terms:
        """What these settings say."""
        return cls(
            access_lifetime=settings.integer("auth.access_token_lifetime"),
            id_lifetime=settings.integer("auth.id_token_lifetime"),
            opaque=settings.text("auth.access_token_format") == "opaque",
            audience=settings.text("auth.audience"),
            algorithm=settings.text("auth.signing_alg"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Tokens that are signed and not yet issued: `refresh` is the refresh token to hand out, `renewed` whether it is new."""

    family: Family
    scopes: tuple[str, ...]
    access: str
    id_token: str
    expires_in: int
    expires_at: float
    id_expires_at: float
    refresh: str | None = None
    renewed: bool = False


def family_of(call: Call, code: AuthorizationCode) -> Family:
    """The family that redeeming `code` founds; the refresh token's end is fixed here and kept over rotation (fact N1.30)."""
    return Family(
        id=code.family,
        client_id=code.client_id,
        username=code.username,
        scopes=code.scopes,
        auth_time=code.auth_time,
        refresh_until=call.wall.timestamp() + call.settings.number("auth.refresh_token_lifetime"),
    )


def draft(
    call: Call,
    key: SigningKey,
    family: Family,
    scopes: tuple[str, ...],
    *,
    nonce: str | None = None,
    refresh: str | None = None,
    renew: bool = False,
) -> Draft:
    """Signed tokens for `family`; a new refresh token with `renew`, else the one given. Raises `LookupError` without a user."""
    terms = call.settings.derived("auth.terms", Terms.of)
    now = int(call.wall.timestamp())
    claims = _shared_claims(call, family, now)
    access = _access_token(call, key, claims, scopes, terms)
    return Draft(
        family=family,
        scopes=scopes,
        access=access,
        id_token=_id_token(call, key, claims, family, terms, access=access, nonce=nonce),
        expires_in=terms.access_lifetime,
        expires_at=now + terms.access_lifetime,
        id_expires_at=now + terms.id_lifetime,
        refresh=secrets.token_urlsafe(48) if renew else refresh,
        renewed=renew,
    )


def issue(call: Call, tokens: Draft) -> dict[str, Any]:
    """Write the draft in the call's unit; the token response's members (facts N1.17, N1.18)."""
    family = tokens.family
    if call.unit.get(FAMILY, call.scope, family.id, Family) != family:
        call.unit.put(FAMILY, call.scope, family.id, family)
        note_ending(call, FAMILY, family.id, family.refresh_until)
    forget_ended(call)
    together = tokens.expires_at == tokens.id_expires_at
    id_mark = call.issue(SecretKind.ID_TOKEN, tokens.id_token)
    if not together:
        note_ending(call, SecretKind.ID_TOKEN, id_mark, tokens.id_expires_at)
    _remember(
        call,
        SecretKind.ACCESS_TOKEN,
        tokens.access,
        family,
        scopes=tokens.scopes,
        expires_at=tokens.expires_at,
        beside=(id_mark,) if together else (),
    )
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": tokens.expires_in,
        "access_token": tokens.access,
        "scope": " ".join(tokens.scopes),
    }
    if tokens.refresh is not None:
        answer["refresh_token"] = tokens.refresh
        if tokens.renewed:
            until = family.refresh_until
            _remember(call, SecretKind.REFRESH_TOKEN, tokens.refresh, family, scopes=family.scopes, expires_at=until)
    answer["id_token"] = tokens.id_token
    return answer


def _remember(
    call: Call,
    kind: SecretKind,
    value: str,
    family: Family,
    *,
    scopes: tuple[str, ...],
    expires_at: float,
    beside: tuple[str, ...] = (),
) -> None:
    """Store that a token was issued; `beside` are marks of secrets that end with it."""
    mark = call.issue(kind, value)
    issued_at = float(int(call.wall.timestamp()))
    token = IssuedToken(kind=kind, family=family.id, scopes=scopes, expires_at=expires_at, issued_at=issued_at)
    call.unit.put(TOKEN, call.scope, mark, token)
    note_ending(call, TOKEN, mark, expires_at, beside=beside)


def _shared_claims(call: Call, family: Family, now: int) -> dict[str, Any]:
    user = user_named(call, family.username)
    return {"iss": issuer_of(call), "sub": user.sub, "iat": now, "name": user.name, "preferred_username": user.username}


def _access_token(call: Call, key: SigningKey, shared: dict[str, Any], scopes: tuple[str, ...], terms: Terms) -> str:
    if terms.opaque:
        return secrets.token_urlsafe(48)
    client_id = call.registration.client_id
    claims = {
        "ver": 1,
        "jti": "AT." + secrets.token_urlsafe(24),
        "iss": shared["iss"],
        "aud": terms.audience,
        "iat": shared["iat"],
        "exp": shared["iat"] + terms.access_lifetime,
        "sub": shared["sub"],
        "client_id": client_id,
        "scope": " ".join(scopes),
        "cid": client_id,
        "uid": shared["sub"],
        "scp": list(scopes),
    }
    return key.jwt(terms.algorithm, "at+jwt", claims)


def _id_token(
    call: Call, key: SigningKey, shared: dict[str, Any], family: Family, terms: Terms, *, access: str, nonce: str | None
) -> str:
    claims: dict[str, Any] = shared | {
        "aud": call.registration.client_id,
        "exp": shared["iat"] + terms.id_lifetime,
        "auth_time": int(family.auth_time),
        "at_hash": half_hash(terms.algorithm, access),
        # two ID tokens of one second must still be two values, or the recorder could not tell them apart
        "jti": "ID." + secrets.token_urlsafe(24),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    signed = key.jwt(terms.algorithm, "JWT", wrong.claims(call, claims), kid=wrong.key_id(call, key.kid))
    return wrong.signature(call, signed)
