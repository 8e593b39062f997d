"""The token endpoint: refreshing over TLS, signed with RS256, beside npm's oauth2-mock-server behind a certificate of ours."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

from acrmock.tls import make_authority
from benchmarks import named
from benchmarks.load import Connect, Served, Used, drive, request, secure
from benchmarks.measure import ROUNDS, Row
from benchmarks.ours import Ours

CONNECTIONS = 4
REFRESHES = 400
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def rows() -> list[Row]:
    """Refreshes per second of both, in turn, and the medians."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        with Ours(here) as ours:
            message = _ours(ours)
            try:
                peer, connect, theirs = _peer(here)
            except named.Absent as absent:
                found = [_run(ours, ours.connect, message) for _ in range(ROUNDS)]
                return [_row(found, [], f"oauth2-mock-server: absent ({absent})")]
            with peer:
                pairs = [(_run(ours, ours.connect, message), _run(peer, connect, theirs)) for _ in range(ROUNDS)]
    return [_row([pair[0] for pair in pairs], [pair[1] for pair in pairs], "oauth2-mock-server (npm), stores nothing")]


def _row(ours: list[Used], theirs: list[Used], peer: str) -> Row:
    last = theirs[-1] if theirs else Used(rate=0)
    return Row(
        what=f"tokens refreshed, RS256, {CONNECTIONS} connections",
        unit="answers/s",
        ours=median(used.rate for used in ours),
        peer=peer,
        theirs=median(used.rate for used in theirs) if theirs else None,
        goal=">= 1.5 x",
        cpu=(ours[-1].cpu, last.cpu),
        memory=(ours[-1].memory, last.memory),
    )


def _ours(ours: Ours) -> bytes:
    given = ours.sign_in()
    document = ours.document
    form = {
        "grant_type": "refresh_token",
        "refresh_token": given["refresh_token"],
        "client_id": document["client_id"],
        "client_secret": document["client_secret"],
    }
    return request("POST", urlsplit(given["token_endpoint"]).path, FORM, urlencode(form).encode())


def _peer(here: Path) -> tuple[Served, Connect, bytes]:
    authority = make_authority()
    leaf = authority.issue(["localhost"])
    files = {"ca.pem": authority.certificate, "leaf.pem": leaf.certificate, "leaf-key.pem": leaf.key}
    for name, data in files.items():
        (here / name).write_bytes(data)
    served, port = named.oauth2_mock_server(here / "leaf.pem", here / "leaf-key.pem")
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "c", "client_secret": "s", "scope": "openid"}
    return served, secure(port, str(here / "ca.pem")), request("POST", "/token", FORM, urlencode(form).encode())


def _run(served: Served, connect: Connect, message: bytes) -> Used:
    try:
        return drive(served, connect, [[message] * (REFRESHES // CONNECTIONS)] * CONNECTIONS, 200)
    except ssl.SSLError as error:
        raise RuntimeError(f"TLS with {served.process.args!r}: {error}") from error
