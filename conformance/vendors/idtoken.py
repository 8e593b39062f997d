"""The ID token as the vendor checks it (OpenID Connect Core section 3.1.3.7), with joserfc."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from conformance.vendors.config import VendorError

CLOCK_SKEW = 60
"""Seconds by which the server's clock may differ."""


def verify(token: str, keys: dict[str, Any], *, issuer: str, audience: str, nonce: str, now: datetime) -> None:
    """Check signature, issuer, audience, times and (where one was sent) nonce; raises `VendorError` when one does not hold."""
    expected: dict[str, Any] = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": audience},
        **{name: {"essential": True} for name in ("sub", "exp", "iat")},
    }
    if nonce:
        expected["nonce"] = {"essential": True, "value": nonce}
    try:
        claims = jwt.decode(token, KeySet.import_key_set(cast("Any", keys)), algorithms=["RS256"]).claims
        registry = jwt.JWTClaimsRegistry(now=int(now.timestamp()), leeway=CLOCK_SKEW, **expected)
        registry.validate(claims)
    except (JoseError, ValueError) as error:
        raise VendorError("the ID token does not hold", actual=str(error)) from error
