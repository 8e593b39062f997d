"""One data set on its way into the file of received bytes (`_space`): written while it comes in, hashed meanwhile.

Its room belongs to whoever makes it until a unit takes it (`Unit.put_object`), and to the store from then on, which waits before
the commit until the bytes are on the disk (`SqliteStore`).
"""

from __future__ import annotations

import hashlib

from mockserver._places import BLOCK, Place, blocks
from mockserver._space import Space, as_store_error

_STEP = 1024 * 1024
"""Bytes of room that a data set of unknown length is given at a time."""


class ReceivedFile:
    """One data set; not thread-safe. `size` is its length in bytes, 0 when that is not known.

    What the system refuses is told by `finish`, so that who writes need not care: the bytes are then dropped.
    """

    def __init__(self, space: Space, size: int = 0) -> None:
        self._space = space
        self._size = size
        self._hash = hashlib.sha256()
        self._pieces: list[tuple[int, int]] = []
        self._written = 0
        self._error: OSError | None = None
        self._lent = False
        self._taken = False
        self.begun = (0, 0)
        """The first and the last sync that its bytes need (`Space.wait`)."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, hexadecimal."""
        return self._hash.hexdigest()

    @property
    def place(self) -> Place:
        """Where it is, once it is finished."""
        return tuple(self._pieces)

    def write(self, part: bytes | bytearray | memoryview) -> None:
        """Add bytes."""
        if self._error is not None:
            return
        try:
            self._write(memoryview(part))
            self._hash.update(part)
        except OSError as error:
            self.discard()
            self._error = error

    def _write(self, rest: memoryview) -> None:
        first = self.begun[0] or self._space.next_sync
        while rest:
            offset, room = self._room()
            self._space.write(offset, rest[:room])
            self._written += min(room, len(rest))
            rest = rest[room:]
        self.begun = first, self._space.begin_sync()

    def _room(self) -> tuple[int, int]:
        """Where the next byte goes, and how many bytes may follow each other there."""
        if not self._pieces or self._written == self._pieces[-1][1]:
            self._more()
        offset, room = self._pieces[-1]
        return offset + self._written, room - self._written

    def _more(self) -> None:
        offset, room = self._space.take(self._size or _STEP)
        self._size = 0
        if not self._lent:
            self._lent = True
            self._space.lend(1)
        if self._pieces and sum(self._pieces[-1]) == offset:
            before, length = self._pieces[-1]
            self._pieces[-1] = (before, length + room)
        else:
            self._pieces.append((offset, room))
            self._written = 0

    def finish(self) -> None:
        """Give back what is not needed of the room; raises `StoreFull` and `StoreError`."""
        if self._error is not None:
            raise as_store_error(self._error, self._space.path)
        if not self._pieces:
            self._pieces.append((0, 0))
        else:
            offset, room = self._pieces.pop()
            used = blocks(self._written) * BLOCK
            if used < room:
                self._space.give_back(((offset + used, room - used),), written=False)
            self._pieces.append((offset, self._written))

    def whole(self) -> bytes:
        """All that was written, finished or not; raises `StoreError`."""
        if self._error is not None:
            raise as_store_error(self._error, self._space.path)
        if not self._pieces:
            return b""
        offset, _ = self._pieces[-1]
        return self._space.read((*self._pieces[:-1], (offset, self._written)))

    def discard(self) -> None:
        """Overwrite the bytes and let go of their room, unless a unit took them; harmless when done twice."""
        if not self._taken:
            self._space.give_back(self.place)
            self._pieces.clear()
            self._returned()

    def take(self) -> Place:
        """Where the bytes are, which belong to whoever asks from now on; nobody may ask twice."""
        if self._taken:
            raise RuntimeError("received bytes were kept twice")
        self._taken = True
        self._returned()
        return self.place

    def _returned(self) -> None:
        if self._lent:
            self._lent = False
            self._space.lend(-1)
