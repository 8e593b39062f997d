"""One association: pynetdicom's, with this receiver's admission, negotiation and operations, and its entry in the journal."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import evt
from pynetdicom.acse import ACSE
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import C_ECHO, C_STORE

from acrmock.clock import rfc3339
from acrmock.record import AssociationEnd, AssociationFacts, ContextFacts, FieldProblem, Refusal, TlsFacts
from mockserver.dirlink import injecting
from mockserver.dirlink.lean import Bell, Ringing
from mockserver.dirlink.receive import Asked, Operations, Peer
from mockserver.dirlink.titles import AE_BYTES, malformed, printable
from mockserver.dirlink.waiting import WaitingDul
from mockserver.dirlink.wire import ReceiverDul

if TYPE_CHECKING:
    from pynetdicom.ae import ApplicationEntity
    from pynetdicom.pdu_primitives import A_ASSOCIATE, P_DATA

    from mockserver.dirlink.listener import Listener
    from mockserver.dirlink.wire import ReceiverSocket

PERMANENT, TRANSIENT = 1, 2
BY_USER, BY_PROVIDER, BY_PRESENTATION = 1, 2, 3
NO_REASON, VERSION_UNKNOWN, CALLING_UNKNOWN, CALLED_UNKNOWN, LIMIT_EXCEEDED, CONGESTION = 1, 2, 3, 7, 2, 1
"""Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

_log = logging.getLogger("mockserver")
_CALLED, _CALLING = slice(10, 10 + AE_BYTES), slice(26, 26 + AE_BYTES)
_ENDS = {"Evt16": AssociationEnd.ABORTED, "Evt17": AssociationEnd.LOST, "Evt18": AssociationEnd.TIMED_OUT}
_WAITING, _ASKED, _REQUESTED = "Sta2", "Sta3", "Evt6"
_UNEXPECTED = "AA-8"
"""The action upon a PDU that is not expected in a state (PS3.8 table 9-9)."""


@dataclass(slots=True)
class Seen:
    """What was seen of an association so far."""

    called: bytes = b""
    calling: bytes = b""
    called_state: str = ""
    allowed: bool | None = None
    rejection: tuple[int, int, int] | None = None
    refusal: Refusal | None = None
    end: AssociationEnd | None = None
    error: str = ""
    admitted: bool = False
    proposed: tuple[Any, ...] = field(default_factory=tuple)


class ReceiverAcse(ACSE):
    """pynetdicom's association control with this receiver's admission and its order of transfer syntaxes."""

    def _negotiate_as_acceptor(self) -> None:
        """Refuse the association, or negotiate its presentation contexts (PS3.8 sections 9.3.2 to 9.3.4)."""
        assoc = cast("ReceiverAssociation", self.assoc)
        request = cast("A_ASSOCIATE", self.requestor.primitive)
        self.requestor.ae_title = request.calling_ae_title
        assoc.seen.proposed = tuple(request.presentation_context_definition_list or ())
        rejection = assoc.admit()
        if rejection is not None:
            self.send_reject(*rejection)
            assoc.note_end(AssociationEnd.REJECTED)
            assoc.kill()
            return
        super()._negotiate_as_acceptor()

    def send_accept(self) -> None:
        """Accept, in each context, the first transfer syntax of the proposer's that is taken (PS3.8 section 9.3.2.2)."""
        assoc = cast("ReceiverAssociation", self.assoc)
        proposed = {context.context_id: context.transfer_syntax for context in assoc.seen.proposed}
        taken = assoc.listener.offer.syntaxes
        for context in assoc.accepted_contexts:
            first = next((item for item in proposed.get(context.context_id, ()) if item in taken), None)
            if first is not None:
                context.transfer_syntax = [first]
        super().send_accept()


