"""Received bytes where something fails, or two things happen at once: nothing acknowledged is lost, nothing deleted is left."""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acrmock.errors import SetupError
from mockserver import _space
from mockserver._places import BLOCK, Place, place_of
from mockserver._received import ReceivedFile
from mockserver._space import Space
from mockserver._sqlite_open import MIGRATIONS, open_writer
from mockserver._syncer import Syncer
from mockserver.sqlite import SqliteStore
from mockserver.store import StoreError

SCOPE = ("app", "test")
SIZE = 70_000
Open = Callable[..., SqliteStore]


def octets(mark: int, size: int = SIZE) -> bytes:
    """Bytes that are told from others."""
    return bytes([mark]) * size


def digest(mark: int) -> str:
    """Their hash."""
    return hashlib.sha256(octets(mark)).hexdigest()


def keep(store: SqliteStore, mark: int) -> None:
    """Keep them."""
    with store.write() as unit:
        unit.put_object(SCOPE, str(mark), digest(mark), octets(mark))


def delete(store: SqliteStore, mark: int) -> None:
    """Delete them."""
    with store.write() as unit:
        unit.delete_object(SCOPE, str(mark))


def got(store: SqliteStore, mark: int) -> bytes | None:
    """What the store gives."""
    with store.read() as snapshot:
        return snapshot.get_object(SCOPE, str(mark), digest(mark))


def marks_in(folder: Path) -> set[int]:
    """Of which bytes something stands in their file."""
    path = folder / "objects.bytes"
    return set(path.read_bytes()) - {0} if path.exists() else set()


def written(space: Space, mark: int) -> ReceivedFile:
    """Bytes on their way, finished."""
    file = ReceivedFile(space, SIZE)
    file.write(octets(mark))
    file.finish()
    return file


# the disk


class Disk:
    """What a power cut leaves of the file: that a write is on the disk is only sure when a sync that began after it has ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._write, self._lock = _space._write_at, threading.Lock()
        self.unsure: list[tuple[int, int]] = []
        monkeypatch.setattr(_space, "_write_at", self.write)
        monkeypatch.setattr(_space, "_sync_data", self.sync)

    def write(self, file: int, part: memoryview, offset: int) -> int:
        """Write."""
        with self._lock:
            self.unsure.append((offset, offset + len(part)))
        return self._write(file, part, offset)

    def sync(self, file: int) -> None:
        """Sync."""
        with self._lock:
            before = list(self.unsure)
        os.fsync(file)
        with self._lock:
            for one in before:
                self.unsure.remove(one)

    def sure(self, place: Place) -> bool:
        """Whether nothing in a place may be lost."""
        with self._lock:
            return not any(first < offset + length and offset < end for offset, length in place for first, end in self.unsure)


def test_power_cut(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each commit, what it names is on the disk, whatever others write; before the note of a clean end everything is."""
    disk, seen = Disk(monkeypatch), list[int]()
    store = open_()

    def look(statement: str) -> None:
        if statement == "COMMIT":
            places = [place_of(text) for (text,) in rows()]
            assert all(map(disk.sure, places))
            seen.append(len(places))

    def rows() -> list[tuple[str]]:
        return store.connection.execute("SELECT place FROM received WHERE place IS NOT NULL").fetchall()

    committing = store.received.committing

    def commit() -> None:
        look("COMMIT")
        committing()

    monkeypatch.setattr(store.received, "committing", commit)

    def work(mark: int) -> None:
        for number in range(6):
            keep(store, mark)
            if number < 5:
                delete(store, mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got(store, mark) for mark in range(1, 6)] == [octets(mark) for mark in range(1, 6)]
    delete(store, 1)
    assert disk.unsure
    notes: list[list[tuple[int, int]]] = []
    store.connection.set_trace_callback(lambda said: notes.append(list(disk.unsure)) if "clean" in said else None)
    store.close()
    assert notes == [[]]
    assert max(seen) >= 5


