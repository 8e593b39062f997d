"""Room in the write-ahead log before it is needed: what the store holds is not touched by it."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.clock import SystemClock
from mockserver import _sqlite_ahead
from mockserver._sqlite_open import connect
from mockserver.sqlite import SqliteStore

SCOPE = ("app", "test")


class Value(msgspec.Struct):
    """Something to keep."""

    text: str


def test_the_log_grows_before_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some commits the log has room for all its pages; what is committed meanwhile and later is there after a crash."""
    chunks = threading.Semaphore(0)

    def sync(file: int) -> None:
        os.fsync(file)
        chunks.release()

    monkeypatch.setattr(_sqlite_ahead, "_sync_data", sync)
    path = tmp_path / "store.sqlite3"
    log = path.with_name("store.sqlite3-wal")
    store = SqliteStore(path, SystemClock())
    for number in range(400):
        with store.write() as unit:
            unit.put("k", SCOPE, f"{number:04d}", Value("x" * 1000))
        if number == 100:
            while log.stat().st_size < 8192 * 4120:
                assert chunks.acquire(timeout=20)
    copy = tmp_path / "copy.sqlite3"  # as a crash leaves it
    copy.write_bytes(path.read_bytes())
    copy.with_name("copy.sqlite3-wal").write_bytes(log.read_bytes())
    store.close()
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(*) FROM state").fetchone() == (400,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_small_store_stays_small(tmp_path: Path) -> None:
    """A store to which little is written, and one that is not synced, get no room in advance."""
    for name, synced, commits in (("a", True, 20), ("b", False, 100)):
        path = tmp_path / name
        store = SqliteStore(path, SystemClock(), synced=synced)
        for number in range(commits):
            with store.write() as unit:
                unit.put("k", SCOPE, str(number), Value("x"))
        assert path.with_name(f"{name}-wal").stat().st_size < 1024 * 1024
        store.close()


def test_a_log_that_is_gone_is_nothing(tmp_path: Path) -> None:
    """Where the log cannot be opened nothing happens, and closing does not wait."""
    ahead = _sqlite_ahead.LogAhead(tmp_path / "none", 100, threading.Lock())
    for _ in range(200):
        ahead.committed()
    ahead.close()
    assert list(tmp_path.iterdir()) == []


STEPS = st.lists(
    st.sampled_from(["commit", "commit", "much", "append", "append", "TRUNCATE", "RESTART", "PASSIVE", "read"]), max_size=25
)


@given(steps=STEPS, chunk=st.sampled_from([1, 4000, 4120, 50_000]), size=st.sampled_from([200_000, 400_000]))
@settings(max_examples=25, deadline=None)
def test_no_frame_is_overwritten(tmp_path_factory: pytest.TempPathFactory, steps: list[str], chunk: int, size: int) -> None:
    """Whatever is appended between commits and checkpoints of any kind, a crash after each step finds all that was committed."""
    folder = tmp_path_factory.mktemp("log")
    path, rows = folder / "a", 0
    writer, reader = connect(path), connect(path, read_only=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sqlite_ahead, "_CHUNK", chunk)
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (x)")
        ahead = _sqlite_ahead.LogAhead(path, size // 4120, threading.Lock())
        log = os.open(folder / "a-wal", _sqlite_ahead._MODE)
        for step in steps:
            if step in {"commit", "much"}:
                count = 1 if step == "commit" else 40
                writer.execute("BEGIN")
                writer.executemany("INSERT INTO t VALUES (randomblob(3000))", [()] * count)
                ahead._append(log)
                writer.execute("COMMIT")
                rows += count
            elif step == "append":
                ahead._append(log)
            elif step == "read":
                reader.close()
                reader = connect(path, read_only=True)
                assert reader.execute("SELECT count(*) FROM t").fetchone() == (rows,)
            else:
                writer.execute(f"PRAGMA wal_checkpoint({step})").fetchone()
            check_crash(folder, rows)
        os.close(log)
    reader.close()
    writer.close()


def check_crash(folder: Path, rows: int) -> None:
    """A copy of the files as they are holds so many rows."""
    for name in ("", "-wal"):
        (folder / f"copy{name}").write_bytes((folder / f"a{name}").read_bytes())
    copy = sqlite3.connect(folder / "copy")
    assert copy.execute("SELECT count(*) FROM t").fetchone() == (rows,)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
