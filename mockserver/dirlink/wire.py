"""pynetdicom's socket and upper layer, bounded: no PDU is read that is longer than it may be, and none is waited for too long.

Both are subclasses; nothing of pynetdicom is patched. Acknowledgements are sent at once where the system can (Linux): a sender
that leaves Nagle's algorithm on (RFC 896; DCMTK does) sends the rest of a PDU only when its first bytes were acknowledged, which
the receiver's system would put off (RFC 1122 section 4.2.3.2). That is asked for where more is waited for, and not where an
answer goes at once, which carries the acknowledgement. A socket without TLS does not block, because Python asks the system before
each call to one that has a timeout.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any, cast

from pynetdicom.dul import DULServiceProvider
from pynetdicom.transport import AssociationSocket

from acrmock.record import AssociationEnd
from mockserver.dirlink.items import known_items
from mockserver.dirlink.pdata import P_DATA, BadPdu

if TYPE_CHECKING:
    from mockserver.dirlink.association import ReceiverAssociation

ASSOCIATE_RQ = 0x01
_HEADER = struct.Struct(">BBL")
_KNOWN = range(0x01, 0x08)
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_FIRST = 48 * 1024
"""Bytes of the buffer until a longer PDU comes: most reports are one of some 30 kB."""

_LEAST = 0.001
"""Seconds that a TLS connection is read for at least: 0 would make it one that does not block."""

_TIMED = frozenset({"Sta1", "Sta2", "Sta13"})
"""States in which the ARTIM timer runs, or is about to: no request came yet, and before the end (PS3.8 table 9-10)."""


class ReceiverSocket(AssociationSocket):
    """A socket that reads ahead into one buffer, acknowledges at once and gives up after `patience` seconds."""

    def __init__(self, assoc: ReceiverAssociation, client_socket: socket.socket, *, most: int, quick: bool) -> None:
        super().__init__(assoc, client_socket=client_socket)
        self._raw = client_socket
        with contextlib.suppress(OSError):
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._secure = isinstance(client_socket, ssl.SSLSocket)
        self._raw.settimeout(None if self._secure else 0.0)
        self._quick = quick and _QUICKACK is not None
        self._owed = False
        self._most = most + _HEADER.size
        self._space = bytearray(min(self._most, _FIRST))
        self._view = memoryview(self._space)
        self._begin = self._end = 0
        self._clock = assoc.clock
        self._patience = float(assoc.limits.idle)
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(client_socket, select.POLLIN)

    @property
    def ready(self) -> bool:
        """Whether there is something to read now."""
        return self.wait(0.0)

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read within `seconds`; a closed connection counts as that."""
        if self.socket is None or not self._is_connected:
            return False
        if self._begin < self._end or (self._secure and cast("ssl.SSLSocket", self._raw).pending()):
            return True
        try:
            return self._readable(seconds)
        except (OSError, ValueError):
            self.event_queue.put("Evt17")
            return False

    def _readable(self, seconds: float) -> bool:
        """Whether the system has something within `seconds`; what came is acknowledged before it is waited for."""
        if self._owed and seconds:
            self._acknowledge()
        if self._poll is not None:
            return bool(self._poll.poll(max(0.0, seconds) * 1000))
        return bool(select.select([self._raw], [], [], max(0.0, seconds))[0])

    def pdu(self, longest: dict[int, int], within: float | None = None) -> tuple[int, memoryview]:
        """The type and the bytes, header included, of the next PDU; valid until the next call.

        `longest` gives the longest body by PDU type, 0 for any other. The whole of it may take `within` seconds, or else as long
        as the socket is patient. Raises `BadPdu`, `EOFError` when the connection was closed and `OSError` when it broke or took
        too long.
        """
        until = self._clock.monotonic() + (self._patience if within is None else max(0.0, within))
        self._fill(_HEADER.size, until)
        kind, _, length = _HEADER.unpack_from(self._space, self._begin)
        if kind not in _KNOWN:
            raise BadPdu(f"no PDU of type {kind:02X}H is known")
        most = longest.get(kind, longest[0])
        if length > most:
            raise BadPdu(f"a PDU of {length} bytes where at most {most} may come")
        self._fill(_HEADER.size + length, until)
        begin = self._begin
        self._begin += _HEADER.size + length
        return kind, self._view[begin : self._begin]

    def _fill(self, wanted: int, until: float) -> None:
        """Have at least `wanted` bytes in the buffer."""
        if self._begin == self._end:
            self._begin = self._end = 0
        if wanted > len(self._space):
            longer, count = bytearray(self._most), self._end - self._begin
            longer[:count] = self._view[self._begin : self._end]
            self._space, self._view, self._begin, self._end = longer, memoryview(longer), 0, count
        elif self._begin + wanted > len(self._space):
            left = self._space[self._begin : self._end]
            self._space[: len(left)] = left
            self._begin, self._end = 0, len(left)
        while self._end - self._begin < wanted:
            count = self._receive(until)
            if self._clock.monotonic() > until:
                raise TimeoutError("the PDU did not come to its end")
            if not count:
                raise EOFError
            if count > 0:
                self._end += count
                self._owed = self._quick

    def _receive(self, until: float) -> int:
        """How many bytes came into the buffer: 0 when the connection was closed, -1 when there were none yet."""
        if self._secure:
            if self._owed:
                self._acknowledge()
            self._raw.settimeout(max(_LEAST, until - self._clock.monotonic()))
        try:
            return self._raw.recv_into(self._view[self._end :])
        except BlockingIOError:
            self._readable(until - self._clock.monotonic())
            return -1

    def _acknowledge(self) -> None:
        """Have the system acknowledge what came without waiting for an answer to go with it; it forgets this by itself."""
        self._owed = False
        with contextlib.suppress(OSError):
            self._raw.setsockopt(socket.IPPROTO_TCP, cast("int", _QUICKACK), 1)

    def send_all(self, octets: bytes) -> None:
        """Send everything; raises `OSError`, `TimeoutError` where the peer takes nothing for too long."""
        if self._secure:
            self._raw.settimeout(self._patience)
            self._raw.sendall(octets)
            return
        self._owed = False
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[self._raw.send(rest) :]
            except BlockingIOError:
                if not self._writable():
                    raise TimeoutError("the peer takes nothing") from None

    def _writable(self) -> bool:
        if not hasattr(select, "poll"):
            return bool(select.select([], [self._raw], [], self._patience)[1])
        poll = select.poll()
        poll.register(self._raw, select.POLLOUT)
        return bool(poll.poll(self._patience * 1000))

    def send(self, bytestream: bytes) -> None:
        """Send what pynetdicom made; where that fails, the connection is at its end (event 17)."""
        try:
            self.send_all(bytestream)
        except OSError:
            self.event_queue.put("Evt17")

    def hang_up(self) -> None:
        """End the connection under whoever waits for it; it is closed by whose it is."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, and what was read ahead with it."""
        self._begin = self._end = 0
        super().close()

    def _shutdown_socket(self) -> None:
        """Close the connection; pynetdicom's method leaves it open where its peer closed it first."""
        self.hang_up()
        with contextlib.suppress(OSError):
            self._raw.close()


