"""The two ends of a connection as cheroot wants them: a buffered reader and a writer that joins small pieces."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable

_PIECE = 64 * 1024
_SLICE = 16 * 1024 * 1024
_CHUNK_LINE_BYTES = 4096
_TRAILER_BYTES = 64 * 1024
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_END_OF_HEAD = (b"\r\n\r\n", b"\n\n")


class Reader:
    """Reads from a socket through a buffer; knows whether bytes are waiting in it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self.bytes_read = 0
        self.closed = False
        self.late: Callable[[], bool] = lambda: False
        self.partial = False
        self.broken = False

    @property
    def buffered(self) -> int:
        """How many bytes were received and not read."""
        return len(self._buffer)

    def more(self) -> bool:
        """Take in what has arrived; False at the end of the stream. Raises what the socket raises where nothing has."""
        return self._fill()

    def head(self) -> bytes | None:
        """The head that the received bytes begin with, its empty line included; None where it is not whole."""
        end = self._buffer.find(_END_OF_HEAD[0])
        return None if end < 0 else self._buffer[: end + 4]

    def take_head(self) -> bytes:
        """Read that head, which is whole; without the empty line."""
        end = self._buffer.index(_END_OF_HEAD[0])
        return self._take(end + 4)[:-4]

    def mark(self) -> bytes:
        """What `go_back` takes to read the same again."""
        return self._buffer

    def go_back(self, mark: bytes) -> None:
        """Have everything unread that was unread at `mark`; nothing was received since."""
        self._buffer = mark

    def has_data(self) -> bool:
        """Whether bytes were received that somebody could read; the beginning of a head does not count."""
        return bool(self._buffer) and not self.partial

    def gather(self, most: int) -> bool:
        """Take in what has arrived, without waiting; True once a whole head is there, or as much as will be read of it.

        False leaves `partial` telling whether a head has begun.
        """
        while not self._has_head(most):
            try:
                going_on = self._fill()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self.partial = bool(self._buffer)
                return False
            if not going_on:
                break
        self.partial = False
        return True

    def _has_head(self, most: int) -> bool:
        return len(self._buffer) > most or any(end in self._buffer for end in _END_OF_HEAD)

    def _receive(self, size: int) -> bytes:
        """The next bytes; raises `OSError`, and `TimeoutError` where the whole took too long."""
        try:
            if self.late():
                raise TimeoutError("timed out")
            piece = self._socket.recv(size)
        except OSError as error:
            self.broken = not isinstance(error, BlockingIOError | ssl.SSLWantReadError | ssl.SSLWantWriteError)
            raise
        self.bytes_read += len(piece)
        return piece

    def _fill(self) -> bool:
        piece = self._receive(_PIECE)
        self._buffer += piece
        return bool(piece)

    def readline(self, size: int | None = None) -> bytes:
        """A line with its line feed, at most `size` bytes of it; shorter at the end of the stream."""
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched) + 1
            searched = len(self._buffer)
            if end or (size is not None and searched >= size) or not self._fill():
                return self._take(min(end or len(self._buffer), size if size is not None else len(self._buffer)))

    def read(self, size: int | None = None) -> bytes:
        """Exactly `size` bytes, or what there is until the end of the stream."""
        if size is not None and len(self._buffer) >= size:
            return self._take(size)
        parts = [self._take(len(self._buffer))]
        left = None if size is None else size - len(parts[0])
        while left is None or left > 0:
            piece = self._receive(_PIECE if left is None else min(_SLICE, left))
            if not piece:
                break
            parts.append(piece)
            left = None if left is None else left - len(piece)
        return b"".join(parts)

    def _take(self, size: int) -> bytes:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def close(self) -> None:
        """Forget what was not read; the connection closes the socket."""
        self.closed = True
        self._buffer = b""


class Chunks:
    """A chunked body (RFC 9112 section 7.1) read strictly and piece by piece, however large a chunk says it is.

    Reading raises `ValueError` where the framing is broken; `ended` is True once the last chunk and the trailers were read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._left = 0
        self.ended = False

    def read(self, size: int | None = None) -> bytes:
        """Exactly `size` bytes, or what there is until the end of the body."""
        parts: list[bytes] = []
        left = size
        while (left is None or left > 0) and self._in_chunk():
            part = self._reader.read(min(self._left, _PIECE if left is None else left))
            if not part:
                raise ValueError("the body was cut off within a chunk")
            parts.append(part)
            self._left -= len(part)
            left = None if left is None else left - len(part)
            if not self._left and self._reader.readline(2) != b"\r\n":
                raise ValueError("a chunk does not end where it said")
        return b"".join(parts)

    def _in_chunk(self) -> bool:
        """Whether there is more of the body; reads the next chunk's size, and the trailers after the last one."""
        if not self._left and not self.ended:
            match = _CHUNK_SIZE.fullmatch(self._reader.readline(_CHUNK_LINE_BYTES))
            if match is None:
                raise ValueError("a chunk has no size")
            self._left = int(match[1], 16)
            if not self._left:
                self._skip_trailers()
        return not self.ended

    def _skip_trailers(self) -> None:
        room = _TRAILER_BYTES
        while (line := self._reader.readline(room)) != b"\r\n":
            room -= len(line)
            if not line.endswith(b"\r\n") or room <= 0:
                raise ValueError("the trailers are malformed or too long")
        self.ended = True


class Writer:
    """Writes to a socket; while held, small pieces are joined, so that head and body leave together."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._pieces: list[bytes] = []
        self._size = 0
        self.held = False
        self.whole = False
        self.muted = False
        self.bytes_written = 0

    def write(self, data: bytes) -> int:
        """Send `data`, or keep it until `flush` or until enough has come together."""
        self.bytes_written += len(data)
        if self.muted:
            return len(data)
        if not self.held:
            self._socket.sendall(data)
            return len(data)
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _PIECE and not self.whole:
            self._send()
        return len(data)

    @property
    def unsent(self) -> bool:
        """Whether something was kept."""
        return bool(self._pieces)

    def discard(self) -> None:
        """Forget what was kept."""
        self._pieces, self._size = [], 0

    def push(self) -> None:
        """Send what was kept without waiting; raises what a socket raises that would wait, and keeps the rest for `flush`."""
        while self._pieces:
            data = b"".join(self._pieces)
            self._pieces = [data]  # TLS wants to be given the same again
            sent = self._socket.send(data)
            self._pieces = [data[sent:]] if sent < len(data) else []
        self._size, self.held, self.whole = 0, False, False

    def flush(self) -> None:
        """Send what was kept, and hold nothing back any more."""
        self.held = self.whole = False
        self._send()

    def _send(self) -> None:
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces, self._size = [], 0
            self._socket.sendall(data)


def make_file(sock: socket.socket, mode: str = "rb", _size: int = -1) -> Reader | Writer:
    """A reader or a writer over a socket, by `mode`."""
    return Reader(sock) if "r" in mode else Writer(sock)
