"""The journal's bound: whole closed runs are dropped first, oldest first, then what belongs to no open run; never state.

Whatever is dropped leaves a `gap` event with the count, so that a verdict over it is void and one over a later run is not. At
most one gap stands for each run of an application; when there are many, the oldest are counted into the application's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from mockserver.onboarding.model import APPLICATION
from mockserver.store import GLOBAL, Reader, Row, Stored, Unit

GAP = "gap"
DROPPED = "journal-dropped"
"""The kind under which the count of dropped entries is stored, in the global scope."""

_GAPS = "journal-gap"
_RUN = "run"
_MOST_ROWS = 256
_FEWEST_ROWS = 8
_FULL = 2
"""So many times the bound, with nothing left to drop, and new posts are refused."""

Key = tuple[str | None, str | None]
Write = Callable[[Unit, str | None, str | None, dict[str, object]], int]
"""Appends the `gap` event with these data for (application, run); gives its `seq`."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most that the journal holds before it drops: entries, and bytes of their lines."""

    entries: int
    bytes: int


class Dropped(Stored, frozen=True, kw_only=True):
    """How many entries and whole runs the journal has dropped so far."""

    entries: int = 0
    runs: int = 0


class Gap(Stored, frozen=True, kw_only=True):
    """What a `gap` event stands for: its `seq`, whose entries were dropped, how many, from which `seq` to which."""

    seq: int
    application: str | None = None
    run: str | None = None
    entries: int
    first: int
    last: int


class _Run(msgspec.Struct, frozen=True):
    """What of a stored run matters here."""

    ended: str | None = None


class _Application(msgspec.Struct, frozen=True):
    """What of a stored application matters here."""

    run: str | None = None


