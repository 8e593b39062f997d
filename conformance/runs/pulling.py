"""Pull mode: a small loopback endpoint from which the client under test takes its steps, one after the other.

A request ends the step before and waits until the harness has prepared the next, which is the answer. The URL has a secret
part: whoever knows it drives the run.
"""

from __future__ import annotations

import os
import queue
import secrets
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import msgspec

from acrmock.errors import SetupError

HOST = "127.0.0.1"
_SENT_SECONDS = 5.0
_IDLE_SECONDS = 30.0


class PulledStep(msgspec.Struct, frozen=True, kw_only=True):
    """The step that a client took: what it is asked to do within `window` seconds, as number `number` of `of`.

    `environment` holds what a launched client finds in its environment, the step's name (`ACRMOCK_STEP`) too.
    """

    step: str
    number: int
    of: int
    text: str
    window: float
    registration: str
    environment: Mapping[str, str]


class _Ask:
    """A request that waits for its answer: a status with a body; `sent` is set when it has gone out."""

    def __init__(self) -> None:
        self._answers: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self.sent = threading.Event()

    def answer(self, status: int, body: bytes = b"") -> None:
        self._answers.put((status, body))

    def wait(self) -> tuple[int, bytes]:
        return self._answers.get()


class Pull:
    """The endpoint: `asked` waits for the client, `give` answers it. `url` is to be kept from others."""

    def __init__(self, port: int) -> None:
        self._secret = secrets.token_urlsafe(18)
        self._asks: queue.Queue[_Ask] = queue.Queue()
        self._busy = threading.Lock()
        self._ended = False
        self._waiting: _Ask | None = None
        try:
            self._server = _Server((HOST, port), _handler(self))
        except OSError as error:
            actual = f"{port}: {error.strerror}"
            raise SetupError(
                "the port cannot be used", where="--port", expected="a free one", actual=actual, fix="leave it out"
            ) from error
        self._hosts = {f"{name}:{self._server.server_address[1]}" for name in (HOST, "localhost")}
        self.url = f"http://{HOST}:{self._server.server_address[1]}/{self._secret}/next"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def asked(self, seconds: float) -> bool:
        """Wait for the client's next request, at most so long; whether it came."""
        try:
            self._waiting = self._asks.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def give(self, step: PulledStep | None) -> None:
        """Answer the client that asked: 200 with the step, or 204 where there is none left."""
        ask, self._waiting = self._waiting, None
        if ask is not None:
            ask.answer(204) if step is None else ask.answer(200, msgspec.json.encode(step))
            ask.sent.wait(_SENT_SECONDS)

    def close(self) -> None:
        """Shut the endpoint; whoever waits is told that the run has ended."""
        self._ended = True
        self._server.shutdown()
        self._server.server_close()
        while self._waiting is not None or self.asked(0.01):
            ask, self._waiting = self._waiting, None
            if ask is not None:
                ask.answer(410, _problem("the run has ended"))
                ask.sent.wait(_SENT_SECONDS)

    def handle(self, path: str, host: str) -> tuple[int, bytes, _Ask | None]:
        """What a GET of `path` under `host` is answered, and the request that the harness answered, if it came so far."""
        if host not in self._hosts:
            return 403, _problem("this host is not served here"), None
        if not secrets.compare_digest(path.encode(), f"/{self._secret}/next".encode()):
            return 404, _problem("there is nothing here but /SECRET/next"), None
        if not self._busy.acquire(blocking=False):
            return 409, _problem("another request for the next step is being answered"), None
        try:
            if self._ended:
                return 410, _problem("the run has ended"), None
            ask = _Ask()
            self._asks.put(ask)
            if self._ended:  # it may have ended just now, and nobody looks any more
                ask.answer(410, _problem("the run has ended"))
            return (*ask.wait(), ask)
        finally:
            self._busy.release()


@contextmanager
def pulling(port: int | None) -> Iterator[Pull | None]:
    """An endpoint on a port of loopback (0: a free one) as long as the block runs; None without a port."""
    if port is None:
        yield None
        return
    pull = Pull(port)
    try:
        yield pull
    finally:
        pull.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = os.name == "posix"
    daemon_threads = True


def _handler(pull: Pull) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _IDLE_SECONDS

        def do_GET(self) -> None:
            status, body, ask = pull.handle(self.path, self.headers.get("Host", ""))
            try:
                self._send(status, body)
            finally:
                if ask is not None:
                    ask.sent.set()

        def do_POST(self) -> None:
            self._send(405, _problem("ask with GET"))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Cache-Control", "no-store")
            if status == 405:
                self.send_header("Allow", "GET")
            if status != 204:
                self.send_header("Content-Type", "application/json" if status == 200 else "application/problem+json")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    return Handler


def _problem(detail: str) -> bytes:
    return msgspec.json.encode({"title": "no step", "detail": detail})
