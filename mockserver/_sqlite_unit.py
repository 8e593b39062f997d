"""What one unit of the SQLite store does: reads and writes under the state lock, until it is left or undone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from acrmock.record import AnyEntry, AssociationEntry, DimseEntry, EventEntry, HttpEntry, encode_line
from mockserver._places import place_of, place_text
from mockserver._sqlite_reads import SqliteReader
from mockserver.store import ObjectFile, Row, Scope, StoreError, StoreFull, Ticket

if TYPE_CHECKING:
    from mockserver.sqlite import SqliteStore

_DROP_PAGE = 256
_RUNS = """
WITH RECURSIVE runs(run) AS (
  SELECT min(run) FROM journal WHERE run IS NOT NULL
  UNION ALL SELECT (SELECT min(run) FROM journal WHERE run > runs.run) FROM runs WHERE runs.run IS NOT NULL
)
SELECT run, (SELECT min(seq) FROM journal WHERE journal.run = runs.run AND label <> 'gap') AS first
FROM runs WHERE run IS NOT NULL AND first IS NOT NULL ORDER BY first
"""
_KINDS = """
WITH RECURSIVE kinds(kind) AS (
  SELECT min(kind) FROM state
  UNION ALL SELECT (SELECT min(kind) FROM state WHERE kind > kinds.kind) FROM kinds WHERE kind IS NOT NULL
)
SELECT kind FROM kinds WHERE kind IS NOT NULL
"""
_IN_SCOPE = "kind = ? AND application = ? AND environment = ?"
_encode = msgspec.json.Encoder().encode


class Batch:
    """Units that are committed together; `done` is set when they are synced or lost (`error`)."""

    __slots__ = ("done", "error", "opened", "units")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: StoreError | None = None
        self.opened = 0.0
        self.units = 0


def as_store_error(error: BaseException) -> StoreError:
    """What a failure of the database is to those who wait for it."""
    if isinstance(error, StoreError):
        return error
    if getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
        fix = "free some space; nothing acknowledged was lost"
        return StoreFull("there is no room left on the disk", actual=str(error), fix=fix)
    return StoreError("the store cannot be written", actual=str(error))


class SqliteUnit(SqliteReader):
    """One savepoint; a context manager that takes the state lock when entered."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(self._run, store.received.space, store.memory.of_units)
        self._store = store
        self._mark = (0, 0)
        self._connection = store.connection
        self._first_seq = 0
        self._first_held = (0, 0)
        self.batch: Batch | None = None
        self.broken: StoreError | None = None
        self.first = False

    def __enter__(self) -> Self:
        self._store.enter(self)
        self._first_seq, self._first_held = self._store.next_seq, self._store.held
        self._mark = self._store.received.mark
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._store.next_seq, self._store.held = self._first_seq, self._first_held
            self._store.received.undo(self._mark)
        self._store.leave(self, undo=kind is not None)

    @property
    def ticket(self) -> Ticket:
        """The batch that this unit joined."""
        return self.batch or Batch()

    def _run(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self.broken is not None:
            raise self.broken
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.broken = as_store_error(error)
            raise self.broken from error

    def _do(self, sql: str, values: Sequence[Any]) -> int:
        """As `_run`, of what gives no rows: not asking for them is time; how many rows were changed."""
        if self.broken is not None:
            raise self.broken
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.Error as error:
            self.broken = as_store_error(error)
            raise self.broken from error

    def put(self, kind: str, scope: Scope, key: str, value: msgspec.Struct) -> None:
        """Store `value`, replacing what was there."""
        self._store.memory.write(kind)
        self._do("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?)", (kind, *scope, key, _encode(value)))

    def delete(self, kind: str, scope: Scope, key: str) -> None:
        """Forget a value."""
        self._store.memory.write(kind)
        self._run("DELETE FROM state WHERE kind = ? AND application = ? AND environment = ? AND key = ?", (kind, *scope, key))

    def delete_scope(self, scope: Scope, *, kind: str | None = None) -> None:
        """Forget everything of a scope, or of one kind in it."""
        self._store.memory.write(kind)
        for each in self._kinds() if kind is None else [kind]:
            self._run(f"DELETE FROM state WHERE {_IN_SCOPE}", (each, *scope))  # noqa: S608 - a constant
        if kind is None:
            self._erase("application = ? AND environment = ?", scope)

    def thin_scope(self, scope: Scope, *, most: int, part: int) -> bool:
        """Forget a part of the values of a scope that holds more than `most`."""
        kinds, held = self._kinds(), 0
        for kind in kinds:
            count = f"SELECT count(*) FROM (SELECT 1 FROM state WHERE {_IN_SCOPE} LIMIT ?)"  # noqa: S608 - a constant
            held += self._run(count, (kind, *scope, most + 1))[0][0]
        if held <= most:
            return False
        self._store.memory.write(None)
        for kind in kinds:
            some = f"SELECT key FROM state WHERE {_IN_SCOPE} ORDER BY key LIMIT ?"  # noqa: S608 - a constant
            keys = self._run(some, (kind, *scope, max(0, part)))
            if keys:
                self._run(f"DELETE FROM state WHERE {_IN_SCOPE} AND key <= ?", (kind, *scope, keys[-1][0]))  # noqa: S608 - the same
            part -= len(keys)
        return True

    def _kinds(self) -> list[str]:
        """The kinds of what is stored, in order; one step of the index for each."""
        return [kind for (kind,) in self._run(_KINDS, ())]

    def put_object(self, scope: Scope, sop_instance: str, sha256: str, data: bytes | ObjectFile) -> None:
        """Keep received bytes."""
        file = self._store.received.as_file(data)
        row = (*scope, sop_instance, sha256, data if file is None else None, file and place_text(file.place))
        try:
            if self._do("INSERT OR IGNORE INTO received VALUES (?, ?, ?, ?, ?, ?)", row) and file is not None:
                self._store.received.add(file)
        finally:
            if file is not None and file is not data:
                file.discard()

    def delete_object(self, scope: Scope, sop_instance: str, sha256: str | None = None) -> None:
        """Delete received bytes and what is left of them in the files."""
        where, values = "application = ? AND environment = ? AND sop_instance = ?", (*scope, sop_instance)
        if sha256 is None:
            self._erase(where, values)
        else:
            self._erase(f"{where} AND sha256 = ?", (*values, sha256))

    def _erase(self, where: str, values: Sequence[str]) -> None:
        found = self._run(f"SELECT place FROM received WHERE {where}", values)  # noqa: S608 - constants
        if found:
            for (place,) in found:
                if place is not None:
                    self._store.received.remove(place_of(place))
            self._run(f"DELETE FROM received WHERE {where}", values)  # noqa: S608 - constants
            self._store.erasing = True

    def append(self, entry: AnyEntry) -> int:
        """Append `entry` with the next `seq`."""
        seq = self._store.next_seq
        line = encode_line(msgspec.structs.replace(entry, seq=seq))
        self._do("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", (seq, entry.application, entry.run, _label_of(entry), line))
        self._store.next_seq = seq + 1
        entries, size = self._store.held
        self._store.held = (entries + 1, size + len(line))
        return seq

    def held(self) -> tuple[int, int]:
        """How many entries the journal holds, and the bytes of their lines."""
        return self._store.held

    def journal_runs(self) -> list[str]:
        """The runs of which entries are left, by their first `seq`; one step of the index for each run."""
        return [run for run, _ in self._run(_RUNS, ())]

    def journal_rows(self, *, below: int, limit: int, after: int = 0, run: str | None = None) -> list[Row]:
        """At most `limit` entries in order."""
        where, values = ("", ()) if run is None else ("run = ? AND ", (run,))
        query = f"SELECT seq, application, run FROM journal WHERE {where}seq > ? AND seq < ? ORDER BY seq LIMIT ?"  # noqa: S608
        return [Row(*row) for row in self._run(query, (*values, after, below, limit))]

    def journal_drop(self, seqs: Sequence[int]) -> None:
        """Drop entries from the journal."""
        for start in range(0, len(seqs), _DROP_PAGE):
            part = seqs[start : start + _DROP_PAGE]
            which = f"FROM journal WHERE seq IN ({','.join('?' * len(part))})"
            count, size = self._run(f"SELECT count(*), coalesce(sum(length(line)), 0) {which}", part)[0]
            self._run(f"DELETE {which}", part)
            entries, held = self._store.held
            self._store.held = (entries - count, held - size)
            self._store.dropping = True


def _label_of(entry: AnyEntry) -> str:
    """What an entry is waited for by: its operation, its DIMSE service, its event's name, `association` or `tls`."""
    match entry:
        case HttpEntry(facts=facts):
            return facts.operation
        case DimseEntry(facts=dimse):
            return dimse.service
        case EventEntry(name=name):
            return name
    return "association" if isinstance(entry, AssociationEntry) else "tls"
