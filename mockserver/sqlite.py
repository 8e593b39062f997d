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
from typing import Any

from acrmock.clock import Clock
from mockserver._received import ReceivedFile
from mockserver._sqlite_ahead import LogAhead
from mockserver._sqlite_bytes import ReceivedBytes
from mockserver._sqlite_memory import Memory
from mockserver._sqlite_open import (
    CHECKPOINT_PAGES,
    FORMAT,
    MIGRATIONS,
    DirectoryLock,
    Migration,
    connect,
    counted,
    leave_note,
    note,
    open_writer,
    take_note,
)
from mockserver._sqlite_reads import SqliteReader, rows_of
from mockserver._sqlite_unit import Batch, SqliteUnit, as_store_error
from mockserver.store import Snapshot, StoreError, Ticket

_BATCH_SECONDS = 0.003
_BATCH_UNITS = 256
_PATIENCE_SECONDS = 0.02
_NOTE_ENTRIES = 1024
"""After so many entries what the journal holds is noted in the database, so that a start counts no more than these."""


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
        try:
            clean = take_note(self.connection)
            self.received = ReceivedBytes(self.connection, path, synced=synced, clean=clean)
        except BaseException:
            self.connection.close()
            if self._guard is not None:
                self._guard.release()
            raise
        self._lock = threading.Lock()
        self._log = LogAhead(path, CHECKPOINT_PAGES, self._lock) if path is not None and synced else None
        self._owner = 0
        self._queued = 0
        self._settled = 0
        self._queue_lock = threading.Lock()
        self._batch = Batch()
        self._closed = False
        self._quiet = False
        self._news = threading.Condition()
        self._readers: list[sqlite3.Connection] = []
        self._committed = SqliteReader(rows_of(self.connection)).last_seq()
        self.next_seq = self._committed + 1
        self._noted, self.held = counted(self.connection)
        self.dropping = False
        self._committed_held = self.held

    def object_file(self, size: int = 0) -> ReceivedFile | None:
        """Room for a data set; None where everything is in memory."""
        return self.received.file(size)

    # units

    def unit(self) -> AbstractContextManager[SqliteUnit]:
        """A unit, alone under the state lock."""
        return SqliteUnit(self)

    @contextmanager
    def write(self) -> Iterator[SqliteUnit]:
        """A unit that is flushed when it is left."""
        with self.unit() as unit:
            yield unit
        self.flush(unit.ticket)

    def enter(self, unit: SqliteUnit) -> None:
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
                raise as_store_error(error) from error
            raise

    def expect(self, number: int, *, settled: bool = False) -> None:
        """So many more (or fewer) units are about to be opened; a batch waits a moment for them, longer for who settles it."""
        with self._queue_lock:
            self._queued += number
            if settled:
                self._settled += number

    def leave(self, unit: SqliteUnit, *, undo: bool) -> None:
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
            self._fail(as_store_error(error))
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
        if not isinstance(ticket, Batch):
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
                self.received.synced()
                noted = self.next_seq - 1
                if self.dropping or noted - self._noted >= _NOTE_ENTRIES:
                    note(self.connection, noted, self.held)
                    self._noted, self.dropping = noted, False
                self.received.committing()
                self.connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, the waiters must hear of it
            self._fail(as_store_error(error))
            return
        if self._log is not None:
            self._log.committed()
        if self.erasing:
            self._empty_log()
        self._batch = Batch()
        self.memory.commit()
        self._committed, self._committed_held = self.next_seq - 1, self.held
        self.received.committed()
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
        batch, self._batch = self._batch, Batch()
        with contextlib.suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        self._noted, self.dropping = 0, True  # so that the next commit writes something, whatever it is of
        self.next_seq, self.held = self._committed + 1, self._committed_held
        self.received.failed()
        self.erasing = True  # the log may hold some of it
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
            yield SqliteReader(rows_of(connection), self.received.space, self.memory.committed)
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
        if self._log is not None:
            self._log.close()
        while self._readers:
            self._readers.pop().close()
        if self.received.close():
            with contextlib.suppress(sqlite3.Error):
                leave_note(self.connection)
        self.connection.close()
        if self._guard is not None:
            self._guard.release()
