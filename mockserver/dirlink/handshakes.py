"""TLS handshakes of one port: each bounded in time, and all of them broken off when the receiver stops."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

from acrmock.record import TlsFacts


class Handshakes:
    """Those that go on; each in the thread of its connection. `seconds` are what one may take as a whole."""

    def __init__(self, context: ssl.SSLContext, seconds: float) -> None:
        self._context = context
        self._seconds = seconds
        self._lock = threading.Lock()
        self._going_on: set[ssl.SSLSocket] = set()
        self._stopped = False

    def shake(self, request: socket.socket) -> tuple[ssl.SSLSocket, TlsFacts]:
        """The connection over TLS; raises `OSError` or `ValueError`, and closes it, where that fails or takes too long."""
        request.settimeout(self._seconds)
        wrapped = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        try:
            with self._lock:
                self._going_on.add(wrapped)
                if self._stopped:
                    raise ConnectionAbortedError("the receiver stops")
            wrapped.do_handshake()
            return wrapped, TlsFacts(version=wrapped.version() or "", cipher=(wrapped.cipher() or ("", "", 0))[0])
        except BaseException:
            wrapped.close()
            raise
        finally:
            with self._lock:
                self._going_on.discard(wrapped)

    def stop(self) -> None:
        """Break off what goes on, and whatever would begin."""
        with self._lock:
            self._stopped = True
            for wire in self._going_on:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(wire, socket.SHUT_RDWR)
