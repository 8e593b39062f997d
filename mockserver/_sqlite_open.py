"""Opening a SQLite store: the checks, the lock against a second process, the format and its forward migrations."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from acrmock.errors import SetupError

FORMAT = 5
"""The format this version writes."""

_OBJECT = """
CREATE TABLE IF NOT EXISTS object (
  application TEXT NOT NULL, environment TEXT NOT NULL, sop_instance TEXT NOT NULL, sha256 TEXT NOT NULL, data BLOB NOT NULL,
  UNIQUE (application, environment, sop_instance, sha256)
)
"""

_NOTE = "journal"
_OBJECT_FILE = "ALTER TABLE object ADD COLUMN file TEXT"
_RECEIVED = """
CREATE TABLE received (
  application TEXT NOT NULL, environment TEXT NOT NULL, sop_instance TEXT NOT NULL, sha256 TEXT NOT NULL, data BLOB, place TEXT,
  PRIMARY KEY (application, environment, sop_instance, sha256)
) WITHOUT ROWID
"""
"""Received bytes: they themselves, or where they are in their file."""

_OLDER = "INSERT INTO received SELECT application, environment, sop_instance, sha256, data, file FROM object"
CLEAN = "clean"
"""The note that the store was closed: what is free in the file of received bytes was overwritten."""

Migration = Callable[[sqlite3.Connection], None]

CHECKPOINT_PAGES = 8192
"""Pages of 4 kB in the WAL before they are moved: a page that many posts change is then moved once for all of them."""
_CACHE_KIBIBYTES = 4 * 1024
_READER_KIBIBYTES = 512
_QUICK_CHECK_BYTES = 16 * 1024 * 1024
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE state (
  kind TEXT NOT NULL, application TEXT NOT NULL, environment TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (kind, application, environment, key)
) WITHOUT ROWID;
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY, application TEXT, run TEXT, label TEXT NOT NULL, line BLOB NOT NULL
);
CREATE INDEX journal_application ON journal (application);
CREATE INDEX journal_run ON journal (run) WHERE run IS NOT NULL;
"""


def _add_objects(connection: sqlite3.Connection) -> None:
    """From format 1 to 2: a table of received bytes."""
    connection.execute(_OBJECT)


def _add_object_files(connection: sqlite3.Connection) -> None:
    """From format 2 to 3: received bytes may be in a file."""
    if "file" not in {column[1] for column in connection.execute("PRAGMA table_info(object)")}:
        connection.execute(_OBJECT_FILE)


def _note_journal(connection: sqlite3.Connection) -> None:
    """From format 3 to 4: what the journal holds is noted, and every writer keeps the note up to date."""
    seq = connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
    note(connection, seq, counted(connection)[1])


def _move_objects(connection: sqlite3.Connection) -> None:
    """From format 4 to 5: received bytes are in one file, or in the table as before; those that have a file's name are moved."""
    connection.execute(_RECEIVED)
    connection.execute(_OLDER)
    connection.execute("DROP TABLE object")


def take_note(connection: sqlite3.Connection) -> bool:
    """Whether the store was closed the last time; the note of it is gone then."""
    return connection.execute("DELETE FROM meta WHERE key = ?", (CLEAN,)).rowcount > 0


def leave_note(connection: sqlite3.Connection) -> None:
    """Note that the store is closed."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, '')", (CLEAN,))


def note(connection: sqlite3.Connection, seq: int, held: tuple[int, int]) -> None:
    """Note how many entries the journal holds up to `seq`, and the bytes of their lines; in the caller's transaction."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_NOTE, f"{seq} {held[0]} {held[1]}"))


def counted(connection: sqlite3.Connection) -> tuple[int, tuple[int, int]]:
    """Up to which `seq` there is a note, and what the journal holds in all: the note and what came after it."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (_NOTE,)).fetchone()
    seq, entries, size = map(int, found[0].split()) if found is not None else (0, 0, 0)
    later = connection.execute("SELECT count(*), coalesce(sum(length(line)), 0) FROM journal WHERE seq > ?", (seq,)).fetchone()
    return seq, (entries + later[0], size + later[1])


MIGRATIONS: Mapping[int, Migration] = {1: _add_objects, 2: _add_object_files, 3: _note_journal, 4: _move_objects}
"""From a format to the next one; each runs inside one transaction, after a backup copy."""


def connect(path: Path | None, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection without implicit transactions; `path` None is a memory of its own."""
    connection = sqlite3.connect(
        ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, cached_statements=64, timeout=5.0
    )
    if read_only:
        connection.execute("PRAGMA query_only = 1")
        connection.execute(f"PRAGMA cache_size = -{_READER_KIBIBYTES}")
    return connection


