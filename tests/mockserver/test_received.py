"""Received bytes come and go with the unit that names them, whatever happens in between, and nothing of what is gone is left."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.clock import SystemClock
from acrmock.errors import SetupError
from mockserver import _space
from mockserver._places import BLOCK, place_of, place_text
from mockserver._received import ReceivedFile
from mockserver._space import Space
from mockserver._sqlite_open import MIGRATIONS, open_writer
from mockserver._syncer import Syncer
from mockserver.sqlite import SqliteStore
from mockserver.store import ObjectFile, StoreError, StoreFull

SCOPE = ("app", "test")
NAME = b"Jane^Doe^"
BYTES = NAME * 40_000
Open = Callable[..., SqliteStore]


def received(store: SqliteStore, octets: bytes = BYTES, size: int = 0) -> ObjectFile:
    """Bytes on their way, written in parts and finished."""
    file = store.object_file(size)
    assert file is not None
    for at in range(0, len(octets), 100_000):
        file.write(memoryview(octets)[at : at + 100_000])
    file.finish()
    return file


def bytes_of(folder: Path) -> bytes:
    """What stands in the file of received bytes, without the zeros in front and behind."""
    path = folder / "objects.bytes"
    return path.read_bytes().strip(b"\0") if path.exists() else b""


def keep(store: SqliteStore, uid: str = "1.2.3", octets: bytes = BYTES) -> str:
    """Keep a data set; gives its hash."""
    file = received(store, octets)
    with store.write() as unit:
        unit.put_object(SCOPE, uid, file.sha256, file)
    file.discard()
    return file.sha256


def got(store: SqliteStore, uid: str, digest: str) -> bytes | None:
    """What the store gives."""
    with store.read() as snapshot:
        return snapshot.get_object(SCOPE, uid, digest)


def replace(store: SqliteStore, file: ObjectFile, then: Callable[[], object] = lambda: None) -> None:
    """Keep bytes instead of what was kept, in one unit, at the end of which something happens."""
    with store.write() as unit:
        unit.delete_object(SCOPE, "1.2.3")
        unit.put_object(SCOPE, "1.2.9", file.sha256, file)
        then()


# with the store


def test_kept_and_deleted(tmp_path: Path, open_: Open) -> None:
    """Bytes are kept as they were written, for their owner only, survive a restart, and go with their row."""
    store = open_()
    digest, other = keep(store), b"other" * 50_000
    keep(store, "1.2.4", other)
    assert digest == hashlib.sha256(BYTES).hexdigest()
    store.close()
    store = open_()
    assert got(store, "1.2.3", digest) == BYTES
    if sys.platform != "win32":
        assert (tmp_path / "objects.bytes").stat().st_mode & 0o777 == 0o600
    with store.write() as unit:
        unit.delete_object(SCOPE, "1.2.3")
    assert bytes_of(tmp_path) == other
    assert got(store, "1.2.3", digest) is None
    with store.write() as unit:
        unit.delete_scope(SCOPE)
    assert bytes_of(tmp_path) == b""
    store.close()
    assert (tmp_path / "objects.bytes").stat().st_size == 0


def test_room_of_what_was_deleted_is_used_again(tmp_path: Path, open_: Open) -> None:
    """A store from which as much is deleted as comes does not grow; what comes is told from what was there."""
    store = open_(synced=False)
    keep(store, "first")
    keep(store, "0")
    for number in range(40):
        before = BYTES.replace(b"Jane", b"J%03d" % number)
        digest = keep(store, str(number + 1), before)
        with store.write() as unit:
            unit.delete_object(SCOPE, str(number))
        assert got(store, str(number + 1), digest) == before
    assert (tmp_path / "objects.bytes").stat().st_size < 10 * len(BYTES)


@pytest.mark.parametrize("synced", [True, False])
def test_short_data_sets_are_in_their_rows(tmp_path: Path, open_: Open, *, synced: bool) -> None:
    """A short data set is in its row where each sync counts, and else in the file; either way it is read, and goes."""
    store = open_(synced=synced)
    short = NAME * 1000
    digest = hashlib.sha256(short).hexdigest()
    assert (store.object_file(len(short)) is None) == synced
    with store.write() as unit:
        unit.put_object(SCOPE, "1", digest, short)
    assert (bytes_of(tmp_path) == b"") == synced
    store.close()
    store = open_(synced=not synced)
    assert got(store, "1", digest) == short
    with store.write() as unit:
        unit.delete_object(SCOPE, "1")
    assert not [path.name for path in tmp_path.iterdir() if NAME in path.read_bytes()]


def test_same_again_is_kept_once(tmp_path: Path, open_: Open) -> None:
    """The same bytes under the same UID again are not kept twice, as a file or as bytes."""
    store = open_()
    digest = keep(store)
    assert keep(store) == digest
    with store.write() as unit:
        unit.put_object(SCOPE, "1.2.3", digest, BYTES)
    assert bytes_of(tmp_path) == BYTES
    assert store.connection.execute("SELECT count(*) FROM received").fetchone() == (1,)


def test_undone_unit_leaves_nothing(tmp_path: Path, open_: Open) -> None:
    """A unit that is left by an exception leaves no bytes of its own, and what it deleted stays."""
    store = open_()
    digest = keep(store)
    file = received(store, b"x" * 70_000)
    with pytest.raises(KeyError):
        replace(store, file, then=lambda: {}["no such key"])
    assert bytes_of(tmp_path) == BYTES
    assert got(store, "1.2.3", digest) == BYTES


def test_failed_commit_leaves_nothing(tmp_path: Path, open_: Open) -> None:
    """Where the commit fails, new bytes are removed and those that it was to delete stay."""
    store = open_()
    digest = keep(store)

    def full() -> None:
        raise StoreFull("there is no room left on the disk")

    store._before_commit = full
    file = received(store, b"x" * 70_000)
    with pytest.raises(StoreFull):
        replace(store, file)
    store._before_commit = None
    assert bytes_of(tmp_path) == BYTES
    assert got(store, "1.2.3", digest) == BYTES


def test_committed_only_when_the_bytes_are_on_the_disk(open_: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row that names bytes is committed after their sync; where that fails, the unit fails, and the next one may do."""
    store = open_()
    steps: list[str] = []
    failing = [True]

    def sync(file: int) -> None:
        steps.append("synced")
        if failing and threading.current_thread().name == "sync":
            failing.pop()
            raise OSError(errno.EIO, "a bad sector")
        os.fsync(file)

    monkeypatch.setattr(_space, "_sync_data", sync)
    store.connection.set_trace_callback(lambda said: steps.append(said) if said == "COMMIT" else None)
    with pytest.raises(StoreError, match="cannot be written"):
        keep(store)
    assert "COMMIT" not in steps
    digest = keep(store)
    assert got(store, "1.2.3", digest) == BYTES
    assert steps.index("COMMIT") > steps.index("synced")


