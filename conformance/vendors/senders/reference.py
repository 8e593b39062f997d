"""The reference senders: a modality that sends its own reports, an RDIM that passes on what it gets, a PACS that routes.

Each does one step of its profile, or the whole job. A forwarder passes each report on as soon as it has it, over an association
of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from acrmock.clock import Clock
from acrmock.dose.header import read_header
from acrmock.errors import SetupError
from acrmock.facts.model import Role
from conformance.vendors.config import VendorError
from conformance.vendors.senders.address import DEFAULT_CALLING_AE, Peer
from conformance.vendors.senders.listening import Inbox
from conformance.vendors.senders.objects import DicomObject, of_bytes, read_object
from conformance.vendors.senders.scu import NotSent, Scu, deliver

REPORTS = 4
KINDS = ("ct", "fluoro", "dx", "ct")
LONGEST_QUIET = 60.0
LOOK_SECONDS = 0.5
TRIES = 3
LONG_AGO = timedelta(days=60)
"""The reports that a sender makes are of exams so long ago that nobody can tell how soon they came."""
NOW = (timedelta(hours=-6), timedelta(hours=6))
"""What has just been over, somewhere: a report's own times say no zone."""
RECENT = (timedelta(days=1), timedelta(days=6))
SEARCHED = 5000
RETRY_SECONDS = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a sender is given: where reports go, whose they are, and where it gets those that it forwards.

    `listen` is (AE title, port) of its own, `folder` a directory that reports appear in; a modality needs neither. `finished`
    says that a forwarder has nothing more to wait for; without it, it goes on until it is stopped, or nothing has come for long.
    """

    dicom: Peer
    stations: tuple[str, ...]
    listen: tuple[str, int] | None = None
    folder: Path | None = None
    calling_ae: str = DEFAULT_CALLING_AE
    seed: int = 1
    finished: Callable[[], bool] | None = None


class Sender:
    """What all senders do: verify the connection, and send with a few tries."""

    def __init__(self, given: Given, *, clock: Clock, say: Callable[[str], None]) -> None:
        self.given = given
        self.clock = clock
        self.say = say

    def run(self, step: str = "") -> None:
        """Do one step, or all of them when `step` is empty; raises `SetupError` for one that it does not know."""
        steps = {"configure": self.configure, **self.steps()}
        if step and step not in steps:
            raise SetupError("the reference sender does not know this step", expected=", ".join(steps), actual=step)
        for name in [step] if step else steps:
            self.say(f"step {name}")
            steps[name]()

    def steps(self) -> dict[str, Callable[[], None]]:
        """The steps beside `configure`."""
        return {}

    def configure(self) -> None:
        """The connection is verified by a C-ECHO."""
        try:
            with Scu(self.given.dicom, self.given.calling_ae, ()) as scu:
                self.say(f"C-ECHO: {scu.echo()}")
        except NotSent as error:
            raise VendorError("the connection could not be verified", actual=str(error)) from error

    def send(self, *objects: DicomObject) -> None:
        """Send objects over one association, those that were not taken again after a pause."""
        waiting = objects
        for count in range(1, TRIES + 1):
            answers = deliver(self.given.dicom, self.given.calling_ae, waiting)
            for answer in answers:
                self.say(f"{answer.object.sop_instance}: {answer.status} {answer.comment}".rstrip())
            waiting = tuple(answer.object for answer in answers if not answer.stored and answer.status in {None, 0xA700})
            if not waiting:
                return
            self.clock.wait(RETRY_SECONDS * count)
        raise VendorError("reports could not be sent", actual=f"{len(waiting)} of {len(objects)}")


class Modality(Sender):
    """A scanner: it makes a report after each exam and sends it."""

    def steps(self) -> dict[str, Callable[[], None]]:
        """The exams."""
        return {"exams": self.exams}

    def exams(self) -> None:
        """Each exam's report is sent by itself, as soon as the exam is over."""
        for report in self.reports():
            self.send(report)

    def reports(self) -> Iterator[DicomObject]:
        """The reports of the exams: the first is just over, the others were long ago."""
        for index in range(REPORTS):
            yield next(self.reports_within(*NOW)) if index == 0 else self.report(index)

    def reports_within(self, least: timedelta, most: timedelta) -> Iterator[DicomObject]:
        """Reports of exams that began so long before now."""
        from synthetic.dose import generate

        now = self.clock.now()
        station = self.given.stations[0] if self.given.stations else None
        for index in range(SEARCHED):
            made = generate("ct", self.given.seed, REPORTS + index, as_of=now.date(), station=station)
            header = read_header(made.data_set, made.transfer_syntax)
            began = datetime.strptime(header.study_date + header.study_time[:6], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            if least <= now - began <= most:
                yield of_bytes(f"exam {index + 1}", made.data_set, made.transfer_syntax)

    def report(self, index: int, *, quirks: tuple[str, ...] = (), station: str | None = None) -> DicomObject:
        """The report of one exam."""
        from synthetic.dose import generate

        stations = self.given.stations
        named = station if station is not None else stations[index % len(stations)] if stations else None
        made = generate(
            KINDS[index % len(KINDS)],
            self.given.seed,
            index,
            as_of=self.clock.now().date() - LONG_AGO,
            station=named,
            quirks=quirks,
        )
        return of_bytes(f"exam {index + 1}", made.data_set, made.transfer_syntax)


class Forwarder(Sender):
    """What an RDIM and a PACS have in common: reports come in, and go on as they are."""

    def steps(self) -> dict[str, Callable[[], None]]:
        """The forwarding."""
        return {"forward": self.forward}

    def forward(self) -> None:
        """Pass on what comes until nothing more does."""
        for report in self.incoming():
            if self.wanted(report):
                self.pass_on(report)

    def wanted(self, report: DicomObject) -> bool:
        """Whether a report goes on."""
        del report
        return True

    def pass_on(self, report: DicomObject) -> None:
        """Send a report on, its bytes untouched."""
        self.send(report)

    def incoming(self) -> Iterator[DicomObject]:
        """The reports that come in, until none has for a moment."""
        if self.given.listen is not None:
            yield from self._from_wire(*self.given.listen)
        elif self.given.folder is not None:
            yield from self._from_folder(self.given.folder)
        else:
            raise SetupError("a forwarder needs reports", fix="give it --listen AE:PORT or --folder DIR")

    def _from_wire(self, ae_title: str, port: int) -> Iterator[DicomObject]:
        with Inbox(ae_title, port) as inbox:
            yield from self._until_quiet(lambda: inbox.next(LOOK_SECONDS))

    def _from_folder(self, folder: Path) -> Iterator[DicomObject]:
        seen: set[Path] = set()

        def look() -> DicomObject | None:
            path = next((path for path in sorted(folder.glob("*.dcm")) if path not in seen), None)
            if path is None:
                self.clock.wait(LOOK_SECONDS)
                return None
            seen.add(path)
            return read_object(path)

        yield from self._until_quiet(look)

    def _until_quiet(self, look: Callable[[], DicomObject | None]) -> Iterator[DicomObject]:
        last = self.clock.monotonic()
        while self.clock.monotonic() - last < LONGEST_QUIET:
            found = look()
            if found is not None:
                last = self.clock.monotonic()
                yield found
            elif self.given.finished is not None and self.given.finished():
                return


class Rdim(Forwarder):
    """A radiation dose information system: everything goes on."""


class Pacs(Forwarder):
    """A PACS that routes the reports of the stations that it was told to, and of no others."""

    def wanted(self, report: DicomObject) -> bool:
        """Whether the report is of a station that was asked for."""
        return report.station in self.given.stations


SENDERS: dict[Role, type[Sender]] = {Role.MODALITY: Modality, Role.RDIM: Rdim, Role.PACS: Pacs}
"""The reference sender of each role."""
