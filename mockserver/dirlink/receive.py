"""What a C-STORE and a C-ECHO come to: read no more than the header, keep the bytes, write it down, then answer.

The answer rests on the command set and on the top-level elements up to the patient's birth date. Bytes, state and journal entry
are one unit, which is synced before the answer leaves; decoding follows by a job.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from acrmock.clock import rfc3339
from acrmock.dose.elements import Unreadable
from acrmock.dose.header import Brief, read_brief
from acrmock.dose.synthetic import looks_synthetic
from acrmock.record import DimseFacts, FieldProblem, Refusal
from mockserver.dirlink import injecting, intake
from mockserver.dirlink.model import PLANTED, REPORT, Planted, Received, StoredReport
from mockserver.journal import Whose
from mockserver.store import ObjectFile, StoreError, StoreFull, Unit

if TYPE_CHECKING:
    from mockserver.context import EngineCore
    from mockserver.dirlink.limits import Offer

STORE, ECHO = "C-STORE", "C-ECHO"
_UID = re.compile(r"[0-9][0-9.\-]{0,63}")
"""Digits and full stops (PS3.5 section 9.1); a hyphen too, because real devices send one and their reports must not be lost."""

_log = logging.getLogger("mockserver")


@dataclass(slots=True, kw_only=True)
class Peer:
    """Who is at the other end of an association, and whose AE title was called."""

    association: str
    application: str
    environment: str
    calling_ae: str
    peer: str
    matched: str = "ae-title"
    stored: int = 0
    operations: int = 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request: its command set, its presentation context, and when its command came (monotonic seconds).

    `data` is the data set, or its beginning where it is in `file`; `length` is that of the data set, in bytes.
    """

    service: str
    message_id: int
    context: int
    abstract_syntax: str
    transfer_syntax: str
    sop_class: str
    sop_instance: str = ""
    data: bytes | bytearray = b""
    file: ObjectFile | None = None
    length: int = 0
    too_long: bool = False
    began: float = 0.0


class Answer(msgspec.Struct, frozen=True):
    """The status of an answer, its Error Comment, and what the journal says of it."""

    status: int
    comment: str = ""
    refusal: Refusal | None = None


@dataclass(slots=True)
class _Taken:
    """A data set on its way to the disk: why it may come, and what was there before."""

    header: Brief
    sha256: str
    synthetic: bool
    planted: bool = False
    repeat: bool = False
    same: bool | None = None