def test_what_a_crash_left_is_overwritten(tmp_path: Path, open_: Open) -> None:
    """After a crash, what no row names stands nowhere in the file: neither between what is kept nor behind it."""
    store = open_(synced=False)
    lost, first = received(store, NAME * 1000, 9000), keep(store, "1", b"kept" * 30_000)
    behind = received(store, NAME * 9000)
    store.connection.close()  # as a crash would: nothing is tidied
    assert store._guard is not None
    store._guard.release()
    assert NAME in bytes_of(tmp_path)
    again = SqliteStore(tmp_path / "store.sqlite3", SystemClock(), synced=False)
    try:
        assert bytes_of(tmp_path) == b"kept" * 30_000
        assert got(again, "1", first) == b"kept" * 30_000
    finally:
        again.close()
    assert (lost.sha256, behind.sha256) != (first, first)


@pytest.mark.parametrize("harm", ["missing", "short", "overlap"])
def test_a_file_of_another_store_is_refused(tmp_path: Path, open_: Open, harm: str) -> None:
    """A store whose file of received bytes is gone, cut off or not its own says so at the start, and what to do."""
    store = open_()
    keep(store)
    keep(store, "1.2.4", b"other" * 50_000)
    if harm == "overlap":
        store.connection.execute("UPDATE received SET place = '0+5000'")
    store.close()
    path = tmp_path / "objects.bytes"
    if harm == "missing":
        path.unlink()
    elif harm == "short":
        os.truncate(path, 4096)
    for _ in range(2):
        with pytest.raises(SetupError) as told:
            open_()
        assert "restore it together with the database" in str(told.value)


