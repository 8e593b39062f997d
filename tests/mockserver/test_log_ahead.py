"""Room in the write-ahead log before it is needed: what the store holds is not touched by it."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest

from acrmock.clock import SystemClock
from mockserver import _sqlite_ahead
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
    store = SqliteStore(path, SystemClock())
    for number in range(400):
        with store.write() as unit:
            unit.put("k", SCOPE, f"{number:04d}", Value("x" * 1000))
        if number == 100:
            assert all(chunks.acquire(timeout=20) for _ in range(32))
    log = path.with_name("store.sqlite3-wal")
    assert log.stat().st_size >= 8192 * 4120
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
