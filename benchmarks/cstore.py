"""C-STOREs answered per second, beside the receivers of others: DCMTK, Orthanc, pynetdicom; and the disk's own rate.

Senders: DCMTK's storescu as it is (Nagle's algorithm on) and told not to use it (`TCP_NODELAY=1`), and one that does nothing but
send prebuilt PDUs (`cstore_sender`). Objects of 34 kB and of 512 kB, 1, 4 and 16 associations. Ours waits for the disk (synced);
of the peers only Orthanc does, so ours is measured without waiting too (os). `BENCH_CSTORE=long` sends five times as many.

Our receiver answers first and reads what it has kept later, while fewer objects come: so whatever is measured next waits for it,
and there are rows too for objects that are read in the end, until no job is left. *CPU each* is the server's while it answers, or
its and its reading process's for all.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

from acrmock.dose.part10 import split
from benchmarks import cstore_sender
from benchmarks.load import cpu_seconds, peak_mebibytes
from benchmarks.measure import CLOCK, Row
from benchmarks.named import Absent
from mockserver import Engine
from mockserver.arenas import share_arenas, spare_what_is_loaded
from synthetic.dose import Kind, Maker, Options

REPORT, IMAGE = 34_000, 512_000
KINDS = {REPORT: "34 kB reports", IMAGE: "512 kB objects"}
ASSOCIATIONS = (1, 4, 16)
_TIMES = 5 if os.environ.get("BENCH_CSTORE") == "long" else 1
COUNT = {REPORT: 400 * _TIMES, IMAGE: 100 * _TIMES}
SLOW = 30 * _TIMES
ROUNDS = 3
WARM_UP = 32
_WAIT = 30.0
_LONGEST = 120.0
T = TypeVar("T")


class Target(NamedTuple):
    """A receiver's port, the AE title to call, and how to wait until it works no more, so that it is in nobody's way."""

    port: int
    title: str
    rest: Callable[[], None] = lambda: None


def rows() -> list[Row]:
    """The table."""
    return [*_fast_rows(), *_read_rows(), *_dcmtk_rows(), *_disk_rows(), *_memory_rows()]


# receivers


@contextmanager
def acrmock(*, synced: bool, lean: bool = True) -> Iterator[Target]:
    """Our own, in a process of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _process([sys.executable, "-m", "benchmarks.cstore", folder, str(int(synced)), str(int(lean))]),
    ):
        yield Target(_registered(folder), "DIRLINK", partial(_idle, folder))


def _serve(folder: str, synced: str, lean: str) -> None:
    """Be that process, as `acrmock serve` is: serve until the input ends."""
    share_arenas()
    with Engine(Path(folder, "data"), dicom_port=0, synced=synced == "1", lean_dicom=lean == "1", read_apart=True) as engine:
        spare_what_is_loaded()
        ready = engine.ready
        if ready is None:
            raise RuntimeError("the engine did not start")
        told = {"port": ready.dicom_port, "url": ready.url, "token": ready.control_token, "ca_file": str(ready.ca_file)}
        Path(folder, "told.new").write_text(json.dumps(told))
        Path(folder, "told.new").rename(Path(folder, "told.json"))
        sys.stdin.read()


def _registered(folder: str) -> int:
    """The port of that process, once an application is registered there."""
    import requests  # noqa: PLC0415 - its memory is not the receiver's

    told = json.loads(_until(Path(folder, "told.json")))
    body = {"name": "Bench", "redirect_url": ["https://localhost:8765/callback"], "ip": ["203.0.113.7"], "registry": ["lcsr"]}
    headers = {"Authorization": f"Bearer {told['token']}"}
    answer = requests.post(f"{told['url']}/_acrmock/applications", json=body, headers=headers, verify=told["ca_file"], timeout=20)
    answer.raise_for_status()
    return int(told["port"])


@contextmanager
def command(name: str, *options: str) -> Iterator[Target]:
    """A receiver of others that is given a folder and a port."""
    port = _free()
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-m", "pynetdicom", "storescp", str(port), "-od", folder, "-q"]
        if name != "pynetdicom":
            _needed(name)
            call = [name, *options, "--fork", "-od", folder, str(port)]
        with _process(call):
            _listening(port)
            yield Target(port, "ANY")


