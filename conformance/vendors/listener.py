"""The vendor's own door: an HTTPS listener on its redirect URL that waits for the browser to come back."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from acrmock.errors import SetupError

PAGE = b"<!doctype html><title>Signed in</title><p>You are signed in. You can close this page.</p>"
MAX_BODY = 65_536
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to the browser: a page, or with `location` a redirect."""

    body: bytes = PAGE
    location: str = ""


class Listener:
    """Listens where `redirect_url` points while the context is open; `wait` gives the address the browser came with.

    The certificate is the given PEM pair, else one of a throw-away authority. Raises `SetupError` when the port is taken.
    """

    def __init__(self, redirect_url: str, certificate: tuple[Path, Path] | None = None) -> None:
        parts = urlsplit(redirect_url)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._path = parts.path or "/"
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._context = _context(self._host, certificate) if parts.scheme == "https" else None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._servers: list[ThreadingHTTPServer] = []

    def __enter__(self) -> Self:
        refused: OSError | None = None
        for family, address in _addresses(self._host):
            try:
                self._servers.append(self._listen(family, address))
            except OSError as error:
                refused = error
        if not self._servers:
            raise SetupError(
                "the redirect URL's port cannot be listened on",
                where=f"{self._host}:{self._port}",
                actual=(refused and refused.strerror) or "no address",
                fix="stop what uses it, or register another --redirect-url",
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def page(self, target: str) -> Page:
        """What the browser is shown when it came to the redirect URL by `target` (path and query)."""
        del target
        return Page()

    def wait(self, seconds: float) -> str | None:
        """The next address the browser came with, or None when `seconds` have passed."""
        try:
            return self._answers.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None

    def came(self, target: str, body: str) -> bool:
        """Note a visit; whether it was to the redirect URL's path."""
        path, _, query = target.partition("?")
        if path != self._path:
            return False
        self._answers.put(f"{self._base}{path}?" + "&".join(filter(None, (query, body))))
        return True

    def _listen(self, family: socket.AddressFamily, address: str) -> ThreadingHTTPServer:
        listener = self

        class Handler(_Handler):
            door = listener

        class Server(ThreadingHTTPServer):
            address_family = family
            daemon_threads = True

        server = Server((address, self._port), Handler, bind_and_activate=True)
        if self._context is not None:
            server.socket = self._context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server


class _Handler(BaseHTTPRequestHandler):
    door: Listener
    timeout = TIMEOUT

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdigit() else 0
        self._answer(self.rfile.read(min(size, MAX_BODY)).decode("utf-8", "replace"))

    def _answer(self, body: str) -> None:
        known = self.door.came(self.path, body)
        page = self.door.page(self.path) if known else Page(body=b"")
        self.send_response((303 if page.location else 200) if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page.body)))
        if page.location:
            self.send_header("Location", page.location)
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
        return


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    loopback = [(socket.AF_INET, "127.0.0.1")]
    if host == "localhost" and socket.has_ipv6:
        return [*loopback, (socket.AF_INET6, "::1")]
    if ":" in host:
        return [(socket.AF_INET6, host)]
    return loopback if host == "localhost" else [(socket.AF_INET, host)]


def _context(host: str, certificate: tuple[Path, Path] | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is None:
        import trustme

        trustme.CA().issue_cert(host).configure_cert(context)
        return context
    try:
        context.load_cert_chain(*certificate)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            "the redirect listener's certificate cannot be used",
            where=str(certificate[0]),
            actual=str(error),
            fix="make one with `acrmock ca issue localhost`",
        ) from error
    return context
