"""The quick walk gives what the careful one gives, or leaves the data set to it."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from dose_files import BIG, EXPLICIT, IMPLICIT, SYNTAXES, ct_report, encoded, projection_report
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acrmock.dose.elements import DEFLATED, LONG_VRS, SHORT_VRS, Unreadable
from acrmock.dose.header import LAST, Brief, read_brief, read_header
from acrmock.dose.quick import quick_values

_TAGS = (
    0x00080005,
    0x00080018,
    0x00081010,
    0x00081111,
    0x00100010,
    0x00100020,
    0x00100030,
    0x00101001,
    0x0020000D,
    0x00400001,
    0x7FE00010,
)
_SEEN = frozenset(_TAGS)
_DELIMITERS = (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD)


def told(data: bytes, syntax: str, *, brief: bool) -> Brief | tuple[str, int]:
    """The few attributes, quickly or from the whole header, or why there are none and where."""
    try:
        if brief:
            return read_brief(data, syntax)
        whole = read_header(data, syntax)
    except Unreadable as error:
        return error.what, error.where
    return Brief(**{name: getattr(whole, name) for name in Brief.__struct_fields__})


def same(data: bytes, syntax: str) -> bool:
    """Whether both ways come to the same."""
    return told(data, syntax, brief=True) == told(data, syntax, brief=False)


def element(tag: int, vr: bytes, value: bytes, *, implicit: bool, lie: int = 0) -> bytes:
    """One element, whose length may lie."""
    group, number, length = tag >> 16, tag & 0xFFFF, len(value) + lie
    if implicit:
        return struct.pack("<HHI", group, number, length & 0xFFFFFFFF) + value
    if vr in LONG_VRS:
        return struct.pack("<HH2sHI", group, number, vr, 0, length & 0xFFFFFFFF) + value
    return struct.pack("<HH2sH", group, number, vr, length & 0xFFFF) + value


_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 8) + struct.pack("<HHI", 0x10, 0x10, 0)
USUAL = st.tuples(
    st.sampled_from(_TAGS),
    st.sampled_from([b"LO", b"PN", b"UI", b"UN"]),
    st.sampled_from([b"A", b"DOE^JANE", b" SYN \0", b"ISO_IR 192", b"\xc3\xa4", b"\x1b$B0l", _ITEM]),
    st.just(0),
)
ODD = st.tuples(
    st.sampled_from(_TAGS) | st.sampled_from(_DELIMITERS) | st.integers(0, 0xFFFFFFFF),
    st.sampled_from(sorted(SHORT_VRS | LONG_VRS)) | st.sampled_from([b"??", b"ZZ", b"\0\0"]),
    st.sampled_from([b"", bytes(300), _ITEM]) | st.binary(max_size=20),
    st.sampled_from([0, 0, 0, 0, 0, 1, -1, 8, -1000]),
)
LISTS = st.lists(USUAL, max_size=8) | st.lists(USUAL | ODD, max_size=12)
HOW = st.sampled_from([(False, EXPLICIT), (True, IMPLICIT)]) | st.tuples(st.booleans(), st.sampled_from([*SYNTAXES, "1.2.3"]))


@settings(max_examples=400, deadline=None)
@given(LISTS, HOW, st.booleans(), st.binary(max_size=9))
def test_made_up_elements_come_to_the_same(
    found: list[tuple[int, bytes, bytes, int]],
    how: tuple[bool, str],
    ordered: bool,  # noqa: FBT001 - hypothesis gives it
    rest: bytes,
) -> None:
    """Elements in any order, twice, nested, with lying lengths and unknown VRs give the same attributes or the same reason."""
    implicit, syntax = how
    some = sorted(found) if ordered else found
    data = b"".join(element(tag, vr, value, implicit=implicit, lie=lie) for tag, vr, value, lie in some)
    assert same(data + rest, syntax)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), syntax=st.sampled_from(SYNTAXES), undefined=st.booleans())
def test_damaged_reports_come_to_the_same(data: st.DataObject, syntax: str, *, undefined: bool) -> None:
    """A good report, cut off anywhere and with any bytes of its header changed, gives the same both ways."""
    whole = bytearray(encoded(ct_report() if undefined else projection_report(), syntax, undefined=undefined))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, min(len(whole), 700) - 1))] = data.draw(st.sampled_from([0, 0xFF]) | st.integers(0, 255))
    assert same(bytes(whole[: data.draw(st.integers(0, len(whole)))]), syntax)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(SYNTAXES))
@example(b"", EXPLICIT)
def test_any_bytes_come_to_the_same(data: bytes, syntax: str) -> None:
    """Any bytes at all give the same both ways."""
    assert same(data, syntax)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_usual_reports_go_the_quick_way(syntax: str) -> None:
    """What scanners send needs no careful walk, and all of its attributes are found."""
    values = quick_values(encoded(ct_report(), syntax), syntax, _SEEN, LAST)
    assert values is not None
    assert values[0x00100020] == b"SYN00000001 "
    assert values[0x00081010] == b"CT1 "
    assert max(values) <= LAST


NAME = element(0x00100010, b"PN", b"SYNTHETIC^", implicit=False)
UNUSUAL = {
    "a name twice": NAME + NAME,
    "out of order": NAME + element(0x00080018, b"UI", b"9\0", implicit=False),
    "a name in a long VR": element(0x00100010, b"UT", b"SYNTHETIC^", implicit=False),
    "an unknown VR": element(0x00080005, b"LO", b"", implicit=False) + element(0x00080018, b"??", b"", implicit=False),
    "an undefined length": element(0x00081111, b"SQ", b"", implicit=False, lie=-1) + NAME,
    "too short": NAME[:-1],
    "too many": b"".join(element(0x00090000 + number, b"LO", b"", implicit=False) for number in range(1500)),
}


@pytest.mark.parametrize("name", list(UNUSUAL))
def test_the_unusual_is_left_to_the_careful_walk(name: str) -> None:
    """The quick walk gives nothing for what it does not know, above all for a name behind which another could hide."""
    assert quick_values(UNUSUAL[name], EXPLICIT, _SEEN, LAST) is None
    assert same(UNUSUAL[name], EXPLICIT)


def test_an_implicit_name_that_is_a_sequence_is_left_to_the_careful_walk() -> None:
    """In implicit VR an item within a name's value would be stepped over by the careful walk."""
    data = element(0x00080018, b"", b"9\0", implicit=True) + element(0x00100010, b"", _ITEM, implicit=True)
    assert quick_values(data, IMPLICIT, _SEEN, LAST) is None
    assert same(data, IMPLICIT)


