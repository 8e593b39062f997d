"""Durable jobs: what must happen later, once and surely, whatever happens to the process meanwhile.

A job is put in the unit of the change that asks for it, so both come to stay or neither. One worker thread per engine drains
what is due: at the start, on every move of a business clock, when something is put, and when the next one's time has come.
What a job changes and the job's own end stand in one unit: a process that is killed meanwhile does the job again, from the
state it left. So a job may be prepared twice but never takes effect twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from acrmock.clock import parse_rfc3339, rfc3339
from mockserver.store import GLOBAL, Reader, Stored, StoreError, Unit

if TYPE_CHECKING:
    from mockserver.context import EngineCore

JOB = "job"
"""The kind under which jobs are stored, in the global scope, in the order of their time."""

_WALL, _BUSINESS = "w/", "b/"
_BATCH = 16
_COMPANY_SECONDS = 0.02
"""After something was done, so long more is waited for: while reports stream in, many are read and written down at once."""

_ROUND_SECONDS = 0.01
_ROUNDS = 50
_GIVEN_BATCHES = 4
"""Jobs give way while somebody was pressed for time in the last round, at most so many rounds, and then do so many batches."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 300.0
_LONGEST_NAP = 3600.0
_SHORTEST_NAP = 0.02
_BLAMED = 3
"""So many failures of one job, and what hangs on it is not the vendor's fault (a verdict over it is void)."""

_log = logging.getLogger("mockserver")


class Unfinished(Exception):  # noqa: N818 - says what it is
    """A job cannot be prepared because the engine stops: it stays as it is, and is done after the next start."""


class Job(Stored, frozen=True, kw_only=True):
    """Something to do: `kind` names who does it, `key` what it is about.

    `due` is RFC 3339, by the application's business time where `business`, else by protocol time. `tries` counts failures.
    """

    kind: str
    application: str
    environment: str
    key: str
    due: str
    business: bool = False
    tries: int = 0


Step = Callable[[Unit], None]
"""What a prepared job changes, done in the unit that ends the job; it looks again at the state that it is about."""

Handler = Callable[["EngineCore", Job], Step]
"""Prepares a job outside any unit (reading, decoding, sending) and gives what is to be changed."""

Handlers = Callable[[], Mapping[str, Handler]]
"""Gives the handlers by kind; asked when the first job runs, so that an engine without jobs loads none of them."""


