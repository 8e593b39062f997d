"""A flat walk over the bytes of a DICOM data set, from anybody (PS3.5 sections 7.1, 7.5 and Annex A).

Nothing is recursed into, nothing is copied that is not asked for, and nothing is believed: a length that points outside the data,
an open sequence at the end, too many elements or levels, and a deflated data set that grows beyond its bound are `Unreadable`.
Where common tools read on, so does the walk: elements in implicit VR inside explicit, items longer than their sequence, missing
item delimiters, a few bytes after the last element.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

UNTIL = 0x00100030
"""The last element that the answer to a C-STORE rests on: Patient's Birth Date."""

WHOSE = frozenset([0x00100010, 0x00100020])
"""Patient's Name and Patient ID: where they stand twice, which PS3.5 forbids, every value is told, none hides behind another."""

INFLATED_MOST = 64 << 20
ELEMENTS_MOST = 1_000_000
LEVELS_MOST = 256

ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
VALUE, SEQUENCE, SKIPPED, KNOWN = 0, 1, 2, 3
"""What an event of the walk with another tag is: a value, the start of a sequence, or one stepped over, unread or known."""

LONG_VRS = frozenset([b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"])
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Value representations with a length of 4 bytes, and of 2 (PS3.5 section 7.1.2)."""

_UNDEFINED = 0xFFFFFFFF
_NEVER = 1 << 62
_PLAIN_UNDEFINED = frozenset([b"OB", b"OW"])
_FIRST_PART = 1 << 18
_CODE_MOST = 1024

Event = tuple[int, int, int, int, bytes]
"""(tag, what, start, stop, VR): the value's bytes are `data[start:stop]`; VR is empty where implicit, `I` for a sequence there.

`ITEM`, `ITEM_END` and `SEQUENCE_END` are events too; their `what` is `VALUE`, and an end's `stop` is where the next begins."""


class Unreadable(ValueError):  # noqa: N818 - the name says what the data set is
    """A data set that cannot be read: `what` is wrong, and `where`, as a byte offset from its beginning (inflated)."""

    def __init__(self, what: str, where: int) -> None:
        super().__init__(f"{what} (at byte {where})")
        self.what = what
        self.where = where


def plain(data: bytes | memoryview, transfer_syntax: str, limit: int = INFLATED_MOST) -> bytes:
    """The data set's bytes, inflated where the transfer syntax says deflated; raises `Unreadable`."""
    whole = bytes(data)
    return inflate(whole, limit) if transfer_syntax == DEFLATED else whole


def inflate(data: bytes | memoryview, limit: int) -> bytes:
    """What a deflated data set inflates to, at most `limit` bytes (PS3.5 section A.5); raises `Unreadable`."""
    inflated, whole = _inflate(data, limit)
    if not whole and len(inflated) >= limit:
        raise Unreadable(f"the deflated data set is larger than {limit} bytes", limit)
    if not whole:
        raise Unreadable("the deflated data set is cut off", len(inflated))
    return inflated


def _inflate(data: bytes | memoryview, limit: int) -> tuple[bytes, bool]:
    """At most `limit` inflated bytes, and whether they are all."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(data, limit)
        if not engine.eof and len(inflated) == limit:
            more = engine.decompress(engine.unconsumed_tail, 1)
            return inflated, engine.eof and not more
    except zlib.error as error:
        raise Unreadable(f"the data set is not deflated: {error}", 0) from None
    return inflated, engine.eof


def top_level(
    data: bytes | memoryview, transfer_syntax: str, *, until: int = UNTIL, beyond: int = 0, limit: int = INFLATED_MOST
) -> dict[int, bytes]:
    """The raw values of the top-level elements up to `until`, by tag; sequences are stepped over.

    Elements after it up to `beyond` are taken as far as they can be read. Raises `Unreadable` for what stands before. Of a
    deflated data set at most `limit` bytes are inflated; it may go on.
    """
    if transfer_syntax != DEFLATED:
        return _top(bytes(data), transfer_syntax, until, beyond)
    first, whole = _inflate(data, min(limit, _FIRST_PART))
    if not whole:
        with suppress(Unreadable):
            return _top(first, transfer_syntax, max(until, beyond), 0, whole=False)
        first, whole = _inflate(data, limit)
    try:
        return _top(first, transfer_syntax, until, beyond, whole=whole)
    except Unreadable:
        if not whole:
            inflate(data, limit)  # says why there is no more
        raise


def _top(data: bytes, transfer_syntax: str, until: int, beyond: int, *, whole: bool = True) -> dict[int, bytes]:
    values: dict[int, bytes] = {}
    last = max(until, beyond)
    depth = top = 0
    try:
        for tag, what, start, stop, _ in walk(data, transfer_syntax, inside=False):
            if tag == SEQUENCE_END:
                depth -= 1
            elif depth == 0 and tag >> 16 != 0xFFFE:
                top = tag
                if tag > last:
                    return values
                if what == VALUE:
                    before = values.get(tag) if tag in WHOSE else None
                    values[tag] = data[start:stop] if before is None else before + b"\\" + data[start:stop]
            if what == SEQUENCE:
                depth += 1
    except Unreadable as error:
        if (top if depth else _tag(data, error.where, transfer_syntax)) <= until:
            raise
        return values
    if not whole and top <= until:
        raise Unreadable("the data set goes on", len(data))
    return values


def _tag(data: bytes, pos: int, transfer_syntax: str) -> int:
    """The tag at `pos`, or 0 where there is none."""
    order = ">HH" if transfer_syntax == EXPLICIT_BIG else "<HH"
    group, element = struct.unpack_from(order, data, pos) if pos + 4 <= len(data) else (0, 0)
    return int(group) << 16 | int(element)


def walk(  # noqa: C901, PLR0912, PLR0915 - one loop: a call for each element would double its time
    data: bytes,
    transfer_syntax: str,
    *,
    inside: bool = True,
    most: int = ELEMENTS_MOST,
    known: Mapping[bytes, object] | None = None,
    codes: Container[int] = (),
) -> Iterator[Event]:
    """The elements of a data set that is not deflated (see `plain`), in their order; raises `Unreadable` when it gets there.

    Without `inside`, sequences whose length is stated are stepped over and told as `SKIPPED`. Sequences whose tag is among
    `codes` and whose VR and bytes (delimiter included) are in `known`, because they were read before, are told as `KNOWN`. An
    unknown transfer syntax is read as explicit VR little endian, which is what all but four are.
    """
    order = ">" if transfer_syntax == EXPLICIT_BIG else "<"
    short, item = struct.Struct(order + "HH2sH").unpack_from, struct.Struct(order + "HHI").unpack_from
    four = struct.Struct(order + "I").unpack_from
    item_tag = struct.pack(order + "HH", 0xFFFE, 0xE000)
    delimiter = struct.pack(order + "HHI", 0xFFFE, 0xE0DD, 0)
    size = end = len(data)
    explicit = _explicit(data, 0, implicit=transfer_syntax == IMPLICIT_LITTLE)
    in_sequence = False
    stack: list[tuple[int, bool, bool]] = []
    pos = 0
    while True:
        while pos + 8 > end:
            if not stack:
                return
            pos = max(pos, end)
            yield (SEQUENCE_END if in_sequence else ITEM_END), VALUE, pos, pos, b""
            end, explicit, in_sequence = stack.pop()
        if pos + 8 > size:
            if not stack:
                return
            raise Unreadable("the data set ends inside a sequence", size)
        most -= 1
        if most < 0:
            raise Unreadable("the data set has too many elements", pos)
        group, element, vr, length = short(data, pos)
        if explicit and not in_sequence and vr in SHORT_VRS and group != 0xFFFE:
            start = pos + 8
            stop = start + length
            if stop > size:
                raise Unreadable(f"({group:04X},{element:04X}) has a length of {length}, more than there is", pos)
            yield group << 16 | element, VALUE, start, stop, vr
            pos = stop
            continue
        if group == 0xFFFE or in_sequence:
            tag = group << 16 | element
            length = four(data, pos + 4)[0]
            if in_sequence and tag == ITEM:
                pos += 8
                stack.append((end, explicit, True))
                end = _end(pos, length, size)
                in_sequence = False
                yield ITEM, VALUE, pos, end, b""
            elif tag == SEQUENCE_END or (tag in {ITEM_END, ITEM} and not in_sequence):
                if not stack:
                    raise Unreadable("a delimiter stands outside of any sequence", pos)
                if tag == SEQUENCE_END and not in_sequence:
                    yield ITEM_END, VALUE, pos, pos, b""
                    end, explicit, in_sequence = stack.pop()
                    continue
                after = pos if tag == ITEM else pos + 8
                yield (SEQUENCE_END if in_sequence else ITEM_END), VALUE, pos, after, b""
                end, explicit, in_sequence = stack.pop()
                pos = after
            elif tag == ITEM_END:
                pos += 8
            else:
                raise Unreadable(f"an item was expected, not ({group:04X},{element:04X})", pos)
            continue
        tag = group << 16 | element
        start = pos + 8
        if not explicit or (vr not in LONG_VRS and not vr.isalpha()):
            vr = b""
            length = item(data, pos)[2]
        elif vr in LONG_VRS:
            start = pos + 12
            if start > size:
                raise Unreadable("the data set ends inside an element", pos)
            length = four(data, pos + 8)[0]
        if length == _UNDEFINED:
            if tag == 0x7FE00010 or vr in _PLAIN_UNDEFINED:
                stop = _fragments(data, pos, start, item)
                yield tag, VALUE, start, stop, vr
                pos = stop
                continue
            nested = True
            stop = _NEVER
        else:
            stop = start + length
            if stop > size:
                raise Unreadable(f"({group:04X},{element:04X}) has a length of {length}, more than there is", pos)
            nested = vr == b"SQ" or (
                length >= 8 and (vr in {b"", b"UN"}) and data[start : start + 4] == item_tag and tag != 0x7FE00010
            )
            if not nested:
                yield tag, VALUE, start, stop, vr
                pos = stop
                continue
            if not inside:
                yield tag, SKIPPED, start, stop, vr
                pos = stop
                continue
        if known is not None and tag in codes:
            after = stop if stop != _NEVER else data.find(delimiter, start, start + _CODE_MOST) + 8
            if after > start and (vr if explicit else b"I") + data[start:after] in known:
                yield tag, KNOWN, start, after, vr if explicit else b"I"
                pos = after
                continue
        if len(stack) >= 2 * LEVELS_MOST:
            raise Unreadable(f"sequences are nested more than {LEVELS_MOST} deep", pos)
        stack.append((end, explicit, False))
        end, in_sequence, pos = stop, True, start
        if not explicit:
            vr = b"I"
        elif vr != b"SQ":
            explicit = _explicit(data, start + 8, implicit=True)
        yield tag, SEQUENCE, start, stop, vr


def _end(pos: int, length: int, size: int) -> int:
    if length == _UNDEFINED:
        return _NEVER
    if pos + length > size:
        raise Unreadable(f"an item has a length of {length}, more than there is", pos - 8)
    return pos + length


def _explicit(data: bytes, pos: int, *, implicit: bool) -> bool:
    """Whether the element at `pos` has a VR; a data set that is not what its transfer syntax says is read as it is."""
    vr = data[pos + 4 : pos + 6]
    if vr in SHORT_VRS or vr in LONG_VRS:
        return True
    return not implicit and (vr.isalpha() or len(vr) < 2)


def _fragments(data: bytes, begin: int, pos: int, item: Callable[[bytes, int], tuple[int, ...]]) -> int:
    """Where a value in fragments ends (PS3.5 section A.4); its element is at `begin`, its value at `pos`."""
    while pos + 8 <= len(data):
        group, element, length = item(data, pos)
        pos += 8
        if (group, element) == (0xFFFE, 0xE0DD):
            return pos
        if (group, element) != (0xFFFE, 0xE000) or pos + length > len(data):
            break
        pos += length
    raise Unreadable("a value in fragments has no end", begin)
