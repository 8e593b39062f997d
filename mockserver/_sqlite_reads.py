"""The reads of a SQLite store: of state and of the journal, in pages, from whichever connection they are given."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from acrmock.typed import decoder
from mockserver._places import place_of
from mockserver._space import Space
from mockserver._sqlite_memory import MISSING, Key, keep
from mockserver.store import GLOBAL, Scope, StoreError

T = TypeVar("T", bound=msgspec.Struct)
Rows = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Runs one query and gives all its rows (a page); raises `StoreError`."""

Remembered = Callable[[str], dict[Key, Any]]
"""What is remembered of a kind, to be asked before the store is."""

_PAGE = 256
_LAST_ASCII = 127


def decode(type_: type[T], data: bytes, kind: str, key: str) -> T:
    """A stored value as `type_`; raises `StoreError` naming kind and key when it is something else."""
    try:
        value: T = decoder(type_).decode(data)
    except msgspec.MsgspecError as error:
        raise StoreError("a stored value cannot be read", where=f"{kind} {key}"[:200], actual=str(error)) from error
    return value


class SqliteReader:
    """`Reader` and `Snapshot` over a function that runs queries."""

    def __init__(self, rows: Rows, space: Space | None = None, memory: Remembered | None = None) -> None:
        self._rows = rows
        self._space = space
        self._memory = memory

    def get(self, kind: str, scope: Scope, key: str, type: type[T]) -> T | None:  # noqa: A002 - the contract's name
        """The stored value, or None."""
        if self._memory is None or not getattr(type, "remembered", False):
            return self._get(kind, scope, key, type)
        memory, place = self._memory(kind), (scope, key, type)
        value: T | None = memory.get(place, MISSING)
        if value is MISSING:
            value = self._get(kind, scope, key, type)
            keep(memory, place, value)
        return value

    def _get(self, kind: str, scope: Scope, key: str, type: type[T]) -> T | None:  # noqa: A002 - the contract's name
        found = self._rows(
            "SELECT value FROM state WHERE kind = ? AND application = ? AND environment = ? AND key = ?", (kind, *scope, key)
        )
        return decode(type, found[0][0], kind, key) if found else None

    def scan(
        self,
        kind: str,
        scope: Scope,
        type: type[T],  # noqa: A002 - the contract's name
        *,
        prefix: str = "",
        after: str = "",
        limit: int | None = None,
    ) -> Iterator[tuple[str, T]]:
        """Keys that begin with `prefix`, in order, with their values."""
        left, last = limit, _last_key(prefix)
        beyond, operator = (after, ">") if after and after >= prefix else (prefix, ">=")
        while left is None or left > 0:
            page = self._rows(
                "SELECT key, value FROM state WHERE kind = ? AND application = ? AND environment = ?"  # noqa: S608 - a constant
                f" AND key {operator} ? AND key <= ? AND substr(key, 1, ?) = ? ORDER BY key LIMIT ?",
                (kind, *scope, beyond, last, len(prefix), prefix, _PAGE if left is None else min(_PAGE, left)),
            )
            for key, value in page:
                yield key, decode(type, value, kind, key)
            if len(page) < _PAGE:
                return
            beyond, operator = page[-1][0], ">"
            left = None if left is None else left - len(page)

    def last_seq(self) -> int:
        """The highest `seq` in the journal."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM journal", ())[0][0])

    def entries(
        self,
        *,
        application: str | None = None,
        run: str | None = None,
        labels: Iterable[str] = (),
        after: int = 0,
        until: int | None = None,
    ) -> Iterator[tuple[int, bytes]]:
        """(seq, JSON line) in order."""
        last = self.last_seq() if until is None else until
        where, values = _conditions(application, run, tuple(labels))
        while after < last:
            page = self._rows(
                f"SELECT seq, line FROM journal WHERE {where}seq > ? AND seq <= ? ORDER BY seq LIMIT ?",  # noqa: S608 - constants
                (*values, after, last, _PAGE),
            )
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def unmatched(self, label: str, limit: int) -> list[bytes]:
        """The JSON lines of the newest entries of `label` that belong to no application, newest first."""
        query = "SELECT line FROM journal WHERE application IS NULL AND label = ? ORDER BY seq DESC LIMIT ?"
        return [line for (line,) in self._rows(query, (label, limit))]

    def count(self, *, application: str | None = None, run: str | None = None, labels: Iterable[str] = (), after: int = 0) -> int:
        """How many entries `entries` would give."""
        where, values = _conditions(application, run, tuple(labels))
        return int(self._rows(f"SELECT count(*) FROM journal WHERE {where}seq > ?", (*values, after))[0][0])  # noqa: S608

    def known(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Which of `keys` are stored in the global scope under `kind`, with their encoded values; a single one is remembered."""
        if self._memory is None or len(keys) != 1:
            return self._known(kind, keys)
        memory, place = self._memory(kind), (GLOBAL, keys[0], bytes)
        value = memory.get(place, MISSING)
        if value is MISSING:
            value = self._known(kind, keys).get(keys[0])
            keep(memory, place, value)
        return {} if value is None else {keys[0]: value}

    def _known(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for start in range(0, len(keys), _PAGE):
            part = keys[start : start + _PAGE]
            marks = ",".join("?" * len(part))
            found.update(
                self._rows(
                    f"SELECT key, value FROM state WHERE kind = ? AND application = '' AND environment = '' AND key IN ({marks})",  # noqa: S608
                    (kind, *part),
                )
            )
        return found

    def get_object(self, scope: Scope, sop_instance: str, sha256: str) -> bytes | None:
        """The bytes kept, or None."""
        before = 0 if self._space is None else self._space.overwritten
        row = self._object(scope, sop_instance, sha256)
        if row is None:
            return None
        data, place = row
        if place is None or self._space is None:
            return bytes(data or b"")
        try:
            octets = self._space.read(place_of(place))
        except ValueError as error:
            raise StoreError("a stored place cannot be read", where=sop_instance[:200], actual=place[:200]) from error
        if self._space.overwritten == before:
            return octets
        same = self._object(scope, sop_instance, sha256) == row  # or deleted meanwhile, and others may be there by now
        if same and hashlib.sha256(octets).hexdigest() == sha256:
            return octets
        return self.get_object(scope, sop_instance, sha256) if same else None

    def _object(self, scope: Scope, sop_instance: str, sha256: str) -> tuple[bytes | None, str | None] | None:
        where = "application = ? AND environment = ? AND sop_instance = ? AND sha256 = ?"
        found = self._rows(f"SELECT data, place FROM received WHERE {where}", (*scope, sop_instance, sha256))  # noqa: S608 - constants
        return (found[0][0], found[0][1]) if found else None


def _last_key(prefix: str) -> bytes | str:
    """Something that is not before any key that begins with `prefix`, so that a search for them ends behind the last.

    SQLite compares text by its bytes; a BLOB is behind every text.
    """
    return b"" if not prefix or ord(prefix[-1]) >= _LAST_ASCII else prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _conditions(application: str | None, run: str | None, labels: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    where, values = "", []
    for column, value in (("application", application), ("run", run)):
        if value is not None:
            where += f"{column} = ? AND "
            values.append(value)
    if labels:
        where += f"label IN ({','.join('?' * len(labels))}) AND "
        values += labels
    return where, tuple(values)


def rows_of(connection: sqlite3.Connection) -> Rows:
    """A function that runs queries on `connection`."""

    def rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError("the store cannot be read", actual=str(error)) from error

    return rows
