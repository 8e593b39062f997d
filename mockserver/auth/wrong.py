"""Answers that are wrong on purpose, one way each, so that a client can show that it rejects them.

Each is a setting `auth.wrong.NAME` of the layers, off unless an application (or an overlay) turns it on; what is wrong stands
beside it. Nothing else changes: a client that does not look is served as ever.
"""

from __future__ import annotations

from typing import Any

from mockserver.context import Call, Settings

HOUR = 3600
DAY = 24 * HOUR
ELSEWHERE = "https://elsewhere.invalid"
OTHER = "not-what-was-sent"
_IN_ID_TOKENS = ("issuer", "audience", "nonce", "no_nonce", "at_hash", "auth_time", "future", "expired")
"""The names of wrong claims of an ID token."""


def is_on(call: Call, name: str) -> bool:
    """Whether the wrong answer `auth.wrong.NAME` is asked for."""
    key = f"auth.wrong.{name}"
    return call.settings.derived(key, lambda settings: settings.flag(key))


def _any_claim(settings: Settings) -> bool:
    return any(settings.flag(f"auth.wrong.{name}") for name in _IN_ID_TOKENS)


def claims(call: Call, right: dict[str, Any]) -> dict[str, Any]:
    """The claims of an ID token, with those changed that are to be wrong."""
    if not call.settings.derived("auth.wrong", _any_claim):
        return right
    made = dict(right)
    if is_on(call, "issuer"):
        made["iss"] = ELSEWHERE
    if is_on(call, "audience"):
        made["aud"] = OTHER
    if is_on(call, "nonce"):
        made["nonce"] = OTHER
    if is_on(call, "no_nonce"):
        made.pop("nonce", None)
    if is_on(call, "at_hash"):
        made["at_hash"] = made["at_hash"][::-1]
    if is_on(call, "auth_time"):
        made["auth_time"] -= DAY
    shift = HOUR if is_on(call, "future") else 0
    if is_on(call, "expired"):
        shift = made["iat"] - made["exp"] - HOUR
    made["iat"] += shift
    made["exp"] += shift
    return made


def key_id(call: Call, right: str | None) -> str | None:
    """The key ID in an ID token's header."""
    return OTHER if is_on(call, "key") else right


def signature(call: Call, token: str) -> str:
    """The ID token, its signature changed in one place where it is to be wrong."""
    if not is_on(call, "signature"):
        return token
    head, _, signed = token.rpartition(".")
    return f"{head}.{'B' if signed.startswith('A') else 'A'}{signed[1:]}"


def state(call: Call, right: str | None) -> str | None:
    """The state of an authorization answer."""
    return OTHER if is_on(call, "state") else right


def response_issuer(call: Call, right: str) -> str:
    """The issuer that an authorization answer names (RFC 9207)."""
    return ELSEWHERE if is_on(call, "response_iss") else right


def metadata_issuer(call: Call, right: str) -> str:
    """The issuer that the discovery document names."""
    return ELSEWHERE if is_on(call, "metadata_issuer") else right
