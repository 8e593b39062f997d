"""How elements become bytes: transfer syntax, character set and whether lengths are given (PS3.5 sections 6.1, 7.1, 7.5)."""

from __future__ import annotations

import zlib
from struct import pack
from typing import NamedTuple

from acrmock.dose.elements import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from synthetic.dose.elements import CHARSET_VRS, LONG_VRS

TRANSFER_SYNTAXES = {"explicit": EXPLICIT_LITTLE, "implicit": IMPLICIT_LITTLE, "big-endian": EXPLICIT_BIG, "deflated": DEFLATED}

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_CODECS = {"": "ascii", "ISO_IR 6": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8", "\\ISO 2022 IR 87": "iso2022_jp"}


class Encoding(NamedTuple):
    """One way of writing: `charset` is the Specific Character Set, `undefined` leaves the lengths of sequences open."""

    transfer_syntax: str = EXPLICIT_LITTLE
    charset: str = "ISO_IR 192"
    undefined: bool = False

    @property
    def little(self) -> bool:
        """Whether the least significant byte comes first."""
        return self.transfer_syntax != EXPLICIT_BIG

    @property
    def explicit(self) -> bool:
        """Whether value representations are written."""
        return self.transfer_syntax != IMPLICIT_LITTLE

    def long(self, number: int) -> bytes:
        """A length of four bytes."""
        return pack("<L" if self.little else ">L", number)

    def tag(self, tag: int) -> bytes:
        """A tag: group, then element."""
        return pack("<HH" if self.little else ">HH", tag >> 16, tag & 0xFFFF)

    def head(self, tag: int, vr: str, length: int) -> bytes:
        """Everything of an element before its value; raises `ValueError` when the length does not fit."""
        if not self.explicit:
            return self.tag(tag) + self.long(length)
        if vr in LONG_VRS:
            return self.tag(tag) + vr.encode("ascii") + b"\0\0" + self.long(length)
        if length > 0xFFFE:
            raise ValueError(f"a value of {length} bytes does not fit {vr}")
        return self.tag(tag) + vr.encode("ascii") + pack("<H" if self.little else ">H", length)

    def codec(self, vr: str) -> str:
        """The name of Python's codec for text of this value representation."""
        return _CODECS[self.charset] if vr in CHARSET_VRS else "ascii"

    def padding(self, vr: str) -> bytes:
        """What makes a value even: NUL for UIDs, a space for everything else (PS3.5 section 6.2)."""
        return b"\0" if vr == "UI" else b" "

    def value(self, vr: str, value: str) -> bytes:
        """A text as even bytes."""
        encoded = encode_text(value, self.codec(vr))
        return encoded + self.padding(vr) if len(encoded) % 2 else encoded

    def finished(self, data_set: bytes) -> bytes:
        """The data set as the transfer syntax wants it: compressed if it is the deflated one (PS3.5 section A.5)."""
        if self.transfer_syntax != DEFLATED:
            return data_set
        squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        done = squeeze.compress(data_set) + squeeze.flush()
        return done if len(done) % 2 == 0 else done + b"\0"


def encode_text(value: str, codec: str) -> bytes:
    """A text in Python's codec; where code sets are switched it begins by naming its first (PS3.5 section 6.1.2.5)."""
    encoded = value.encode(codec)
    return b"\x1b(B" + encoded if b"\x1b" in encoded else encoded
