"""A DICOM file taken apart: its transfer syntax and where its data set begins (PS3.10 section 7.1)."""

from __future__ import annotations

import msgspec

from acrmock.dose.elements import EXPLICIT_LITTLE, IMPLICIT_LITTLE, VALUE, Unreadable, walk

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
    view = file[start:]
    for tag, what, begin, stop, _ in walk(view, EXPLICIT_LITTLE, inside=False):
        if tag >> 16 != 2 or what != VALUE:
            break
        meta[tag] = view[begin:stop]
        end = start + stop
    syntax = meta.get(0x00020010, b"").decode("ascii", "replace").strip(" \0")
    if not syntax:
        raise Unreadable("the file does not say its transfer syntax", start)
    return Part10(transfer_syntax=syntax, meta=meta, data_set=file[end:])
