"""A DICOM file taken apart: its transfer syntax and where its data set begins (PS3.10 section 7.1)."""

from __future__ import annotations

import struct

import msgspec

from acrmock.dose.elements import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Unreadable

_PREAMBLE = 128


class Part10(msgspec.Struct, frozen=True, kw_only=True):
    """A file: `meta` are the raw values of its File Meta Information by tag, `data_set` what would go over the wire."""

    transfer_syntax: str
    meta: dict[int, bytes]
    data_set: bytes


def split(file: bytes) -> Part10:
    """The file taken apart; one without preamble or meta information is read as a bare data set. Raises `Unreadable`."""
    start = _PREAMBLE + 4 if file[_PREAMBLE : _PREAMBLE + 4] == b"DICM" else 0
    if file[start : start + 2] != b"\x02\0":
        explicit = file[start + 4 : start + 6].isalpha()
        syntax = EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
        return Part10(transfer_syntax=syntax, meta={}, data_set=file[start:])
    meta: dict[int, bytes] = {}
    end = start
    while file[end : end + 2] == b"\x02\0" and end != _stated(meta, start):
        tag, begin, end = _element(file, end)
        meta[tag] = file[begin:end]
    syntax = meta.get(0x00020010, b"").decode("ascii", "replace").strip(" \0")
    if not syntax:
        raise Unreadable("the file does not say its transfer syntax", start)
    return Part10(transfer_syntax=syntax, meta=meta, data_set=file[end:])


def _element(file: bytes, pos: int) -> tuple[int, int, int]:
    """The tag of the element at `pos`, and where its value begins and ends; meta information is in explicit VR little endian."""
    long = file[pos + 4 : pos + 6] in {b"OB", b"UN", b"OW", b"UT"}
    begin = pos + (12 if long else 8)
    if begin > len(file):
        raise Unreadable("the file ends inside its meta information", pos)
    length = struct.unpack_from("<I", file, pos + 8)[0] if long else struct.unpack_from("<H", file, pos + 6)[0]
    if begin + length > len(file):
        raise Unreadable("an element of the meta information is longer than the file", pos)
    return 0x00020000 | int.from_bytes(file[pos + 2 : pos + 4], "little"), begin, begin + length


def _stated(meta: dict[int, bytes], start: int) -> int:
    """Where the meta information says that it ends, or -1."""
    raw = meta.get(0x00020000, b"")
    return start + 12 + int.from_bytes(raw, "little") if len(raw) == 4 else -1
