"""Signed tokens: the key of an engine, made ready once, and JWTs signed with it (RFC 7515, RFC 7519, RFC 7518 section 3.3).

Each token response has two signatures, which are most of what it costs; so what stands around them is short: the header's
segment is made once, and nothing is checked again that cannot change. joserfc, which checks with each token, signs whatever
is not RS256, and its tokens are the same, octet by octet.
"""

from __future__ import annotations

import hashlib
import json
from binascii import b2a_base64
from typing import Any

import msgspec
from authlib.oidc.core.util import create_half_hash
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from joserfc import jwt
from joserfc.jwk import RSAKey

from mockserver.keys import Keys

_KEYS = 16
_MOST_HEADS = 64
_RS256 = "RS256"
_PADDING, _SHA256 = PKCS1v15(), hashes.SHA256()
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_encode = msgspec.json.Encoder().encode


class SigningKey:
    """One private key, as joserfc wants it and as it signs at once."""

    def __init__(self, keys: Keys) -> None:
        pem = keys.signing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.jwk = RSAKey.import_key(pem, {"kid": keys.signing_kid, "use": "sig"})
        self.kid = keys.signing_kid
        self._private = keys.signing
        self._heads: dict[tuple[str, str], bytes] = {}

    def jwt(self, algorithm: str, kind: str, claims: dict[str, Any], *, kid: str | None = None) -> str:
        """A signed JWT of type `kind` in the compact serialization; `kid` stands in its header in place of the key's own."""
        if algorithm != _RS256:
            return jwt.encode(_header(algorithm, kind, kid or self.kid), claims, self.jwk, [algorithm])
        signed = self._head(kind, kid or self.kid) + segment(_encode(claims))
        return (signed + b"." + segment(self._private.sign(signed, _PADDING, _SHA256))).decode("ascii")

    def _head(self, kind: str, kid: str) -> bytes:
        """The header's segment with its dot."""
        found = self._heads.get((kind, kid))
        if found is None:
            if len(self._heads) >= _MOST_HEADS:
                self._heads.clear()
            found = self._heads[kind, kid] = _header_segment(kind, kid) + b"."
        return found


class SigningKeys:
    """The signing keys of a few engines, each parsed once and never per request."""

    def __init__(self) -> None:
        self._parsed: dict[str, SigningKey] = {}

    def of(self, keys: Keys) -> SigningKey:
        """The private key of `keys`, with its key ID."""
        found = self._parsed.get(keys.signing_kid)
        if found is None:
            found = SigningKey(keys)
            if len(self._parsed) >= _KEYS:
                self._parsed.clear()
            self._parsed[keys.signing_kid] = found
        return found


def half_hash(algorithm: str, value: str) -> str:
    """The `at_hash` of a token (OpenID Connect Core 3.1.3.6): the left half of its hash by the algorithm's own."""
    if algorithm != _RS256:
        return str(create_half_hash(value, algorithm).decode("ascii"))
    return segment(hashlib.sha256(value.encode("ascii")).digest()[:16]).decode("ascii")


def segment(data: bytes) -> bytes:
    """The base64url of RFC 7515 section 2: without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE)


def _header_segment(kind: str, kid: str) -> bytes:
    """The header as joserfc writes it: in ASCII."""
    return segment(json.dumps(_header(_RS256, kind, kid), separators=(",", ":")).encode("ascii"))


def _header(algorithm: str, kind: str, kid: str) -> dict[str, str]:
    return {"typ": kind, "alg": algorithm, "kid": kid}