@contextmanager
def orthanc() -> Iterator[Target]:
    """Orthanc with its defaults, its storage in a folder of its own."""
    server = _needed("Orthanc", "/usr/sbin/Orthanc")
    port, http = _free(), _free()
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "StorageDirectory": folder,
            "IndexDirectory": folder,
            "DicomPort": port,
            "HttpPort": http,
            "DicomAet": "ORTHANC",
            "DicomCheckCalledAet": False,
            "DicomAlwaysAllowStore": True,
            "Plugins": [],
            "DicomThreadsCount": 16,
        }
        file = Path(folder, "orthanc.json")
        file.write_text(json.dumps(settings))
        with _process([server, str(file)]):
            _listening(port)
            yield Target(port, "ORTHANC")


Receiver = Callable[[], AbstractContextManager[Target]]
OURS: dict[str, Receiver] = {"os": lambda: acrmock(synced=False), "synced": lambda: acrmock(synced=True)}
PEERS: dict[str, Receiver] = {
    "DCMTK storescp": lambda: command("storescp"),
    "DCMTK storescp +B": lambda: command("storescp", "+B"),
    "Orthanc": orthanc,
    "pynetdicom storescp": lambda: command("pynetdicom"),
}


# senders


_seeds = itertools.count(1)
"""One for each sender, so that no two send the same objects."""


