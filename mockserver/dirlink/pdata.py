"""P-DATA and command sets as bytes: fragments into messages, answers into PDUs.

PS3.8 section 9.3.5 and annex E, PS3.7 section 6.3. Nothing here knows a socket. What breaks the rules raises `BadPdu`, upon which
the association is aborted (PS3.8 section 9.2, event 19).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.store import ObjectFile

C_STORE_RQ, C_ECHO_RQ, ANSWER = 0x0001, 0x0030, 0x8000
"""Command Field values (PS3.7 table E.1-1); an answer has the highest bit set."""

NO_DATA_SET = 0x0101
P_DATA = 0x04
GROUP_LENGTH, SOP_CLASS, COMMAND, MESSAGE_ID, ANSWERED = 0x0000, 0x0002, 0x0100, 0x0110, 0x0120
DATA_SET_TYPE, STATUS, COMMENT, SOP_INSTANCE = 0x0800, 0x0900, 0x0902, 0x1000
_ELEMENT = struct.Struct("<HHL")
_ITEM = struct.Struct(">LBB")
_PDU = struct.Struct(">BBL")
_US = struct.Struct("<H")
_SHORTS = struct.Struct("<" + 4 * "HHLH")
"""Four elements that are unsigned shorts, one after another."""

_IS_COMMAND, _IS_LAST = 0x01, 0x02
_COMMENT_LENGTH = 64


class BadPdu(ValueError):  # noqa: N818 - says what it is
    """A PDU, a fragment or a command set that PS3.7 or PS3.8 does not allow."""


@dataclass(slots=True)
class Message:
    """A DIMSE message as received: its command set's elements (group 0000) and its data set.

    `command` and `data` are the bytes as they came. A large data set is in `file`, and `data` is its beginning; of one that is
    longer than the limit only its length is kept.
    """

    context: int
    command: bytearray = field(default_factory=bytearray)
    elements: dict[int, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    length: int = 0
    too_long: bool = False
    file: ObjectFile | None = None

    def discard(self) -> None:
        """Let go of the file, unless it was kept."""
        if self.file is not None:
            self.file.discard()
            self.file = None

    def number(self, element: int) -> int | None:
        """The value of an element that is an unsigned short, or None where it is absent or of another length."""
        value = self.elements.get(element, b"")
        return int.from_bytes(value, "little") if len(value) == _US.size else None

    def uid(self, element: int) -> str:
        """The value of an element that is a UID, without padding; empty where absent."""
        return self.elements.get(element, b"").decode("latin-1").rstrip("\0 ")

    @property
    def has_data(self) -> bool:
        """Whether the command set announces a data set (PS3.7 section E.1)."""
        return self.number(DATA_SET_TYPE) != NO_DATA_SET


class Assembler:
    """Puts fragments together, one message after another; keeps at most `data_limit` bytes of a data set.

    Of a C-STORE's that has more than `large` bytes, all go to a file of `file`'s, if it gives one, and only the first `head` are
    kept.
    """

    def __init__(
        self,
        *,
        command_limit: int,
        data_limit: int,
        large: int = 0,
        head: int = 0,
        file: Callable[[], ObjectFile | None] = lambda: None,
    ) -> None:
        self._command_limit = command_limit
        self._data_limit = data_limit
        self._large, self._head, self._file = large, head, file
        self._message: Message | None = None
        self._in_data = False

    def close(self) -> None:
        """Let go of a message that did not come to its end."""
        if self._message is not None:
            self._message.discard()
            self._message = None

    def feed(self, body: memoryview) -> list[Message]:
        """Take the body of a P-DATA-TF PDU and give the messages that it completes; raises `BadPdu`, and then drops them."""
        done: list[Message] = []
        try:
            self._feed(body, done)
        except BaseException:
            for message in done:
                message.discard()
            raise
        return done

    def _feed(self, body: memoryview, done: list[Message]) -> None:
        at, end = 0, len(body)
        if not end:
            raise BadPdu("a P-DATA-TF PDU without a presentation data value")
        while at < end:
            if at + _ITEM.size > end:
                raise BadPdu("a presentation data value breaks off")
            length, context, control = _ITEM.unpack_from(body, at)
            if length < 2 or at + 4 + length > end:
                raise BadPdu(f"a presentation data value of {length} bytes")
            message = self._fragment(context, control, body[at + 6 : at + 4 + length])
            if message is not None:
                done.append(message)
            at += 4 + length

    def _fragment(self, context: int, control: int, part: memoryview) -> Message | None:
        """One presentation data value; its message when it is the last (PS3.8 annex E.2)."""
        message = self._message
        if message is None:
            message = self._message = Message(context)
        if context != message.context:
            raise BadPdu("fragments of a message in different presentation contexts")
        if bool(control & _IS_COMMAND) == self._in_data:
            raise BadPdu("a command fragment where data is due" if self._in_data else "data before the command set")
        if self._in_data:
            self._keep(message, part)
        else:
            message.command += part
            if len(message.command) > self._command_limit:
                raise BadPdu(f"a command set of more than {self._command_limit} bytes")
        if not control & _IS_LAST:
            return None
        if not self._in_data:
            message.elements = command_elements(message.command)
            if message.has_data:
                self._in_data = True
                return None
        self._message, self._in_data = None, False
        return message

    def _keep(self, message: Message, part: memoryview) -> None:
        message.length += len(part)
        if message.length > self._data_limit:
            message.too_long = True
            message.data = bytearray()
            message.discard()
            return
        if message.file is None and len(message.data) <= self._large < message.length and message.number(COMMAND) == C_STORE_RQ:
            message.file = self._file()
            if message.file is not None:
                message.file.write(message.data)
        if message.file is not None:
            message.file.write(part)
            part = part[: max(0, self._head - len(message.data))]
        message.data += part


def command_elements(command: bytes | bytearray) -> dict[int, bytes]:
    """The values of a command set by element number (implicit little endian, PS3.7 section 6.3.1); raises `BadPdu`."""
    found: dict[int, bytes] = {}
    octets, at, end = bytes(command), 0, len(command)
    while at < end:
        if at + _ELEMENT.size > end:
            raise BadPdu("the command set breaks off")
        group, element, length = _ELEMENT.unpack_from(octets, at)
        at += _ELEMENT.size
        if group or at + length > end:
            raise BadPdu("the command set holds what is no command element")
        found[element] = octets[at : at + length]
        at += length
    if len(found.get(COMMAND, b"")) != _US.size:
        raise BadPdu("the command set has no Command Field")
    return found


def answer(message: Message, status: int, comment: str = "") -> bytes:
    """The command set of the answer to a C-STORE-RQ or C-ECHO-RQ (PS3.7 tables 9.3-2 and 9.3-13)."""
    command, number = ANSWER | (message.number(COMMAND) or 0), message.number(MESSAGE_ID) or 0
    told = (0, COMMAND, 2, command, 0, ANSWERED, 2, number, 0, DATA_SET_TYPE, 2, NO_DATA_SET, 0, STATUS, 2, status)
    parts = [_uid(SOP_CLASS, message.elements.get(SOP_CLASS, b"")), _SHORTS.pack(*told)]
    if comment:
        text = comment.encode("ascii", "replace")[:_COMMENT_LENGTH]
        parts.append(_element(COMMENT, text + b" " * (len(text) % 2)))
    parts.append(_uid(SOP_INSTANCE, message.elements.get(SOP_INSTANCE, b"")))
    body = b"".join(parts)
    return _element(GROUP_LENGTH, struct.pack("<L", len(body))) + body


def pdus(context: int, command: bytes, most: int) -> bytes:
    """P-DATA-TF PDUs that carry a command set, none longer than `most` (0: any length; PS3.8 annex D.1)."""
    room = max(1, most - 6) if most else len(command)
    out = []
    for at in range(0, len(command), room):
        part = command[at : at + room]
        control = _IS_COMMAND | (_IS_LAST if at + room >= len(command) else 0)
        out.append(_PDU.pack(P_DATA, 0, len(part) + 6) + _ITEM.pack(len(part) + 2, context, control) + part)
    return b"".join(out)


def _element(element: int, value: bytes) -> bytes:
    return _ELEMENT.pack(0, element, len(value)) + value


def _uid(element: int, value: bytes) -> bytes:
    text = value.rstrip(b"\0 ")[:64]
    return _element(element, text + b"\0" * (len(text) % 2)) if text else b""
