"""A worker of the self-test (`python -m conformance.runs.crew`): vendors as threads, against a server that is there.

Reads its order as one line of JSON from standard input and writes a line of JSON per judged vendor to standard output.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from acrmock.clock import SystemClock
from acrmock.errors import AcrmockError
from acrmock.facts import load_facts
from acrmock.typed import decode
from conformance import detection
from conformance.detection import Row
from conformance.runs.certification import Order, certify
from conformance.runs.demo import order
from conformance.runs.inprocess import VendorThread
from conformance.runs.servers import ServerChoice
from conformance.vendors import faults
from conformance.vendors.kinds import broken_of, inapplicable_to
from conformance.vendors.senders.address import DEFAULT_CALLING_AE

SETTINGS = {"auth.access_token_lifetime": 8}
"""Seconds: short, for a run waits until a token has expired; long enough for the steps before on a busy machine."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor to be judged, and the port of its redirect URL."""

    vendor: str
    port: int


class CrewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is asked to do: the server, the profile, where files go, and the vendors, `threads` at a time."""

    url: str
    token: str
    ca_file: str
    profile: str
    out: str
    threads: int
    tasks: tuple[Task, ...]


def main() -> None:
    """Work off the order on standard input."""
    asked = decode(sys.stdin.buffer.readline(), CrewOrder)
    lock = threading.Lock()

    def work(task: Task) -> None:
        line = msgspec.json.encode(judged(asked, task)) + b"\n"
        with lock:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()

    with ThreadPoolExecutor(asked.threads) as pool:
        list(pool.map(work, asked.tasks))


def _thread(broken: str | None, prepared: Order) -> VendorThread:
    """The vendor as a thread, with what a sender of dose reports needs."""
    peer = prepared.doses.target.peer if prepared.doses.target is not None else None
    listen = None if peer is None else (peer.ae_title, peer.port)
    return VendorThread(broken, listen, next(iter(prepared.application.dicom), DEFAULT_CALLING_AE))


def judged(asked: CrewOrder, task: Task) -> Row:
    """The row of one vendor; a run that broke off gives a row that says so."""
    broken = None if task.vendor == detection.REFERENCE else task.vendor
    check = faults.check_of(task.vendor) if broken else ""
    profile = load_facts().profile(asked.profile)
    wrong = broken_of(profile)[broken] if broken else faults.what_is_wrong(None)
    out = Path(asked.out) / task.vendor.replace(":", ".")
    clock = SystemClock()
    began = clock.monotonic()
    server = ServerChoice(url=asked.url, token=asked.token, ca_file=Path(asked.ca_file))
    try:
        with order(asked.profile, out, broken, port=task.port) as prepared:
            application = dataclasses.replace(prepared.application, settings=SETTINGS)
            runner = _thread(broken, prepared)
            result = certify(dataclasses.replace(prepared, application=application, server=server, package=False, runner=runner))
    except AcrmockError as error:
        return detection.lost(task.vendor, check, wrong, str(error))
    except Exception as error:  # noqa: BLE001 - one vendor's end must not take the others with it
        return detection.lost(task.vendor, check, wrong, f"{type(error).__name__}: {error}")
    seconds = round(clock.monotonic() - began, 1)
    return detection.row(
        task.vendor,
        check,
        wrong,
        result,
        seconds=seconds,
        log=str(out / "logs"),
        inapplicable=inapplicable_to(profile),
    )


if __name__ == "__main__":
    main()