def open_writer(path: Path | None, migrations: Mapping[int, Migration], newest: int) -> sqlite3.Connection:
    """The writer's connection to a store that is sound and of the newest format; raises `SetupError` with what to do."""
    if path is not None:
        _check_place(path)
    fresh = path is None or not path.exists() or path.stat().st_size == 0
    try:
        if fresh and path is not None:
            _make_private(path)
        connection = connect(path)
        try:
            _prepare(connection, path, migrations, newest, fresh=fresh)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    return connection


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, so that only its owner reads what vendors sent (its WAL takes the same mode)."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise SetupError(
            "the store cannot be made", where=str(path), actual=error.strerror or str(error), fix="use another --data"
        ) from error


def _check_place(path: Path) -> None:
    directory = path.parent
    if not directory.is_dir():
        what = "the store's directory is no directory" if directory.exists() else "the store's directory does not exist"
        raise SetupError(what, where=str(directory), fix="create it, or name another with --data")
    if path.is_dir():
        raise SetupError("the store is a directory", where=str(path), fix="name another directory with --data")
    if not os.access(directory, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        fix = "give yourself the right to write, or use another --data"
        raise SetupError("the store cannot be written", where=str(path), fix=fix)


def _prepare(
    connection: sqlite3.Connection, path: Path | None, migrations: Mapping[int, Migration], newest: int, *, fresh: bool
) -> None:
    if not fresh and path is not None:
        fresh = _begun(connection, path)
    if not fresh and path is not None:
        _check_sound(connection, path)
    if path is not None:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    if fresh:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        for step, migrate in MIGRATIONS.items():
            if step < newest:
                migrate(connection)
        connection.execute("INSERT INTO meta VALUES ('format', ?)", (str(newest),))
        connection.execute("COMMIT")
    else:
        _migrate(connection, path, migrations, newest)


def _begun(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is an empty database: its maker was killed before the first commit."""
    with path.open("rb") as file:
        named = file.read(16) == b"SQLite format 3\0"
    return named and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def _check_sound(connection: sqlite3.Connection, path: Path) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"meta", "state", "journal"} <= tables:
        raise SetupError(
            "this database is no acrmock store", where=str(path), fix="name another directory with --data, or move the file away"
        )
    if path.stat().st_size <= _QUICK_CHECK_BYTES:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict))


def _migrate(connection: sqlite3.Connection, path: Path | None, migrations: Mapping[int, Migration], newest: int) -> None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    found = int(row[0]) if row is not None and str(row[0]).isdigit() else 0
    if found > newest:
        raise SetupError(
            "the store was written by a newer version",
            expected=f"format {newest} or older",
            actual=f"format {found}",
            where=str(path),
            fix="use that version, or another --data",
        )
    if found == newest:
        return
    if path is not None:
        _back_up(connection, path.with_name(f"{path.name}.format-{found}.backup"))
    for step in range(found, newest):
        if step not in migrations:
            raise SetupError("the store's format is unknown", actual=f"format {found}", where=str(path), fix="use another --data")
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations[step](connection)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(step + 1),))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _back_up(connection: sqlite3.Connection, copy: Path) -> None:
    target = sqlite3.connect(copy)
    try:
        connection.backup(target)
    finally:
        target.close()
    copy.chmod(0o600)


def _unusable(path: Path | None, error: sqlite3.Error) -> SetupError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return SetupError("there is no room for the store", where=str(path), actual=str(error), fix="free some space")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return SetupError("the store is in use by another program", where=str(path), fix="stop it, or use another --data")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_IOERR")):
        return SetupError("the store cannot be opened", where=str(path), actual=str(error), fix="check the directory's rights")
    return SetupError(
        "the store is damaged or is no database",
        where=str(path),
        actual=str(error),
        fix="restore a backup, or move the file away to begin with an empty store",
    )


class DirectoryLock:
    """A lock on a store that the system lets go of when its process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file: IO[bytes] = path.open("a+b")
        except OSError as error:
            raise SetupError(
                "the store's directory cannot be written", where=str(path.parent), actual=str(error), fix="use another --data"
            ) from error
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise SetupError(
                "the store is in use by another acrmock", where=str(path.parent), fix="stop it, or use another --data"
            ) from error

    def release(self) -> None:
        """Let go of the lock."""
        self._file.close()


if os.name == "nt":  # pragma: no cover - the other system's branch
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