class ReceiverDul(DULServiceProvider):
    """pynetdicom's upper layer, every PDU of which is bounded in length and in time."""

    def __init__(self, assoc: ReceiverAssociation) -> None:
        super().__init__(assoc)
        self.daemon = True
        self._receiver = assoc
        limits = assoc.limits
        self.longest = {0: limits.association_bytes, P_DATA: limits.pdu_bytes}

    def run_reactor(self) -> None:
        """Run until the association is over; what the state machine has no row for is an end too (PS3.8 table 9-10)."""
        try:
            super().run_reactor()
        except Exception as error:  # noqa: BLE001 - pynetdicom raises for an event that cannot be in its state
            self._receiver.note_end(AssociationEnd.ABORTED_BY_US, str(error))
            cast("ReceiverSocket", self.socket).close()
            if not self._receiver.is_established:
                self.to_user_queue.put(cast("Any", None))  # lets go of the thread that waits for a request

    def idle_timer_expired(self) -> bool:
        """Whether nothing came for too long."""
        expired = bool(super().idle_timer_expired())
        if expired:
            self._receiver.note_end(AssociationEnd.TIMED_OUT)
        return expired

    def _read_pdu_data(self) -> None:
        """Read one PDU and put its event into the queue (PS3.8 section 9.2): 17 closed, 19 not to be understood."""
        found = self.next_pdu()
        if found is not None:
            self.take_pdu(*found)

    def next_pdu(self) -> tuple[int, memoryview] | None:
        """The type and the bytes of the next PDU, or None when there is none to be had; the event is then in the queue."""
        wire = cast("ReceiverSocket", self.socket)
        within = self.artim_timer.remaining if self.state_machine.current_state in _TIMED else None
        try:
            return wire.pdu(self.longest, within)
        except BadPdu as error:
            self.bad_pdu(error)
        except (EOFError, OSError) as error:
            late = isinstance(error, TimeoutError)
            self._receiver.note_end(AssociationEnd.TIMED_OUT if late else AssociationEnd.LOST, str(error))
            self.event_queue.put("Evt17")
        return None

    def bad_pdu(self, error: Exception) -> None:
        """Abort the association for what its peer sent (PS3.8 section 9.3.8)."""
        self._receiver.note_end(AssociationEnd.ABORTED_BY_US, str(error))
        self.event_queue.put("Evt19")

    def take_pdu(self, kind: int, pdu: memoryview) -> None:
        """Have pynetdicom decode a PDU, and put its event into the queue."""
        octets = bytearray(pdu)
        try:
            if kind == ASSOCIATE_RQ:
                octets = known_items(self._receiver.see_request(octets))
            decoded, event = self._decode_pdu(octets)
            if kind == ASSOCIATE_RQ:
                decoded.to_primitive()
        except Exception as error:  # noqa: BLE001 - pynetdicom raises all kinds for what a peer may send
            self.bad_pdu(BadPdu(f"a PDU that cannot be decoded: {error or type(error).__name__}"))
            return
        self._recv_pdu.put(decoded)
        self.event_queue.put(event)
