"""Turns and the batch that waits for them: nothing waits for a unit that is never opened."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acrmock.clock import ManualClock, SystemClock
from mockserver.sqlite import SqliteStore
from mockserver.store import GLOBAL, Stored
from mockserver.turns import Turns


class Value(Stored, frozen=True, kw_only=True):
    """Something to keep."""

    number: int


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store on disk."""
    made = SqliteStore(tmp_path / "store.sqlite3", SystemClock())
    yield made
    made.close()


def kept(store: SqliteStore) -> Value | None:
    """What is committed."""
    with store.read() as snapshot:
        return snapshot.get("kind", GLOBAL, "key", Value)


def test_a_batch_waits_for_who_is_announced_and_not_longer(store: SqliteStore) -> None:
    """A unit that was left stands uncommitted while another is announced, and is committed when that one is given up."""
    store.expect(1)
    with store.unit() as unit:
        unit.put("kind", GLOBAL, "key", Value(number=1))
    store.expect(-1)
    store.settle()
    store.flush(unit.ticket)
    assert kept(store) == Value(number=1)


def test_who_waits_for_a_batch_commits_it_in_the_end(store: SqliteStore) -> None:
    """Although the announced unit never comes, the answer is let go."""
    store.expect(1)
    with store.unit() as unit:
        unit.put("kind", GLOBAL, "key", Value(number=2))
    store.flush(unit.ticket)
    assert kept(store) == Value(number=2)


@pytest.mark.parametrize(("settled", "wait", "committed"), [(False, 0.005, True), (True, 0.005, False), (True, 0.03, True)])
def test_a_batch_waits_longer_for_who_settles_it(tmp_path: Path, *, settled: bool, wait: float, committed: bool) -> None:
    """Who makes several units and settles them has them committed together, unless that takes very long."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    store = SqliteStore(tmp_path / "store.sqlite3", clock)
    store.expect(1, settled=settled)
    for number in range(2):
        with store.unit() as unit:
            unit.put("kind", GLOBAL, "key", Value(number=number))
        clock.wait(wait)
    with store.unit():
        pass
    assert (kept(store) is not None) is committed
    store.expect(-1, settled=settled)
    store.settle(at_once=True)
    assert kept(store) == Value(number=1)
    store.close()


def test_one_at_a_time(store: SqliteStore) -> None:
    """Of many that take turns, no two are within one at once, and all get theirs."""
    turns, within, most = Turns(store), [0], [0]

    def work() -> None:
        for _ in range(50):
            turns.take()
            within[0] += 1
            most[0] = max(most[0], within[0])
            within[0] -= 1
            turns.give()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1]
    assert not any(thread.is_alive() for thread in threads)
