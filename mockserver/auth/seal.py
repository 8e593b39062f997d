"""The sealed hidden value that binds a posted sign-in form to the authorization request that it was shown for.

Who did not get the page cannot make one, so a form posted from elsewhere is refused (CSRF); what is inside is the
validated authorization request itself, so no state is kept for pages that nobody answers. It is encrypted (AES-GCM), because the
page is recorded, and a request may hold what nobody should find in the record, in base64 too.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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
    prompt: tuple[str, ...] = ()
    max_age: int | None = None


class Sealed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hidden value of a sign-in page says.

    The request, for which application and environment, and until when (seconds since 1970). `session` is the mark of the
    browser session that the page was shown in, if any; `username` who gave the right password, so that only the second
    factor is missing.
    """

    request: AuthorizationRequest
    application: str
    environment: str
    until: float
    salt: str
    session: str = ""
    username: str = ""


class SealedLogout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hidden value of the page says that asks whether to sign out; `session` as in `Sealed`, `back` where to go."""

    application: str
    environment: str
    until: float
    session: str
    back: str = ""


T = TypeVar("T", Sealed, SealedLogout)

_DOMAIN = b"acrmock form"
_DIGITS = 6
_NONCE = 12


def seal(key: bytes, sealed: Sealed | SealedLogout) -> str:
    """`sealed` as text that cannot be changed without `key`."""
    once = secrets.token_bytes(_NONCE)
    return _b64(once + _cipher(key, type(sealed)).encrypt(once, msgspec.json.encode(sealed), None))


def unseal(key: bytes, text: str, type_: type[T]) -> T | None:
    """What was sealed with `key`, or None when `text` is not such a value, or of another page."""
    try:
        data = _unb64(text)
        return decode(_cipher(key, type_).decrypt(data[:_NONCE], data[_NONCE:], None), type_)
    except (InvalidTag, binascii.Error, ValueError, msgspec.DecodeError):
        return None


def one_time_code(key: bytes, sealed: Sealed) -> str:
    """The six digits of the second factor that goes with one page; a real service would send them to the person's phone."""
    number = int.from_bytes(_sign(key, "second factor", sealed.salt.encode())[:8], "big")
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def _cipher(key: bytes, type_: type) -> AESGCM:
    """What encrypts the values of one kind of page: another key for each, so that none passes for another's."""
    return AESGCM(_sign(key, f"sealed {type_.__name__}", b""))


def _sign(key: bytes, what: str, body: bytes) -> bytes:
    return hmac.digest(key, b"\0".join((_DOMAIN, what.encode(), body)), "sha256")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unb64(text: str) -> bytes:
    data = text.encode("ascii")
    return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