class Jobs:
    """The jobs of one engine and its worker."""

    def __init__(self, core: EngineCore, handlers: Handlers) -> None:
        self._core = core
        self._handlers = handlers
        self._changed = threading.Condition()
        self._asked = 0
        self._served = 0
        self._stopped = True
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._applications: set[str] = set()
        self._pressed = False

    # life

    def start(self) -> None:
        """Begin to work; what an earlier process left is drained first."""
        self._stopped = False
        self._halt.clear()
        with self._core.store.read() as snapshot:
            left = [job for _, job in snapshot.scan(JOB, GLOBAL, Job, prefix=_BUSINESS)]
            waiting = bool(left) or any(True for _ in snapshot.scan(JOB, GLOBAL, Job, limit=1))
        self._applications.update(job.application for job in left)
        if waiting:
            self._ask()

    def stop(self) -> None:
        """Finish what is being done and begin nothing more; harmless when done twice."""
        with self._changed:
            self._stopped = True
            self._halt.set()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    # asking

    def put(self, unit: Unit, job: Job) -> None:
        """Store `job` within `unit` and have it done when it is due; the same job put twice is one."""
        if job.business:
            self._applications.add(job.application)
        unit.put(JOB, GLOBAL, _key(job), job)
        self._ask()

    def soon(self, unit: Unit, kind: str, application: str, environment: str, key: str) -> None:
        """Put a job that is due at once."""
        due = rfc3339(self._core.clock.now())
        self.put(unit, Job(kind=kind, application=application, environment=environment, key=key, due=due))

    def give_way(self) -> None:
        """Say that somebody waits for an answer of this process: what can be done later is done a little later."""
        self._pressed = True

    def wake(self) -> None:
        """Look for what has come due (a business clock was moved)."""
        if self._thread is not None:
            self._ask()

    def idle(self, timeout: float) -> bool:
        """Wait until everything that is due now is done (True), or `timeout` seconds have passed (False)."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._served == self._asked or self._stopped, max(0.0, timeout))
            return done and self._served == self._asked

    def all(self, reader: Reader) -> list[Job]:
        """Every job that is stored, those by protocol time first, each group by its time."""
        every = [job for _, job in reader.scan(JOB, GLOBAL, Job)]
        return sorted(every, key=lambda job: (job.business, job.due))

    def forget(self, unit: Unit, application: str, environment: str) -> None:
        """Drop the jobs of an environment (it is reset)."""
        keys = [
            key for key, job in unit.scan(JOB, GLOBAL, Job) if job.application == application and job.environment == environment
        ]
        for key in keys:
            unit.delete(JOB, GLOBAL, key)

    def _ask(self) -> None:
        with self._changed:
            self._asked += 1
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._work, name="acrmock-jobs", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    # working

    def _work(self) -> None:
        nap, busy = 0.0, False
        while True:
            if busy:
                self._halt.wait(_COMPANY_SECONDS)
            with self._changed:
                if not self._stopped:
                    self._changed.wait_for(lambda: self._stopped or self._asked != self._served, nap)
                if self._stopped:
                    return
                asked = self._asked
            try:
                nap, busy = self._drain()
            except StoreError:
                _log.warning("the store refuses the jobs' changes; they are tried again")
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped, _FIRST_PAUSE)
                continue
            with self._changed:
                self._served = asked
                self._changed.notify_all()

    def _drain(self) -> tuple[float, bool]:
        """Do everything that is due; gives the seconds until the next job is, and whether there was anything."""
        batches = 0
        while not self._stopped:
            if batches % _GIVEN_BATCHES == 0:
                self._wait_for_quiet()
            batches += 1
            # a unit, not a read: it comes after the one that put the job, and what it saw is durable once it is flushed
            with self._core.store.write() as unit:
                due, nap = self._due(unit)
            if not due:
                return nap, False
            try:
                prepared = [(job, self._prepare(job)) for job in due if not self._stopped]
            except Unfinished:
                return _FIRST_PAUSE, False
            self._finish(prepared)
            if len(due) < _BATCH:
                break
        return 0.0, True

    def _wait_for_quiet(self) -> None:
        """Let those go first who are pressed for time, for a while."""
        for _ in range(_ROUNDS):
            if self._stopped or not self._pressed:
                return
            self._pressed = False
            self._halt.wait(_ROUND_SECONDS)

    def _due(self, unit: Unit) -> tuple[list[Job], float]:
        """The next jobs that are due, and the seconds until another is where none is."""
        wall = self._core.clock.now()
        due, later = _first(unit, _WALL, rfc3339(wall))
        naps = [(parse_rfc3339(later) - wall).total_seconds()] if later else []
        for application in tuple(self._applications):
            business = self._core.applications.business(application, wall)
            found, later = _first(unit, f"{_BUSINESS}{application}/", rfc3339(business))
            due += found
            if later:
                naps.append((parse_rfc3339(later) - business).total_seconds())
            elif not found:
                self._applications.discard(application)
        return due, max(_SHORTEST_NAP, min([_LONGEST_NAP, *naps]))

    def _prepare(self, job: Job) -> Step:
        """What `job` changes; what becomes of it where it cannot be prepared."""
        try:
            handler = self._handlers()[job.kind]
            return handler(self._core, job)
        except (StoreError, Unfinished):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the job is not lost
            _log.exception("the job %s failed", job.kind)
            return self._again(job, error)

    def _finish(self, prepared: list[tuple[Job, Step]]) -> None:
        """Let what was prepared take effect: in one unit, and one by one where a step of it fails."""
        try:
            with self._core.store.write() as unit:
                for job, step in prepared:
                    self._end(unit, job, step)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the same
            if len(prepared) > 1:
                for one in prepared:
                    self._finish([one])
                return
            _log.exception("the job %s failed", prepared[0][0].kind)
            job = prepared[0][0]
            with self._core.store.write() as unit:
                self._end(unit, job, self._again(job, error))

    def _end(self, unit: Unit, job: Job, step: Step) -> None:
        if unit.get(JOB, GLOBAL, _key(job), Job) is None:
            return  # its application was reset meanwhile
        unit.delete(JOB, GLOBAL, _key(job))
        step(unit)

    def _again(self, job: Job, error: Exception) -> Step:
        """That `job` is tried again after a pause, and that the harness is to blame."""

        def step(unit: Unit) -> None:
            tries = job.tries + 1
            due = self._core.clock.now() + timedelta(seconds=pause(tries))
            again = Job(
                kind=job.kind,
                application=job.application,
                environment=job.environment,
                key=job.key,
                due=rfc3339(due),
                tries=tries,
            )
            unit.put(JOB, GLOBAL, _key(again), again)
            found = self._core.applications.get(job.application)
            self._core.journal.event(
                unit,
                "harness-fault" if tries >= _BLAMED else "job-failed",
                {"job": job.kind, "error": type(error).__name__, "tries": tries},
                application=job.application or None,
                environment=job.environment or None,
                run=found.run if found is not None else None,
            )

        return step


def pause(tries: int, first: float = _FIRST_PAUSE, most: float = _LONGEST_PAUSE) -> float:
    """The seconds before the next try after so many that failed: doubled each time, bounded."""
    return float(min(most, first * 2 ** min(max(0, tries - 1), 40)))


def _key(job: Job) -> str:
    """Where a job stands: by its time within its clock, so that what is due is at the front."""
    place = f"{_BUSINESS}{job.application}/" if job.business else _WALL
    return f"{place}{job.due}/{job.kind}/{job.application}/{job.environment}/{job.key}"


def _first(unit: Reader, prefix: str, now: str) -> tuple[list[Job], str]:
    """At most a batch of jobs due at `now`, and when the first that is not is due (empty: none, or not looked)."""
    due: list[Job] = []
    for _, job in unit.scan(JOB, GLOBAL, Job, prefix=prefix, limit=_BATCH):
        if job.due > now:
            return due, job.due
        due.append(job)
    return due, ""