class Bound:
    """Keeps the journal within its limits, a few hundred rows a unit. Used under the state lock only."""

    def __init__(self, limits: Limits, write: Write | None = None) -> None:
        self._limits = limits
        self.write: Write = write or (lambda *_: 0)
        self._chunk = max(_FEWEST_ROWS, min(_MOST_ROWS, limits.entries // 8))
        self._most_gaps = max(_FEWEST_ROWS, limits.entries // 8)
        self.forget()

    def forget(self) -> None:
        """Read everything anew (after a unit that was undone)."""
        self._gaps: dict[Key, Gap] | None = None
        self._victims: deque[str] = deque()
        self._run: str | None = None
        self._after = 0
        self._told: set[Key] = set()
        self.wake()

    def wake(self) -> None:
        """Look again for what can be dropped: a run has ended."""
        self._rest = 0
        self._nothing = False

    def full(self, held: tuple[int, int]) -> bool:
        """Whether the journal is far over its bound and nothing in it may be dropped."""
        return self._nothing and (held[0] > _FULL * self._limits.entries or held[1] > _FULL * self._limits.bytes)

    def refuse(self, unit: Unit, application: str, run: str | None) -> None:
        """Note, once for an open run, that exchanges were refused and are not recorded."""
        if (application, run) not in self._told:
            self.write(unit, application, run, {"reason": "the journal is full: posts were refused with 507 and not recorded"})
            self._told.add((application, run))

    def keep(self, unit: Unit, seq: int) -> None:
        """Drop what is too much, after entry `seq` was appended; never that one, and no more than a few hundred rows."""
        budget = self._chunk
        while budget > 0 and (self._run is not None or self._over(unit)):
            if self._run is None and self._rest > 0:
                self._rest -= 1
                return
            if self._run is None:
                self._run = self._oldest(unit)
            if self._run is None:
                rows, budget = self._loose(unit, seq), 0
            else:
                rows = self._of_run(unit, self._run, budget, seq)
                budget -= max(1, len(rows))
            if rows:
                self._drop(unit, rows)
        while budget < self._chunk and len(self._known(unit)) > self._most_gaps and self._fold(unit):
            budget += 1

    def _over(self, unit: Unit) -> bool:
        entries, size = unit.held()
        return entries > self._limits.entries or size > self._limits.bytes

    # what to drop

    def _oldest(self, unit: Unit) -> str | None:
        """The closed run that began first, or None."""
        if not self._victims:
            self._victims.extend(run for run in unit.journal_runs() if self._closed(unit, run))
        return self._victims.popleft() if self._victims else None

    def _of_run(self, unit: Unit, run: str, limit: int, seq: int) -> list[Row]:
        """The next rows of the run that is being dropped; with the last of them it is done."""
        ours = {gap.seq for gap in self._known(unit).values() if gap.run == run}
        found = [row for row in unit.journal_rows(run=run, below=seq, limit=limit + len(ours) + 1) if row.seq not in ours]
        rows = found[:limit]
        if len(found) <= limit:
            self._run = None
            self._count(unit, entries=0, runs=1)
        return rows

    def _closed(self, unit: Unit, run: str) -> bool:
        found = unit.get(_RUN, GLOBAL, run, _Run)
        return found is None or found.ended is not None

    def _loose(self, unit: Unit, seq: int) -> list[Row]:
        """The next rows of no run whose application is in none; the search goes on where it stood, a page a unit."""
        ours = {gap.seq for gap in self._known(unit).values()}
        page = unit.journal_rows(after=self._after, below=seq, limit=self._chunk)
        open_: dict[str | None, bool] = {None: False}
        found = []
        for row in page:
            if row.run is None and row.seq not in ours:
                if row.application not in open_:
                    value = unit.get(APPLICATION, GLOBAL, row.application or "", _Application)
                    open_[row.application] = value is not None and value.run is not None
                if not open_[row.application]:
                    found.append(row)
        if page:
            self._after = page[-1].seq
        if len(page) < self._chunk:
            self._after = 0
            if not found:
                self._rest, self._nothing = self._chunk, True
        return found

    # dropping

    def _drop(self, unit: Unit, rows: list[Row]) -> None:
        unit.journal_drop([row.seq for row in rows])
        groups: dict[Key, list[int]] = {}
        for row in rows:
            groups.setdefault((row.application, row.run), []).append(row.seq)
        for (application, run), seqs in groups.items():
            self._tell(unit, Gap(seq=0, application=application, run=run, entries=len(seqs), first=min(seqs), last=max(seqs)))
        self._count(unit, entries=len(rows), runs=0)
        self._nothing = False

    def _tell(self, unit: Unit, lost: Gap) -> None:
        """Write a gap, with what the one before it for the same run of the same application counted, in its place."""
        known, key = self._known(unit), (lost.application, lost.run)
        entries, first, last = lost.entries, lost.first, lost.last
        before = known.pop(key, None)
        if before is not None:
            unit.journal_drop([before.seq])
            entries, first, last = entries + before.entries, min(first, before.first), max(last, before.last)
        reason = f"{entries} entries from seq {first} to {last} were dropped to keep the journal within its bound"
        data: dict[str, object] = {"reason": reason, "entries": entries, "from": first, "to": last}
        seq = self.write(unit, *key, data)
        known[key] = msgspec.structs.replace(lost, seq=seq, entries=entries, first=first, last=last)
        unit.put(_GAPS, GLOBAL, _key(key), known[key])

    def _fold(self, unit: Unit) -> bool:
        """Count the oldest gap of a run into its application's own; False where there is none."""
        known = self._known(unit)
        gap = next((gap for gap in known.values() if gap.run is not None and gap.run != self._run), None)
        if gap is None:
            return False
        del known[gap.application, gap.run]
        unit.journal_drop([gap.seq])
        unit.delete(_GAPS, GLOBAL, _key((gap.application, gap.run)))
        self._tell(unit, msgspec.structs.replace(gap, run=None))
        return True

    def _known(self, unit: Unit) -> dict[Key, Gap]:
        """The gaps that stand in the journal, oldest first."""
        if self._gaps is None:
            found = sorted((gap for _, gap in unit.scan(_GAPS, GLOBAL, Gap)), key=lambda gap: gap.seq)
            self._gaps = {(gap.application, gap.run): gap for gap in found}
        return self._gaps

    def _count(self, unit: Unit, *, entries: int, runs: int) -> None:
        before = dropped(unit)
        unit.put(DROPPED, GLOBAL, DROPPED, Dropped(entries=before.entries + entries, runs=before.runs + runs))


def dropped(reader: Reader) -> Dropped:
    """What the journal has dropped so far."""
    return reader.get(DROPPED, GLOBAL, DROPPED, Dropped) or Dropped()


def _key(key: Iterable[str | None]) -> str:
    return msgspec.json.encode(tuple(key)).decode("utf-8")
