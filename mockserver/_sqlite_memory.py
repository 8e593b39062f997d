"""What a SQLite store remembers of the values that are read with every request and seldom written (`Stored.remembered`).

Two memories of whole kinds, so that one write forgets all of its kind: one for units, which see what is not yet committed and
are alone under the state lock; and one for committed reads, which are many at a time. The store belongs to one process.
"""

from __future__ import annotations

from typing import Any

from mockserver.store import Scope

Key = tuple[Scope, str, Any]
"""Scope, key, and the type that it was read as."""

MISSING = object()
_MOST = 1024


class Memory:
    """The two memories of one store."""

    def __init__(self) -> None:
        self._units: dict[str, dict[Key, Any]] = {}
        self._committed: dict[str, dict[Key, Any]] = {}
        self._written: set[str] = set()
        self._all = False

    # under the state lock

    def of_units(self, kind: str) -> dict[Key, Any]:
        """What units read of a kind; for units only."""
        return self._units.get(kind) or self._units.setdefault(kind, {})

    def write(self, kind: str | None) -> None:
        """Something of a kind is written (None: of any)."""
        if kind is None:
            self._all = True
            self._units.clear()
        else:
            self._written.add(kind)
            self._units.pop(kind, None)

    def commit(self) -> None:
        """What was written is committed. A reader that has an older memory in its hands fills what nobody will look at again."""
        if self._all:
            self._committed = {}
        for kind in self._written:
            if kind in self._committed:
                self._committed[kind] = {}
        self._written.clear()
        self._all = False

    def undo(self) -> None:
        """Something that was written did not come to stay."""
        self._units.clear()

    # from any thread

    def committed(self, kind: str) -> dict[Key, Any]:
        """What committed reads found of a kind; to be taken before the store is asked, and filled afterwards."""
        return self._committed.get(kind) or self._committed.setdefault(kind, {})


def keep(memory: dict[Key, Any], key: Key, value: Any) -> None:
    """Remember a value, or that there is none; begun anew when there are too many."""
    if len(memory) >= _MOST:
        memory.clear()
    memory[key] = value
