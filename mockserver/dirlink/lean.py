"""A lean path for C-STORE and C-ECHO: P-DATA is taken from the socket, put together and answered by the upper layer's own thread.

pynetdicom hands every PDU through two threads that poll each other, decodes each fragment into objects and copies it several
times. Here, while an association is established (state Sta6 of PS3.8 section 9.2.1), P-DATA-TF PDUs are read as bytes, messages
are assembled (`pdata`), and the answer is written straight to the socket. Everything else, i.e. establishing, releasing and
aborting associations and any other DIMSE service, is left to pynetdicom, which gets it as it would have.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import pdu_primitives

from acrmock.record import AssociationEnd
from mockserver.dirlink import pdata
from mockserver.dirlink.injecting import Cut
from mockserver.dirlink.objects import LARGE
from mockserver.dirlink.pdata import Assembler, BadPdu, Message
from mockserver.dirlink.receive import ECHO, STORE, Asked
from mockserver.dirlink.wire import ReceiverDul, ReceiverSocket

if TYPE_CHECKING:
    from mockserver.dirlink.association import ReceiverAssociation

ESTABLISHED = "Sta6"
_WAIT = 0.25
"""Seconds that the socket is waited for before the own side is looked at."""

_REST = 1.0
"""Seconds after which the association's thread looks at its timers although nobody rang."""

_HEAD = 16 * 1024
"""Bytes of a large data set that are kept in memory: its header is nearly always in them, and else read from where all are."""


class Bell(threading.Event):
    """Stands in for the checkpoint of pynetdicom's association thread, which waits at it in every round of its polling loop.

    Its round then begins when something was put into one of its queues, or after a while, instead of every millisecond.
    """

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the bell was rung, or for a while; true."""
        super().wait(_REST if timeout is None else timeout)
        super().clear()
        return True

    def clear(self) -> None:
        """Nothing: nobody who waits is held."""


class Ringing(queue.Queue[Any]):
    """A queue that rings when something is put into it."""

    def __init__(self, bell: Bell) -> None:
        super().__init__()
        self._bell = bell

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - the base class's signature
        """Put `item` and ring."""
        super().put(item, block, timeout)
        self._bell.set()


class LeanDul(ReceiverDul):
    """The upper layer with a short way for C-STORE and C-ECHO."""

    def __init__(self, assoc: ReceiverAssociation, bell: Bell) -> None:
        super().__init__(assoc)
        self.to_user_queue = Ringing(bell)
        limits = assoc.limits
        self._assembler = Assembler(
            command_limit=limits.command_bytes,
            data_limit=limits.object_bytes,
            large=LARGE,
            head=_HEAD,
            file=assoc.operations.core.objects.file,
        )

    def run_reactor(self) -> None:
        """Run until the association is over; what came of a message by then is dropped."""
        try:
            super().run_reactor()
        finally:
            self._assembler.close()

    def _is_transport_event(self) -> bool:
        """Whether something came from the network; while the association is established, serve what comes."""
        if self.state_machine.current_state != ESTABLISHED:
            return super()._is_transport_event()
        return self._serve()

    def _serve(self) -> bool:
        """Take P-DATA until something else comes, or the own side wants to send; whether anything came."""
        wire, came = cast("ReceiverSocket", self.socket), False
        while not self._kill_thread and self.to_provider_queue.empty():
            if not wire.wait(_WAIT):
                break
            came = True
            found = self.next_pdu()
            if found is None:
                break
            kind, pdu = found
            if kind != pdata.P_DATA:
                self.take_pdu(kind, pdu)
                break
            try:
                self._answer_all(wire, self._assembler.feed(pdu[6:]))
            except (BadPdu, Cut) as error:
                self.bad_pdu(error)
                break
            self._idle_timer.restart()
        return came

    def _answer_all(self, wire: ReceiverSocket, messages: list[Message]) -> None:
        try:
            for message in messages:
                self._answer(wire, message)
        finally:
            for message in messages:
                message.discard()

    def _answer(self, wire: ReceiverSocket, message: Message) -> None:
        """Answer a C-STORE-RQ or a C-ECHO-RQ; hand on any other message. Raises `BadPdu`."""
        assoc = self._receiver
        context = assoc.accepted(message.context)
        if context is None:
            raise BadPdu(f"a message in presentation context {message.context}, which was not accepted")
        command = message.number(pdata.COMMAND) or 0
        if command & pdata.ANSWER:
            raise BadPdu("an answer that nobody asked for")
        if command == pdata.C_STORE_RQ and message.has_data:
            answer = assoc.operations.store(assoc.peer, _asked(STORE, message, *context, assoc.clock.monotonic()))
        elif command == pdata.C_ECHO_RQ and not message.has_data:
            answer = assoc.operations.echo(assoc.peer, _asked(ECHO, message, *context, assoc.clock.monotonic()))
        else:
            self._hand_on(message)
            return
        octets = pdata.answer(message, answer.status, answer.comment)
        self._send_octets(wire, pdata.pdus(message.context, octets, assoc.requestor.maximum_length or 0), message)

    def _send_octets(self, wire: ReceiverSocket, octets: bytes, message: Message) -> None:
        try:
            wire.send_all(octets)
        except OSError as error:
            what = f"the answer to message {message.number(pdata.MESSAGE_ID)} could not be sent: {error}"
            self._receiver.note_end(AssociationEnd.LOST, what)
            self.event_queue.put("Evt17")

    def _hand_on(self, message: Message) -> None:
        """Give a message to pynetdicom as the P-DATA that it came as (PS3.8 section 9.3.5)."""
        if message.too_long:
            raise BadPdu("a data set that is too long")
        primitive = pdu_primitives.P_DATA()
        values: Any = [[message.context, b"\x03" + bytes(message.command)]]
        if message.has_data:
            values.append([message.context, b"\x02" + bytes(message.data)])
        primitive.presentation_data_value_list = values
        self.assoc.dimse.receive_primitive(primitive)


def _asked(service: str, message: Message, abstract_syntax: str, transfer_syntax: str, began: float) -> Asked:
    return Asked(
        service=service,
        message_id=message.number(pdata.MESSAGE_ID) or 0,
        context=message.context,
        abstract_syntax=abstract_syntax,
        transfer_syntax=transfer_syntax,
        sop_class=message.uid(pdata.SOP_CLASS),
        sop_instance=message.uid(pdata.SOP_INSTANCE) if service == STORE else "",
        data=message.data,
        file=message.file,
        length=message.length,
        too_long=message.too_long,
        began=began,
    )
