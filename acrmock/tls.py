"""The certificate authority of one engine and the leaf certificates it issues (P-256, trustme).

The CA is made once and reloaded, so that a client that trusts it goes on trusting it after a restart.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import trustme

from acrmock.errors import SetupError

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
"""The names that every server certificate has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A certificate with its chain, and its private key, both PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority: its certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def issue(self, names: Iterable[str]) -> Leaf:
        """A leaf certificate for host names, IP addresses and `*.` wildcards; raises `SetupError` on any other name."""
        wanted = tuple(dict.fromkeys(name.strip("[]") for name in names))
        if not wanted:
            raise SetupError("a certificate needs a name", fix="name a host or an address, e.g. localhost")
        authority = _load(self)
        try:
            leaf = authority.issue_cert(*wanted)
        except (ValueError, UnicodeError) as error:
            raise SetupError(
                "a certificate cannot be issued for these names",
                expected="host names or IP addresses",
                actual=", ".join(wanted)[:200],
            ) from error
        chain = b"".join(part.bytes() for part in leaf.cert_chain_pems)
        return Leaf(certificate=chain, key=leaf.private_key_pem.bytes())


def make_authority() -> Authority:
    """A new certificate authority."""
    made = trustme.CA(organization_name="acrmock", organization_unit_name="self-test certificate authority")
    return Authority(certificate=made.cert_pem.bytes(), key=made.private_key_pem.bytes())


def _load(authority: Authority) -> trustme.CA:
    try:
        return trustme.CA.from_pem(cert_bytes=authority.certificate, private_key_bytes=authority.key)
    except (ValueError, TypeError) as error:
        raise SetupError(
            "the certificate authority's files cannot be read",
            expected="a PEM certificate and its PEM private key",
            fix="restore them, or remove the keys directory to make new ones (clients must then trust the new CA)",
        ) from error


def server_names(public_host: str) -> tuple[str, ...]:
    """The names for a server certificate: the local ones and the public URL's host."""
    host = public_host.strip("[]")
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        host = host.lower()
    return tuple(dict.fromkeys((*LOCAL_NAMES, host))) if host else LOCAL_NAMES


def server_context(leaf: Leaf) -> ssl.SSLContext:
    """A context for a server that shows `leaf`, TLS 1.2 or newer (BCP 195); raises `SetupError` when it cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    # load_cert_chain reads files only; the directory and its files are the user's alone and go at once
    with tempfile.TemporaryDirectory(prefix="acrmock-") as directory:
        path = Path(directory) / "server.pem"
        path.touch(mode=0o600)
        path.write_bytes(leaf.key + leaf.certificate)
        try:
            context.load_cert_chain(path)
        except (ssl.SSLError, OSError) as error:
            raise SetupError(
                "the server's certificate cannot be used",
                expected="a PEM certificate that fits its PEM private key",
                actual=str(error),
                fix="remove server.pem from the keys directory; it is made anew at the next start",
            ) from error
    return context


def client_context(authority_certificate: bytes) -> ssl.SSLContext:
    """A context for a client that trusts only this authority; raises `SetupError` when it is no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=authority_certificate.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError, ValueError) as error:
        raise SetupError("not a CA certificate", expected="PEM", actual=str(error)) from error
    return context
