"""The signed hidden value that binds a posted sign-in form to the authorization request that it was shown for.

Who did not get the page cannot make one, so a form posted from elsewhere is refused (CSRF); what is inside is the
validated authorization request itself, so no state is kept for pages that nobody answers.
"""

from __future__ import annotations

import base64
import binascii
import hmac

import msgspec

from acrmock.typed import decode


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An authorization request that was found valid (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1)."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None = None
    nonce: str | None = None
    response_mode: str = "query"
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    login_hint: str = ""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What the hidden value says: the request, for which application and environment, and until when (seconds since 1970)."""

    request: AuthorizationRequest
    application: str
    environment: str
    until: float
    salt: str


_DOMAIN = b"acrmock sign-in form"


def seal(key: bytes, sealed: Sealed) -> str:
    """`sealed` as text that cannot be changed without `key`."""
    body = msgspec.json.encode(sealed)
    return f"{_b64(body)}.{_b64(_sign(key, body))}"


def unseal(key: bytes, text: str) -> Sealed | None:
    """What was sealed with `key`, or None when `text` is not such a value."""
    body_text, dot, signature = text.partition(".")
    try:
        body = _unb64(body_text)
        if not dot or not hmac.compare_digest(_sign(key, body), _unb64(signature)):
            return None
        return decode(body, Sealed)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None


def _sign(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _DOMAIN + b"\0" + body, "sha256")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unb64(text: str) -> bytes:
    data = text.encode("ascii")
    return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
