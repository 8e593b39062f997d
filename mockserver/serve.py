"""The server: cheroot with TLS, where no slow client holds up another and a failed handshake is seen.

The accepting thread never shakes hands: a connection goes to the selector first and to a worker when bytes are there;
handshake and head are taken in without blocking until they are whole, so that no worker waits for them.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import select
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from cheroot.server import HTTPConnection
from cheroot.ssl import Adapter
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from cheroot.wsgi import Server as WsgiServer

from acrmock.clock import Clock
from acrmock.errors import SetupError
from acrmock.record import TlsFacts
from mockserver._addresses import Addresses
from mockserver._request import Gateway, Request
from mockserver._scarce import Scarcity
from mockserver._streams import make_file
from mockserver.lane import Lane, MustWait, Quick, Settled
from mockserver.proxies import V1, V2, Preamble, PreambleError

_log = logging.getLogger("mockserver")

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
WORKERS = (4, 512)
REQUEST_SECONDS = 30
"""How long a client may say nothing, and how long the head of a request may take."""
EXCHANGE_SECONDS = 300.0
"""How long the body of a request may take."""
HANDSHAKE_SECONDS = 10.0
MAX_HEAD_BYTES = 64 * 1024
MAX_CONNECTIONS = 4096
LINGER_SECONDS = 0.002
_RST = struct.pack("HH" if sys.platform == "win32" else "ii", 1, 0)
_PLAIN_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 35\r\nConnection: close\r\n\r\n"
    b"This port speaks HTTPS only, sorry."
)


class Malformed(msgspec.Struct, frozen=True, kw_only=True):
    """A request that could not be read: as much of it as there is."""

    peer: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    status: int
    reason: str
    code: str
    tls: TlsFacts | None


class TlsAdapter(Adapter):
    """Wraps accepted sockets without shaking hands."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        context.sni_callback = _remember_name

    def bind(self, sock: socket.socket) -> socket.socket:
        """The listening socket, as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """The accepted socket under TLS, its handshake still to come."""
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def get_environ(self) -> dict[str, Any]:
        """Nothing: `Gateway` adds the TLS facts of the connection."""
        return {}

    def makefile(self, sock: socket.socket, mode: str = "rb", bufsize: int = -1) -> Any:
        """A reader or writer."""
        return make_file(sock, mode, bufsize)


def _remember_name(sock: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
    sock.acrmock_name = name or ""  # type: ignore[union-attr]


class Connection(HTTPConnection):
    """A connection that shakes hands when bytes come, piece by piece."""

    RequestHandlerClass = Request
    server: Server

    def __init__(self, server: Server, sock: socket.socket, makefile: Any = make_file) -> None:
        super().__init__(server, sock, make_file)
        del makefile
        self.tls: TlsFacts | None = None
        self.fresh = True
        self.reset = False
        self.lean = False
        self.heard = 0.0
        self.later: list[Settled] | None = None
        self.route: object | None = None
        self.stays = True
        self.introduced = not server.trusted_proxies
        self.via = ""
        self._preamble: Preamble | None = None
        self._unlisted = False
        self.shaken = not isinstance(sock, ssl.SSLSocket)
        self._began: float | None = None
        self._head_began: float | None = None
        self._answer_until = 0.0
        self.rfile.late = lambda: server.clock.monotonic() > self._answer_until

    def communicate(self) -> bool:
        """Go on with the handshake, or answer a request; True when the connection stays open.

        Nothing is begun while the server stops: a client that does not read would hold a worker again.
        """
        return self.server.ready and self._go_on()

    def _go_on(self) -> bool:
        if not self.introduced:
            waiting = self._introduce()
            if waiting is not None:
                return waiting
        if not self.shaken:
            return self._shake()
        if self.wfile.unsent:
            self.wfile.flush()
            if not self.stays:
                return False
        while self._has_head():
            if not self.answer_one():
                return False
            if self.lean or not self._more_soon():
                return True
        now = self.server.clock.monotonic()
        if self._head_began is None and self.rfile.partial:
            self._head_began = now
        return self._head_began is None or now - self._head_began <= REQUEST_SECONDS

    def answer_one(self) -> bool:
        """Answer the request whose head is there; True when the connection stays open."""
        self._answer_until = self.server.clock.monotonic() + EXCHANGE_SECONDS
        self.wfile.held = self.wfile.whole = self.later is not None
        try:
            return bool(super().communicate())  # type: ignore[no-untyped-call]
        except MustWait:
            raise
        except BaseException:  # noqa: BLE001 - what no handler takes for an error must not end a thread that serves others
            _log.exception("an exchange failed")
            return False

    def send(self) -> None:
        """Send what was written, unless the lane does it later."""
        if self.later is None:
            self.wfile.flush()

    def _has_head(self) -> bool:
        """Whether the head of a request is there, or the stream has ended; nothing is waited for."""
        self._answer_until = math.inf
        self.socket.settimeout(0)
        try:
            there = bool(self.rfile.gather(MAX_HEAD_BYTES))
        except OSError:
            there = True  # who reads on hears of it
        self.socket.settimeout(self.server.timeout)
        if there:
            self._head_began = None
        return there

    def _more_soon(self) -> bool:
        """Whether the next request is there, or comes within a moment in which this worker is not needed elsewhere.

        It spares a client that asks in sequence the way over the selector.
        """
        if not self.server.ready or self.server.requests.qsize:
            return False
        if self.rfile.has_data() or self.waiting():
            return True
        return self.server.requests.idle > 0 and _readable(self.socket)

    def waiting(self) -> bool:
        """Whether bytes were received that the selector does not know of."""
        return bool(self.shaken and isinstance(self.socket, ssl.SSLSocket) and self.socket.pending())

    def _introduce(self) -> bool | None:
        """Read the PROXY header of a listed proxy; None when it is read or there is none, else whether the connection stays."""
        now = self.server.clock.monotonic()
        self._began = now if self._began is None else self._began
        self.socket.settimeout(0)
        try:
            if self._preamble is None and not self._announced():
                self.introduced = True
                self.socket.settimeout(self.server.timeout)
                return None
            self._preamble = self._preamble or Preamble()
            while wanted := self._preamble.wants():
                piece = socket.socket.recv(self.socket, wanted)
                if not piece:
                    return self._failed("the PROXY header broke off")
                self._preamble.feed(piece)
        except BlockingIOError:
            return True if now - self._began <= HANDSHAKE_SECONDS else self._failed("the PROXY header took too long")
        except PreambleError as error:
            return self._failed(f"a PROXY header that cannot be read: {error}")
        except OSError as error:
            return self._failed(f"the connection broke: {error.strerror or error}")
        self.introduced = True
        self.socket.settimeout(self.server.timeout)
        if self._preamble.source is not None:
            self.via, self.remote_addr = self.remote_addr or "", self._preamble.source
        return None if self.shaken else True

    def _announced(self) -> bool:
        """Whether a listed proxy begins with a PROXY header; where anybody else does, the handshake to come will fail over it."""
        first = socket.socket.recv(self.socket, len(V2), socket.MSG_PEEK)
        begins = bool(first) and (V1.startswith(first[: len(V1)]) or V2.startswith(first))
        listed = self.server.is_proxy(self.remote_addr or "")
        self._unlisted = begins and not listed
        return begins and listed

    def _shake(self) -> bool:
        now = self.server.clock.monotonic()
        self._began = now if self._began is None else self._began
        self.socket.settimeout(0)
        try:
            self.socket.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if now - self._began <= HANDSHAKE_SECONDS:
                return True
            return self._failed("the handshake took too long")
        except ssl.SSLError as error:
            return self._failed(self._why_not_shaken(error))
        except OSError as error:
            return self._failed(f"the connection broke: {error.strerror or error}")
        self.socket.settimeout(self.server.timeout)
        self.shaken = True
        version, cipher = self.socket.version() or "", self.socket.cipher()
        name = getattr(self.socket, "acrmock_name", "")
        self.tls = TlsFacts(version=version, cipher=cipher[0] if cipher else "", server_name=name)
        return True

    def _why_not_shaken(self, error: ssl.SSLError) -> str:
        """Why a handshake failed, in words; who speaks plain HTTP here is told so on the way."""
        if "HTTP_REQUEST" in (error.reason or ""):
            with contextlib.suppress(OSError):
                socket.socket.send(self.socket, _PLAIN_ANSWER)
            return "plain HTTP on a TLS port"
        if self._unlisted:
            return "a PROXY header whose sender is no listed proxy"
        return (error.reason or str(error)).lower().replace("_", " ")

    def _failed(self, error: str) -> bool:
        self.shaken = True
        name = getattr(self.socket, "acrmock_name", "")
        self.server.on_handshake(TlsFacts(server_name=name, error=error), self.remote_addr or "")
        return False

    def abandon(self, *, reset: bool) -> None:
        """Say nothing more; with `reset` the close to come is a TCP RST."""
        self.wfile.muted = True
        if reset:
            self.reset = True

    def close(self) -> None:
        """Close; a handshake that was begun and never ended is reported."""
        if not self.shaken and self._began is not None:
            self._failed("the handshake was not finished")
        if self.rfile.partial and self.server.ready:
            self._head_overdue()
        with contextlib.suppress(OSError, ValueError):
            if self.reset:
                # closing at once, without a FIN before, is what makes it a reset
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
                self.socket.close()
            super().close()

    def _head_overdue(self) -> None:
        """Say that the head of a request did not come in time."""
        self.rfile.partial = False
        with contextlib.suppress(OSError):
            self.socket.settimeout(0)
            Request(self.server, self).simple_response("408 Request Timeout", "The request did not come in time.")


def _readable(sock: socket.socket) -> bool:
    try:
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(sock, select.POLLIN)
            return bool(poll.poll(LINGER_SECONDS * 1000))
        return bool(select.select([sock], [], [], LINGER_SECONDS)[0])
    except (OSError, ValueError):
        return False


class Pool(ThreadPool):
    """Workers that grow in number while all are busy (somebody may be waiting for an entry), up to a bound."""

    _queue: queue.Queue[Any]
    _threads: list[threading.Thread]

    def _spawn_worker(self) -> WorkerThread:
        """A worker that does not keep a process alive which forgot to stop its engine."""
        worker = WorkerThread(self.server)  # type: ignore[no-untyped-call]
        worker.name = "acrmock-worker"
        worker.daemon = True
        worker.start()
        return worker

    @staticmethod
    def _force_close(conn: Any) -> None:
        """End a connection on which a worker is still busy after the time for stopping: a client that never reads would hold it.

        Both directions, and past TLS, which would want to say goodbye: cheroot ends reading only, and the worker waits on.
        """
        with contextlib.suppress(OSError, AttributeError):
            socket.socket.shutdown(conn.socket, socket.SHUT_RDWR)

    def put(self, obj: Any) -> None:
        """Hand a connection to a worker."""
        super().put(obj)
        if self._queue.qsize() > 0 and len(self._threads) < self.max and self.idle < self._queue.qsize():
            self._threads.append(self._spawn_worker())


class Server(WsgiServer):
    """One listening address of one engine; `on_handshake` and `on_malformed` hear of what never became a request."""

    ConnectionClass = Connection
    version = "acrmock"
    keep_alive_conn_limit = MAX_CONNECTIONS
    _connections: Any
    _serve_unservicable: Callable[[], None]

    def __init__(
        self,
        address: tuple[str, int],
        app: WsgiApp,
        clock: Clock,
        *,
        context: ssl.SSLContext | None = None,
        on_handshake: Callable[[TlsFacts, str], None] = lambda _facts, _peer: None,
        on_malformed: Callable[[Malformed], None] = lambda _request: None,
        trusted_proxies: tuple[str, ...] = (),
        quick: Quick | None = None,
    ) -> None:
        super().__init__(address, app, server_name="acrmock", request_queue_size=256, timeout=REQUEST_SECONDS, shutdown_timeout=2)
        self.clock = clock
        self.trusted_proxies = trusted_proxies
        self._addresses = Addresses()
        self.gateway = Gateway
        self.requests = Pool(self, min=WORKERS[0], max=WORKERS[1])
        self.on_handshake = on_handshake
        self._on_malformed = on_malformed
        self.max_request_header_size = MAX_HEAD_BYTES
        if context is not None:
            self.ssl_adapter = TlsAdapter(context)
        self._own_threads: list[threading.Thread] = []
        self._lane = Lane(self, quick) if quick is not None else None
        self._selecting: threading.Thread | None = None
        self._stopping = False

    def listen(self) -> tuple[str, int]:
        """Bind and return the address (`run` answers on it); raises `SetupError` when the port cannot be had."""
        host, port = self.bind_addr
        try:
            self.prepare()
        except (OSError, OverflowError, UnicodeError) as error:
            raise SetupError(
                "cannot listen on this address",
                where=f"{host}:{port}",
                actual=str(error),
                fix="stop what uses the port, or choose another with --port (0 picks a free one)",
            ) from error
        accept, scarcity = self._connections._from_server_socket, Scarcity(self.clock)  # noqa: SLF001 - cheroot has no other place

        def accepted(listening: socket.socket) -> Connection | None:
            try:
                return accept(listening)  # type: ignore[no-any-return]
            except OSError as error:
                if not scarcity.outlast(error):
                    raise
                return None

        self._connections._from_server_socket = accepted  # noqa: SLF001 - the same
        if sys.platform != "win32":
            # what is accepted takes this over; without it a server killed on a picked port could not come back to it for a minute
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return str(self.bind_addr[0]), int(self.bind_addr[1])

    def run(self) -> None:
        """Begin to answer, in threads of its own."""
        for target in (self._serve_unservicable, self._select):
            thread = threading.Thread(target=target, name="acrmock-server", daemon=True)
            thread.start()
            self._own_threads.append(thread)
        self._selecting = self._own_threads[-1]

    def _select(self) -> None:
        while self.ready and not self._stopping:
            try:
                self._connections.run(self.expiration_interval)
            except Exception:  # noqa: BLE001 - the server must go on listening
                _log.exception("the selector failed")

    def process_conn(self, conn: Connection) -> None:
        """A new connection waits for its first bytes; one that has some goes to a worker."""
        if conn.fresh:
            conn.fresh = False
            self._connections.put(conn)
        else:
            super().process_conn(conn)

    def put_conn(self, conn: Connection) -> None:
        """A connection that stays open waits for more bytes, unless TLS already holds some, or the lane takes it."""
        if self.ready and conn.lean and self._lane is not None:
            self._lane.adopt(conn)
        elif self.ready and conn.waiting():
            super().process_conn(conn)
        else:
            super().put_conn(conn)

    def is_proxy(self, peer: str) -> bool:
        """Whether a peer is a listed proxy."""
        return self._addresses.within(peer, self.trusted_proxies)

    def malformed(self, request: Request, status: int, reason: str, code: str) -> None:
        """Report a request that could not be read."""
        self._on_malformed(
            Malformed(
                peer=request.conn.remote_addr or "",
                method=request.method.decode("latin-1"),
                target=request.uri.decode("latin-1"),
                headers=tuple(request.header_reader.fields),
                status=status,
                reason=reason,
                code=code,
                tls=request.conn.tls,
            )
        )

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002
        """Cheroot's own messages go to the log."""
        _log.log(logging.DEBUG if level < logging.ERROR else level, "%s", msg, exc_info=traceback)

    def stop(self) -> None:
        """Stop at once: no new connections, what is being answered is answered, all threads end."""
        if not self.ready:
            return
        # cheroot would let the selector sleep on, and then look every 10 ms whether it has ended
        self._stopping = True
        self._connections._stop_requested = True  # noqa: SLF001 - the same
        self._touch()
        if self._selecting is not None:
            self._selecting.join(5)
        super().stop()
        if self._lane is not None:
            self._lane.stop()
        for thread in self._own_threads:
            thread.join(5)

    def _touch(self) -> None:
        host, port = self.bind_addr[:2]
        target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        with contextlib.suppress(OSError), socket.create_connection((target, port), timeout=1):
            pass
