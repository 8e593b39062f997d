"""Telling whether two data sets say the same, and which tags differ, without keeping what they say.

A data set is compared as if written in explicit VR little endian with defined lengths: transfer syntax, undefined lengths, group
lengths, trailing padding of values and of the data set make no difference (PS3.5 sections 6.2, 7.2 and 7.5).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping

from acrmock.dose.elements import EXPLICIT_BIG, INFLATED_MOST, ITEM, ITEM_END, SEQUENCE_END, VALUE, Event, plain, walk

TAGS_MOST = 20_000
REST = "more"
"""The path under which what stands beyond the most tags is folded into one digest."""

_SWAPPED = {
    **dict.fromkeys([b"US", b"SS", b"OW", b"AT"], 2),
    **dict.fromkeys([b"UL", b"SL", b"FL", b"OF", b"OL"], 4),
    **dict.fromkeys([b"FD", b"OD", b"OV", b"SV", b"UV"], 8),
}
_TRAILING_PADDING = 0xFFFCFFFC


def digest_tags(
    data: bytes | memoryview,
    transfer_syntax: str,
    key: Callable[[bytes], str],
    *,
    most: int = TAGS_MOST,
    limit: int = INFLATED_MOST,
) -> tuple[str, dict[str, str]]:
    """The digest of the normalised data set, and the keyed digest of each value by its tag path; raises `Unreadable`.

    A path is like `0040A730[2]/0040A30A`, items counted from 0; a sequence stands with its number of items. The first digest is
    `key` of the SHA-256 of the whole. Beyond `most` tags the rest is folded into one entry, `more`.
    """
    folder = _Folder(key, most)
    swap = transfer_syntax == EXPLICIT_BIG
    raw = plain(data, transfer_syntax, limit)
    for event in walk(raw, transfer_syntax):
        folder.take(raw, event, swap=swap)
    return folder.result()


def changed(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[str, ...]:
    """The tag paths whose values differ between `a` and `b`, or that only one of them has, in order."""
    return tuple(sorted(path for path in a.keys() | b.keys() if a.get(path) != b.get(path)))


def normal_value(value: bytes) -> bytes:
    """A value without its trailing padding; zeros that are a binary number stay."""
    stripped = value.rstrip(b" \0")
    if stripped:
        return stripped if b"\0" not in stripped else value
    return value if b"\0" in value else b""


class _Folder:
    """Folds the events of a walk into the two kinds of digest."""

    def __init__(self, key: Callable[[bytes], str], most: int) -> None:
        self.key = key
        self.most = most
        self.tags: dict[str, str] = {}
        self.whole = hashlib.sha256()
        self.rest = hashlib.sha256()
        self.folded = False
        self.prefix = ""
        self.stack: list[tuple[str, int, int]] = []
        self.tag = self.count = 0

    def take(self, data: bytes, event: Event, *, swap: bool) -> None:
        """One event of the walk."""
        tag, what, start, stop, vr = event
        if what != VALUE:
            self.stack.append((self.prefix, self.tag, self.count))
            self.tag, self.count = tag, 0
        elif tag == ITEM:
            if not self.count:
                self.whole.update(struct.pack("<IB", self.tag, 1))
            self.whole.update(b"(")
            self.stack.append((self.prefix, self.tag, self.count))
            self.prefix = f"{self.prefix}{self.tag:08X}[{self.count}]/"
        elif tag == ITEM_END:
            self.whole.update(b")")
            self.prefix, self.tag, self.count = self.stack.pop()
            self.count += 1
        elif tag == SEQUENCE_END:
            closed, count = self.tag, self.count
            self.prefix, self.tag, self.count = self.stack.pop()
            self._sequence(closed, count)
        elif tag & 0xFFFF and tag != _TRAILING_PADDING:
            value = data[start:stop]
            if swap and vr in _SWAPPED:
                value = _swapped(value, _SWAPPED[vr])
            self._value(tag, normal_value(value))

    def _sequence(self, tag: int, count: int) -> None:
        if not count:  # an empty sequence is like an empty value, because implicit VR does not tell them apart
            self._value(tag, b"")
            return
        self.whole.update(b"]")
        self._tag(tag, b"%d items" % count)

    def _value(self, tag: int, value: bytes) -> None:
        self.whole.update(struct.pack("<IBI", tag, 0, len(value)))
        self.whole.update(value)
        self._tag(tag, value)

    def _tag(self, tag: int, value: bytes) -> None:
        path = f"{self.prefix}{tag:08X}"
        if len(self.tags) < self.most:
            self.tags[path] = self.key(value)
        else:
            self.folded = True
            self.rest.update(path.encode() + b"=" + value + b"\0")

    def result(self) -> tuple[str, dict[str, str]]:
        """Both digests."""
        if self.folded:
            self.tags[REST] = self.key(self.rest.digest())
        return self.key(self.whole.digest()), self.tags


def _swapped(value: bytes, size: int) -> bytes:
    """Binary numbers of `size` bytes in the other byte order; a last one that is cut short stays as it is."""
    whole = len(value) - len(value) % size
    turned = bytearray(value)
    for offset in range(size):
        turned[offset:whole:size] = value[size - 1 - offset : whole : size]
    return bytes(turned)
