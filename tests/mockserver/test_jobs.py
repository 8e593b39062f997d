"""Durable jobs: done once, in their time, whatever fails meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.clock import BusinessTime, ManualClock, rfc3339
from acrmock.record import decode_line
from acrmock.redaction import Digester, Redactor
from mockserver.context import Applications
from mockserver.jobs import JOB, Handler, Job, Jobs, Step, pause
from mockserver.journal import Journal
from mockserver.onboarding.model import Application
from mockserver.sqlite import SqliteStore
from mockserver.store import GLOBAL, Stored, Unit

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Count(Stored, frozen=True, kw_only=True):
    """How often a job took effect."""

    times: int


def counted(_core: Any, job: Job) -> Step:
    """A job that counts how often it took effect."""

    def step(unit: Unit) -> None:
        before = unit.get("count", GLOBAL, job.key, Count)
        unit.put("count", GLOBAL, job.key, Count(times=1 + (before.times if before else 0)))

    return step


class Bench:
    """Jobs over a store, on a clock that is moved by hand."""

    def __init__(self, path: Path | None, handlers: dict[str, Handler]) -> None:
        self.clock = ManualClock(START)
        self.broken: Callable[[], None] = lambda: None
        self.store = SqliteStore(path, self.clock, before_commit=lambda: self.broken())  # noqa: PLW0108 - it is changed later
        applications = Applications(self.store)
        digester = Digester(b"k" * 32)
        journal = Journal(self.store, self.clock, Redactor(digester), digester, business=applications.business)
        core: Any = SimpleNamespace(store=self.store, clock=self.clock, applications=applications, journal=journal)
        self.core = core
        self.jobs = Jobs(core, lambda: handlers)

    def put(self, key: str, *, kind: str = "count", after: float = 0.0, business: bool = False) -> None:
        """Put a job that is due after so many seconds."""
        due = rfc3339(self.clock.now() + timedelta(seconds=after))
        with self.store.write() as unit:
            self.jobs.put(unit, Job(kind=kind, application="a", environment="test", key=key, due=due, business=business))

    def times(self, key: str) -> int:
        """How often a job took effect, once everything due is done."""
        assert self.jobs.idle(20)
        with self.store.read() as snapshot:
            found = snapshot.get("count", GLOBAL, key, Count)
        return found.times if found else 0

    def left(self) -> list[Job]:
        """The jobs that are stored."""
        with self.store.read() as snapshot:
            return self.jobs.all(snapshot)

    def advance(self, seconds: float) -> None:
        """Let time pass, and say so."""
        self.clock.wait(seconds)
        self.jobs.wake()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The data of the events of that name."""
        with self.store.read() as snapshot:
            return [getattr(decode_line(line), "data", {}) for _, line in snapshot.entries(labels=(name,))]

    def close(self) -> None:
        """Stop the worker and close the store."""
        self.jobs.stop()
        self.store.close()


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Makes benches that are closed in the end."""
    made: list[Bench] = []

    def make(path: Path | None = None, **handlers: Handler) -> Bench:
        made.append(Bench(path, {"count": counted, **handlers}))
        made[-1].jobs.start()
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_is_due_is_done_once_and_gone(bench: Callable[..., Bench]) -> None:
    """Many jobs, the same one put twice before it is done: each takes effect once and none is left."""
    run = bench()
    with run.store.unit() as unit:
        for number in [*range(40), 3]:
            run.jobs.soon(unit, "count", "a", "test", f"k{number}")
    assert [run.times(f"k{number}") for number in range(40)] == [1] * 40
    assert run.left() == []


def test_nothing_is_done_before_its_time(bench: Callable[..., Bench]) -> None:
    """A job by protocol time waits for it, and is done in the very second."""
    run = bench()
    run.put("later", after=60)
    run.put("now")
    assert (run.times("now"), run.times("later")) == (1, 0)
    run.advance(59.5)
    assert run.times("later") == 0
    run.advance(0.5)
    assert run.times("later") == 1


def test_business_time_is_the_applications_own(bench: Callable[..., Bench]) -> None:
    """A job by business time follows the application's clock and nobody else's."""
    run = bench()
    with run.store.write() as unit:
        run.core.applications.save(unit, Application(id="a", name="A", business=BusinessTime(frozen_at=START)))
    run.put("hold", after=86_400, business=True)
    run.advance(90_000)
    assert run.times("hold") == 0
    moved = Application(id="a", name="A", business=BusinessTime(frozen_at=START + timedelta(days=1)))
    with run.store.write() as unit:
        run.core.applications.save(unit, moved)
    run.jobs.wake()
    assert run.times("hold") == 1


def test_a_failing_job_is_tried_again_and_holds_nobody_up(bench: Callable[..., Bench]) -> None:
    """It fails three times with growing pauses, is told of each time, and is done at last; others are done at once."""
    failures = 3

    def fails(core: Any, job: Job) -> Step:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise ValueError("not yet")
        return counted(core, job)

    run = bench(fails=fails)
    run.put("bad", kind="fails")
    run.put("good")
    assert run.times("good") == 1
    for seconds in (1, 2, 4):
        assert run.times("bad") == 0
        assert len(run.left()) == 1
        run.advance(seconds)
    assert run.times("bad") == 1
    assert [data["tries"] for data in run.events("job-failed")] == [1, 2]
    assert [data["tries"] for data in run.events("harness-fault")] == [3]


def test_a_step_that_fails_undoes_no_other(bench: Callable[..., Bench]) -> None:
    """Where the change of one job of a batch fails, the others still take effect, once."""

    def half(core: Any, job: Job) -> Step:
        def step(unit: Unit) -> None:
            counted(core, job)(unit)
            raise ValueError("half done")

        return step

    run = bench(half=half)
    with run.store.unit() as unit:  # one batch
        for key, kind in (("a", "count"), ("b", "half"), ("c", "count")):
            run.jobs.soon(unit, kind, "a", "test", key)
    assert [run.times(key) for key in "abc"] == [1, 0, 1]
    assert [job.key for job in run.left()] == ["b"]


def test_an_unknown_kind_is_kept(bench: Callable[..., Bench]) -> None:
    """A job that nobody does (of a later version, say) stays and is tried again."""
    run = bench()
    run.put("x", kind="never-heard-of")
    assert run.times("x") == 0
    assert [job.tries for job in run.left()] == [1]


def test_what_an_earlier_process_left_is_done(bench: Callable[..., Bench], tmp_path: Path) -> None:
    """Jobs put while nobody works are in the file, and are done at the next start."""
    first = bench(tmp_path / "store.sqlite3")
    first.jobs.stop()
    first.put("left")
    first.put("hold", after=10, business=True)
    assert first.left()
    first.close()
    second = bench(tmp_path / "store.sqlite3")
    assert (second.times("left"), second.times("hold")) == (1, 0)
    second.advance(10)
    assert second.times("hold") == 1


def test_a_change_that_is_not_kept_is_made_again(bench: Callable[..., Bench], tmp_path: Path) -> None:
    """Where the disk refuses the batch, job and change are undone together, and the job takes effect once in the end."""
    run = bench(tmp_path / "store.sqlite3")
    struck = threading.Event()

    def once() -> None:
        if not struck.is_set() and threading.current_thread().name == "acrmock-jobs":
            with_effect = run.store.connection.execute("SELECT count(*) FROM state WHERE kind = 'count'").fetchone()[0]
            if with_effect:
                struck.set()
                raise OSError("a disk that fails")

    run.broken = once
    run.put("one")
    assert run.times("one") == 1
    assert struck.is_set()
    assert run.left() == []


def test_a_stopped_worker_begins_nothing(bench: Callable[..., Bench]) -> None:
    """After the stop nothing is done, and stopping twice is harmless."""
    run = bench()
    run.put("a")
    assert run.times("a") == 1
    run.jobs.stop()
    run.jobs.stop()
    run.put("b")
    assert not run.jobs.idle(0)
    with run.store.read() as snapshot:
        assert [key for key, _ in snapshot.scan(JOB, GLOBAL, Job)]


@given(st.integers(-5, 10_000), st.floats(0.01, 100), st.floats(100, 10_000))
def test_pauses_grow_and_are_bounded(tries: int, first: float, most: float) -> None:
    """The pause never shrinks with the tries, is never below the first and never above the most."""
    assert first <= pause(tries, first, most) <= pause(tries + 1, first, most) <= most


class Rounds(threading.Event):
    """In place of a wait: counts, and somebody is pressed for time again for so many rounds."""

    def __init__(self, jobs: Jobs, more: int) -> None:
        super().__init__()
        self.jobs, self.more, self.waits = jobs, more, 0

    def wait(self, timeout: float | None = None) -> bool:
        """A round."""
        assert timeout is not None
        assert 0 < timeout < 1
        self.waits += 1
        if self.waits <= self.more:
            self.jobs.give_way()
        return False


@pytest.mark.parametrize(("pressed", "more", "waits"), [(False, 0, 0), (True, 0, 1), (True, 3, 4), (True, 1000, 50)])
def test_how_long_jobs_give_way(bench: Callable[..., Bench], pressed: bool, more: int, waits: int) -> None:  # noqa: FBT001 - a parameter
    """For nobody not at all, else until nobody is pressed for time any more, but no more than fifty rounds."""
    jobs = bench().jobs  # its thread begins with the first job
    rounds = jobs._halt = Rounds(jobs, more)
    if pressed:
        jobs.give_way()
    jobs._wait_for_quiet()
    assert rounds.waits == waits


def test_jobs_give_way_but_are_done(bench: Callable[..., Bench]) -> None:
    """However long senders are waited for, and though no clock moves, a job is done after a while."""
    run = bench()
    over = threading.Event()

    def press() -> None:
        while not over.wait(0.001):
            run.jobs.give_way()

    thread = threading.Thread(target=press)
    thread.start()
    try:
        run.put("good")
        assert run.times("good") == 1
    finally:
        over.set()
        thread.join()
