"""Reading reports in a process of its own gives the same as reading them here, and nothing that happens to it is lost."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clients.server import Served

from acrmock.clock import SystemClock
from acrmock.facts import load_facts
from acrmock.record import ReportFacts
from acrmock.redaction import Digester
from mockserver.central.model import Envelope
from mockserver.dirlink.apart import Apart
from mockserver.dirlink.changes import policy_of
from mockserver.jobs import Unfinished

from .conftest import DEFLATED, EXPLICIT, Raw, data_set

KEY = b"k" * 32
CLOCK = SystemClock()
SITE = Callable[..., Any]
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what a process holds is looked up in /proc")

WORKER = """
import os, sys, threading
from pathlib import Path
from mockserver.dirlink import reading, worker
plain = reading.Reader.read
def read(self, data, transfer_syntax, facts):
    if b"STUCK" in data:
        threading.Event().wait()
    mark = Path(sys.argv[1])
    if b"DEADLY" in data or (b"ONCE" in data and not mark.exists()):
        mark.touch()
        os._exit(3)
    if b"BROKEN" in data:
        raise LookupError("of a patient")
    return plain(self, data, transfer_syntax, facts)
reading.Reader.read = read
worker.main()
"""
"""A worker that certain reports are bad for."""


def make(command: tuple[str, ...] = (), *, process: bool = True, facts: Any = None) -> Apart:
    """A reader with the shipped facts."""
    return Apart(facts or load_facts(()), Digester(KEY), KEY, process=process, command=command)


def known(**more: Any) -> ReportFacts:
    """What is known of a report before it is read."""
    return ReportFacts(sop_instance="2.25.1", sha256="00", **more)


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    """A reader with a process of its own."""
    made = make()
    yield made
    made.close()


@pytest.fixture
def bad(tmp_path: Path) -> Iterator[Apart]:
    """A reader whose process certain reports are bad for."""
    made = make((sys.executable, "-P", "-c", WORKER, str(tmp_path / "mark")))
    yield made
    made.close()


def test_both_ways_give_the_same(apart: Apart, dose: Any) -> None:
    """Good, odd and broken reports, planted or not: the same facts, problems, anonymous bytes and changes, byte for byte."""
    here = make(process=False)
    good = dose.report("1.2.100.1")
    deflated = zlib.compressobj(wbits=-15)
    squeezed = deflated.compress(good) + deflated.flush()
    policy = policy_of(load_facts(()), b"p" * 32)
    for data, syntax in (
        (good, EXPLICIT),
        (dose.report("1.2.100.2", dose=False), EXPLICIT),
        (good[:-7], EXPLICIT),
        (squeezed, DEFLATED),
        (b"\xff" * 5000, EXPLICIT),
        (b"", EXPLICIT),
    ):
        for facts in (known(), known(planted=True)):
            assert apart.read(data, syntax, facts) == here.read(data, syntax, facts)
        assert apart.outgoing(data, syntax, policy, b"u" * 32) == here.outgoing(data, syntax, policy, b"u" * 32)
    assert apart.pid is not None
    assert here.pid is None


def test_overlaid_words_are_known_there_too(tmp_path: Path, dose: Any) -> None:
    """A layer about dose reports that the user gave holds in the other process."""
    layer = tmp_path / "own.yaml"
    layer.write_text(
        "schema: acrmock/layer/1\nkind: dose\nneeds:\n"
        "  software: {text: the software must be said, among: header, severity: reject, all: [header.software],"
        " provenance: mock-choice, sources: [MOCK test]}\n"
    )
    facts = load_facts((layer,))
    ours, theirs = make(facts=facts, process=False), make(facts=facts)
    try:
        data = dose.report("1.2.100.1")
        found = theirs.read(data, EXPLICIT, known())
        assert found == ours.read(data, EXPLICIT, known())
        assert found.facts.missing != make(process=False).read(data, EXPLICIT, known()).facts.missing
        assert theirs.pid is not None
    finally:
        theirs.close()


def test_a_report_that_kills_the_process_twice_is_our_fault(bad: Apart, dose: Any) -> None:
    """It is given to another process once; then it is said that it could not be read, and the next report is."""
    found = bad.read(b"DEADLY", EXPLICIT, known())
    assert found.fault
    assert not found.facts.readable
    assert "twice" in found.problem
    assert bad.read(dose.report("1.2.100.1"), EXPLICIT, known()).facts.dose


def test_a_process_that_dies_once_is_replaced(bad: Apart) -> None:
    """What it was at is read by the next one, and nobody is blamed."""
    data = data_set(more=b"") + b"ONCE"
    found = bad.read(data, EXPLICIT, known())
    assert not found.fault
    assert found == make(process=False).read(data, EXPLICIT, known())


def test_an_error_there_is_an_error_here(bad: Apart) -> None:
    """What is raised there is raised here by name and place, without its text, and the process goes on."""
    with pytest.raises(RuntimeError, match="LookupError") as error:
        bad.read(b"BROKEN", EXPLICIT, known())
    assert "patient" not in str(error.value)
    assert bad.pid is not None


@pytest.mark.parametrize("command", [("/there/is/none",), (sys.executable, "-c", "pass")], ids=["absent", "no-worker"])
def test_without_a_process_reports_are_read_here(command: tuple[str, ...], dose: Any) -> None:
    """Where none can be started, this process does the work."""
    reader = make(command)
    data = dose.report("1.2.100.1")
    assert reader.read(data, EXPLICIT, known()) == make(process=False).read(data, EXPLICIT, known())
    assert reader.pid is None


def test_a_shortage_of_descriptors_passes(monkeypatch: pytest.MonkeyPatch, dose: Any) -> None:
    """While no process can be started for want of descriptors a report is read here, and the next one apart again."""
    reader, short = make(), [True]
    started = reader._started

    def maybe() -> Any:
        if short:
            raise OSError(errno.EMFILE, "Too many open files")
        return started()

    monkeypatch.setattr(reader, "_started", maybe)
    try:
        reader.prepare()
        assert reader.read(dose.report("1.2.100.1"), EXPLICIT, known()).facts.dose
        assert reader.pid is None
        short.clear()
        assert reader.read(dose.report("1.2.100.1"), EXPLICIT, known()).facts.dose
        assert reader.pid is not None
    finally:
        reader.close()


def test_what_is_prepared_is_prepared_once(dose: Any) -> None:
    """However often it is asked for there is one process; after the end there is none, here there never is."""
    reader, here = make(), make(process=False)
    try:
        reader.prepare()
        first = reader.pid
        reader.prepare()
        assert reader.read(dose.report("1.2.100.1"), EXPLICIT, known()).facts.dose
        assert first is not None
        assert reader.pid == first
    finally:
        reader.close()
    reader.prepare()
    here.prepare()
    assert (reader.pid, here.pid) == (None, None)


def test_a_process_that_is_killed_while_it_starts_is_started_again(tmp_path: Path, dose: Any) -> None:
    """One that ended before it was of use does not make the server read reports itself from then on."""
    mark = tmp_path / "mark"
    early = "import sys, pathlib; p = pathlib.Path(sys.argv[1]); gone = p.exists(); p.touch(); gone or sys.exit(9)\n"
    reader = make((sys.executable, "-P", "-c", early + WORKER, str(mark)))
    try:
        assert reader.read(dose.report("1.2.100.1"), EXPLICIT, known()).facts.dose
        assert reader.pid is not None
    finally:
        reader.close()


def test_stopping_does_not_wait_for_a_report(bad: Apart) -> None:
    """Closing ends the process whatever it is at; the report is left for the next start."""
    seen: list[BaseException] = []

    def read() -> None:
        try:
            bad.read(b"STUCK", EXPLICIT, known())
        except Unfinished as error:
            seen.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    until = CLOCK.monotonic() + 20
    while bad.pid is None and CLOCK.monotonic() < until:
        CLOCK.wait(0.01)
    bad.close()
    thread.join(20)
    assert len(seen) == 1
    assert bad.pid is None


def test_the_way_of_reports_read_apart(site: SITE, dose: Any) -> None:
    """Through the engine: nothing is started before the first report, which comes as far as with one process."""
    run = site(read_apart=True)
    run.configure("CT1")
    assert run.core.apart.pid is None
    sop = run.receive(dose.report("1.2.100.1"))
    cut = run.receive(dose.report("1.2.100.2")[:-7])
    run.idle()
    assert [step.state for step in run.stored(sop).history][-1] == "ACKNOWLEDGED"
    assert run.stored(cut).state == "QUARANTINED"
    assert run.core.apart.pid is not None
    assert not run.events("harness-fault")


@pytest.mark.parametrize("accepted", [False, True])
def test_a_deadly_report_is_put_aside_and_voids_the_verdict(*, accepted: bool, site: SITE, dose: Any, tmp_path: Path) -> None:
    """It is quarantined, the harness says that it is at fault, and no job is left to try it again.

    Nobody saw whether it names somebody, so its bytes go at once; or with the retention of real data, where that is accepted.
    """
    run = site(read_apart=True, accept_real_data=accepted)
    run.core.apart.command = (sys.executable, "-P", "-c", WORKER, str(tmp_path / "mark"))
    sop = run.receive(dose.report("1.2.100.1") + b"DEADLY")
    run.idle()
    assert run.stored(sop).state == "QUARANTINED"
    assert [event.data["sop_instance"] for event in run.events("harness-fault")] == [sop]
    with run.core.store.read() as snapshot:
        assert [job.kind for job in run.core.jobs.all(snapshot)] == (["dir-retain"] if accepted else [])
        assert (snapshot.get_object(dose.SCOPE, sop, run.stored(sop).sha256) is not None) == accepted


def test_a_planted_report_that_is_deadly_is_kept(site: SITE, dose: Any, tmp_path: Path) -> None:
    """What was planted is ours, so its bytes stay for whoever looks for the fault."""
    run = site(read_apart=True)
    run.core.apart.command = (sys.executable, "-P", "-c", WORKER, str(tmp_path / "mark"))
    sop = run.receive(dose.report("1.2.100.1") + b"DEADLY", planted=True)
    run.idle()
    assert (run.stored(sop).state, run.stored(sop).deleted) == ("QUARANTINED", False)


def test_what_a_process_died_of_is_never_read_here(bad: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when no second process can be started."""
    started, starts = Apart._started, iter((True, False))

    def once(self: Apart) -> Any:
        if not next(starts, False):
            raise OSError("no more processes")
        return started(self)

    monkeypatch.setattr(Apart, "_started", once)
    monkeypatch.setattr(bad, "_own", lambda: pytest.fail("it was read here"))
    assert bad.read(b"DEADLY", EXPLICIT, known()).fault


