"""The embedded store: SQLite in WAL mode with `synchronous = FULL`, one writer connection, group commit.

A unit is a savepoint under the state lock; the first of a batch is the transaction itself. Leaving it joins the batch; whoever
leaves while no other unit waits for the lock (or a few milliseconds after the batch began) commits the batch and releases its
waiters, or rolls it back and fails them all. While it is being synced, others come to wait for the lock and make up
the next batch; no thread has to be woken for it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from acrmock.clock import Clock
from acrmock.record import AnyEntry, AssociationEntry, DimseEntry, EventEntry, HttpEntry, encode_line
from mockserver._objectfiles import ObjectFiles, ReceivedFile
from mockserver._sqlite_memory import Memory
from mockserver._sqlite_open import FORMAT, MIGRATIONS, DirectoryLock, Migration, connect, counted, note, open_writer
from mockserver._sqlite_reads import SqliteReader, rows_of
from mockserver.store import ObjectFile, Row, Scope, Snapshot, StoreError, StoreFull, Ticket

_BATCH_SECONDS = 0.003
_BATCH_UNITS = 256
_PATIENCE_SECONDS = 0.02
_DROP_PAGE = 256
_NOTE_ENTRIES = 1024
"""After so many entries what the journal holds is noted in the database, so that a start counts no more than these."""
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


class _Batch:
    """Units that are committed together; `done` is set when they are synced or lost (`error`)."""

    __slots__ = ("done", "error", "opened", "units")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: StoreError | None = None
        self.opened = 0.0
        self.units = 0


def _as_store_error(error: BaseException) -> StoreError:
    if isinstance(error, StoreError):
        return error
    if getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
        fix = "free some space; nothing acknowledged was lost"
        return StoreFull("there is no room left on the disk", actual=str(error), fix=fix)
    return StoreError("the store cannot be written", actual=str(error))


class _SqliteUnit(SqliteReader):
    """One savepoint; a context manager that takes the state lock when entered."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(self._run, store.files, store.memory.of_units)
        self._store = store
        self._first_files = (0, 0)
        self._connection = store.connection
        self._first_seq = 0
        self._first_held = (0, 0)
        self.batch: _Batch | None = None
        self.broken: StoreError | None = None
        self.first = False

    def __enter__(self) -> Self:
        self._store.enter(self)
        self._first_seq, self._first_held = self._store.next_seq, self._store.held
        self._first_files = (len(self._store.added), len(self._store.removed))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._store.next_seq, self._store.held = self._first_seq, self._first_held
            self._store.forget_files(*self._first_files)
        self._store.leave(self, undo=kind is not None)

    @property
    def ticket(self) -> Ticket:
        """The batch that this unit joined."""
        return self.batch or _Batch()

    def _run(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self.broken is not None:
            raise self.broken
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self.broken = _as_store_error(error)
            raise self.broken from error

    def _do(self, sql: str, values: Sequence[Any]) -> None:
        if self.broken is not None:
            raise self.broken
        try:
            self._connection.execute(sql, values)
        except sqlite3.Error as error:
            self.broken = _as_store_error(error)
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
        insert = (
            "INSERT OR IGNORE INTO object (application, environment, sop_instance, sha256, data, file) VALUES (?, ?, ?, ?, ?, ?)"
        )
        if isinstance(data, bytes):
            self._do(insert, (*scope, sop_instance, sha256, data, None))
        elif self._object(scope, sop_instance, sha256) is None:
            self._store.added.append(data.name)
            data.taken = True
            self._run(insert, (*scope, sop_instance, sha256, b"", data.name))

    def delete_object(self, scope: Scope, sop_instance: str, sha256: str | None = None) -> None:
        """Delete received bytes and what is left of them in the files."""
        where, values = "application = ? AND environment = ? AND sop_instance = ?", (*scope, sop_instance)
        if sha256 is None:
            self._erase(where, values)
        else:
            self._erase(f"{where} AND sha256 = ?", (*values, sha256))

    def _erase(self, where: str, values: Sequence[str]) -> None:
        found = self._run(f"SELECT file FROM object WHERE {where}", values)  # noqa: S608 - constants
        if found:
            self._store.removed += [name for (name,) in found if name is not None]
            self._run(f"DELETE FROM object WHERE {where}", values)  # noqa: S608 - constants
            self._store.erasing = True

    def append(self, entry: AnyEntry) -> int:
        """Append `entry` with the next `seq`."""
        seq = self._store.next_seq
        line = encode_line(msgspec.structs.replace(entry, seq=seq))
        self._do("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", (seq, entry.application, entry.run, label_of(entry), line))
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


def label_of(entry: AnyEntry) -> str:
    """What an entry is waited for by: its operation, its DIMSE service, its event's name, `association` or `tls`."""
    match entry:
        case HttpEntry(facts=facts):
            return facts.operation
        case DimseEntry(facts=dimse):
            return dimse.service
        case EventEntry(name=name):
            return name
    return "association" if isinstance(entry, AssociationEntry) else "tls"


class SqliteStore:
    """`Store` over SQLite; `path` None keeps everything in memory and commits as units are left.

    `synced` False leaves it to the system when to write to the disk: only for measuring. `before_commit` runs before every
    commit (for tests: it may block, or raise as a failing disk would). `on_undo` runs whenever something that was written did
    not come to stay.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Clock,
        *,
        synced: bool = True,
        before_commit: Callable[[], None] | None = None,
        migrations: Mapping[int, Migration] = MIGRATIONS,
        newest: int = FORMAT,
    ) -> None:
        self._path = path
        self._clock = clock
        self._before_commit = before_commit
        self.on_undo: Callable[[], None] = lambda: None
        self._guard = DirectoryLock(path.with_name("store.lock")) if path is not None and path.parent.is_dir() else None
        try:
            self.connection = open_writer(path, migrations, newest)
        except BaseException:
            if self._guard is not None:
                self._guard.release()
            raise
        if not synced:
            self.connection.execute("PRAGMA synchronous = OFF")
        self.erasing = False
        self.memory = Memory()
        self.files = None if path is None else ObjectFiles(path.with_name("objects"), synced=synced)
        self.added: list[str] = []
        self.removed: list[str] = []
        self._sweep()
        self._lock = threading.Lock()
        self._owner = 0
        self._queued = 0
        self._settled = 0
        self._queue_lock = threading.Lock()
        self._batch = _Batch()
        self._closed = False
        self._quiet = False
        self._news = threading.Condition()
        self._readers: list[sqlite3.Connection] = []
        self._committed = SqliteReader(rows_of(self.connection)).last_seq()
        self.next_seq = self._committed + 1
        self._noted, self.held = counted(self.connection)
        self.dropping = False
        self._committed_held = self.held

    # files

    def object_file(self) -> ObjectFile | None:
        """A file for a large data set; None where everything is in memory."""
        return None if self.files is None else ReceivedFile(self.files)

    def _sweep(self) -> None:
        if self.files is not None:
            named = rows_of(self.connection)("SELECT file FROM object WHERE file IS NOT NULL", ())
            self.files.sweep(name for (name,) in named)

    def forget_files(self, added: int = 0, removed: int = 0) -> None:
        """What the batch did to files beyond so many additions and removals is undone; the state lock is held."""
        if self.files is not None:
            self.files.remove(self.added[added:])
        del self.added[added:], self.removed[removed:]

    # units

    def unit(self) -> AbstractContextManager[_SqliteUnit]:
        """A unit, alone under the state lock."""
        return _SqliteUnit(self)

    @contextmanager
    def write(self) -> Iterator[_SqliteUnit]:
        """A unit that is flushed when it is left."""
        with self.unit() as unit:
            yield unit
        self.flush(unit.ticket)

    def enter(self, unit: _SqliteUnit) -> None:
        """Take the state lock and open the unit's savepoint; for units only."""
        if self._owner == threading.get_ident():
            raise RuntimeError("a unit was opened inside a unit")
        self.expect(1)
        self._lock.acquire()
        self.expect(-1)
        self._owner = threading.get_ident()
        try:
            if self._closed:
                raise StoreError("the store is closed")
            unit.batch = batch = self._batch
            if not batch.units:
                batch.opened = self._clock.monotonic()
            unit.first = not self.connection.in_transaction
            self.connection.execute("BEGIN IMMEDIATE" if unit.first else "SAVEPOINT unit")
        except BaseException as error:
            try:
                if self._due() and not self._closed:  # this unit may have been the one that a batch waited for
                    self._commit()
            finally:
                self._release()
            if isinstance(error, sqlite3.Error):
                raise _as_store_error(error) from error
            raise

    def expect(self, number: int, *, settled: bool = False) -> None:
        """So many more (or fewer) units are about to be opened; a batch waits a moment for them, longer for who settles it."""
        with self._queue_lock:
            self._queued += number
            if settled:
                self._settled += number

    def leave(self, unit: _SqliteUnit, *, undo: bool) -> None:
        """Close the unit's savepoint, join the batch and let go of the state lock; for units only."""
        try:
            if unit.broken is not None:
                self._fail(unit.broken)
                return
            if undo:
                self.connection.execute("ROLLBACK" if unit.first else "ROLLBACK TO unit")
            if not unit.first:
                self.connection.execute("RELEASE unit")
            self._batch.units += 1
            if undo:
                self.memory.undo()
                self.on_undo()
            if self._path is None or self._due():
                self._commit()
        except sqlite3.Error as error:
            self._fail(_as_store_error(error))
        finally:
            self._release()

    def settle(self, *, at_once: bool = False) -> None:
        """Commit the batch if it waits for nobody, or has waited long enough; `at_once`: in any case."""
        if self._batch.units if at_once else self._due():
            with self._lock:
                self._owner = threading.get_ident()
                try:
                    if (self._batch.units if at_once else self._due()) and not self._closed:
                        self._commit()
                finally:
                    self._owner = 0

    def _release(self) -> None:
        self._owner = 0
        self._lock.release()

    def _due(self) -> bool:
        batch = self._batch
        if not batch.units:
            return False
        if not self._queued or batch.units >= _BATCH_UNITS:
            return True
        return self._clock.monotonic() - batch.opened > (_PATIENCE_SECONDS if self._settled else _BATCH_SECONDS)

    def flush(self, ticket: Ticket) -> None:
        """Wait until the ticket's batch is synced."""
        if not isinstance(ticket, _Batch):
            raise TypeError("not a ticket of this store")
        while not ticket.done.wait(_PATIENCE_SECONDS):
            self.settle()  # whoever was to commit takes its time
        if ticket.error is not None:
            error = ticket.error
            raise type(error)(error.what, actual=error.actual, fix=error.fix)

    # committing

    def _commit(self) -> None:
        """Commit the current batch and begin another; the state lock is held."""
        batch = self._batch
        try:
            if self._before_commit is not None:
                self._before_commit()
            if self.connection.in_transaction:
                if self.added and self.files is not None:
                    self.files.sync()
                noted = self.next_seq - 1
                if self.dropping or noted - self._noted >= _NOTE_ENTRIES:
                    note(self.connection, noted, self.held)
                    self._noted, self.dropping = noted, False
                self.connection.execute("COMMIT")
                if self.erasing:
                    self._empty_log()
        except Exception as error:  # noqa: BLE001 - whatever it is, the waiters must hear of it
            self._fail(_as_store_error(error))
            return
        self._batch = _Batch()
        self.memory.commit()
        self._committed, self._committed_held = self.next_seq - 1, self.held
        self.added.clear()
        if self.removed and self.files is not None:
            self.files.remove(self.removed)
            self.removed.clear()
        batch.done.set()
        with self._news:
            self._news.notify_all()

    def _empty_log(self) -> None:
        """Move the write-ahead log into the database and empty it of what was deleted; again later if it is in use."""
        with contextlib.suppress(sqlite3.Error):
            busy, _, _ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self.erasing = bool(busy)

    def _fail(self, error: StoreError) -> None:
        """Undo the current batch and fail its waiters; the state lock is held."""
        batch, self._batch = self._batch, _Batch()
        with contextlib.suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        self._noted, self.dropping = 0, False
        self.next_seq, self.held = self._committed + 1, self._committed_held
        self.forget_files()
        self.memory.undo()
        batch.error = error
        batch.done.set()
        self.on_undo()

    # reads

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """Committed reads."""
        if self._path is None:
            yield SqliteReader(self._memory_rows)
            return
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = self._connect_reader()
        try:
            yield SqliteReader(rows_of(connection), self.files, self.memory.committed)
        finally:
            if self._closed:
                connection.close()
            else:
                self._readers.append(connection)

    def _connect_reader(self) -> sqlite3.Connection:
        try:
            return connect(self._path, read_only=True)
        except sqlite3.Error as error:
            raise StoreError("the store cannot be read", actual=str(error)) from error

    def _memory_rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        rows = rows_of(self.connection)
        if self._owner == threading.get_ident():
            return rows(sql, values)
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            return rows(sql, values)

    def wait_beyond(self, seq: int, timeout: float) -> bool:
        """Wait until an entry above `seq` is committed."""
        with self._news:
            self._news.wait_for(lambda: self._quiet or self._committed > seq, max(0.0, timeout))
            return self._committed > seq

    def release_waiters(self) -> None:
        """Let everybody who waits for entries go, now and from now on."""
        with self._news:
            self._quiet = True
            self._news.notify_all()

    def close(self) -> None:
        """Commit what is queued and let go of the files; harmless when done twice."""
        with self._lock:
            if self._closed:
                return
            if self._batch.units:
                self._commit()
            self._closed = True
        self.release_waiters()
        while self._readers:
            self._readers.pop().close()
        self.connection.close()
        if self._guard is not None:
            self._guard.release()
