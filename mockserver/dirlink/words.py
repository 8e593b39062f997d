"""The text of raw elements, read in the character sets that the report names and written back in them (PS3.3 C.12.1.1.2)."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.dirlink.dataset import Element

CHARACTER_SET = 0x00080005
_ENCODED = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_LATIN = "iso8859"


class Words:
    """Reads and writes text in the character sets of one data set; an item without its own has those of what holds it."""

    def __init__(self, encodings: Sequence[str] = (_LATIN,)) -> None:
        self._encodings = tuple(encodings)

    def inside(self, elements: Sequence[Element]) -> Words:
        """The words of a data set or item: its own character sets, else these."""
        for element in elements:
            if element.tag == CHARACTER_SET and element.value.strip(b"\0 "):
                return Words(_encodings(element.value))
        return self

    def read(self, element: Element) -> str:
        """The text of an element without its padding; bytes of no such character set are read as Latin-1."""
        value = element.value
        if element.vr not in _ENCODED or (value.isascii() and b"\x1b" not in value):
            return value.decode("latin-1").strip("\0 ")
        if len(self._encodings) == 1:
            return _decoded(value, self._encodings[0]).strip("\0 ")
        return self._extended(value).strip("\0 ")

    def _extended(self, value: bytes) -> str:
        from pydicom.charset import decode_bytes  # noqa: PLC0415 - pydicom is heavy and few engines need it

        if b"\x1b" not in value:
            return _decoded(value, self._encodings[0])
        try:
            return str(decode_bytes(value, self._encodings, {0x0A, 0x0C, 0x0D, 0x09, 0x5C, 0x5E, 0x3D}))
        except (LookupError, UnicodeError, ValueError):
            return value.decode("latin-1")

    def write(self, text: str) -> bytes:
        """The bytes of a text in the first of the character sets that has all its characters; what none has becomes `?`."""
        for encoding in self._encodings:
            try:
                return text.encode(encoding)
            except (UnicodeError, LookupError):
                continue
        return text.encode("ascii", "replace")


def _encodings(value: bytes) -> tuple[str, ...]:
    from pydicom.charset import python_encoding  # noqa: PLC0415 - pydicom is heavy and few engines need it

    terms = [term.strip() for term in value.decode("latin-1").strip("\0 ").split("\\")]
    return tuple(python_encoding.get(term, _LATIN) for term in terms)


def _decoded(value: bytes, encoding: str) -> str:
    try:
        return value.decode(encoding)
    except (UnicodeError, LookupError):
        return value.decode("latin-1")
