"""Sending a report on to the central server: anonymised, with patience, losing nothing while the server is down."""

from __future__ import annotations

import hashlib
import struct
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from acrmock.clock import rfc3339
from acrmock.dose.elements import EXPLICIT_LITTLE
from acrmock.dose.text import unpadded
from acrmock.typed import decode
from mockserver.central.model import Envelope
from mockserver.central.multipart import DICOM, JSON, Part, build
from mockserver.dirlink.decode import FORWARD
from mockserver.dirlink.model import REPORT, StoredReport
from mockserver.dirlink.states import WAITING, State, blame, come_to, save
from mockserver.dirlink.token import token_for
from mockserver.dirlink.view import anonymised, remapped
from mockserver.jobs import Job, Step, pause
from mockserver.store import Scope, Stored, Unit

if TYPE_CHECKING:
    from mockserver.context import EngineCore

FAILED = "dir-failed"
"""The kind under which reports that could not be sent on are found, keyed by SOP Instance UID."""

RETRY = "dir-retry"
"""The job that sends what failed on at once, because the central server came back."""

_TAKEN = frozenset({200, 202})
_LATER = frozenset({401, 408, 425, 429})


class Failed(Stored, frozen=True, kw_only=True):
    """That a report could not be sent on."""

    sop_instance: str


class Sent(NamedTuple):
    """What became of sending: the answer's status (0: none came), and what it said."""

    status: int
    said: str = ""


def forward(core: EngineCore, job: Job) -> Step:
    """Anonymise the report and send it; its state follows from the answer."""
    scope = (job.application, job.environment)
    with core.store.read() as snapshot:
        report = snapshot.get(REPORT, scope, job.key, StoredReport)
        others = [snapshot.get(REPORT, scope, other, StoredReport) for other in report.replaces] if report is not None else []
    data = core.objects.get(scope, job.key, report.sha256) if report is not None else None
    if report is None or data is None or report.state not in _waiting(core):
        return lambda _unit: None
    made = anonymised(core, scope, report, data)
    if made.problem:
        return _step(core, scope, job, Sent(-1, made.problem), "", fault=made.fault)
    replaces = tuple(other.central for other in others if other is not None and other.central)
    envelope = Envelope(facility=report.facility, station=unpadded(report.station), birth_date=made.birth_date, replaces=replaces)
    central = remapped(core, scope, report.sop_instance)
    return _step(core, scope, job, send(core, scope, part10(made.data, report.sop_class, central), envelope), central)


def _waiting(core: EngineCore) -> tuple[str, ...]:
    return tuple(state.word(core.facts) for state in WAITING)


def _step(core: EngineCore, scope: Scope, job: Job, sent: Sent, central: str, *, fault: bool = False) -> Step:
    def step(unit: Unit) -> None:
        report = unit.get(REPORT, scope, job.key, StoredReport)
        if report is None or report.state not in _waiting(core):
            return
        unit.delete(FAILED, scope, report.sop_instance)
        if sent.status < 0:
            report = come_to(core, scope[0], report, (State.FAILED, f"cannot be anonymised, so not sent on: {sent.said}"))
        elif sent.status in _TAKEN:
            report = _taken(core, scope, report, sent, central)
        elif sent.status in _LATER or sent.status >= 500 or sent.status == 0:
            report = _failed(core, unit, scope, report, sent)
        else:
            steps = ((State.ANONYMIZED, ""), (State.SUBMITTED, ""), (State.REJECTED, f"answered {sent.status}: {sent.said}"))
            report = come_to(core, scope[0], report, *steps)
        save(core, unit, scope, report)
        if fault:
            blame(core, unit, scope, report, sent.said)

    return step


def _taken(core: EngineCore, scope: Scope, report: StoredReport, sent: Sent, central: str) -> StoredReport:
    steps = ((State.ANONYMIZED, ""), (State.SUBMITTED, ""), (State.ACKNOWLEDGED, sent.said))
    return come_to(core, scope[0], report, *steps, central=central, next_try="")


