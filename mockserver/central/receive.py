"""The DIR Central Server takes anonymised reports, in the shape of STOW-RS (PS3.18 section 10.5; facts D1.2 and D1.19).

What ACR's server really speaks is not published; this one answers 200 (kept), 202 (kept, with warnings), 400 (not understood),
401 (no token of DIR Link), 409 (not taken) and, where it is told to, 5xx.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from acrmock.clock import rfc3339
from acrmock.dose.elements import Unreadable, top_level
from acrmock.dose.part10 import split
from acrmock.typed import decode
from mockserver.central import behaviour
from mockserver.central.model import EXAM, REPORT, CentralReport, Envelope, Exam
from mockserver.central.multipart import DICOM, JSON, Malformed, Part, parse
from mockserver.dirlink.changes import BirthDates
from mockserver.dirlink.token import token_for
from mockserver.jobs import Unfinished

if TYPE_CHECKING:
    from mockserver.central.described import Described
    from mockserver.context import Call, EngineCore
    from mockserver.store import Scope, Unit

_FAILED, _STORED = "00081198", "00081199"
_REMOVED = 0x00120062
_BIRTH = 0x00100030
_CANNOT_UNDERSTAND, _REFUSED = 0xC000, 0xA900
_COERCED = 0xB000


class Answer(NamedTuple):
    """A status, a body to be written as JSON, and what is to be noted of it."""

    status: int
    body: dict[str, Any]
    reason: str = ""


class Understood(NamedTuple):
    """A report that was read, the SHA-256 of its data set, and what came beside it."""

    described: Described
    sha256: str
    envelope: Envelope


class Refused(Exception):  # noqa: N818 - says what it is
    """The report is not taken; with the failure reason of PS3.18 section 10.5.3 (the status of PS3.4 section B.2.3)."""

    def __init__(self, why: str, reason: int = _REFUSED) -> None:
        super().__init__(why)
        self.reason = reason


def store(call: Call, authorization: str, content_type: str, body: bytes) -> Answer:
    """The answer to a request to store; what it changes joins the call's unit, which is opened when all is read."""
    core, scope = call.engine, call.scope
    expected = f"Bearer {token_for(core, scope)}"
    if not hmac.compare_digest(authorization.encode("utf-8", "surrogateescape"), expected.encode()):
        return Answer(401, {"reason": "this is not a token of DIR Link"}, "no token of DIR Link")
    understood = _understood(core, scope, content_type, body)
    asked = behaviour.take(call.unit, scope)
    if asked is not None and asked != 202:
        return Answer(asked, {"reason": "asked for by the control API"}, "asked for by the control API")
    if isinstance(understood, Answer):
        return understood
    try:
        kept = take(core, call.unit, scope, understood)
    except Refused as error:
        return _refused(error)
    warned = asked == 202 or bool(kept.warnings)
    item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [kept.sop_instance]}}
    if warned:
        item["00081196"] = {"vr": "US", "Value": [_COERCED]}
    return Answer(202 if warned else 200, {_STORED: _sequence(item), "warnings": list(kept.warnings)})


def _understood(core: EngineCore, scope: Scope, content_type: str, body: bytes) -> Understood | Answer:
    """The report in a request, or the answer to one in which there is none that could be taken."""
    try:
        instance, envelope = _parts(parse(content_type, body))
        return read(core, scope, instance, envelope)
    except Malformed as error:
        return Answer(400, {"reason": str(error)}, str(error))
    except Refused as error:
        return _refused(error)
    except Unfinished:
        return Answer(503, {"reason": "the server stops"}, "the server stops")


def _refused(error: Refused) -> Answer:
    failed = _sequence({"00081197": {"vr": "US", "Value": [error.reason]}})
    return Answer(409, {_FAILED: failed, "reason": str(error)}, str(error))


def _sequence(item: dict[str, Any]) -> dict[str, Any]:
    """A sequence of one item in the DICOM JSON model (PS3.18 annex F)."""
    return {"vr": "SQ", "Value": [item]}


def _parts(parts: list[Part]) -> tuple[bytes, Envelope]:
    instances = [part.data for part in parts if part.media == DICOM]
    envelopes = [part.data for part in parts if part.media == JSON]
    if len(instances) != 1 or len(envelopes) != 1 or len(parts) != 2:
        raise Malformed(f"one part of {DICOM} and one of {JSON} are needed, there are {[part.media[:40] for part in parts]}")
    try:
        return instances[0], decode(envelopes[0], Envelope)
    except msgspec.MsgspecError as error:
        raise Malformed(f"the envelope: {error}") from None