def test_discarded_bytes_are_gone(tmp_path: Path, open_: Open) -> None:
    """Bytes that no unit took are removed by whoever wrote them."""
    file = open_().object_file()
    assert file is not None
    file.write(NAME * 100)
    file.discard()
    file.discard()
    assert bytes_of(tmp_path) == b""


def test_what_the_disk_refuses_is_told_at_the_end(tmp_path: Path, open_: Open) -> None:
    """A file that cannot be made fails when it is finished, not while bytes come."""
    store = open_()
    (tmp_path / "objects.bytes").mkdir()
    file = store.object_file()
    assert file is not None
    file.write(b"x" * 100)
    file.write(b"x" * 100)
    with pytest.raises(StoreError):
        file.finish()
    with pytest.raises(StoreError):
        file.whole()
    file.discard()


def test_closed_while_somebody_writes(tmp_path: Path, open_: Open) -> None:
    """What is written to a closed store is refused; what had been written is overwritten at the next start."""
    store = open_()
    keep(store, "1", b"kept")
    file = store.object_file(len(BYTES))
    assert file is not None
    file.write(BYTES[:200_000])
    keep(store, "2", b"behind")
    store.close()
    file.write(BYTES[200_000:])
    with pytest.raises(StoreError):
        file.finish()
    open_()
    assert NAME not in bytes_of(tmp_path)


def test_bytes_of_older_stores_are_moved(tmp_path: Path, open_: Open) -> None:
    """Bytes that had a file each are in the one file, and their folder is a backup; what stood in the table stays there."""
    old = open_writer(tmp_path / "store.sqlite3", MIGRATIONS, 4)
    rows = [("1", "aa", b"in the table", None), ("2", "bb", b"", "0123abcd"), ("3", "cc", b"", "4567ef")]
    old.executemany("INSERT INTO object VALUES (?, ?, ?, ?, ?, ?)", [(*SCOPE, *row) for row in rows])
    old.close()
    folder = tmp_path / "objects"
    folder.mkdir()
    (folder / "0123abcd").write_bytes(BYTES)
    with pytest.raises(SetupError, match="cannot be moved"):
        open_()
    assert (folder / "0123abcd").read_bytes() == BYTES
    (folder / "4567ef").write_bytes(b"")
    new = open_()
    assert [got(new, uid, digest) for uid, digest, _, _ in rows] == [b"in the table", BYTES, b""]
    assert not folder.exists()
    assert (tmp_path / "objects.format-4.backup" / "0123abcd").read_bytes() == BYTES
    new.close()
    assert got(open_(), "2", "bb") == BYTES


def test_memory_keeps_everything_itself() -> None:
    """A store in memory has no file, and gives what it was given."""
    store = SqliteStore(None, SystemClock())
    assert store.object_file() is None
    with store.write() as unit:
        unit.put_object(SCOPE, "1", "aa", b"bytes")
    assert got(store, "1", "aa") == b"bytes"
    store.close()


# the parts


@given(
    parts=st.lists(st.sampled_from([1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 70_000, 131_066, 1_048_576]), max_size=12),
    known=st.booleans(),
)
def test_any_parts_are_kept_in_order(tmp_path_factory: pytest.TempPathFactory, parts: list[int], *, known: bool) -> None:
    """However data sets are cut, and mixed with others, each is read and hashed as it was written, and its room comes back."""
    space = Space(tmp_path_factory.mktemp("space") / "file", (), synced=False, clean=True)
    written = [bytes([number + 1]) * size for number, size in enumerate(parts)]
    octets, other = b"".join(written), b"other" * 1000
    file, beside = ReceivedFile(space, len(octets) if known else 0), ReceivedFile(space)
    for part in written:
        file.write(part)
        beside.write(other)
    assert file.whole() == octets
    file.finish()
    beside.finish()
    assert place_of(place_text(file.place)) == file.place
    assert (space.read(file.place), file.sha256) == (octets, hashlib.sha256(octets).hexdigest())
    assert space.read(beside.place) == other * len(written)
    file.discard()
    beside.discard()
    assert space.clean
    space.close()
    assert not space.path.exists() or space.path.stat().st_size == 0