class ReceiverDimse(DIMSEServiceProvider):
    """pynetdicom's message service, which keeps no more of a data set or a command set than it may."""

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take fragments; of a data set that is too long the rest is dropped, and a command set that is ends the association."""
        assoc = cast("ReceiverAssociation", self.assoc)
        if self.message is None:
            assoc.data_length, assoc.command_length = 0, 0
        values: Any = []
        for context, fragment in primitive.presentation_data_value_list:
            part = fragment
            if part[0] & 1:
                assoc.command_length += len(part) - 1
            else:
                assoc.data_length += len(part) - 1
                if assoc.data_length > assoc.limits.object_bytes:
                    part = part[:1]
            values.append([context, part])
        if assoc.command_length > assoc.limits.command_bytes:
            cast("ReceiverDul", self.dul).bad_pdu(ValueError("the command set is too long"))
            return
        primitive.presentation_data_value_list = values
        try:
            super().receive_primitive(primitive)
        except Exception as error:  # noqa: BLE001 - pynetdicom raises all kinds for what a peer may send
            cast("ReceiverDul", self.dul).bad_pdu(error)


class ReceiverAssociation(Association):
    """An association with a sender."""

    def __init__(self, ae: ApplicationEntity, listener: Listener, peer: str, tls: TlsFacts | None) -> None:
        super().__init__(ae, "acceptor")
        self.listener = listener
        self.limits = listener.offer.limits
        self.clock = listener.core.clock
        self.operations: Operations = listener.operations
        self.tls = tls
        self.connection: Any = None
        self.seen = Seen()
        self.data_length = self.command_length = 0
        self.began = rfc3339(self.clock.now())
        self.peer = Peer(association=uuid.uuid4().hex, application="", environment="", calling_ae="", peer=peer)
        self.acse = ReceiverAcse(self)
        self.dimse = ReceiverDimse(self)
        if listener.lean:
            bell = Bell()
            self._reactor_checkpoint = bell
            self.dul = WaitingDul(self, bell)
            self.dimse.msg_queue = Ringing(bell)
        else:
            self.dul = ReceiverDul(self)
        self.acse_timeout = self.limits.request
        self.network_timeout = self.limits.idle
        self.dimse_timeout = self.limits.idle
        self.bind(evt.EVT_FSM_TRANSITION, self._moved)

    def _bind_defaults(self) -> None:
        """Bind what pynetdicom asks, and none of what it only logs."""
        for event in evt._INTERVENTION_EVENTS:  # noqa: SLF001 - as pynetdicom's own method does
            self.bind(event, evt.get_default_handler(event))

    # what happens to it

    def run_reactor(self) -> None:
        """Serve the association, then write it down."""
        try:
            super().run_reactor()
        except injecting.Cut as cut:
            self.note_end(AssociationEnd.ABORTED_BY_US, str(cut))
            self.abort(block=False)
        except Exception:  # noqa: BLE001 - whatever it is, the sender must not be left waiting
            _log.exception("an association could not be served")
            self.note_end(AssociationEnd.ABORTED_BY_US, "a fault of the receiver's own")
            self.abort(block=False)
        finally:
            self.listener.ended(self)
            if self.dul.ident is None:  # its thread could not be had, and so nobody closes the connection
                cast("ReceiverSocket", self.dul.socket).close()

    def hang_up(self) -> None:
        """End the connection whatever is going on upon it, so that whoever waits for its peer wakes up."""
        wire = self.dul.socket
        if wire is not None:
            cast("ReceiverSocket", wire).hang_up()

    def _moved(self, event: Any) -> None:
        """See by the state machine's events how the association ends; let go of the thread that waits for a request in vain."""
        end = _ENDS.get(event.fsm_event)
        if end is not None:
            self.note_end(end)
        if event.action == _UNEXPECTED:
            self.note_end(AssociationEnd.ABORTED_BY_US, "a PDU came that has no place there")
        if event.current_state == _WAITING and event.next_state != _ASKED:
            if event.fsm_event == _REQUESTED:  # of a protocol version that pynetdicom rejects by itself
                self.seen.rejection = (PERMANENT, BY_PROVIDER, VERSION_UNKNOWN)
                self.note_end(AssociationEnd.REJECTED, "the protocol version is not 1")
            self.note_end(AssociationEnd.ABORTED_BY_US, "something else came than a request")
            self.dul.to_user_queue.put(cast("Any", None))

    def note_end(self, end: AssociationEnd, error: str = "") -> None:
        """Remember how the association ends; the first word counts."""
        if self.seen.end is None and not self.is_released:
            self.seen.end, self.seen.error = end, error

    def see_request(self, pdu: bytearray) -> bytearray:
        """Look at the AE titles of an A-ASSOCIATE-RQ, and give it with titles that can be decoded."""
        seen = self.seen
        seen.called, seen.calling = bytes(pdu[_CALLED]), bytes(pdu[_CALLING])
        if len(pdu) < _CALLING.stop:
            return pdu
        for place in (_CALLED, _CALLING):
            if malformed(bytes(pdu[place])):
                pdu[place] = printable(bytes(pdu[place])).encode("ascii").ljust(AE_BYTES)
        return pdu

    def admit(self) -> tuple[int, int, int] | None:
        """Whether the association may be: its AE titles, its peer's address, and how many there are; (result, source, reason)."""
        seen, listener = self.seen, self.listener
        called = printable(seen.called)
        self.peer.calling_ae = printable(seen.calling)
        fault = malformed(seen.called)
        found = None if fault else listener.titles.find(called)
        if found is None:
            seen.called_state = "malformed" if fault else "unknown"
            self._recognise()
            what = f"the called AE title cannot be: {fault}" if fault else "no application has the called AE title"
            return self._reject((PERMANENT, BY_USER, CALLED_UNKNOWN), "called-ae", what, "an AE title of an application", called)
        application, environment = found
        self.peer.application, self.peer.environment, seen.called_state = application.id, environment, "own"
        sources = application.environments[environment].local_sources or listener.core.local_sources
        seen.allowed = listener.addresses.within(self.peer.peer, sources)
        if not seen.allowed:
            what = "the address is not on the application's list"
            return self._reject((PERMANENT, BY_USER, NO_REASON), "address", what, ", ".join(sources), self.peer.peer)
        fault = malformed(seen.calling)
        if fault:
            what = f"the calling AE title cannot be: {fault}"
            return self._reject((PERMANENT, BY_USER, CALLING_UNKNOWN), "calling-ae", what, "an AE title", self.peer.calling_ae)
        rule = injecting.strike(listener.core, application.id, environment, injecting.ASSOCIATION, self.peer.calling_ae)
        if rule:
            what = f"rejected on purpose by the rule {rule}"
            return self._reject((TRANSIENT, BY_PRESENTATION, CONGESTION), "fault", what, "to be tried again", "now")
        if not listener.enter(self):
            what = "too many associations at the same time"
            most = f"at most {self.limits.associations}"
            return self._reject((TRANSIENT, BY_PRESENTATION, LIMIT_EXCEEDED), "associations", what, most, "one more")
        return None

    def _recognise(self) -> None:
        """Whose an association is that calls nobody: the one application's that registered the calling AE title and the address.

        So a wrong called AE title is told to whom it concerns; the caller is refused all the same.
        """
        listener, peer = self.listener, self.peer
        found = listener.titles.registered(peer.calling_ae)
        if found is None:
            return
        application, environment = found
        sources = application.environments[environment].local_sources or listener.core.local_sources
        if listener.addresses.within(peer.peer, sources):
            peer.application, peer.environment, peer.matched = application.id, environment, "calling-ae"

    def _reject(
        self, rejection: tuple[int, int, int], code: str, message: str, expected: str, actual: str
    ) -> tuple[int, int, int]:
        problem = FieldProblem(pointer="", expected=expected[:200], actual=actual[:80], reason=message)
        self.seen.rejection = rejection
        self.seen.refusal = Refusal(code=f"acrmock:association-{code}", message=message, fields=(problem,))
        return rejection

    # what is asked of it

    def accepted(self, context: int) -> tuple[str, str] | None:
        """The abstract and the transfer syntax of a presentation context that was accepted, or None."""
        found = self._accepted_cx.get(context)
        return None if found is None else (str(found.abstract_syntax), str(found.transfer_syntax[0]))

    def _serve_request(self, msg: Any, context_id: int) -> None:
        """Answer a request that pynetdicom decoded (PS3.7 sections 9.3 and 10.3); an answer that nobody asked for ends it."""
        context = self.accepted(context_id)
        if context is None or getattr(msg, "MessageIDBeingRespondedTo", None) is not None or self._sent_release:
            self.note_end(AssociationEnd.ABORTED_BY_US, "a message that cannot be: no such context, or an answer")
            self.abort()
            return
        asked = self._asked(msg, context_id, *context)
        answer = type(msg)()
        if isinstance(msg, C_STORE):
            told = self.operations.store(self.peer, asked)
        elif isinstance(msg, C_ECHO):
            told = self.operations.echo(self.peer, asked)
        else:
            told = self.operations.other(self.peer, asked)
        answer.MessageIDBeingRespondedTo = asked.message_id
        for name in ("AffectedSOPClassUID", "AffectedSOPInstanceUID"):
            if hasattr(answer, name):
                setattr(answer, name, getattr(msg, name, None))
        answer.Status = told.status
        if told.comment and hasattr(answer, "ErrorComment"):
            answer.ErrorComment = told.comment
        self.dimse.send_msg(answer, context_id)

    def _asked(self, msg: Any, context_id: int, abstract_syntax: str, transfer_syntax: str) -> Asked:
        data = getattr(msg, "DataSet", None)
        octets = data.getvalue() if data is not None else b""
        too_long = self.data_length > self.limits.object_bytes
        return Asked(
            service=type(msg).__name__.replace("_", "-"),
            message_id=int(msg.MessageID or 0),
            context=context_id,
            abstract_syntax=abstract_syntax,
            transfer_syntax=transfer_syntax,
            sop_class=str(getattr(msg, "AffectedSOPClassUID", None) or ""),
            sop_instance=str(getattr(msg, "AffectedSOPInstanceUID", None) or ""),
            data=octets,
            length=self.data_length if too_long else len(octets),
            too_long=too_long,
            began=self.clock.monotonic(),
        )

    # what is told of it

    def facts(self) -> AssociationFacts:
        """The association as it was, for the journal."""
        seen, requestor = self.seen, self.requestor
        end = AssociationEnd.RELEASED if self.is_released else seen.end
        end = end or (AssociationEnd.ABORTED_BY_US if self.is_aborted or self._sent_abort else AssociationEnd.LOST)
        asked = requestor.primitive is not None
        return AssociationFacts(
            association=self.peer.association,
            calling_ae=_shown(seen.calling),
            called_ae=_shown(seen.called),
            called_state=seen.called_state,
            allowed=seen.allowed,
            end=end,
            rejection=seen.rejection,
            contexts=self._contexts(),
            maximum_length=(requestor.maximum_length or 0) if asked else 0,
            implementation_uid=str((requestor.implementation_class_uid if asked else "") or ""),
            implementation_version=str((requestor.implementation_version_name if asked else "") or ""),
            began=self.began,
            operations=self.peer.operations,
            stored=self.peer.stored,
            secure=self.tls is not None,
            error=seen.error,
        )

    def _contexts(self) -> tuple[ContextFacts, ...]:
        """Every proposed context with what became of it."""
        answered = {context.context_id: context for context in (*self._accepted_cx.values(), *self._rejected_cx)}
        dose, found = self.listener.offer.dose, []
        for context in self.seen.proposed:
            result = answered.get(context.context_id)
            good = result is not None and result.result == 0
            found.append(
                ContextFacts(
                    id=context.context_id or 0,
                    abstract_syntax=str(context.abstract_syntax or ""),
                    transfer_syntaxes=tuple(map(str, context.transfer_syntax)),
                    result=None if result is None else result.result,
                    accepted=str(result.transfer_syntax[0]) if result is not None and good else "",
                    dose=str(context.abstract_syntax or "") in dose,
                )
            )
        return tuple(found)


def _shown(field_: bytes) -> str:
    """An AE title as it came, without its padding; what is not printable in hexadecimal."""
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}" for byte in field_.strip(b" "))
