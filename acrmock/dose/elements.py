"""The top-level elements of a data set, walked as bytes (PS3.5 section 7)."""

from __future__ import annotations

import struct
import zlib

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 64


class Unreadable(ValueError):  # noqa: N818 - says what it is
    """Bytes that are no data set: `where` is the offset in bytes, `what` the reason."""

    def __init__(self, what: str, where: int) -> None:
        super().__init__(f"{what} at byte {where}")
        self.what, self.where = what, where


def inflate(data: bytes, limit: int) -> bytes:
    """The first `limit` bytes at most of deflated `data` (PS3.5 annex A.5); raises `Unreadable`."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, limit)
    except zlib.error as error:
        raise Unreadable(f"not deflated data ({error})", 0) from error


def top_level(data: bytes | memoryview, transfer_syntax: str, *, until: int = 0x00100030) -> dict[int, bytes]:
    """Raw values of the top-level elements up to tag `until`, sequences left out; raises `Unreadable`."""
    view = memoryview(inflate(bytes(data), 1 << 20) if transfer_syntax == DEFLATED else data)
    walker = _Walker(view, big=transfer_syntax == EXPLICIT_BIG, explicit=transfer_syntax != IMPLICIT_LITTLE)
    return walker.top(until)


class _Walker:
    def __init__(self, view: memoryview, *, big: bool, explicit: bool) -> None:
        order = ">" if big else "<"
        self._tag = struct.Struct(order + "HH")
        self._long = struct.Struct(order + "L")
        self._short = struct.Struct(order + "H")
        self._view, self._explicit = view, explicit

    def top(self, until: int) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        at = last = 0
        while at < len(self._view):
            tag, vr, length, start = self._header(at)
            if tag > until:
                break
            if tag <= last:
                raise Unreadable("tags out of order", at)
            last = tag
            if length == _UNDEFINED:
                at = self._skip(start, _SEQUENCE_END, 0)
                continue
            if start + length > len(self._view):
                raise Unreadable("an element is longer than the data set", at)
            if vr != b"SQ":
                found[tag] = bytes(self._view[start : start + length])
            at = start + length
        return found

    def _header(self, at: int, *, item: bool = False) -> tuple[int, bytes, int, int]:
        try:
            group, element = self._tag.unpack_from(self._view, at)
            tag = group << 16 | element
            if item or group == 0xFFFE or not self._explicit:
                return tag, b"", self._long.unpack_from(self._view, at + 4)[0], at + 8
            vr = bytes(self._view[at + 4 : at + 6])
            if not (vr.isalpha() and vr.isupper()):
                raise Unreadable("no value representation", at)
            if vr in _LONG:
                return tag, vr, self._long.unpack_from(self._view, at + 8)[0], at + 12
            return tag, vr, self._short.unpack_from(self._view, at + 6)[0], at + 8
        except struct.error as error:
            raise Unreadable("the data set breaks off", at) from error

    def _skip(self, at: int, end: int, depth: int) -> int:
        if depth > _DEEPEST:
            raise Unreadable("nested too deeply", at)
        while True:
            tag, _, length, start = self._header(at)
            if tag == end:
                return start
            if length == _UNDEFINED:
                at = self._skip(start, _ITEM_END if tag == _ITEM else _SEQUENCE_END, depth + 1)
            else:
                at = start + length