def test_zeroed_in_advance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A synced file has room that was zeroed before it is needed; what is not used of it goes when the file is closed."""
    zeroed = threading.Semaphore(0)

    def sync(file: int) -> None:
        os.fsync(file)
        zeroed.release()

    monkeypatch.setattr(_space, "_sync_data", sync)
    space = Space(tmp_path / "file", (), synced=True, clean=True)
    for number in range(40):
        file = ReceivedFile(space, 300_000)
        file.write(bytes([number + 1]) * 300_000)
        file.finish()
        space.wait(*file.begun)
        assert space.read(file.take()) == bytes([number + 1]) * 300_000
        if not number:
            while space.path.stat().st_size < 15 * 1024 * 1024:
                assert zeroed.acquire(timeout=20)
    space.close()
    assert 40 * 300_000 < space.path.stat().st_size < 40 * 300_000 + 4 * 1024 * 1024


def test_one_sync_for_many() -> None:
    """Who begins to wait while a sync goes on waits for the next one, together with all the others; errors reach who waited."""
    begun, go, calls = threading.Event(), threading.Event(), list[int]()

    def sync() -> None:
        calls.append(1)
        begun.set()
        assert go.wait(20)
        if len(calls) == 2:
            raise OSError(errno.EIO, "a bad sector")

    syncer = Syncer(sync)
    first = syncer.begin()
    assert begun.wait(20)
    others = [syncer.begin() for _ in range(5)]
    go.set()
    for number in others:
        with pytest.raises(OSError, match="bad sector"):
            syncer.wait(number, number)
    syncer.wait(first, first)
    last = syncer.begin()
    syncer.wait(last, last)
    with pytest.raises(OSError, match="bad sector"):
        syncer.wait(first, last)
    syncer.close()
    assert len(calls) == 3


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room, that is what is said, the room is given back, and later bytes are kept."""
    space = Space(tmp_path / "file", (), synced=False, clean=True)
    write_at, room = _space._write_at, [2]

    def little(file: int, part: memoryview, offset: int) -> int:
        if part[0] == ord("x") and room.pop() == 1:
            raise OSError(errno.ENOSPC, "no space left on device")
        room[:] = [1]
        return write_at(file, part[:1000], offset)

    monkeypatch.setattr(_space, "_write_at", little)
    file = ReceivedFile(space)
    file.write(b"x" * 5000)
    with pytest.raises(StoreFull, match="no room"):
        file.finish()
    file.discard()
    file = ReceivedFile(space)
    file.write(NAME * 900)
    file.finish()
    assert (file.place[0][0], space.read(file.place)) == (0, NAME * 900)
    space.close()


def test_bytes_that_cannot_be_read(tmp_path: Path) -> None:
    """Bytes that are not there, or whose file is closed, are an error, not a traceback."""
    space = Space(tmp_path / "file", (), synced=False, clean=True)
    file = ReceivedFile(space)
    file.write(NAME)
    with pytest.raises(StoreError, match="cannot be read"):
        space.read(((BLOCK, 9),))
    space.close()
    with pytest.raises(StoreError, match="cannot be read"):
        space.read(((0, 9),))


def test_a_damaged_row_is_an_error(open_: Open) -> None:
    """A place that is no place is told by the store."""
    store = open_()
    digest = keep(store)
    store.connection.execute("UPDATE received SET place = 'x+y'")
    with pytest.raises(StoreError, match="a stored place"):
        got(store, "1.2.3", digest)
    store.close()
    with pytest.raises(SetupError, match="damaged"):
        open_()
