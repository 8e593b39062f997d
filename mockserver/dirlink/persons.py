"""The second look of the guard against real data: at every person's name and patient's ID in the data set, not the header only.

The answer to a C-STORE rests on the header, so a report whose header is synthetic and whose content names somebody has been taken
when this is seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from acrmock.dose.elements import EXPLICIT_LITTLE, VALUE, Unreadable, plain, walk
from acrmock.dose.synthetic import id_is_synthetic, name_is_synthetic
from acrmock.dose.text import codec, trimmed
from acrmock.facts import Facts
from mockserver.dirlink.dataset import dictionary_vr

_CHARSET, _CONCEPT, _CODE, _SCHEME, _TEXT = 0x00080005, 0x0040A043, 0x00080100, 0x00080102, 0x0040A160
_IDS = frozenset({0x00100020, 0x00101000})
"""Patient ID, which stands in Other Patient IDs Sequence too, and Other Patient IDs (PS3.3 section C.7.1.1, PS3.6)."""

_NO_VR = frozenset({b"", b"UN"})
_NAME = re.compile(rb"PN(?=(..))", re.DOTALL)
_UNKNOWN = re.compile(rb"UN")
_LENGTH = 2
_PERSON_NAME = b"\x40\x00\x23\xa1"


def real_persons(data: bytes, transfer_syntax: str, facts: Facts) -> str:
    """Where a name or an ID stands that does not keep the convention of synthetic ones; empty where none does.

    Only places are told. Looked at are all values of VR PN (PS3.5 section 6.2), private ones too where the VR is explicit, texts
    of the concepts of `dirlink.synthetic.name_concepts` and `.id_concepts`, and the patient's IDs, at any depth. Of a data set
    that cannot be read to its end, what can.
    """
    if transfer_syntax == EXPLICIT_LITTLE and _surely_none(data, facts):
        return ""
    found: Counter[int] = Counter()
    try:
        for tag, text, named in _persons(plain(data, transfer_syntax), transfer_syntax, facts):
            if not (name_is_synthetic if named else id_is_synthetic)(text, facts):
                found[tag] += 1
    except Unreadable:
        pass
    return ", ".join(
        f"({tag >> 16:04X},{tag & 0xFFFF:04X})" + (f" {n} times" if n > 1 else "") for tag, n in sorted(found.items())
    )


def _surely_none(data: bytes, facts: Facts) -> bool:
    """Whether no value can be found in explicit VR little endian, told by a search of the bytes in a tenth of a walk's time.

    Whatever may be such a value and does not keep the convention makes it False, and the walk decides.
    """
    concepts = (*facts.texts("dirlink.synthetic.name_concepts"), *facts.texts("dirlink.synthetic.id_concepts"))
    if any(all(part.encode() in data for part in concept.split(",")) for concept in concepts):
        return False
    if data.count(_PERSON_NAME) != data.count(_PERSON_NAME + b"PN"):
        return False
    for match in _NAME.finditer(data):
        start = match.end() + _LENGTH
        if not name_is_synthetic(_text(data, start, match[1]), facts):
            return False
    for tag in _IDS:
        octets = bytes((tag >> 16 & 0xFF, tag >> 24, tag & 0xFF, tag >> 8 & 0xFF))
        for match in re.finditer(re.escape(octets) + rb"..(..)", data, re.DOTALL):
            if not id_is_synthetic(_text(data, match.end(), match[1]), facts):
                return False
    return not any(_is_name(_tag_before(data, match.start())) for match in _UNKNOWN.finditer(data))


def _tag_before(data: bytes, at: int) -> int:
    group, element = data[max(at - 4, 0) : max(at - 2, 0)], data[max(at - 2, 0) : at]
    return int.from_bytes(group, "little") << 16 | int.from_bytes(element, "little")


def _text(data: bytes, start: int, length: bytes) -> str:
    return trimmed(data[start : start + int.from_bytes(length, "little")], codec(""))


def _persons(  # noqa: C901 - one loop over the events
    data: bytes, transfer_syntax: str, facts: Facts
) -> Iterator[tuple[int, str, bool]]:
    """(tag, text, whether it is a name, else an ID) of each value that says who somebody is."""
    names = frozenset(facts.texts("dirlink.synthetic.name_concepts"))
    identifiers = frozenset(facts.texts("dirlink.synthetic.id_concepts"))
    encoding, code, concept, naming = codec(""), "", "", False
    for tag, what, start, stop, vr in walk(data, transfer_syntax):
        if tag == _CONCEPT:
            naming, concept = True, ""
        elif what != VALUE:
            continue
        elif naming and tag == _CODE:
            code = trimmed(data[start:stop], encoding)
        elif naming and tag == _SCHEME:
            naming, concept = False, f"{code},{trimmed(data[start:stop], encoding)}"
        elif tag == _TEXT:
            if concept in names or concept in identifiers:
                yield tag, trimmed(data[start:stop], encoding), concept in names
        elif vr == b"PN" or (vr in _NO_VR and _is_name(tag)):
            yield tag, trimmed(data[start:stop], encoding), True
        elif tag in _IDS:
            yield tag, trimmed(data[start:stop], encoding), False
        elif tag == _CHARSET:
            encoding = codec(data[start:stop].decode("ascii", "replace").strip(" \0"))


def _is_name(tag: int) -> bool:
    return not tag >> 16 & 1 and tag >> 16 != 0xFFFE and dictionary_vr(tag) == "PN"