def read(core: EngineCore, scope: Scope, instance: bytes, envelope: Envelope) -> Understood:
    """An anonymised report with its indices, by no state; raises `Refused` for one that is not to be kept."""
    try:
        file = split(instance)
        keeps = BirthDates(core.settings_of(scope).text("dirlink.birth_date_policy")) is BirthDates.KEEP
        _check_anonymous(file.data_set, file.transfer_syntax, birth_date=keeps)
    except Unreadable as error:
        raise Refused(f"cannot be read: {error}", _CANNOT_UNDERSTAND) from None
    described = core.apart.described(file.data_set, file.transfer_syntax, envelope)
    if described.problem:
        raise Refused(f"cannot be read: {described.problem}", _CANNOT_UNDERSTAND)
    if not described.dose:
        raise Refused("not a dose report")
    return Understood(described, hashlib.sha256(file.data_set).hexdigest(), envelope)


def take(core: EngineCore, unit: Unit, scope: Scope, understood: Understood) -> CentralReport:
    """Keep an anonymised report with its indices; the same again changes nothing. Raises `Refused`."""
    described, digest, envelope = understood
    known = unit.get(REPORT, scope, described.sop_instance, CentralReport)
    if known is not None and known.sha256 == digest:
        return known
    if known is not None:
        raise Refused("another report has that SOP Instance UID")
    return _keep(core, unit, scope, _record(core, scope, described, digest, envelope), described.exam, envelope.replaces)


def _check_anonymous(data_set: bytes, transfer_syntax: str, *, birth_date: bool) -> None:
    """Raise `Refused` for a report that does not say that the patient's identity was removed, or has a date of birth.

    `birth_date`: the policy lets the date of birth stay (facts D1.17 and D1.18 differ about it).
    """
    values = top_level(data_set, transfer_syntax, until=_REMOVED)

    def text(tag: int) -> str:
        return values.get(tag, b"").decode("latin-1").strip(" \0^")

    if text(_REMOVED) != "YES":
        raise Refused("not anonymised: (0012,0062) Patient Identity Removed is not YES")
    if text(_BIRTH) and not birth_date:
        raise Refused("not anonymised: (0010,0030) Patient's Birth Date has a value")


def _record(core: EngineCore, scope: Scope, found: Described, digest: str, envelope: Envelope) -> CentralReport:
    return CentralReport(
        sop_instance=found.sop_instance,
        sha256=digest,
        at=rfc3339(core.applications.business(scope[0], core.clock.now())),
        station=found.station,
        facility=envelope.facility,
        modality=found.modality,
        exam_name=found.exam_name,
        mapped=found.mapped,
        mapped_meaning=found.mapped_meaning,
        indices=found.indices,
        warnings=found.warnings,
    )


def _keep(  # noqa: PLR0917 - what is kept, and beside what
    core: EngineCore, unit: Unit, scope: Scope, report: CentralReport, exam: str, replaces: tuple[str, ...]
) -> CentralReport:
    """Keep a report: in the figures, unless another one stands for its exam, and in place of those that it replaces."""
    for old in replaces:
        replaced = unit.get(REPORT, scope, old, CentralReport)
        if replaced is not None:
            unit.put(REPORT, scope, old, msgspec.structs.replace(replaced, replaced_by=report.sop_instance))
    twin = unit.get(EXAM, scope, exam, Exam) if exam else None
    if twin is not None:
        warnings = (*report.warnings, "the exam is in the registry already")
        report = msgspec.structs.replace(report, duplicate_of=twin.sop_instance, warnings=warnings)
        _mark_twin(core, unit, scope, twin.sop_instance)
    elif exam:
        unit.put(EXAM, scope, exam, Exam(sop_instance=report.sop_instance))
    unit.put(REPORT, scope, report.sop_instance, report)
    return report


def _mark_twin(core: EngineCore, unit: Unit, scope: Scope, sop_instance: str) -> None:
    """The exam name of a report that came twice begins with the registry's prefix (fact D1.19)."""
    kept = unit.get(REPORT, scope, sop_instance, CentralReport)
    prefix = core.settings_of(scope).text("dirlink.central.duplicate_prefix")
    if kept is not None and not kept.exam_name.startswith(prefix):
        unit.put(REPORT, scope, sop_instance, msgspec.structs.replace(kept, exam_name=f"{prefix}{kept.exam_name}"))
