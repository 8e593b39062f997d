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
from collections.abc import Iterable, Iterator
from pathlib import Path

from acrmock.errors import SetupError
from mockserver._extents import FreeBlocks
from mockserver._places import BLOCK, Place, blocks
from mockserver._syncer import Syncer, started
from mockserver.store import StoreError, StoreFull

_CHUNK = 1024 * 1024
_AHEAD = 16 * 1024 * 1024
"""Bytes that are zeroed in advance, a chunk at a time."""

_READ = 1024 * 1024 * 1024
_RESTORE = "restore it together with the database from one backup, or use another --data"
_MODE = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_sync_data = getattr(os, "fdatasync", os.fsync)


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
        self._users = 0
        self._syncer = Syncer(self._sync)
        self._ahead: threading.Thread | None = None
        self._closed = False
        self.overwritten = 0
        """How often something was overwritten."""
        self._lent = 0
        self._left: list[tuple[int, int]] = []
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
        with self._opened() as file:
            os.ftruncate(file, min(size, self._free.end * BLOCK))
        if not clean:
            for first, count in self._free.pieces():
                self._zero(first * BLOCK, count * BLOCK, known=False)

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
        rest = memoryview(part)
        with self._opened() as file:
            while rest:
                done = _write_at(file, rest, offset)
                rest, offset = rest[done:], offset + done

    def read(self, place: Place) -> bytes:
        """The bytes of a place; raises `StoreError`."""
        try:
            with self._opened() as file:
                parts = [part for piece in place for part in _read(file, *piece)]
        except OSError as error:
            raise StoreError("received bytes cannot be read", where=str(self.path), actual=str(error)) from error
        if sum(map(len, parts)) != sum(length for _, length in place):
            raise StoreError("received bytes cannot be read", where=str(self.path), actual="it is too short", fix=_RESTORE)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def give_back(self, place: Place, *, written: bool = True) -> None:
        """Overwrite what a place holds, if something was `written`, and let others have it; blocks count as a whole.

        What cannot be overwritten is tried again, a piece each time, at the end and at the next start.
        """
        with self._lock:
            self.overwritten += written
            pieces = [*place, *self._left[:1]] if written else list(place)
            del self._left[: len(pieces) - len(place)]
        for offset, length in pieces:
            done = not length or not written or self._overwrite(offset, blocks(length) * BLOCK)
            with self._lock:
                if not done:
                    self._left.append((offset, length))
                elif length:
                    self._free.give(offset // BLOCK, blocks(length))

    def lend(self, number: int) -> None:
        """So many more, or fewer, write into room that no row names yet."""
        with self._lock:
            self._lent += number

    @property
    def clean(self) -> bool:
        """Whether everything that is free was overwritten, and where the store is synced, once closed, on the disk too."""
        return not self._left and not self._lent

    # the disk

    def begin_sync(self) -> int:
        """Have what was written on the disk soon, where the store is synced; a number for `wait`. Raises `OSError`."""
        return self._syncer.begin() if self._synced else 0

    @property
    def next_sync(self) -> int:
        """The first sync that may tell of what is written from now on, for `wait`."""
        return self._syncer.next

    def wait(self, first: int, last: int) -> None:
        """Wait from `next_sync` to what `begin_sync` began; raises `StoreFull` and `StoreError` when it may not be there."""
        if not last:
            return
        try:
            self._syncer.wait(first, last)
        except OSError as error:
            raise as_store_error(error, self.path) from error

    def close(self) -> None:
        """Let go of the file and of what is free at its end; harmless when done twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._lock.notify_all()
        if self._ahead is not None:
            self._ahead.join()
        self._syncer.close()
        for _ in tuple(self._left):
            self.give_back(())
        with self._lock:
            file, self._file = self._file, None
            self._lock.wait_for(lambda: not self._users)
        if file is not None:
            try:
                os.ftruncate(file, self._free.trim() * BLOCK)
                if self._synced:
                    _sync_data(file)  # what was overwritten, before anybody says that it was
            except OSError:
                self._left.append((0, 0))
            os.close(file)

    # inside

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        """The file, which is not closed meanwhile: its number could be another file's by then."""
        with self._lock:
            if self._file is None:
                self._file = self._open()
            file = self._file
            self._users += 1
        try:
            yield file
        finally:
            with self._lock:
                self._users -= 1
                if self._closed:
                    self._lock.notify_all()

    def _open(self) -> int:
        if self._closed:
            raise OSError(errno.EBADF, "the store is closed")
        file = os.open(self.path, _MODE, 0o600)
        if self._synced and os.name != "nt":  # Windows has no sync of a folder
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return file

    def _sync(self) -> None:
        with self._opened() as file:
            _sync_data(file)

    def _overwrite(self, offset: int, length: int) -> bool:
        """Have zeros there, as far as the file goes; whether that was done."""
        try:
            self._zero(offset, length)
        except OSError:
            return False
        return True

    def _zero(self, offset: int, length: int, *, known: bool = True) -> None:
        """The same; not `known`: where there are none, so that nothing needs room on a disk that may be full."""
        with self._opened() as file:
            end = min(offset + length, os.fstat(file).st_size)
            for at in range(offset, end, _CHUNK):
                zeros = bytes(min(_CHUNK, end - at))
                if known or b"".join(_read(file, at, len(zeros))) != zeros:
                    self.write(at, zeros)

    def _look_ahead(self) -> None:
        """Have more zeroed; the lock is held."""
        if self._ahead is None and not self._closed:
            with contextlib.suppress(OSError):
                self._ahead = started(self._zero_ahead, "ahead")
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
                number = self._syncer.begin()  # not by itself: who waits there would not hear of an error
                self._syncer.wait(number, number)
            except OSError:
                refused = True
            with self._lock:
                self._free.give(first, _CHUNK // BLOCK)
                if refused and not self._closed:
                    self._lock.wait()  # for the next who takes


def _read(file: int, offset: int, length: int) -> Iterator[bytes]:
    """What stands there, as far as the file goes: no system reads 2 GB at a time."""
    while length > 0 and (part := _read_at(file, min(length, _READ), offset)):
        yield part
        offset, length = offset + len(part), length - len(part)


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
