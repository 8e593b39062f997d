"""Small HTTPS servers with which the robot user is tried."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

Answer = tuple[int, dict[str, str], str]


@dataclass
class Door:
    """An HTTPS server on loopback: its URL, what came to it, and the answers it gives by path."""

    url: str
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    answers: dict[str, Callable[[str, str], Answer]] = field(default_factory=dict)


@pytest.fixture
def authority() -> trustme.CA:
    """A throw-away authority."""
    return trustme.CA()


@pytest.fixture
def door(authority: trustme.CA) -> Iterator[Callable[..., Door]]:
    """Opens doors; all are shut at the end."""
    servers: list[ThreadingHTTPServer] = []

    def open_door(*, trusted: bool = True) -> Door:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply("")

            def do_POST(self) -> None:
                self.reply(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def reply(self, body: str) -> None:
                found.seen.append((self.command, self.path, body))
                answer = found.answers.get(self.path.partition("?")[0], lambda *_: (404, {}, "nothing here"))
                status, headers, text = answer(self.path, body)
                self.send_response(status)
                for name, value in {"Content-Type": "text/html", "Content-Length": str(len(text.encode())), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (authority if trusted else trustme.CA()).issue_cert("localhost").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        found = Door(f"https://localhost:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return found

    yield open_door
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate as a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def registration(issuer: str, redirect_url: str, ca_file: Path) -> bytes:
    """A registration document as far as the robot reads it."""
    return json.dumps(
        {
            "application": "default",
            "environment": "test",
            "issuer": issuer,
            "redirect_url": redirect_url,
            "users": [{"username": "user", "password": "pass", "facility_id": "1"}],
            "ca_file": str(ca_file),
        }
    ).encode()