def fast(target: Target, size: int | Path, associations: int, count: int) -> float:
    """Objects per second from senders without Nagle's algorithm."""
    each = max(1, count // associations)
    call = [sys.executable, "-m", "benchmarks.cstore_sender", "127.0.0.1", str(target.port), target.title, str(each), str(size)]
    quiet = subprocess.DEVNULL
    senders = [
        subprocess.Popen([*call, str(next(_seeds))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True)
        for _ in range(associations)
    ]
    try:
        good, took = _sent(senders)
    finally:
        for sender in senders:
            sender.kill()
            sender.communicate()
    target.rest()
    if good != each * associations:
        raise RuntimeError(f"{good} of {each * associations} were answered with success")
    return good / took


def _sent(senders: Sequence[subprocess.Popen[str]]) -> tuple[int, float]:
    """How many objects were answered with success, and in how many seconds, once every sender is accepted and told to begin."""
    lost = sum(sender.stdout is None or sender.stdout.readline() != "ready\n" for sender in senders)
    if lost:
        raise RuntimeError(f"{lost} of {len(senders)} associations were not accepted")
    begun = CLOCK.monotonic()
    for sender in senders:
        if sender.stdin is not None:
            sender.stdin.write("go\n")
            sender.stdin.flush()
    told = [sender.stdout.readline().split() for sender in senders if sender.stdout is not None]
    took = CLOCK.monotonic() - begun
    return sum(int(words[1]) for words in told if len(words) == 2), took


def storescu(target: Target, folder: Path, associations: int, count: int, *, nagle: bool) -> float:
    """Objects per second from DCMTK's storescu, one process for each association."""
    environment = os.environ if nagle else {**os.environ, "TCP_NODELAY": "1"}
    each = max(1, count // associations)
    files = sorted(map(str, folder.glob("*.dcm")))
    calls = [
        ["storescu", "-R", "-aec", target.title, "127.0.0.1", str(target.port), *files[number * each : (number + 1) * each]]
        for number in range(associations)
    ]
    begun = CLOCK.monotonic()
    senders = [subprocess.Popen(call, env=environment) for call in calls]
    try:
        ended = [sender.wait(_LONGEST) for sender in senders]
    except subprocess.TimeoutExpired:
        ended = [1]
    for sender in senders:
        sender.kill()
    took = CLOCK.monotonic() - begun
    if any(ended):
        raise RuntimeError("storescu did not succeed")
    target.rest()
    return each * associations / took


def _files(folder: Path, size: int, count: int) -> None:
    """Part 10 files for storescu."""
    for number in range(count):
        uid = f"2.25.4712.{number + 1}"
        meta = b"".join(
            cstore_sender.element(0x0002, element, vr, value)
            for element, vr, value in (
                (0x0001, b"OB", b"\0\1"),
                (0x0002, b"UI", cstore_sender.REPORT_CLASS.encode()),
                (0x0003, b"UI", uid.encode()),
                (0x0010, b"UI", cstore_sender.EXPLICIT.encode()),
                (0x0012, b"UI", b"2.25.4711.1"),
            )
        )
        group = cstore_sender.element(0x0002, 0x0000, b"UL", len(meta).to_bytes(4, "little"))
        folder.joinpath(f"{number:06d}.dcm").write_bytes(bytes(128) + b"DICM" + group + meta + cstore_sender.data_set(uid, size))


# the table


def _fast_rows() -> Iterator[Row]:
    goals = {
        ("os", "pynetdicom storescp", REPORT): ">= 10 x",
        ("os", "DCMTK storescp +B", REPORT): ">= 1 x",
        ("os", "DCMTK storescp +B", IMAGE): ">= 0.8 x",
    }
    for size, kind in KINDS.items():
        for associations in ASSOCIATIONS:
            with ExitStack() as stack:
                targets = {name: stack.enter_context(one()) for name, one in OURS.items()}
                found = [(peer, *_beside(peer, targets, size, associations)) for peer in PEERS]
            for peer, said, theirs, ours in found:
                for name, rate in ours.items():
                    goal = goals.get((name, peer, size), "") if associations == 1 else ""
                    what = f"C-STORE, {kind}, {associations} association(s), sender without Nagle, {name}"
                    yield Row(what=what, unit="objects/s", ours=rate, peer=said, theirs=theirs, goal=goal)


def _beside(peer: str, ours: Mapping[str, Target], size: int, associations: int) -> tuple[str, float | None, dict[str, float]]:
    """A peer, or what is wrong with it; its objects per second and ours, in turn."""

    def measured() -> dict[str, float]:
        with PEERS[peer]() as target:
            return _in_turn({**ours, peer: target}, size, associations)

    said, rates = _peer(peer, measured)
    rates = rates or _in_turn(ours, size, associations)
    return said, rates.get(peer), {name: rates[name] for name in ours}


def _in_turn(targets: Mapping[str, Target], size: int, associations: int) -> dict[str, float]:
    """Objects per second of each, the median of some rounds after one that is not counted; who is slow is sent fewer."""
    rates: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(ROUNDS + 1):
        for name, target in targets.items():
            count = SLOW * 4 if name in {"Orthanc", "pynetdicom storescp"} else COUNT[size]
            rates[name].append(fast(target, size, associations, max(associations, count)))
    return {name: median(found[1:]) for name, found in rates.items()}


def _peer(name: str, measured: Callable[[], T]) -> tuple[str, T | None]:
    """A peer's name and figure; of one that cannot be had or fails, what is wrong instead."""
    try:
        return name, measured()
    except Absent as absent:
        return f"{name}: absent ({absent})", None
    except (OSError, RuntimeError) as error:
        return f"{name}: failed ({error})"[:120], None


def _dcmtk_rows() -> Iterator[Row]:
    goals = {
        ("DCMTK storescp", 1): ">= 7 x",
        ("Orthanc", 1): ">= 8 x",
        ("DCMTK storescp", 16): ">= 1.5 x",
        ("Orthanc", 16): ">= 1.5 x",
    }
    what = "C-STORE, 34 kB reports, storescu"
    try:
        _needed("storescu")
    except Absent as absent:
        yield Row(what=what, unit="objects/s", ours=0.0, peer=f"absent: {absent}")
        return
    with tempfile.TemporaryDirectory() as folder:
        most = SLOW * 4
        _files(Path(folder), REPORT, most)
        for nagle in (True, False):
            for associations in (1, 16):
                count = SLOW if associations == 1 else most

                def measured(
                    receiver: Receiver, *, nagle: bool = nagle, associations: int = associations, count: int = count
                ) -> float:
                    with receiver() as target:
                        fast(target, REPORT, 1, WARM_UP)
                        return storescu(target, Path(folder), associations, count, nagle=nagle)

                ours = measured(OURS["synced"])
                for peer, receiver in PEERS.items():
                    said, theirs = _peer(peer, lambda one=receiver, by=measured: by(one))  # type: ignore[misc]
                    how = "as it is" if nagle else "TCP_NODELAY=1"
                    what = f"C-STORE, 34 kB reports, {associations} association(s), storescu {how}, synced"
                    goal = goals.get((peer, associations), "") if nagle else ""
                    yield Row(what=what, unit="objects/s", ours=ours, peer=said, theirs=theirs, goal=goal)


def _disk_rows() -> Iterator[Row]:
    for size, kind in KINDS.items():
        count = COUNT[size] // 2
        with OURS["synced"]() as target:
            fast(target, size, 1, WARM_UP)
            pairs = [(fast(target, size, 1, count), _disk(size)) for _ in range(ROUNDS)]
        ours, theirs = (median(rates) for rates in zip(*pairs, strict=True))
        what = f"C-STORE, {kind}, 1 association, synced"
        yield Row(what=what, unit="objects/s", ours=ours, peer="the disk: write and sync", theirs=theirs, goal=">= 0.8 x")


def _disk(size: int) -> float:
    """Writes of that size to one file per second, each synced."""
    octets, count = os.urandom(size), COUNT[size] // 2
    with tempfile.TemporaryFile() as file:
        begun = CLOCK.monotonic()
        for _ in range(count):
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        return count / (CLOCK.monotonic() - begun)


def _read_rows() -> Iterator[Row]:
    """Answered, and read in the end, by our own receiver."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "ct.data")
        maker = Maker(Options(kind=Kind.CT, seed=1, as_of=date(2026, 6, 1), shape="siemens-like"))
        report.write_bytes(split(maker.report(0).file_bytes).data_set)
        kinds: dict[str, int | Path] = {**{kind: size for size, kind in KINDS.items()}, "CT dose reports of 32 kB": report}
        for kind, size in kinds.items():
            yield from _read_pair(kind, size, COUNT.get(IMAGE if size == IMAGE else REPORT, 1))


def _read_pair(kind: str, size: int | Path, count: int) -> Iterator[Row]:
    with (
        tempfile.TemporaryDirectory() as folder,
        _process([sys.executable, "-m", "benchmarks.cstore", folder, "0", "1"]) as process,
    ):
        target = Target(_registered(folder), "DIRLINK")
        fast(target, size, 1, WARM_UP)
        _idle(folder)
        before, begun = _used(process.pid), CLOCK.monotonic()
        rate = fast(target, size, 1, count)
        answered = _used(process.pid)
        _idle(folder)
        took, after = CLOCK.monotonic() - begun, _used(process.pid)
    spent = answered[0] - before[0], sum(after) - sum(before)
    what = f"C-STORE, {kind}, 1 association, os"
    yield Row(what=f"{what}: answered", unit="objects/s", ours=rate, cpu=(spent[0] / count * 1000, None))
    yield Row(what=f"{what}: read in the end", unit="objects/s", ours=count / took, cpu=(spent[1] / count * 1000, None))


def _idle(folder: str) -> None:
    """Wait until a receiver of ours has no job left."""
    import requests  # noqa: PLC0415 - its memory is not the receiver's

    told = json.loads(Path(folder, "told.json").read_text())
    headers = {"Authorization": f"Bearer {told['token']}"}
    place = f"{told['url']}/_acrmock/jobs?wait={_LONGEST:.0f}"
    answer = requests.get(place, headers=headers, verify=told["ca_file"], timeout=_LONGEST + 20)
    if not answer.json()["idle"]:
        raise RuntimeError("the receiver did not come to an end")


def _used(pid: int) -> tuple[float, float]:
    """Seconds of a core that a process, and those that it started, have used (Linux; 0 elsewhere)."""
    with contextlib.suppress(OSError):
        return cpu_seconds(pid), sum(map(cpu_seconds, _started_by(pid)))
    return 0.0, 0.0


def _started_by(pid: int) -> set[int]:
    """The processes that a process started; raises `OSError` where that cannot be looked up."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def _memory_rows() -> list[Row]:
    return [row for size, kind in KINDS.items() for row in _memory_pair(size, kind)]


def _memory_pair(size: int, kind: str) -> Iterator[Row]:
    """The most memory that the receiver's process held, and the one that reads for it, in MiB (Linux; 0 elsewhere)."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _process([sys.executable, "-m", "benchmarks.cstore", folder, "0", "1"]) as process,
    ):
        port = _registered(folder)
        fast(Target(port, "DIRLINK"), size, 16, COUNT[size] * 2)
        _idle(folder)
        peak = beside = 0.0
        with contextlib.suppress(OSError):
            peak, beside = peak_mebibytes(process.pid), sum(map(peak_mebibytes, _started_by(process.pid)))
    what = f"memory, {kind}, 16 associations"
    yield Row(what=what, unit="MiB", ours=peak, goal="<= 100 MiB", smaller_is_better=True)
    yield Row(what=f"{what}: the process that reads them", unit="MiB", ours=beside, smaller_is_better=True)


# processes


@contextmanager
def _process(call: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _needed(name: str, place: str = "") -> str:
    """Where a program of others is; raises `Absent`."""
    found = shutil.which(name) or (place if place and Path(place).exists() else None)
    if found is None:
        raise Absent(f"no {name} on this machine")
    return found


def _free() -> int:
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        return int(wire.getsockname()[1])


def _listening(port: int) -> None:
    until = CLOCK.monotonic() + _WAIT
    while CLOCK.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        CLOCK.wait(0.1)
    raise RuntimeError("a receiver did not start")


def _until(path: Path) -> str:
    until = CLOCK.monotonic() + _WAIT
    while CLOCK.monotonic() < until:
        if path.exists():
            return path.read_text()
        CLOCK.wait(0.05)
    raise RuntimeError("a receiver did not start")


if __name__ == "__main__":
    _serve(*sys.argv[1:])
