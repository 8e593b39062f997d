"""Files of large data sets: they come and go with the unit that names them, whatever happens in between."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acrmock.clock import SystemClock
from mockserver.sqlite import SqliteStore
from mockserver.store import ObjectFile, StoreError, StoreFull

SCOPE = ("app", "test")
BYTES = b"Jane^Doe^" * 40_000
Open = Callable[..., SqliteStore]


@pytest.fixture
def open_(tmp_path: Path) -> Iterator[Open]:
    """Opens stores in one place and closes them at the end."""
    stores: list[SqliteStore] = []

    def make(**options: object) -> SqliteStore:
        stores.append(SqliteStore(tmp_path / "store.sqlite3", SystemClock(), **options))  # type: ignore[arg-type]
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def received(store: SqliteStore, octets: bytes = BYTES) -> ObjectFile:
    """A finished file, written in parts."""
    file = store.object_file()
    assert file is not None
    for at in range(0, len(octets), 100_000):
        file.write(memoryview(octets)[at : at + 100_000])
    file.finish()
    return file


def files(folder: Path) -> list[Path]:
    """The files that there are."""
    return list((folder / "objects").iterdir())


def keep(store: SqliteStore, uid: str = "1.2.3", octets: bytes = BYTES) -> str:
    """Keep a data set in a file; gives its hash."""
    file = received(store, octets)
    with store.write() as unit:
        unit.put_object(SCOPE, uid, file.sha256, file)
    file.discard()
    return file.sha256


def replace(store: SqliteStore, file: ObjectFile, then: Callable[[], object] = lambda: None) -> None:
    """Keep a file instead of what was kept, in one unit, at the end of which something happens."""
    with store.write() as unit:
        unit.delete_object(SCOPE, "1.2.3")
        unit.put_object(SCOPE, "1.2.9", file.sha256, file)
        then()


def test_kept_and_deleted(tmp_path: Path, open_: Open) -> None:
    """A file is kept as it was written, for its owner only, survives a restart, and goes with its row."""
    store = open_()
    digest = keep(store)
    keep(store, "1.2.4", b"other" * 50_000)
    assert digest == hashlib.sha256(BYTES).hexdigest()
    store.close()
    store = open_()
    with store.read() as snapshot:
        assert snapshot.get_object(SCOPE, "1.2.3", digest) == BYTES
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o777 for path in files(tmp_path)} == {0o600}
        assert (tmp_path / "objects").stat().st_mode & 0o777 == 0o700
    with store.write() as unit:
        unit.delete_object(SCOPE, "1.2.3")
    assert [path.read_bytes() for path in files(tmp_path)] == [b"other" * 50_000]
    with store.read() as snapshot:
        assert snapshot.get_object(SCOPE, "1.2.3", digest) is None
    with store.write() as unit:
        unit.delete_scope(SCOPE)
    assert files(tmp_path) == []


def test_same_again_leaves_one_file(tmp_path: Path, open_: Open) -> None:
    """The same bytes under the same UID again are not kept twice."""
    store = open_()
    assert keep(store) == keep(store)
    assert len(files(tmp_path)) == 1


def test_undone_unit_leaves_no_file(tmp_path: Path, open_: Open) -> None:
    """A unit that is left by an exception leaves no file of its own, and what it deleted stays."""
    store = open_()
    digest = keep(store)
    file = received(store, b"x" * 70_000)
    with pytest.raises(KeyError):
        replace(store, file, then=lambda: {}["no such key"])
    assert len(files(tmp_path)) == 1
    with store.read() as snapshot:
        assert snapshot.get_object(SCOPE, "1.2.3", digest) == BYTES


def test_failed_commit_leaves_no_file(tmp_path: Path, open_: Open) -> None:
    """Where the commit fails, new files are removed and those that it was to delete stay."""
    store = open_()
    digest = keep(store)

    def full() -> None:
        raise StoreFull("there is no room left on the disk")

    store._before_commit = full
    file = received(store, b"x" * 70_000)
    with pytest.raises(StoreFull):
        replace(store, file)
    store._before_commit = None
    assert len(files(tmp_path)) == 1
    with store.read() as snapshot:
        assert snapshot.get_object(SCOPE, "1.2.3", digest) == BYTES


def test_what_a_crash_left_is_swept(tmp_path: Path, open_: Open) -> None:
    """At the start, files that no row names are removed; a named one that is gone is told when it is asked for."""
    store = open_()
    digest = keep(store)
    (tmp_path / "objects" / "left").write_bytes(b"of a crash")
    store.close()
    store = open_()
    assert len(files(tmp_path)) == 1
    files(tmp_path)[0].unlink()
    with pytest.raises(StoreError, match="cannot be read"), store.read() as snapshot:
        snapshot.get_object(SCOPE, "1.2.3", digest)


def test_discarded_file_is_gone(tmp_path: Path, open_: Open) -> None:
    """A file that no unit took is removed by whoever made it."""
    file = open_().object_file()
    assert file is not None
    file.write(b"x" * 100)
    file.discard()
    file.discard()
    assert files(tmp_path) == []


def test_what_the_disk_refuses_is_told_at_the_end(tmp_path: Path, open_: Open) -> None:
    """A file that cannot be made fails when it is finished, not while bytes come."""
    (tmp_path / "objects").write_bytes(b"a file stands where the folder should be")
    file = open_().object_file()
    assert file is not None
    file.write(b"x" * 100)
    with pytest.raises(StoreError):
        file.finish()
    with pytest.raises(StoreError):
        file.whole()
    file.discard()


def test_second_format_gets_files(open_: Open) -> None:
    """A store of the second format keeps what it has, and takes files from then on."""
    old = open_(newest=2)
    old.connection.execute("ALTER TABLE object DROP COLUMN file")
    old.connection.execute("INSERT INTO object VALUES (?, ?, '1.2', ?, ?)", (*SCOPE, "ab" * 32, b"bytes"))
    old.close()
    new = open_()
    digest = keep(new)
    with new.read() as snapshot:
        assert snapshot.get_object(SCOPE, "1.2", "ab" * 32) == b"bytes"
        assert snapshot.get_object(SCOPE, "1.2.3", digest) == BYTES


def test_memory_has_no_files() -> None:
    """A store in memory keeps everything itself."""
    store = SqliteStore(None, SystemClock())
    assert store.object_file() is None
    store.close()
