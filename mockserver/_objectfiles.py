"""Files of large received data sets, beside the database: each is written once, while it comes in, and is never changed.

A file belongs to whoever makes it until a unit takes it (`Unit.put_object`), and to the store from then on. Its bytes are on the
disk before the unit is committed (`finish`), its name too (`ObjectFiles.sync`, once for a batch). What no row names any more is
removed after the commit, or, when a crash came between, at the next start.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from mockserver.store import StoreError, StoreFull

_sync_data = getattr(os, "fdatasync", os.fsync)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class ReceivedFile:
    """One data set on its way to the disk, hashed as it comes; not thread-safe.

    What the system refuses is told by `finish`, so that who writes need not care: the bytes are then dropped.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._hash = hashlib.sha256()
        self._descriptor: int | None = None
        self._error: OSError | None = None
        self.name = uuid.uuid4().hex
        self.taken = False
        try:
            self._descriptor = os.open(files.place(self.name), _NEW, 0o600)
        except OSError as error:
            self._error = error

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, hexadecimal."""
        return self._hash.hexdigest()

    def write(self, part: bytes | bytearray | memoryview) -> None:
        """Add bytes."""
        self._hash.update(part)
        if self._descriptor is None:
            return
        try:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._error = error
            self.discard()

    def finish(self) -> None:
        """Have the bytes on the disk, where the store is synced; raises `StoreFull` and `StoreError`."""
        try:
            if self._descriptor is not None and self._files.synced:
                _sync_data(self._descriptor)
        except OSError as error:
            self._error = error
        self._close()
        if self._error is not None:
            raise _as_store_error(self._error)

    def whole(self) -> bytes:
        """All that was written; raises `StoreError`."""
        if self._error is not None:
            raise _as_store_error(self._error)
        return self._files.read(self.name)

    def discard(self) -> None:
        """Remove the file, unless a unit took it; harmless when done twice."""
        self._close()
        if not self.taken:
            self.taken = True
            self._files.remove((self.name,))

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class ObjectFiles:
    """The folder of those files, which is made when the first one comes; only its owner may read it."""

    def __init__(self, folder: Path, *, synced: bool) -> None:
        self._folder = folder
        self.synced = synced

    def place(self, name: str) -> Path:
        """Where a new file belongs; raises `OSError`."""
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._sync(self._folder.parent)
        return self._folder / name

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises `StoreError`."""
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise StoreError("received bytes cannot be read", where=str(self._folder / name), actual=str(error)) from error

    def sync(self) -> None:
        """Have the names of new files on the disk; raises `OSError`."""
        self._sync(self._folder)

    def _sync(self, folder: Path) -> None:
        if not self.synced or os.name == "nt":  # Windows has no sync of a folder
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; one that cannot be removed is left to `sweep`."""
        for name in names:
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()

    def sweep(self, named: Iterable[str]) -> None:
        """Remove every file but the `named` ones: a crash left them before the commit, or after that of a deletion."""
        if self._folder.is_dir():
            self.remove({path.name for path in self._folder.iterdir()}.difference(named))


def _as_store_error(error: OSError) -> StoreError:
    if error.errno in _FULL:
        fix = "free some space; nothing acknowledged was lost"
        return StoreFull("there is no room left on the disk", actual=str(error), fix=fix)
    return StoreError("received bytes cannot be written", actual=str(error))
