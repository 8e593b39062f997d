"""Planting dose reports with a vendor who forwards them: made, told to the server, and given to the vendor."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acrmock.clock import Clock
from acrmock.errors import SetupError
from conformance.control import Control
from conformance.runs.files import write_atomically
from conformance.vendors.senders.address import Peer, peer_of
from conformance.vendors.senders.objects import DicomObject, of_bytes
from conformance.vendors.senders.scu import NotSent, Scu, pairs_of

KINDS = ("ct", "fluoro", "dx", "ct")
UNASKED = "ELSEWHERE1"
CALLING_AE = "ACRMOCK"
WAIT_SECONDS = 30.0
_AGAIN = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a vendor takes reports: a DICOM node, or a folder."""

    peer: Peer | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Crop:
    """One report to plant: the file as it lies on a disk, the object as it goes over the wire, whether it is to be forwarded."""

    file: bytes
    object: DicomObject
    expected: bool


def target_of(plant_to: str | None, plant_dir: Path | None) -> Target | None:
    """The target that the flags name, None for none; raises `SetupError`."""
    if plant_to and plant_dir:
        raise SetupError("reports are planted in one place", expected="--plant-to or --plant-dir")
    if plant_dir is not None:
        if not plant_dir.is_dir():
            raise SetupError("there is no such folder", where="--plant-dir", actual=str(plant_dir))
        return Target(folder=plant_dir)
    if not plant_to:
        return None
    return Target(peer=peer_of(plant_to, "--plant-to"))


def crops(seed: int, count: int, unwanted: int, stations: Sequence[str], clock: Clock) -> list[Crop]:
    """`count` reports of the stations asked for, and `unwanted` of another; the same for the same seed and day."""
    from synthetic.dose import generate

    found: list[Crop] = []
    for index in range(count + unwanted):
        wanted = index < count
        station = stations[index % len(stations)] if wanted and stations else UNASKED
        made = generate(KINDS[index % len(KINDS)], seed, index, as_of=clock.now().date(), station=station)
        found.append(Crop(made.file_bytes, of_bytes(f"planted {index + 1}", made.data_set, made.transfer_syntax), wanted))
    return found


@dataclass(slots=True, kw_only=True)
class Planting:
    """Plants reports while the client runs, in a thread of its own; `failed` says why it could not.

    In a folder, which needs nobody to listen, all lie there before the client is started: it may be a script that looks once.
    """

    control: Control
    application: str
    environment: str
    target: Target
    crops: Sequence[Crop]
    clock: Clock
    tell: Callable[[str], None] = lambda _text: None
    failed: str = ""
    _thread: threading.Thread | None = None
    _stop: threading.Event | None = None

    def begin(self) -> None:
        """Begin to plant; in a folder, do it."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acrmock-planting", daemon=True)
        self._thread.start()
        if self.target.folder is not None:
            self._thread.join()

    def end(self) -> None:
        """Stop trying, and wait until it has."""
        if self._stop is not None and self._thread is not None:
            self._stop.set()
            self._thread.join()

    @property
    def done(self) -> bool:
        """Whether nothing more will be planted."""
        return self._thread is not None and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            if self.target.folder is not None:
                self._into(self.target.folder)
            elif self.target.peer is not None:
                self._over(self.target.peer)
        except (SetupError, OSError, NotSent) as error:
            self.failed = str(error)
            self.tell(f"reports could not be planted: {error}")

    def _into(self, folder: Path) -> None:
        for index, crop in enumerate(self.crops):
            self._announce(crop)
            write_atomically(folder / f"planted-{index:04d}.dcm", crop.file)

    def _over(self, peer: Peer) -> None:
        self._await(peer)
        for crop in self.crops:
            self._announce(crop)
            with Scu(peer, CALLING_AE, pairs_of([crop.object])) as scu:
                answer = scu.store(crop.object)
            if not answer.stored:
                status = "not sent" if answer.status is None else f"{answer.status:04X}H"
                self.failed = f"the vendor refused a report: {status} {answer.comment}".rstrip()
                self.tell(self.failed)

    def _await(self, peer: Peer) -> None:
        """Wait until the vendor listens; raises `NotSent` when it does not in time."""
        until = self.clock.monotonic() + WAIT_SECONDS
        while True:
            try:
                with Scu(peer, CALLING_AE, ()) as scu:
                    scu.echo()
            except NotSent:
                if self.clock.monotonic() > until or (self._stop is not None and self._stop.is_set()):
                    raise
                self.clock.wait(_AGAIN)
            else:
                return

    def _announce(self, crop: Crop) -> None:
        report: dict[str, Any] = {
            "data": base64.b64encode(crop.object.data).decode("ascii"),
            "transfer_syntax": crop.object.transfer_syntax,
            "expected": crop.expected,
        }
        self.control.plant(self.application, self.environment, [report])