def _failed(core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, sent: Sent) -> StoredReport:
    """The report as failed, and another try after a pause that doubles up to a limit."""
    tries = report.attempts + 1
    settings = core.settings_of(scope)
    pausing = pause(tries, settings.number("dirlink.retry.first_seconds"), settings.number("dirlink.retry.most_seconds"))
    due = rfc3339(core.clock.now() + timedelta(seconds=pausing))
    core.jobs.put(unit, Job(kind=FORWARD, application=scope[0], environment=scope[1], key=report.sop_instance, due=due))
    unit.put(FAILED, scope, report.sop_instance, Failed(sop_instance=report.sop_instance))
    why = f"the central server answered {sent.status}" if sent.status else f"the central server gave no answer: {sent.said}"
    first_time = report.state == State.QUEUED.word(core.facts)
    steps = ((State.ANONYMIZED, ""), (State.FAILED, why)) if first_time else ((State.FAILED, why),)
    return come_to(core, scope[0], report, *steps, attempts=tries, next_try=due)


def retry(core: EngineCore, job: Job) -> Step:
    """Send what failed on at once."""
    scope = (job.application, job.environment)

    def step(unit: Unit) -> None:
        for key, _ in list(unit.scan(FAILED, scope, Failed)):
            core.jobs.soon(unit, FORWARD, *scope, key)

    return step


def send(core: EngineCore, scope: Scope, file: bytes, envelope: Envelope) -> Sent:
    """POST a report with its envelope to the central server, as PS3.18 section 10.5 has it."""
    import requests  # noqa: PLC0415 - loaded when the first report is sent on

    found = core.applications.get(scope[0])
    registration = found.environments.get(scope[1]) if found is not None else None
    if registration is None:
        return Sent(0, "the application is not registered")
    settings = core.settings_for(registration)
    elsewhere = settings.text("dirlink.central.url")
    base = elsewhere or core.own_url + core.base_url(*scope)[len(core.public_url) :]
    content_type, body = build((Part(DICOM, file), Part(JSON, msgspec.json.encode(envelope))))
    headers = {
        "Content-Type": content_type,
        "Authorization": f"Bearer {token_for(core, scope)}",
        "Accept": "application/dicom+json",
    }
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                base.rstrip("/") + settings.text("dirlink.central.path"),
                data=body,
                headers=headers,
                timeout=settings.number("dirlink.central.timeout"),
                verify=True if elsewhere else core.ca_file or True,
                allow_redirects=False,
            )
    except (requests.RequestException, OSError) as error:
        return Sent(0, type(error).__name__)
    return Sent(answer.status_code, _said(answer.content))


class _Answer(msgspec.Struct, frozen=True):
    reason: str = ""
    warnings: tuple[str, ...] = ()


def _said(body: bytes) -> str:
    try:
        answer = decode(body[:65536], _Answer)
    except msgspec.MsgspecError:
        return ""
    return "; ".join(filter(None, (answer.reason, *answer.warnings)))[:500]


def part10(data_set: bytes, sop_class: str, sop_instance: str) -> bytes:
    """The data set as a DICOM file in explicit little endian (PS3.10 section 7.1); its preamble and meta information are ours."""
    from acrmock import __version__  # noqa: PLC0415 - a constant

    def element(tag: int, vr: bytes, value: bytes) -> bytes:
        value += (b"\0" if vr in {b"UI", b"OB"} else b" ") * (len(value) % 2)
        long = vr == b"OB"
        head = struct.pack("<HH2s", 2, tag, vr) + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value)))
        return head + value

    own = "2.25." + str(int.from_bytes(hashlib.sha256(b"acrmock").digest()[:16], "big"))
    meta = b"".join(
        (
            element(1, b"OB", b"\0\1"),
            element(2, b"UI", sop_class.encode("ascii", "replace")),
            element(3, b"UI", sop_instance.encode("ascii", "replace")),
            element(0x10, b"UI", EXPLICIT_LITTLE.encode()),
            element(0x12, b"UI", own.encode()),
            element(0x13, b"SH", f"ACRMOCK {__version__}"[:16].encode()),
        )
    )
    return bytes(128) + b"DICM" + element(0, b"UL", struct.pack("<I", len(meta))) + meta + data_set
