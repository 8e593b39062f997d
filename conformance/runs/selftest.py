"""The self-test: the reference vendor and every broken one against one private server, an application each, in parallel."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from acrmock import __version__
from acrmock.clock import Clock, SystemClock
from acrmock.errors import HarnessError, SetupError
from acrmock.facts import load_facts
from acrmock.facts.model import Role
from acrmock.typed import decode
from conformance import detection
from conformance.detection import DETECTION_SCHEMA, REFERENCE, Detection, Row
from conformance.reports import detection as pages
from conformance.runs.crew import CrewOrder, Task
from conformance.runs.files import write_atomically
from conformance.runs.python import command
from conformance.vendors import faults
from conformance.vendors.kinds import broken_of, inapplicable_to

AT_ONCE = 16
"""Vendors at a time: most of a run is waiting, for a token to expire and for Retry-After."""
PORTS = range(20_011, 32_000)
"""Below the ports that systems hand out for outgoing connections, so that no connection sits on a redirect URL."""
LOOSE = 30.0


def selftest(
    profile: str,
    out: Path,
    *,
    at_once: int = AT_ONCE,
    only: Sequence[str] = (),
    tell: Callable[[Row], None] | None = None,
    clock: Clock | None = None,
) -> Detection:
    """Run all vendors (or those of the checks and names in `only`), `at_once` at a time, and hold the judge against them.

    `tell` hears of each vendor as it is judged. Journals, results and logs stand in `out` by vendor, with `matrix.json` and
    `matrix.md`. Raises `SetupError` for a profile or a vendor that is not there, `HarnessError` when a worker breaks off.
    """
    known = load_facts().profile(profile)
    checks = tuple(check for check, weight in known.weights.items() if weight != "not-scored")
    broken = broken_of(known)
    vendors = _chosen(checks, tuple(broken), only)
    provable = {faults.check_of(name) for name in broken} | inapplicable_to(known)
    clock = clock or SystemClock()
    began = clock.monotonic()
    rows = {row.vendor: row for row in _judged(profile, out.resolve(), vendors, at_once, tell)}
    found = Detection(
        schema=DETECTION_SCHEMA,
        profile=known.name,
        revision=known.revision,
        version=__version__,
        checks=checks,
        missing=() if only else tuple(check for check in checks if check not in provable),
        rows=tuple(rows.get(name) or _no_row(name, broken) for name in vendors),
        seconds=round(clock.monotonic() - began, 1),
    )
    write_atomically(out / "matrix.json", pages.as_json(found))
    write_atomically(out / "matrix.md", pages.as_markdown(found).encode())
    return found


def _chosen(checks: Sequence[str], broken: Sequence[str], only: Sequence[str]) -> list[str]:
    everybody = [REFERENCE, *(name for check in checks for name in sorted(broken) if faults.check_of(name) == check)]
    unknown = [name for name in only if not any(name in {vendor, faults.check_of(vendor)} for vendor in everybody)]
    if unknown:
        raise SetupError("there is no such vendor", where="--only", expected=", ".join(everybody), actual=unknown[0][:80])
    return [vendor for vendor in everybody if not only or vendor in only or faults.check_of(vendor) in only]


def _no_row(vendor: str, broken: Mapping[str, str]) -> Row:
    if vendor == REFERENCE:
        return detection.lost(vendor, "", faults.what_is_wrong(None), "its worker broke off")
    return detection.lost(vendor, faults.check_of(vendor), broken[vendor], "its worker broke off")


def _judged(profile: str, out: Path, vendors: Sequence[str], at_once: int, tell: Callable[[Row], None] | None) -> Iterator[Row]:
    from mockserver import Engine

    ports = _free_ports(len(vendors))
    tasks = [Task(vendor=vendor, port=port) for vendor, port in zip(vendors, ports, strict=True)]
    workers = max(1, min(os.cpu_count() or 1, at_once, len(tasks)))
    dicom = load_facts().profile(profile).role is not Role.NONE
    with Engine(dicom_port=0 if dicom else None) as engine, ExitStack() as stack:
        ready = engine.ready
        if ready is None or ready.ca_file is None:
            raise HarnessError("the self-test's own server did not start")
        lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        for number in range(workers):
            asked = CrewOrder(
                url=ready.url,
                token=ready.control_token,
                ca_file=str(ready.ca_file),
                profile=profile,
                out=str(out),
                threads=-(-at_once // workers),
                tasks=tuple(tasks[number::workers]),
            )
            _start(asked, out / f"worker-{number + 1}.log", lines, stack)
        ended = 0
        while ended < workers:
            line = lines.get()
            if line is None:
                ended += 1
                continue
            row = decode(line, Row)
            if tell is not None:
                tell(row)
            yield row


def _start(asked: CrewOrder, log: Path, lines: queue.SimpleQueue[bytes | None], stack: ExitStack) -> None:
    """Start a worker whose lines come into `lines`, and None at its end; leaving the stack ends it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    noise = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(  # noqa: S603 - our own module
        command("conformance.runs.crew"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=noise
    )
    stack.callback(_end, process)
    if process.stdin is None or process.stdout is None:
        raise HarnessError("a worker of the self-test has no pipes")
    process.stdin.write(msgspec.json.encode(asked) + b"\n")
    process.stdin.close()
    output = process.stdout

    def forward() -> None:
        for line in output:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=forward, daemon=True).start()


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(0 if process.poll() is not None else 1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(LOOSE)
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _free_ports(count: int) -> list[int]:
    """`count` ports on which nobody listens, on either loopback address."""
    free: list[int] = []
    start = os.getpid() * 131 % len(PORTS)
    for offset in range(len(PORTS)):
        port = PORTS[(start + offset) % len(PORTS)]
        if _is_free(port):
            free.append(port)
        if len(free) == count:
            return free
    raise SetupError("there are too few free ports on the loopback address", expected=str(count), actual=str(len(free)))


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.bind((address, port))
        except OSError:
            if family is socket.AF_INET:
                return False
    return True