def test_no_note_of_a_clean_end_that_the_disk_refuses(tmp_path: Path, open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what was overwritten may not be on the disk, the next start overwrites it again."""
    store = open_()
    for mark in (1, 2):
        keep(store, mark)
    delete(store, 1)

    def refuse(_file: int) -> None:
        raise OSError(errno.EIO, "a bad sector")

    with monkeypatch.context() as patch:
        patch.setattr(_space, "_sync_data", refuse)
        store.close()
        store.close()
    with (tmp_path / "objects.bytes").open("r+b") as file:
        file.write(octets(1))  # as it was on the disk
    store = open_()
    assert marks_in(tmp_path) == {2}
    assert got(store, 2) == octets(2)


def test_error_of_a_sync_that_went_on() -> None:
    """Bytes that were written while a sync went on that failed are not said to be on the disk: it may have lost them."""
    going, go, failing = threading.Event(), threading.Event(), [True]

    def sync() -> None:
        going.set()
        assert go.wait(20)
        if failing.pop():
            failing.append(False)
            raise OSError(errno.EIO, "a bad sector")
        failing.append(False)

    syncer = Syncer(sync)
    syncer.begin()
    assert going.wait(20)
    first = syncer.next
    last = syncer.begin()
    go.set()
    with pytest.raises(OSError, match="bad sector"):
        syncer.wait(first, last)
    first = syncer.next
    syncer.wait(first, syncer.begin())
    syncer.close()
    with pytest.raises(OSError, match="closed"):
        syncer.begin()


def test_only_one_thread_hears_of_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room that is zeroed in advance is synced by the thread that tells of errors: a system tells of one only once."""
    names, many = set[str](), threading.Semaphore(0)

    def sync(_file: int) -> None:
        names.add(threading.current_thread().name)
        many.release()

    monkeypatch.setattr(_space, "_sync_data", sync)
    space = Space(tmp_path / "file", (), synced=True, clean=True)
    written(space, 1).discard()
    assert all(many.acquire(timeout=20) for _ in range(5))
    assert names == {"sync"}
    space.close()


def test_what_cannot_be_overwritten_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that a bad moment did not let overwrite are not had by others; later they are overwritten, and their room is back."""
    space = Space(tmp_path / "objects.bytes", (), synced=False, clean=True)
    first, second, third = (written(space, mark) for mark in (1, 2, 3))

    def refuse(_file: int, _part: memoryview, _offset: int) -> int:
        raise OSError(errno.EIO, "a bad sector")

    with monkeypatch.context() as patch:
        patch.setattr(_space, "_write_at", refuse)
        first.discard()
        second.discard()
    assert (space.clean, marks_in(tmp_path)) == (False, {1, 2, 3})
    place = written(space, 4).place
    assert place[0][0] > third.place[0][0]
    third.discard()
    assert marks_in(tmp_path) == {1, 4}
    space.close()
    assert marks_in(tmp_path) == {4}
    assert not space._left


# the database


class Refusing:
    """A connection that does not commit while it is told so."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.refuses = True

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement."""
        if sql == "COMMIT" and self.refuses:
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_commit_that_failed_may_come_back(tmp_path: Path, open_: Open) -> None:
    """What a failed commit named stays until another has succeeded: a crash may find it in the log and take it as done."""
    store = open_(synced=False)
    store.connection = refusing = Refusing(store.connection)  # type: ignore[assignment]
    with pytest.raises(StoreError):
        keep(store, 1)
    assert marks_in(tmp_path) == {1}
    store._before_commit = lambda: (_ for _ in ()).throw(StoreError("no"))
    with pytest.raises(StoreError):
        keep(store, 2)
    assert marks_in(tmp_path) == {1}
    store._before_commit, refusing.refuses = None, False
    changes = store.connection.total_changes
    with store.write() as unit:
        assert unit.get_object(SCOPE, "1", digest(1)) is None
    assert store.connection.total_changes > changes, "the log was not written over"
    assert marks_in(tmp_path) == set()


def test_closed_after_a_commit_that_failed(tmp_path: Path, open_: Open) -> None:
    """Where nothing was committed after a commit that failed, the next start overwrites what it named."""
    store = open_(synced=False)
    keep(store, 2)
    store.connection = Refusing(store.connection)  # type: ignore[assignment]
    with pytest.raises(StoreError):
        keep(store, 1)
    store.close()
    assert got(open_(), 2) == octets(2)
    assert marks_in(tmp_path) == {2}


def test_row_that_cannot_be_written_gives_the_room_back(tmp_path: Path, open_: Open) -> None:
    """Where the row of bytes is refused they go, and their room with them."""
    store = open_(synced=False)
    with pytest.raises(UnicodeEncodeError), store.write() as unit:
        unit.put_object(SCOPE, "\ud800", digest(1), octets(1))
    assert marks_in(tmp_path) == set()
    space = store.received.space
    assert space is not None
    assert space.clean


def test_bytes_are_kept_once(open_: Open) -> None:
    """The same file under two names is refused: the second to go would take the bytes of the first."""
    store = open_()
    file = store.object_file()
    assert file is not None
    file.write(octets(1))
    file.finish()
    with pytest.raises(RuntimeError, match="twice"), store.write() as unit:  # noqa: PT012 - both in one unit
        unit.put_object(SCOPE, "1", digest(1), file)
        unit.put_object(SCOPE, "2", digest(1), file)
    assert got(store, 1) is None


def test_empty_bytes_hear_of_no_older_error(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that need no sync do not make their batch hear of a sync that failed long ago."""
    store = open_()
    failing = [True]

    def sync(_file: int) -> None:
        if failing:
            failing.pop()
            raise OSError(errno.EIO, "a bad sector")

    monkeypatch.setattr(_space, "_sync_data", sync)
    with pytest.raises(StoreError):
        keep(store, 1)
    empty = store.object_file()
    assert empty is not None
    empty.finish()
    with store.write() as unit:
        unit.put_object(SCOPE, "0", empty.sha256, empty)
        unit.put_object(SCOPE, "1", digest(1), octets(1))
    assert got(store, 1) == octets(1)


def test_moved_bytes_are_synced_before_their_rows(tmp_path: Path, open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of an older version are moved only when they are on the disk, though the last of them be empty."""
    old = open_writer(tmp_path / "store.sqlite3", MIGRATIONS, 4)
    folder = tmp_path / "objects"
    folder.mkdir()
    for mark in (1, 0):
        old.execute("INSERT INTO object VALUES (?, ?, ?, ?, '', ?)", (*SCOPE, str(9 - mark), digest(mark), f"{mark}"))
        (folder / str(mark)).write_bytes(octets(mark) if mark else b"")
    old.close()

    def refuse(_file: int) -> None:
        raise OSError(errno.EIO, "a bad sector")

    with monkeypatch.context() as patch:
        patch.setattr(_space, "_sync_data", refuse)
        with pytest.raises(SetupError, match="cannot be moved"):
            open_()
    assert (folder / "1").read_bytes() == octets(1)
    with open_().read() as snapshot:
        assert snapshot.get_object(SCOPE, "8", digest(1)) == octets(1)


# at once


def test_file_is_not_closed_under_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who closes waits for who writes: the number of the file could be that of another one by then."""
    space = Space(tmp_path / "file", (), synced=False, clean=True)
    write_at, inside, go, alive = _space._write_at, threading.Event(), threading.Event(), list[int]()

    def slowly(file: int, part: memoryview, offset: int) -> int:
        inside.set()
        assert go.wait(20)
        alive.append(os.fstat(file).st_size)
        return write_at(file, part, offset)

    monkeypatch.setattr(_space, "_write_at", slowly)
    file = ReceivedFile(space, SIZE)
    writer = threading.Thread(target=file.write, args=(octets(1),))
    writer.start()
    assert inside.wait(20)
    closer = threading.Thread(target=space.close)
    closer.start()
    assert not space.clean
    go.set()
    writer.join(20)
    closer.join(20)
    assert alive == [0]
    assert space._file is None
    with pytest.raises(StoreError):
        space.read(((0, SIZE),))


def test_read_while_the_same_place_goes_and_comes(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that were deleted and came again, into the same place, while they were read, are not read half."""
    store = open_(synced=False)
    keep(store, 1)
    space = store.received.space
    assert space is not None
    read, turns = space.read, [1]

    def late(place: Place) -> bytes:
        if not turns:
            return read(place)
        turns.pop()
        delete(store, 1)
        found = read(place)
        keep(store, 1)
        return found

    monkeypatch.setattr(space, "read", late)
    assert got(store, 1) == octets(1)


@pytest.mark.parametrize("most", [BLOCK, 1000])
def test_what_no_system_reads_at_once(open_: Open, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Bytes of which a system gives only a part at a time are read to their end."""
    read_at = _space._read_at
    monkeypatch.setattr(_space, "_READ", most)
    monkeypatch.setattr(_space, "_read_at", lambda file, length, offset: read_at(file, min(length, 900), offset))
    store = open_()
    keep(store, 1)
    assert got(store, 1) == octets(1)
