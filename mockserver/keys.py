"""The keys of one engine: made once, kept in `DIR/keys` (0700, files 0600), so that a restart changes nothing."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from acrmock.errors import SetupError
from acrmock.tls import Authority, Leaf, make_authority, server_names

_RSA_BITS = 2048
_KEY_BYTES = 32


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


@lru_cache(maxsize=1)
def _passing() -> tuple[Authority, RSAPrivateKey]:
    """What engines in memory share within a process: it goes with the process, and making it takes long."""
    return make_authority(), _make_signing()


@lru_cache(maxsize=8)
def _passing_leaf(host: str) -> Leaf:
    return _passing()[0].issue(server_names(host))


def passing_keys(public_host: str) -> Keys:
    """Keys that are kept nowhere, for an engine in memory."""
    authority, signing = _passing()
    return Keys(
        authority=authority,
        server=_passing_leaf(public_host),
        signing=signing,
        signing_kid=thumbprint(signing),
        cookie=secrets.token_bytes(_KEY_BYTES),
        digest=secrets.token_bytes(_KEY_BYTES),
        control_token=secrets.token_urlsafe(_KEY_BYTES),
    )


def load_keys(directory: Path, public_host: str) -> Keys:
    """The keys in `directory`, the missing ones made; raises `SetupError` when one cannot be read or written."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(OSError):
            directory.chmod(0o700)
        authority = _authority(directory)
        signing = _signing(directory / "signing.pem")
        return Keys(
            authority=authority,
            server=_server(directory, authority, public_host),
            signing=signing,
            signing_kid=thumbprint(signing),
            cookie=_secret(directory / "cookie.key"),
            digest=_secret(directory / "digest.key"),
            control_token=_token(directory / "control.token"),
        )
    except OSError as error:
        raise SetupError(
            "the keys cannot be read or written",
            where=str(directory),
            actual=error.strerror or str(error),
            fix="check the directory's rights and room, or use another --data",
        ) from error


def _authority(directory: Path) -> Authority:
    certificate, key = directory / "ca.pem", directory / "ca-key.pem"
    if not certificate.exists() and not key.exists():
        made = make_authority()
        write_private(key, made.key)
        write_private(certificate, made.certificate)
    if not certificate.exists() or not key.exists():
        raise SetupError(
            "half of the certificate authority is missing",
            expected="ca.pem and ca-key.pem",
            where=str(directory),
            fix="restore the missing file, or remove the other to make a new authority",
        )
    return Authority(certificate=certificate.read_bytes(), key=key.read_bytes())


def _server(directory: Path, authority: Authority, public_host: str) -> Leaf:
    """The server's certificate; issued anew when the names or the authority changed."""
    names = server_names(public_host)
    path, told = directory / "server.pem", directory / "server.names"
    wanted = "\n".join((*names, hashlib.sha256(authority.certificate).hexdigest())).encode()
    if path.exists() and told.exists() and told.read_bytes() == wanted:
        both = path.read_bytes()
        key, marker, certificate = both.partition(b"-----BEGIN CERTIFICATE-----")
        return Leaf(certificate=marker + certificate, key=key)
    leaf = authority.issue(names)
    write_private(path, leaf.key + leaf.certificate)
    write_private(told, wanted)
    return leaf


def _signing(path: Path) -> RSAPrivateKey:
    def make() -> bytes:
        return _make_signing().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    data = _kept(path, make)
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise _damaged(path, "a PEM private key") from error
    if not isinstance(key, RSAPrivateKey):
        raise _damaged(path, "an RSA private key")
    return key


def _make_signing() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _secret(path: Path) -> bytes:
    data = _kept(path, lambda: secrets.token_bytes(_KEY_BYTES))
    if len(data) != _KEY_BYTES:
        raise _damaged(path, f"{_KEY_BYTES} bytes")
    return data


def _token(path: Path) -> str:
    text = _kept(path, lambda: secrets.token_urlsafe(_KEY_BYTES).encode()).decode("ascii", "replace").strip()
    if len(text) < _KEY_BYTES or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise _damaged(path, "a token of 32 characters or more, A-Z a-z 0-9 _ -")
    return text


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        write_private(path, make())
    return path.read_bytes()


def _damaged(path: Path, expected: str) -> SetupError:
    return SetupError("a key is damaged", expected=expected, where=str(path), fix="restore it, or remove it to make a new one")


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads (0600), whole or not at all; raises `OSError`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def thumbprint(key: RSAPrivateKey) -> str:
    """The RFC 7638 thumbprint (SHA-256, base64url) of an RSA key's public half."""
    numbers = key.public_key().public_numbers()

    def number(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()

    members = msgspec.json.encode({"e": number(numbers.e), "kty": "RSA", "n": number(numbers.n)})
    return base64.urlsafe_b64encode(hashlib.sha256(members).digest()).rstrip(b"=").decode()
