"""The journal's bound: what is dropped, in which order, how it is counted, and what verdicts come of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acrmock.clock import ManualClock
from acrmock.facts import load_facts
from acrmock.record import EventEntry, decode_line
from acrmock.redaction import Digester, Redactor
from conformance.judge import judge
from conformance.recording import read
from conformance.result import Verdict
from mockserver.control.runs import RUN, Run
from mockserver.journal import Journal
from mockserver.onboarding.model import APPLICATION, Application
from mockserver.retention import Bound, Limits, dropped
from mockserver.sqlite import SqliteStore
from mockserver.store import GLOBAL

FACTS = load_facts()
LIMIT = 64


class Kept:
    """A journal with a small bound, and runs in it."""

    def __init__(self, path: Path | None = None, *, entries: int = LIMIT, size: int = 10**9) -> None:
        clock = ManualClock(datetime(2026, 1, 2, tzinfo=UTC))
        self.store = SqliteStore(path, clock)
        digester = Digester(b"k" * 32)
        self.bound = Bound(Limits(entries=entries, bytes=size))
        self.journal = Journal(self.store, clock, Redactor(digester), digester, bound=self.bound)
        self.store.on_undo = self.bound.forget
        self.written = 0

    def begin(self, run: str, application: str = "a") -> None:
        """Open a run of an application."""
        with self.store.write() as unit:
            unit.put(RUN, GLOBAL, run, Run(id=run, profile="lcsr", revision="1", application=application))
            unit.put(APPLICATION, GLOBAL, application, Application(id=application, name="A", run=run))

    def note(self, count: int, run: str | None = None, application: str | None = "a") -> None:
        """Append events, each in a unit of its own."""
        for _ in range(count):
            with self.store.write() as unit:
                self.journal.event(unit, "noted", {}, application=application, run=run)
            self.written += 1

    def end(self, run: str, application: str = "a") -> None:
        """Close a run as the control API does."""
        with self.store.write() as unit:
            unit.put(RUN, GLOBAL, run, Run(id=run, profile="lcsr", revision="1", application=application, ended="now"))
            unit.put(APPLICATION, GLOBAL, application, Application(id=application, name="A"))
            self.journal.event(unit, "run-ended", {}, application=application, run=run)
        self.written += 1

    def whole(self, run: str, count: int = 5) -> None:
        """A run from beginning to end."""
        self.begin(run)
        self.note(count - 1, run)
        self.end(run)

    def events(self, **which: Any) -> list[EventEntry]:
        """The entries as they stand."""
        with self.store.read() as snapshot:
            found = [decode_line(line) for _, line in snapshot.entries(**which)]
        return [entry for entry in found if isinstance(entry, EventEntry)]

    def gaps(self, **which: Any) -> list[EventEntry]:
        """The gaps that stand."""
        return [entry for entry in self.events(**which) if entry.name == "gap"]

    def lost(self) -> int:
        """How many entries were dropped so far."""
        with self.store.read() as snapshot:
            return dropped(snapshot).entries

    def verdict(self, **which: Any) -> Verdict:
        """The verdict over an export."""
        return judge(read(self.journal.export(**which)), FACTS, FACTS.profile("lcsr")).verdict


def test_many_small_runs_stay_within_the_bound() -> None:
    """Over hundreds of runs the bound holds after every unit, and the gaps count exactly what is gone."""
    kept = Kept()
    for number in range(300):
        kept.whole(f"run-{number}")
        assert kept.store.held[0] <= LIMIT + 1
    left = [entry for entry in kept.events() if entry.name != "gap"]
    counted = sum(int(gap.data["entries"]) for gap in kept.gaps())
    assert counted == kept.written - len(left) == kept.lost()
    assert kept.store.held[0] == len(kept.events())


def test_oldest_first_and_verdicts() -> None:
    """The oldest runs go, whole; a verdict over one of them is void, also when its gap was folded; a later run's is not."""
    kept = Kept()
    for number in range(40):
        kept.whole(f"run-{number}")
    left = {entry.run for entry in kept.events() if entry.name != "gap"}
    assert left == {f"run-{number}" for number in range(40 - len(left), 40)}
    assert all(len(kept.events(run=run)) == 5 for run in left)
    assert kept.verdict(application="a", run="run-0") is Verdict.VOID
    assert kept.gaps(run=f"run-{39 - len(left)}")
    assert kept.verdict(application="a", run=f"run-{39 - len(left)}") is Verdict.VOID
    assert kept.verdict(application="a", run="run-39") is not Verdict.VOID
    assert kept.verdict(application="a") is Verdict.VOID


