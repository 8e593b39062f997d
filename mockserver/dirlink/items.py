"""The items of an A-ASSOCIATE-RQ as bytes: those that later editions may add are dropped, those that cannot be are an error.

An acceptor ignores user information sub-items that it does not know, and does not refuse an association for them (PS3.8 section
D.2, note 2); the same is done here for variable items and for sub-items of a presentation context, because a lenient receiver
learns more. Nothing here knows a socket.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from mockserver.dirlink.pdata import BadPdu

VARIABLE_ITEMS = 74
"""Where the variable items of an A-ASSOCIATE-RQ begin, in bytes from the start of the PDU (PS3.8 table 9-11)."""

_PDU_HEADER = 6
_ITEM = struct.Struct(">BBH")
_CONTEXT, _USER = 0x20, 0x50
_ABSTRACT, _TRANSFER = 0x30, 0x40
_CONTEXT_HEADER = 4
_LENGTH_AT = 2
_SUB_ITEMS: Mapping[int, tuple[int, frozenset[int]]] = {
    _CONTEXT: (_CONTEXT_HEADER, frozenset({_ABSTRACT, _TRANSFER})),
    _USER: (0, frozenset(range(0x51, 0x59))),
}
"""Of the items that have sub-items: the bytes before these, and the types that are known in a request (PS3.7 annex D.3)."""

_VARIABLE = frozenset({0x10, *_SUB_ITEMS})


def known_items(pdu: bytes | bytearray) -> bytearray:
    """An A-ASSOCIATE-RQ, header included, without the items and sub-items of a type that no request is known to have.

    Raises `BadPdu` where an item or a sub-item does not end where what it stands in ends, and for a presentation context that
    does not name one abstract syntax and at least one transfer syntax (PS3.8 table 9-13).
    """
    kept = bytearray(pdu[:VARIABLE_ITEMS])
    if len(pdu) < VARIABLE_ITEMS:
        raise BadPdu(f"an A-ASSOCIATE-RQ of {len(pdu)} bytes, which is none")
    for kind, body in _items(pdu, VARIABLE_ITEMS, "the request"):
        if kind not in _VARIABLE:
            continue
        part = _known_sub_items(kind, body) if kind in _SUB_ITEMS else body
        kept += _ITEM.pack(kind, 0, len(part)) + part
    struct.pack_into(">L", kept, _LENGTH_AT, len(kept) - _PDU_HEADER)
    return kept


def _known_sub_items(kind: int, body: bytes) -> bytes:
    before, known = _SUB_ITEMS[kind]
    if len(body) < before:
        raise BadPdu(f"an item of type {kind:02X}H of {len(body)} bytes, which is too short")
    found = [(sub, part) for sub, part in _items(body, before, f"its item of type {kind:02X}H") if sub in known]
    if kind == _CONTEXT:
        _check_context(body[0], found)
    return body[:before] + b"".join(_ITEM.pack(sub, 0, len(part)) + part for sub, part in found)


def _check_context(number: int, found: list[tuple[int, bytes]]) -> None:
    for sub, what, most in ((_ABSTRACT, "abstract syntax", 1), (_TRANSFER, "transfer syntax", len(found))):
        named = [part for kind, part in found if kind == sub and (part.strip(b"\0 ") or sub == _ABSTRACT)]
        if not 1 <= len(named) <= most:
            raise BadPdu(f"presentation context {number} names {len(named)} times its {what}")


def _items(octets: bytes | bytearray, start: int, where: str) -> list[tuple[int, bytes]]:
    """The type and the value of each item from `start` to the end (PS3.8 section 9.3.1); raises `BadPdu`."""
    found, at, end = [], start, len(octets)
    while at < end:
        if end - at < _ITEM.size:
            raise BadPdu(f"{end - at} bytes at the end of {where} are no item")
        kind, _, length = _ITEM.unpack_from(octets, at)
        at += _ITEM.size
        if length > end - at:
            raise BadPdu(f"an item of type {kind:02X}H says {length} bytes where {where} has {end - at} left")
        found.append((kind, bytes(octets[at : at + length])))
        at += length
    return found
