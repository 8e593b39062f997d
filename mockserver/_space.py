"""One file for the bytes of all received data sets, beside the database, in blocks of 4 kB.

A new file for each would cost its making and the sync of its name, and in the database the bytes would be written twice, page by
page. Here they are written once, where there is room. A disk syncs blocks that were written before in half of the time that new
ones take, so where the store is synced, a thread zeroes some in advance, while data sets come. Who deletes overwrites with zeros;
what a crash left without a row is overwritten at the next start.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from acrmock.errors import SetupError
from mockserver._extents import FreeBlocks
from mockserver._syncer import Syncer
from mockserver.store import StoreError, StoreFull

BLOCK = 4096
_CHUNK = 1024 * 1024
_AHEAD = 16 * 1024 * 1024
"""Bytes that are zeroed in advance, a chunk at a time."""

_RESTORE = "restore it together with the database from one backup, or use another --data"
_MODE = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_sync_data = getattr(os, "fdatasync", os.fsync)

Place = tuple[tuple[int, int], ...]
"""Where the bytes of a data set are: pieces of the file (offset and length in bytes) in order."""


def place_text(place: Place) -> str:
    """A place as its row says it: `offset+length`, separated by spaces."""
    return " ".join(f"{offset}+{length}" for offset, length in place)


def place_of(text: str) -> Place:
    """The place that a row says; raises `ValueError`."""
    pieces = (piece.split("+") for piece in text.split())
    return tuple((int(offset), int(length)) for offset, length in pieces)


def blocks(length: int) -> int:
    """How many blocks so many bytes fill."""
    return -(-length // BLOCK)


def as_store_error(error: OSError, where: Path) -> StoreError:
    """What a failure of the file is to those who wait for it."""
    if error.errno in _FULL:
        fix = "free some space; nothing acknowledged was lost"
        return StoreFull("there is no room left on the disk", actual=str(error), fix=fix)
    return StoreError("received bytes cannot be written", where=str(where), actual=str(error))


class Space:
    """The file at `path`, which is made when the first bytes come, for its owner only; safe to use from many threads.

    `places` are those that rows name. `clean`: the file was closed, so what is free was overwritten. Raises `SetupError` when the
    file cannot be opened, or is not that of these rows.
    """

    def __init__(self, path: Path, places: Iterable[Place], *, synced: bool, clean: bool) -> None:
        self.path = path
        self._synced = synced
        self._lock = threading.Condition()
        self._free = self._free_beside(places)
        self._file: int | None = None
        self._syncer = Syncer(lambda: _sync_data(self._opened()))
        self._ahead: threading.Thread | None = None
        self._closed = False
        self._lent = 0
        self._left = False
        try:
            self._begin(clean=clean)
        except OSError as error:
            what, fix = "the file of received bytes cannot be opened", "check its rights, or use another --data"
            raise SetupError(what, where=str(path), actual=error.strerror or str(error), fix=fix) from error

    def _free_beside(self, places: Iterable[Place]) -> FreeBlocks:
        try:
            return FreeBlocks((offset // BLOCK, blocks(length)) for place in places for offset, length in place if length)
        except ValueError as error:
            raise SetupError("the store is damaged", where=str(self.path), actual=str(error), fix=_RESTORE) from error

    def _begin(self, *, clean: bool) -> None:
        """Cut off what no row names at the end, and overwrite what a crash left in between."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if blocks(size) < self._free.end:
            actual = "it is too short" if size else "there is none"
            raise SetupError("this is not the file of the received bytes", where=str(self.path), actual=actual, fix=_RESTORE)
        if not size:
            return
        os.ftruncate(self._opened(), min(size, self._free.end * BLOCK))
        if not clean:
            for first, count in self._free.pieces():
                self._overwrite(first * BLOCK, count * BLOCK)

    # what is written and read

    def take(self, size: int) -> tuple[int, int]:
        """Room for at least `size` bytes in one piece: its offset, and how many there are."""
        count = max(1, blocks(size))
        with self._lock:
            first = self._free.take(count)
            if self._synced and self._free.free * BLOCK < _AHEAD - _CHUNK:
                self._look_ahead()
        return first * BLOCK, count * BLOCK

    def write(self, offset: int, part: bytes | bytearray | memoryview) -> None:
        """Write into room that was taken; raises `OSError`."""
        file, rest = self._opened(), memoryview(part)
        while rest:
            done = _write_at(file, rest, offset)
            rest, offset = rest[done:], offset + done

    def read(self, place: Place) -> bytes:
        """The bytes of a place; raises `StoreError`."""
        try:
            parts = [_read_at(self._opened(), length, offset) for offset, length in place]
        except OSError as error:
            raise StoreError("received bytes cannot be read", where=str(self.path), actual=str(error)) from error
        if any(len(part) != length for part, (_, length) in zip(parts, place, strict=True)):
            raise StoreError("received bytes cannot be read", where=str(self.path), actual="it is too short", fix=_RESTORE)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def give_back(self, place: Place, *, written: bool = True) -> None:
        """Overwrite what a place holds, if something was `written`, and let others have it; blocks count as a whole."""
        for offset, length in place:
            if not length or (written and not self._overwrite(offset, blocks(length) * BLOCK)):
                continue  # nothing to give back; or it is overwritten at the next start
            with self._lock:
                self._free.give(offset // BLOCK, blocks(length))

    def lend(self, number: int) -> None:
        """So many more, or fewer, write into room that no row names yet."""
        with self._lock:
            self._lent += number

    @property
    def clean(self) -> bool:
        """Whether everything that is free was overwritten."""
        return not self._left and not self._lent

    # the disk

    def begin_sync(self) -> int:
        """Have what was written on the disk soon, where the store is synced; a number for `wait`."""
        return self._syncer.begin() if self._synced else 0

    def wait(self, first: int, last: int) -> None:
        """Wait for what `begin_sync` began, from one to another; raises `StoreFull` and `StoreError` when it may not be there."""
        if not last:
            return
        try:
            self._syncer.wait(first, last)
        except OSError as error:
            raise as_store_error(error, self.path) from error

    def close(self) -> None:
        """Let go of the file and of what is free at its end; harmless when done twice."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        if self._ahead is not None:
            self._ahead.join()
        self._syncer.close()
        with self._lock:
            if self._file is None:
                return
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._free.trim() * BLOCK)
            os.close(self._file)
            self._file = None

    # inside

    def _opened(self) -> int:
        file = self._file
        if file is None:
            with self._lock:
                if self._file is None:
                    self._file = self._open()
                file = self._file
        return file

    def _open(self) -> int:
        if self._closed:
            raise OSError(errno.EBADF, "the store is closed")
        fresh = not self.path.exists()
        file = os.open(self.path, _MODE, 0o600)
        if fresh and self._synced and os.name != "nt":  # Windows has no sync of a folder
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return file

    def _overwrite(self, offset: int, length: int) -> bool:
        """Have zeros there, as far as the file goes; whether that was done."""
        try:
            end = min(offset + length, os.fstat(self._opened()).st_size)
            for at in range(offset, end, _CHUNK):
                self.write(at, bytes(min(_CHUNK, end - at)))
        except OSError:
            self._left = True
            return False
        return True

    def _look_ahead(self) -> None:
        """Have more zeroed; the lock is held."""
        if self._ahead is None and not self._closed:
            self._ahead = threading.Thread(target=self._zero_ahead, name="ahead", daemon=True)
            self._ahead.start()
        self._lock.notify_all()

    def _zero_ahead(self) -> None:
        """Append zeros, sync them and let others have them, until there are enough or the disk refuses; and again."""
        zeros = bytes(_CHUNK)
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._closed or self._free.free * BLOCK < _AHEAD)
                if self._closed:
                    return
                first = self._free.extend(_CHUNK // BLOCK)
            refused = False
            try:
                self.write(first * BLOCK, zeros)
                _sync_data(self._opened())
            except OSError:
                refused = True
            with self._lock:
                self._free.give(first, _CHUNK // BLOCK)
                if refused and not self._closed:
                    self._lock.wait()  # for the next who takes


if hasattr(os, "pwrite"):

    def _write_at(file: int, part: memoryview, offset: int) -> int:
        return os.pwrite(file, part, offset)

    def _read_at(file: int, length: int, offset: int) -> bytes:
        return os.pread(file, length, offset)

else:  # pragma: no cover - another system's branch
    _one_at_a_time = threading.Lock()

    def _write_at(file: int, part: memoryview, offset: int) -> int:
        with _one_at_a_time:
            os.lseek(file, offset, os.SEEK_SET)
            return os.write(file, part)

    def _read_at(file: int, length: int, offset: int) -> bytes:
        with _one_at_a_time:
            os.lseek(file, offset, os.SEEK_SET)
            return os.read(file, length)
