"""What one batch does to received bytes: they come and go with the transaction that names them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from mockserver._adopt import adopt
from mockserver._places import Place, place_of
from mockserver._received import ReceivedFile
from mockserver._space import Space
from mockserver.store import ObjectFile

_IN_ROW = 64 * 1024
"""Bytes of a data set that its row may hold."""

_NAMED = "SELECT place FROM received WHERE place LIKE '%+%'"


class ReceivedBytes:
    """The bytes that the rows of the table `received` name, and what the current batch adds and removes; the state lock is held.

    Where the store is synced, the row of a short data set holds it: one sync for both takes less than two. Others are in one file
    beside the database at `path`; None keeps everything in memory, in the rows. `clean`: the store was closed the last time.
    Raises `SetupError`.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, *, synced: bool, clean: bool) -> None:
        self._in_row = _IN_ROW if synced else 0
        self._added: list[Place] = []
        self._removed: list[Place] = []
        self._doubtful: list[Place] = []
        self._committing = False
        self._begun = (0, 0)
        self.space = None if path is None else _opened(connection, path, synced=synced, clean=clean)

    def file(self, size: int = 0) -> ReceivedFile | None:
        """Room for a data set of `size` bytes, 0 when that is not known; None for what its row holds. Needs no lock."""
        if self.space is None or 0 < size <= self._in_row:
            return None
        return ReceivedFile(self.space, size)

    def as_file(self, data: bytes | ObjectFile) -> ReceivedFile | None:
        """Received bytes as a finished file; None for what its row holds."""
        if isinstance(data, ReceivedFile):
            return data
        octets = data if isinstance(data, bytes) else data.whole()
        file = self.file(len(octets))
        if file is not None:
            file.write(octets)
            file.finish()
        return file

    # in a unit

    def add(self, file: ReceivedFile) -> None:
        """The bytes belong to the store from now on."""
        self._added.append(file.take())
        first, last = file.begun
        if last:
            self._begun = (min(self._begun[0] or first, first), max(self._begun[1], last))

    def remove(self, place: Place) -> None:
        """No row names the place any more, if the batch is committed."""
        self._removed.append(place)

    @property
    def mark(self) -> tuple[int, int]:
        """What the batch has done so far, for `undo`."""
        return len(self._added), len(self._removed)

    def undo(self, mark: tuple[int, int] = (0, 0)) -> None:
        """What was done beyond a mark is undone."""
        added, removed = mark
        self._overwrite(self._added[added:])
        del self._added[added:], self._removed[removed:]

    # at its end

    def synced(self) -> None:
        """Wait until what the batch adds is on the disk; raises `StoreError`."""
        if self._added and self.space is not None:
            self.space.wait(*self._begun)

    def committing(self) -> None:
        """The commit is asked for. If it fails, a crash may still bring it about, until another one has succeeded."""
        self._committing = True

    def committed(self) -> None:
        """The batch is committed."""
        self._added.clear()
        if self._committing:
            self._removed += self._doubtful
            self._doubtful.clear()
        self._end()
        if self._removed:
            self._overwrite(self._removed)
            self._removed.clear()

    def failed(self) -> None:
        """The batch is undone."""
        if self._committing:
            self._doubtful += self._added
            self._added.clear()
        self.undo()
        self._end()

    def _end(self) -> None:
        self._begun, self._committing = (0, 0), False

    def close(self) -> bool:
        """Let go of the file; whether all that is free in it was overwritten."""
        if self.space is not None:
            self.space.close()
        return self.space is not None and self.space.clean and not self._doubtful

    def _overwrite(self, places: Iterable[Place]) -> None:
        if self.space is not None:
            for place in places:
                self.space.give_back(place)


def _opened(connection: sqlite3.Connection, path: Path, *, synced: bool, clean: bool) -> Space:
    """The file beside the database, into which the files of older stores are copied."""
    named = (place_of(place) for (place,) in connection.execute(_NAMED))
    space = Space(path.with_name("objects.bytes"), named, synced=synced, clean=clean)
    try:
        adopt(connection, space, path.with_name("objects"))
    except BaseException:
        space.close()
        raise
    return space
