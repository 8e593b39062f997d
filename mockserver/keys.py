"""The keys of one engine: made once, kept in `DIR/keys` (0700, files 0600), so that a restart changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from acrmock.tls import Authority, Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What an engine signs, seals and digests with; `signing_kid` is the key's RFC 7638 thumbprint."""

    authority: Authority
    server: Leaf
    signing: RSAPrivateKey
    signing_kid: str
    cookie: bytes
    digest: bytes
    control_token: str
