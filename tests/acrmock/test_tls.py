"""The certificate authority and its leaves: real handshakes over a socket pair of the loopback."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from acrmock.errors import SetupError
from acrmock.tls import Authority, Leaf, client_context, make_authority, server_context, server_names


@pytest.fixture(scope="module")
def authority() -> Authority:
    """One authority for all tests."""
    return make_authority()


def shake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """Shake hands as `name` and return the TLS version; raises what the client sees."""
    one, two = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(one, server_side=True) as sock:
                sock.recv(1)
        except OSError:
            one.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(two, server_hostname=name) as sock:
            sock.send(b"x")
            return str(sock.version())
    finally:
        two.close()
        thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "acr.example"])
def test_server_certificate_is_good_for_its_names(authority: Authority, name: str) -> None:
    """A server certificate is good for the local names and the public host, with TLS 1.2 or newer."""
    leaf = authority.issue(server_names("acr.example"))
    assert shake(server_context(leaf), client_context(authority.certificate), name) in {"TLSv1.2", "TLSv1.3"}


def test_other_names_and_other_authorities_are_refused(authority: Authority) -> None:
    """A client refuses a name that the certificate lacks, and an authority that it does not know."""
    server = server_context(authority.issue(["localhost"]))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(server, client_context(authority.certificate), "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(server, client_context(make_authority().certificate), "localhost")


def test_reloaded_authority_issues_under_the_same_name(authority: Authority) -> None:
    """An authority that was written and read again issues certificates that its old certificate vouches for."""
    again = Authority(certificate=bytes(authority.certificate), key=bytes(authority.key))
    assert shake(server_context(again.issue(["localhost"])), client_context(authority.certificate), "localhost")


def test_keys_are_p256(authority: Authority) -> None:
    """Leaf certificates have P-256 keys."""
    key = x509.load_pem_x509_certificate(authority.issue(["localhost"]).certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


@pytest.mark.parametrize("names", [[], ["a b"], ["http://x"], ["\udcff"], ["x" * 300], [""], ["*.*.x"]])
def test_names_that_cannot_be_certified(authority: Authority, names: list[str]) -> None:
    """A name that is neither host nor address is a setup error."""
    with pytest.raises(SetupError):
        authority.issue(names)


def test_wildcards_and_bracketed_addresses(authority: Authority) -> None:
    """Wildcards of one label and addresses in brackets can be certified."""
    assert authority.issue(["*.example.com", "[::1]"]).certificate


def test_server_names() -> None:
    """The public host joins the local names once, normalised."""
    assert server_names("LOCALHOST") == ("localhost", "127.0.0.1", "::1")
    assert server_names("[0:0:0:0:0:0:0:1]") == ("localhost", "127.0.0.1", "::1")
    assert server_names("") == ("localhost", "127.0.0.1", "::1")
    assert server_names("ACR.Example")[-1] == "acr.example"


def test_damaged_material() -> None:
    """Junk instead of PEM is a setup error in each place."""
    with pytest.raises(SetupError):
        Authority(certificate=b"junk", key=b"junk").issue(["localhost"])
    with pytest.raises(SetupError):
        server_context(Leaf(certificate=b"junk", key=b"junk"))
    with pytest.raises(SetupError):
        client_context(b"junk")
    with pytest.raises(SetupError):
        client_context("j\xfcnk".encode())