LATE = struct.pack("<HHI", 0x7FE0, 0x0010, 0)
"""What looks like the beginning of an element behind the header."""


@pytest.mark.parametrize("read", [read_header, read_brief])
def test_fragments_without_an_end_are_told_by_where_they_begin(read: Callable[[bytes, str], Brief]) -> None:
    """Before the birth date nothing more can be read, whatever stands where they break off; behind the header nobody cares."""
    broken = element(0x00100021, b"OB", b"", implicit=False, lie=-1) + LATE
    with pytest.raises(Unreadable) as told:
        read(NAME + broken, EXPLICIT)
    assert told.value.where == len(NAME)
    behind = element(0x7FE00010, b"OB", b"", implicit=False, lie=-1) + bytes(8)
    assert read(NAME + behind, EXPLICIT).patient_name == "SYNTHETIC^"
    implicit = element(0x00100010, b"", b"SYNTHETIC^", implicit=True) + struct.pack("<HHI", 0x7FE0, 0x0010, 0xFFFFFFFF) + bytes(8)
    assert read(implicit, IMPLICIT).patient_name == "SYNTHETIC^"


@pytest.mark.parametrize("syntax", [BIG, DEFLATED])
def test_other_syntaxes_are_left_to_the_careful_walk(syntax: str) -> None:
    """Big endian and deflated data sets are never taken for little endian ones."""
    assert quick_values(NAME, syntax, _SEEN, LAST) is None