def test_a_gap_says_what_is_gone() -> None:
    """A run larger than what a unit may drop leaves one gap, with how many entries from which to which."""
    kept = Kept()
    kept.whole("run-0", 30)
    kept.whole("run-1", 20)
    kept.begin("run-2")
    kept.note(30, "run-2")
    (gap,) = kept.gaps()
    assert (gap.application, gap.run) == ("a", "run-0")
    assert (gap.data["entries"], gap.data["from"], gap.data["to"]) == (30, 1, 30)
    assert len(kept.events(run="run-1")) == 20


def test_an_open_run_is_never_touched() -> None:
    """What is far over the bound in an open run stays, the journal says that it is full, and has room when the run ended."""
    kept = Kept()
    kept.begin("run-0")
    kept.note(3 * LIMIT, "run-0")
    kept.note(5, None, "b")
    assert len(kept.events(run="run-0")) == 3 * LIMIT
    assert kept.journal.full
    kept.end("run-0")
    assert not kept.journal.full
    kept.begin("run-1")
    kept.note(LIMIT // 2, "run-1")
    assert [entry.name for entry in kept.events(run="run-0")] == ["gap"]
    assert len(kept.events(run="run-1")) == LIMIT // 2


def test_what_belongs_to_no_run_goes_after_the_runs() -> None:
    """Closed runs go first though they are younger; then entries of no run, oldest first, but none of an application in one."""
    kept = Kept()
    kept.note(10, None, "b")
    kept.note(10, None, None)
    kept.whole("run-0", 10)
    kept.begin("run-1")
    kept.note(5, None, "a")
    kept.note(LIMIT - 35, "run-1")
    assert kept.gaps() == []
    kept.note(1, "run-1")
    kept.note(1, "run-1")
    assert {gap.run for gap in kept.gaps()} == {"run-0"}
    kept.note(LIMIT, "run-1")
    assert len([e for e in kept.events(application="a") if e.run is None]) == 5
    assert {(gap.application, gap.run) for gap in kept.gaps()} == {("a", "run-0"), ("b", None), (None, None)}
    assert sum(int(gap.data["entries"]) for gap in kept.gaps()) == 30
    assert kept.verdict(application="b") is Verdict.VOID


def test_the_bound_in_bytes() -> None:
    """The bytes of the lines are bounded as their number is."""
    kept = Kept(entries=10**6, size=20_000)
    for number in range(60):
        kept.whole(f"run-{number}")
    assert kept.store.held[1] <= 20_000
    assert kept.lost() > 0


def test_restart_keeps_the_count_and_state_is_untouched(tmp_path: Path) -> None:
    """A reopened store knows what it holds and what was dropped, goes on from there, and every run's state is there."""
    path = tmp_path / "store.sqlite3"
    first = Kept(path)
    for number in range(30):
        first.whole(f"run-{number}")
    held, lost = first.store.held, first.lost()
    first.store.close()
    kept = Kept(path)
    assert (kept.store.held, kept.lost()) == (held, lost)
    for number in range(30, 60):
        kept.whole(f"run-{number}")
    assert sum(int(gap.data["entries"]) for gap in kept.gaps()) == kept.lost() > lost
    with kept.store.read() as snapshot:
        assert len(list(snapshot.scan(RUN, GLOBAL, Run))) == 60
    kept.store.close()


def test_an_undone_unit_drops_nothing() -> None:
    """Entries, gaps, sizes and the count are as before when the unit that dropped is undone."""
    kept = Kept()
    kept.whole("run-0", LIMIT)
    before, held = kept.events(), kept.store.held

    def undone() -> None:
        with kept.store.write() as unit:
            kept.journal.event(unit, "noted", {}, application="a")
            assert dropped(unit).entries
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - raised just above
        undone()
    assert (kept.events(), kept.store.held, kept.lost()) == (before, held, 0)


def test_an_export_under_way_tells_what_was_dropped_meanwhile() -> None:
    """Lines that were dropped between two pages of an export make it void."""
    kept = Kept(entries=600)
    kept.whole("run-0", 590)
    lines = kept.journal.export(application="a", run="run-0")
    begun = [next(lines) for _ in range(10)]
    kept.begin("run-1")
    kept.note(100, "run-1")
    assert judge(read([*begun, *lines]), FACTS, FACTS.profile("lcsr")).verdict is Verdict.VOID