@dataclass(slots=True)
class Operations:
    """The services of one engine's receiver; called by the threads of all its associations."""

    core: EngineCore
    offer: Offer

    # C-ECHO

    def echo(self, peer: Peer, asked: Asked) -> Answer:
        """Answer a C-ECHO (PS3.7 section 9.1.5): success, unless its class is not that of the context."""
        words = self.offer.status
        fits = asked.sop_class == asked.abstract_syntax == self.offer.verification
        status = words.success if fits else words.sop_class_not_supported
        return self._note(peer, asked, Answer(status))

    def other(self, peer: Peer, asked: Asked) -> Answer:
        """Answer an operation that is not offered."""
        comment = f"{asked.service} is not offered"
        refusal = Refusal(code="acrmock:dimse-not-offered", message=comment, hint="send C-STORE and C-ECHO only")
        return self._note(peer, asked, Answer(self.offer.status.no_such_service, comment, refusal))

    # C-STORE

    def store(self, peer: Peer, asked: Asked) -> Answer:
        """Answer a C-STORE (PS3.7 section 9.1.1); with success only what is on the disk."""
        refused = self._unfit(asked)
        if refused is not None:
            return self._note(peer, asked, refused)
        file = asked.file
        data = bytes(asked.data)
        try:
            header = self._header(asked, file, data)
            synthetic = self.synthetic(header)
            struck = self._struck(peer, asked)
            if struck is not None:
                return self._note(peer, asked, struck)
            if file is None and (synthetic or self.core.accept_real_data):
                file = self._file(data)
            if file is not None:
                file.finish()
            sha256 = file.sha256 if file is not None else hashlib.sha256(data).hexdigest()
            taken = _Taken(header, sha256, synthetic=synthetic)
            return self._take(peer, asked, taken, file or data)
        except Unreadable as error:
            return self._note(peer, asked, self._unreadable(error))
        except StoreError as error:
            answer = self._no_room(error)
            self.core.metrics.dimse(asked.service, answer.status)
            return answer
        finally:
            if file is not None:
                file.discard()

    def _struck(self, peer: Peer, asked: Asked) -> Answer | None:
        """The answer of a rule that refuses it on purpose, if there is one."""
        rule = injecting.strike(self.core, peer.application, peer.environment, injecting.STORE, asked.sop_instance)
        what = f"refused on purpose by the rule {rule}"
        return _refused(self.offer.status.out_of_resources, "fault", what, "to be sent again", "now") if rule else None

    def _file(self, data: bytes) -> ObjectFile | None:
        """Room with a data set that came as a whole, which is on its way to the disk while the rest is done."""
        file = self.core.objects.file(len(data))
        if file is not None:
            file.write(data)
        return file

    def _header(self, asked: Asked, file: ObjectFile | None, data: bytes) -> Brief:
        """The header by the beginning of the data set; by the whole of it where that does not reach as far as the study's UID."""
        most = self.offer.limits.header_bytes
        if file is None or len(data) == asked.length:
            return read_brief(data, asked.transfer_syntax, most)
        with contextlib.suppress(Unreadable):
            header = read_brief(data, asked.transfer_syntax, most)
            if header.study_uid:
                return header
        return read_brief(file.whole(), asked.transfer_syntax, most)

    def _unfit(self, asked: Asked) -> Answer | None:
        """Why the request is refused before its data set is looked at."""
        words = self.offer.status
        if asked.sop_class != asked.abstract_syntax or asked.sop_class not in self.offer.classes:
            return _refused(
                words.sop_class_not_supported,
                "sop-class",
                "the SOP class is not that of the presentation context",
                asked.abstract_syntax,
                asked.sop_class,
            )
        if not is_uid(asked.sop_instance):
            return _refused(
                words.invalid_sop_instance, "sop-instance", "the Affected SOP Instance UID is no UID", "a UID", asked.sop_instance
            )
        if asked.too_long:
            most = f"at most {self.offer.limits.object_bytes} bytes"
            return _refused(words.out_of_resources, "object-too-long", "the data set is too long", most, f"{asked.length} bytes")
        return None

    def _unreadable(self, error: Unreadable) -> Answer:
        what = "the data set cannot be read as far as the patient's birth date"
        return _refused(
            self.offer.status.cannot_understand, "unreadable", what, "a data set", f"{error.what} at byte {error.where}"
        )

    def _take(self, peer: Peer, asked: Asked, taken: _Taken, data: bytes | ObjectFile) -> Answer:
        """Keep a data set that can be read, or refuse it; raises `StoreError` when the store could not keep it."""
        core, words = self.core, self.offer.status
        if core.journal.full:
            return _refused(words.out_of_resources, "journal-full", "the journal is full", "room", "none")
        scope = (peer.application, peer.environment)
        with core.store.unit() as unit:
            mine = whose(core, peer, core.clock.now())
            taken.planted = unit.get(PLANTED, scope, asked.sop_instance, Planted) is not None
            if not (taken.planted or taken.synthetic or core.accept_real_data):
                answer = self._real()
            else:
                answer = self._keep(unit, peer, asked, taken, mine, data=data)
            kept = answer.status == words.success
            self._write(unit, peer, asked, answer, mine, taken=taken if kept else None)
        core.jobs.give_way()
        core.store.flush(unit.ticket)
        peer.stored += kept
        peer.operations += 1
        core.metrics.dimse(asked.service, answer.status)
        return answer

    def _real(self) -> Answer:
        what = "neither planted nor recognisably synthetic: not kept"
        hint = "send generated or planted reports; real ones only with serve --accept-real-data"
        return Answer(self.offer.status.not_synthetic, what, Refusal(code="acrmock:dimse-real-data", message=what, hint=hint))

    def _no_room(self, error: StoreError) -> Answer:
        """The store could not keep it, so nothing of it is written down either."""
        _log.warning("a C-STORE could not be kept: %s", error)
        full = isinstance(error, StoreFull)
        self.core.metrics.no_room |= full
        what = "no room" if full else "cannot be kept now"
        return Answer(self.offer.status.out_of_resources, what)

    def synthetic(self, header: Brief) -> bool:
        """Whether a report is recognisably made up: its patient's ID and name are of the layer's shape, each value."""
        return looks_synthetic(header, self.core.facts)

    def _keep(self, unit: Unit, peer: Peer, asked: Asked, taken: _Taken, mine: Whose, *, data: bytes | ObjectFile) -> Answer:
        """Put the bytes and what is known of them into `unit`; the same bytes again change nothing."""
        scope = (peer.application, peer.environment)
        before = unit.get(REPORT, scope, asked.sop_instance, StoredReport)
        if before is not None and not before.deleted and before.state != self.offer.expired:
            hashes = (before.sha256, *(copy.sha256 for copy in before.copies))
            taken.repeat, taken.same = True, taken.sha256 in hashes
            if not taken.same and len(before.copies) >= self.offer.limits.copies:
                words = self.offer.status
                return _refused(words.out_of_resources, "copies", "too many different data sets under this UID", "one", "more")
        if not taken.same:
            self.core.objects.put(unit, scope, asked.sop_instance, taken.sha256, data)
        intake.received(unit, self.core, self._received(peer, asked, taken, mine), before)
        return Answer(self.offer.status.success)

    def _received(self, peer: Peer, asked: Asked, taken: _Taken, mine: Whose) -> Received:
        return Received(
            application=peer.application,
            environment=peer.environment,
            association=peer.association,
            calling_ae=peer.calling_ae,
            sop_class=asked.sop_class,
            sop_instance=asked.sop_instance,
            transfer_syntax=asked.transfer_syntax,
            sha256=taken.sha256,
            size=asked.length,
            at=rfc3339(mine.at),
            header=taken.header,
            run=mine.run,
            peer=peer.peer,
            planted=taken.planted,
            synthetic=taken.synthetic,
            repeat=taken.repeat,
            same=taken.same,
        )

    # writing it down

    def _note(self, peer: Peer, asked: Asked, answer: Answer) -> Answer:
        """Write an operation down that changed nothing else; its answer leaves even where that fails."""
        try:
            with self.core.store.write() as unit:
                self._write(unit, peer, asked, answer, whose(self.core, peer, self.core.clock.now()))
        except StoreError as error:
            _log.warning("a %s could not be recorded: %s", asked.service, error)
        peer.operations += 1
        self.core.metrics.dimse(asked.service, answer.status)
        return answer

    def _write(self, unit: Unit, peer: Peer, asked: Asked, answer: Answer, mine: Whose, *, taken: _Taken | None = None) -> None:
        facts = DimseFacts(
            association=peer.association,
            service=asked.service,
            message_id=asked.message_id,
            context=asked.context,
            sop_class=asked.sop_class,
            sop_instance=asked.sop_instance,
            transfer_syntax=asked.transfer_syntax,
            dose=asked.sop_class in self.offer.dose,
            status=answer.status,
            comment=answer.comment,
            bytes=asked.length,
            sha256=taken.sha256 if taken is not None else "",
            repeat=taken.repeat if taken is not None else False,
            same=taken.same if taken is not None else None,
        )
        took = (self.core.clock.monotonic() - asked.began) * 1000 if asked.began else 0.0
        self.core.journal.dimse(unit, facts, mine, milliseconds=took, refusal=answer.refusal)


def is_uid(text: str) -> bool:
    """Whether an object may come under this SOP Instance UID."""
    return _UID.fullmatch(text) is not None


def whose(core: EngineCore, peer: Peer, wall: datetime) -> Whose:
    """Whose an entry of an association is, by the AE title that was called."""
    application = core.applications.get(peer.application) if peer.application else None
    return Whose(
        application=peer.application or None,
        environment=peer.environment or None,
        run=application.run if application is not None else None,
        peer=peer.peer or None,
        at=wall if application is None else application.business.now(wall),
        t=wall,
        matched="unmatched" if application is None else peer.matched,
    )


def _refused(status: int, code: str, message: str, expected: str, actual: str) -> Answer:
    problem = FieldProblem(pointer="", expected=expected, actual=actual[:80], reason=message)
    return Answer(status, message[:64], Refusal(code=f"acrmock:dimse-{code}", message=message, fields=(problem,)))
