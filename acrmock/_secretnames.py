"""Names whose values are secrets wherever they stand, whatever the value looks like."""

from __future__ import annotations

from collections.abc import Mapping

SENSITIVE: Mapping[str, str] = {
    "password": "password",
    "client_secret": "client_secret",
    "code_verifier": "code_verifier",
    "refresh_token": "refresh_token",
    "access_token": "access_token",
    "id_token": "id_token",
    "id_token_hint": "id_token",
    "client_assertion": "client_assertion",
    "assertion": "client_assertion",
    "token": "token",
    "api_key": "api_key",
    "apikey": "api_key",
    "x-api-key": "api_key",
    "secret": "secret",
    "session": "cookie",
}
"""Parameters and JSON members whose value always goes, with the kind that the reference names (RFC 6749, RFC 7636)."""

PARAMETERS: Mapping[str, str] = {**SENSITIVE, "code": "code"}
"""The same in a query or a form, where a `code` is one that was issued."""

HEADERS: Mapping[str, str] = {"x-api-key": "api_key", "api-key": "api_key", "x-auth-token": "token"}
"""Headers whose value always goes."""
