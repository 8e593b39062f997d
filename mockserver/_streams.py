"""The two ends of a connection as cheroot wants them: a buffered reader and a writer that joins small pieces."""

from __future__ import annotations

import socket

_PIECE = 64 * 1024
_SLICE = 16 * 1024 * 1024


class Reader:
    """Reads from a socket through a buffer; knows whether bytes are waiting in it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = b""
        self.bytes_read = 0
        self.closed = False

    def has_data(self) -> bool:
        """Whether bytes were received that nobody has read."""
        return bool(self._buffer)

    def _fill(self) -> bool:
        piece = self._socket.recv(_PIECE)
        self._buffer += piece
        self.bytes_read += len(piece)
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
            piece = self._socket.recv(_PIECE if left is None else min(_SLICE, left))
            if not piece:
                break
            self.bytes_read += len(piece)
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


class Writer:
    """Writes to a socket; while held, small pieces are joined, so that head and body leave together."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._pieces: list[bytes] = []
        self._size = 0
        self.held = False
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
        if self._size >= _PIECE:
            self._send()
        return len(data)

    def flush(self) -> None:
        """Send what was kept, and hold nothing back any more."""
        self.held = False
        self._send()

    def _send(self) -> None:
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces, self._size = [], 0
            self._socket.sendall(data)


def make_file(sock: socket.socket, mode: str = "rb", _size: int = -1) -> Reader | Writer:
    """A reader or a writer over a socket, by `mode`."""
    return Reader(sock) if "r" in mode else Writer(sock)