def test_after_closing_nothing_is_read(bad: Apart, dose: Any) -> None:
    """A report that is asked for while the engine stops is left for the next start."""
    bad.close()
    with pytest.raises(Unfinished):
        bad.read(dose.report("1.2.100.1"), EXPLICIT, known())


def test_the_registry_reads_the_same_both_ways(apart: Apart, dose: Any) -> None:
    """What the central server makes of a report is the process's work too, and it comes to the same."""
    here = make(process=False)
    envelope = Envelope(facility="7", station="CT1")
    good, other, broken = dose.report("1.2.100.1"), dose.report("1.2.100.2", dose=False), b"\xff" * 99
    found = [apart.described(data, EXPLICIT, envelope) for data in (good, other, broken)]
    assert found == [here.described(data, EXPLICIT, envelope) for data in (good, other, broken)]
    assert found[0].indices
    assert [bool(one.problem) for one in found] == [False, False, True]


def test_the_central_server_reads_before_it_takes_the_lock(site: SITE, dose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the registry reads a report, others' changes are not kept waiting: a unit can be had meanwhile."""
    run, seen = site(), []
    run.configure("CT1")
    described = Apart.described

    def watched(self: Apart, *arguments: Any) -> Any:
        def write() -> None:
            with run.core.store.write() as unit:
                seen.append(unit)

        other = threading.Thread(target=write, daemon=True)
        other.start()
        other.join(20)
        assert not other.is_alive(), "the central server holds the lock while it reads"
        return described(self, *arguments)

    monkeypatch.setattr(Apart, "described", watched)
    sop = run.receive(dose.report("1.2.100.1"))
    run.idle()
    assert seen
    assert run.stored(sop).state == "ACKNOWLEDGED"


def _children(pid: int) -> list[int]:
    """The processes that a process started."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
            found += map(int, (thread / "children").read_text().split())
    return found


def _until(true: Callable[[], bool]) -> bool:
    until = CLOCK.monotonic() + 20
    while not true() and CLOCK.monotonic() < until:
        CLOCK.wait(0.02)
    return true()


@needs_proc
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_the_process_holds_nothing_and_ends_with_the_server(end: str, tmp_path: Path) -> None:
    """It has no socket, no secret in its arguments or environment, lower priority, and is gone after SIGKILL and SIGTERM."""
    server = Served(tmp_path / "data", options=["--dicom-port", "0"])
    try:
        server.register("Apart")
        pid = server.ready["pid"]
        assert _children(pid) == []
        with Raw(server.ready["dicom"]["port"]) as raw:
            raw.associate()
            assert raw.store() == 0
            assert raw.release()
        assert _until(lambda: len(_children(pid)) == 1)
        (child,) = _children(pid)
        place = Path(f"/proc/{child}")
        assert _until(lambda: os.getpriority(os.PRIO_PROCESS, child) > os.getpriority(os.PRIO_PROCESS, pid))
        held = [str(one.readlink()) for one in (place / "fd").iterdir()]
        assert not [one for one in held if one.startswith("socket:") or str(tmp_path) in one]
        told = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        assert server.ready["control_token"].encode() not in told
        assert b"TOKEN" not in told.upper()
    finally:
        getattr(server, end)()
    assert _until(lambda: not place.exists() or "Z" in (place / "stat").read_text().rpartition(")")[2].split()[:1])
