"""The lane: one thread that answers the short requests of connections that stay open, a batch at a time.

Handing each request to a worker and back to the selector, and waiting for the batch's commit in between, costs as much as half a
short answer, because threads want the interpreter's lock from each other. A connection whose last request was a short one (a view
with a lean form: it computes and waits for nobody but the store) stays here: what has come in on all of them is answered for a
moment, each application in its turn (one that floods keeps no other waiting), committed once, and then sent. What may wait for
somebody goes back to the workers with all its bytes: a request that is not whole for long, a large one, one that is malformed or
not for a lean view, one that a fault delays, an answer that the client does not take.
"""

from __future__ import annotations

import contextlib
import logging
import re
import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mockserver.serve import Connection, Server

_log = logging.getLogger("mockserver")

LARGEST = 64 * 1024
"""Bytes of a request, head and body, beyond which a worker reads and answers it."""
IDLE_SECONDS = 1.0
"""How long a connection may be silent before the selector has it again."""
BATCH_SECONDS = 0.05
"""How long answers may be made before those that are made are committed and sent."""
_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([^\r]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
_SIZE = re.compile(rb"[0-9]{1,9}")
_OTHER = re.compile(rb"\r\n(?:Transfer-Encoding|Expect)[ \t]*:", re.IGNORECASE)
_LINE = re.compile(rb"(GET|POST) (/(?!/)[!\"$&-~]*) HTTP/1\.1\r\n")
Settled = Callable[[], bytes | None]
"""Waits until an exchange is durable; gives what must be sent in place of its answer where it is lost."""
LATER_KEY = "acrmock.later"
"""Where the lane leaves a list for the `Settled` of each exchange; without it the gate waits before it answers."""
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class MustWait(BaseException):  # no handler of errors on the way may take it for one
    """The request would keep the lane waiting; nothing was changed by it yet."""


class Quick(Protocol):
    """What the application tells the lane."""

    def route(self, method: str, target: str) -> object | None:
        """Where a request for a view with a lean form goes, for the application to read again; None for any other."""
        ...

    def whose(self, route: object) -> Hashable:
        """Whose request it is that goes there: each has its turn."""
        ...

    def begin(self) -> None:
        """Exchanges are about to be made; their commit waits for `end`."""
        ...

    def end(self) -> None:
        """Commit what was made since `begin`, without waiting for others."""
        ...


class Lane:
    """The connections of one server that the lane has, and its thread."""

    def __init__(self, server: Server, quick: Quick) -> None:
        self._server = server
        self._quick = quick
        self._selector = selectors.DefaultSelector()
        self._coming: deque[Connection] = deque()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._door = threading.Lock()
        self._stopping = False
        self._swept = 0.0
        self._whole: dict[Connection, None] = {}
        self._thread = threading.Thread(target=self._run, name="acrmock-lane", daemon=True)

    def stop(self) -> None:
        """End, and close the connections it has; who comes later is closed."""
        with self._door:
            self._stopping = True
            begun = self._thread.ident is not None
        if begun:
            self._ring()
            self._thread.join(5)
        else:
            self._close()

    def adopt(self, connection: Connection) -> None:
        """Answer what comes on this connection from now on; the thread begins with the first."""
        with self._door:
            if self._stopping:
                connection.close()
                return
            self._coming.append(connection)
            if self._thread.ident is None:
                self._thread.start()
        self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    def _run(self) -> None:
        again: list[Connection] = []
        while not self._stopping:
            try:
                again = self._turn(again)
            except Exception:  # noqa: BLE001 - the lane must go on
                _log.exception("the lane failed")
                again = self._drop_unknown()
        self._close()

    def _turn(self, again: list[Connection]) -> list[Connection]:
        """Answer connections that have a request, each once; gives those that have received more already."""
        self._sweep({*again, *self._whole})
        ready = dict.fromkeys(again)
        holds = len(self._selector.get_map()) > 1
        busy = again or self._whole or self._coming
        for key, _ in self._selector.select(0 if busy else IDLE_SECONDS if holds else None):
            if key.data is None:
                with contextlib.suppress(OSError):
                    self._ear.recv(4096)
            elif key.data not in self._whole:
                ready[key.data] = None
        while self._coming:
            ready[self._welcome(self._coming.popleft())] = None
        self._whole |= dict.fromkeys(connection for connection in ready if self._is_whole(connection))
        return self._answer() if self._whole else []

    def _in_turn(self) -> Iterator[Connection]:
        """One connection of each application, then the next of each: who sends most keeps nobody else waiting."""
        queues: dict[Hashable, deque[Connection]] = {}
        for connection in self._whole:
            queues.setdefault(self._quick.whose(connection.route), deque()).append(connection)
        while queues:
            for whose, queue in list(queues.items()):
                yield queue.popleft()
                if not queue:
                    del queues[whose]

    def _welcome(self, connection: Connection) -> Connection:
        connection.socket.settimeout(0)
        connection.heard = self._server.clock.monotonic()
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def _sweep(self, busy: Collection[Connection]) -> None:
        """Give silent connections back to the selector, and what is not whole for so long to a worker."""
        now = self._server.clock.monotonic()
        if now - self._swept < IDLE_SECONDS:
            return
        self._swept = now
        for key in list(self._selector.get_map().values()):
            if key.data is not None and key.data not in busy and now - key.data.heard >= IDLE_SECONDS:
                self._give_back(key.data)

    def _is_whole(self, connection: Connection) -> bool:
        """Whether a request for a lean view is there, whole; whatever else has come goes to a worker."""
        try:
            size = self._size(connection)
            while size is not None and connection.rfile.buffered < size:
                size = self._size(connection) if connection.rfile.more() else None
        except _AGAIN:
            return False
        except Exception:  # noqa: BLE001 - whatever is wrong with it, a worker finds out
            size = None
        if size is None:
            self._give_back(connection)
        return size is not None

    def _size(self, connection: Connection) -> int | None:
        """How many bytes the request has, or at least has; None where it is not for the lane."""
        head = connection.rfile.head()
        if head is None:
            return connection.rfile.buffered + 1 if connection.rfile.buffered < LARGEST else None
        line = _LINE.match(head)
        if line is None or _OTHER.search(head):
            return None
        connection.route = self._quick.route(line[1].decode(), line[2].decode())
        lengths = _LENGTH.findall(head)
        if connection.route is None or len(lengths) > 1 or not all(map(_SIZE.fullmatch, lengths)):
            return None
        size = len(head) + (int(lengths[0]) if lengths else 0)
        return size if size <= LARGEST else None

    def _answer(self) -> list[Connection]:
        """Answer one request of each for a while, commit once, send; gives those that have received more already."""
        made: list[tuple[Connection, bool]] = []
        until = self._server.clock.monotonic() + BATCH_SECONDS
        self._quick.begin()
        try:
            while self._whole:
                made += self._make_until(until)
                if self._server.clock.monotonic() > until:
                    break
                self._gather({connection for connection, _ in made})
        finally:
            self._quick.end()
        return [connection for connection, stays in made if self._sent(connection, stays=stays)]

    def _make_until(self, until: float) -> list[tuple[Connection, bool]]:
        """Make the answers that are asked for, as many as can be begun in time; with each, whether its connection stays open."""
        made = []
        for connection in list(self._in_turn()):
            del self._whole[connection]
            stays = self._make(connection)
            if stays is not None:
                made.append((connection, stays))
            if self._server.clock.monotonic() > until:
                break
        return made

    def _gather(self, answered: Collection[Connection]) -> None:
        """Take in what came on other connections meanwhile: the more is committed at once, the less each answer costs."""
        for key, _ in self._selector.select(0):
            connection = key.data
            if connection is not None and connection not in answered and self._is_whole(connection):
                self._whole[connection] = None

    def _make(self, connection: Connection) -> bool | None:
        """Make an answer that is not sent yet; whether the connection stays open. None where a worker must do it."""
        connection.heard = self._server.clock.monotonic()
        kept = connection.rfile.mark()
        connection.later = []
        try:
            return connection.answer_one()
        except MustWait:
            connection.rfile.go_back(kept)
            connection.wfile.discard()
            connection.later = None
            self._give_back(connection)
            return None

    def _sent(self, connection: Connection, *, stays: bool) -> bool:
        try:
            return self._send(connection, stays=stays)
        except Exception:  # noqa: BLE001 - the others' answers must leave
            _log.exception("an answer could not be sent")
            self._drop(connection)
            return False

    def _send(self, connection: Connection, *, stays: bool) -> bool:
        """Send what was made once it is durable; True when the next request is there already."""
        later, connection.later = connection.later or [], None
        for settled in later:
            instead = settled()
            if instead is not None:
                connection.wfile.discard()
                connection.wfile.write(instead)
                stays = False
        try:
            connection.wfile.push()
        except _AGAIN:
            connection.stays = stays
            self._give_back(connection)
            return False
        except OSError:
            stays = False
        if not stays:
            self._drop(connection)
            return False
        return connection.rfile.buffered > 0 or connection.waiting()

    def _drop(self, connection: Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.close()

    def _drop_unknown(self) -> list[Connection]:
        """Close those whose answer was made, as nobody knows of its commit, before more comes on them; none goes on."""
        for key in list(self._selector.get_map().values()):
            if key.data is not None and key.data.later is not None:
                with contextlib.suppress(Exception):
                    self._drop(key.data)
        return []

    def _give_back(self, connection: Connection) -> None:
        if connection.later is not None:  # its answer was made, and nobody knows what became of the commit
            self._drop(connection)
            return
        self._selector.unregister(connection.socket)
        connection.lean, connection.route = False, None
        connection.socket.settimeout(self._server.timeout)
        if connection.rfile.buffered or connection.wfile.unsent or connection.waiting():
            self._server.requests.put(connection)
        else:
            self._server.put_conn(connection)

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.close()
        while self._coming:
            self._coming.popleft().close()
        self._selector.close()
        self._ear.close()
        self._bell.close()
