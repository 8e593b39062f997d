"""One request at a time in the part that only computes: threads that all want the interpreter's lock hinder each other.

What may wait for somebody (a slow client, a delay that a fault asks for, the disk) happens before a turn is taken or after it was
given back, so that nobody waits behind it.
"""

from __future__ import annotations

import threading

from mockserver.store import Store


class Turns:
    """The turns of one engine. Who waits for one is about to write, so the store's batch waits for it a moment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for a turn."""
        self._store.expect(1)
        self._lock.acquire()
        self._store.expect(-1)

    def give(self) -> None:
        """Give the turn back; what waited for this request's unit waits no longer."""
        self._lock.release()
        self._store.settle()
