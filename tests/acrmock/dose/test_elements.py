"""The walk over a data set's bytes and its header: what is lying, cut off or endless is `Unreadable`, and soon."""

from __future__ import annotations

import struct
import zlib

import pytest
from dose_files import BIG, EXPLICIT, IMPLICIT, SYNTAXES, ct_report, encoded, projection_report
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.dose.elements import DEFLATED, EXPLICIT_LITTLE, LEVELS_MOST, Unreadable, inflate, plain, top_level, walk
from acrmock.dose.header import read_header
from acrmock.dose.part10 import split
from acrmock.dose.report import missing, read_report, template_problems
from acrmock.facts import load_facts

DICTIONARY = load_facts().dose
GOOD = {syntax: encoded(ct_report(), syntax) for syntax in SYNTAXES}
FIRST = struct.pack("<HH2sH", 8, 5, b"CS", 0)
SEQUENCE = struct.pack("<HH2sHI", 0x40, 0xA730, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_the_header_is_read_in_each_transfer_syntax(syntax: str, *, undefined: bool) -> None:
    """The header is the same however it is written, the station's padding kept."""
    header = read_header(encoded(ct_report(), syntax, undefined=undefined), syntax)
    assert (header.sop_instance, header.station_name, header.patient_id) == ("2.25.9", "CT1 ", "SYN00000001")
    assert (header.study_uid, header.study_date, header.patient_age) == ("2.25.8", "20260102", "040Y")


def test_a_header_without_a_station_says_so() -> None:
    """An absent Station Name is None, an empty one is empty."""
    assert read_header(encoded(ct_report(StationName=None)), EXPLICIT).station_name is None
    assert read_header(encoded(ct_report(StationName="")), EXPLICIT).station_name == ""


def test_what_stands_after_the_birth_date_may_be_broken() -> None:
    """An answer rests on the elements up to (0010,0030); what follows is taken as far as it can be read."""
    data = encoded(ct_report(PatientBirthDate="19800101"))
    at = data.index(struct.pack("<HH", 0x10, 0x1010))
    header = read_header(data[: at + 6], EXPLICIT)
    assert (header.birth_date, header.patient_age) == ("19800101", "")
    lying = data[:at] + struct.pack("<HH2sHI", 0x10, 0x1010, b"UT", 0, 0x7FFFFFFF) + b"x"
    assert read_header(lying, EXPLICIT).birth_date == "19800101"
    with pytest.raises(Unreadable, match="more than there is"):
        read_header(data[: data.index(struct.pack("<HH", 0x10, 0x30)) + 10], EXPLICIT)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no element"),
    "noise": (b"\xff" * 64, "no element|more than"),
    "two gigabytes": (struct.pack("<HH2sHI", 8, 5, b"UT", 0, 0x80000000) + b"x" * 64, "more than there is"),
    "a lying sequence": (struct.pack("<HH2sHI", 8, 5, b"SQ", 0, 0x7FFFFFFE) + b"x" * 64, "more than there is"),
    "an open sequence": (FIRST + struct.pack("<HH2sHI", 8, 6, b"SQ", 0, 0xFFFFFFFF) + ITEM + FIRST, "ends inside"),
    "a stray delimiter": (struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) * 9, "no element"),
    "no items": (struct.pack("<HH2sHI", 8, 6, b"SQ", 0, 0xFFFFFFFF) + FIRST, "an item was expected"),
    "too deep": ((struct.pack("<HH2sHI", 8, 6, b"SQ", 0, 0xFFFFFFFF) + ITEM) * 4000, f"more than {LEVELS_MOST} deep"),
    "fragments without end": (FIRST + struct.pack("<HH2sHI", 8, 6, b"OB", 0, 0xFFFFFFFF) + ITEM, "fragments"),
    "too many": (FIRST * 1_000_002, "too many elements"),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_headers_are_unreadable(name: str) -> None:
    """Each kind of lie is told with its place, and nothing else is raised."""
    data, what = HOSTILE[name]
    with pytest.raises(Unreadable, match=what) as caught:
        read_header(data, EXPLICIT)
    assert 0 <= caught.value.where <= len(data)


def test_a_deep_content_tree_is_unreadable_but_its_header_is_not() -> None:
    """Nesting neither breaks the reader nor hides the header before it."""
    data = encoded(ct_report()) + (SEQUENCE + ITEM) * 20000
    assert read_header(data, EXPLICIT).sop_instance == "2.25.9"
    with pytest.raises(Unreadable, match="deep"):
        read_report(data, EXPLICIT, DICTIONARY)


def test_the_deepest_tree_that_is_read() -> None:
    """As many levels as are allowed are read whole, from a caller that is deep itself."""
    end = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    head = encoded(ct_report()).split(SEQUENCE[:4])[0]
    data = head + (SEQUENCE + ITEM) * LEVELS_MOST + end * LEVELS_MOST

    def deep(levels: int) -> int:
        return deep(levels - 1) if levels else sum(1 for _ in read_report(data, EXPLICIT, DICTIONARY).tree.walk())

    assert deep(300) == LEVELS_MOST


def test_a_bomb_is_not_inflated() -> None:
    """A deflated data set that grows beyond its bound is refused; its bound is what is kept in memory."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = engine.compress(struct.pack("<HH2sHI", 8, 4, b"UT", 0, 50_000_000) + bytes(50_000_000)) + engine.flush()
    assert len(bomb) < 60_000
    for act in (lambda: inflate(bomb, 1_000_000), lambda: plain(bomb, DEFLATED, 1_000_000)):
        with pytest.raises(Unreadable, match="larger than 1000000"):
            act()
    with pytest.raises(Unreadable, match="larger than 1000000"):
        read_header(bomb, DEFLATED, 1_000_000)
    with pytest.raises(Unreadable, match="larger than 1000000"):
        read_report(bomb, DEFLATED, DICTIONARY, 1_000_000)


def test_a_deflated_header_needs_no_whole_inflation() -> None:
    """The header of a deflated data set larger than the bound is read from its beginning."""
    data = encoded(ct_report()) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 3_000_000) + bytes(3_000_000)
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    small = engine.compress(data) + engine.flush()
    assert read_header(small, DEFLATED, 1_000_000).sop_instance == "2.25.9"


@pytest.mark.parametrize("damage", [b"", b"x", b"not deflated at all"])
def test_what_is_not_deflated_is_unreadable(damage: bytes) -> None:
    """Deflated data that is cut off or none at all is told."""
    with pytest.raises(Unreadable):
        inflate(damage or GOOD[DEFLATED][:-20], 1_000_000)


def test_exactly_the_bound_is_inflated() -> None:
    """A data set as large as the bound is good, one byte less of bound is not."""
    data = plain(GOOD[DEFLATED], DEFLATED)
    assert data == GOOD[EXPLICIT]
    assert inflate(GOOD[DEFLATED], len(data)) == data
    with pytest.raises(Unreadable, match="larger"):
        inflate(GOOD[DEFLATED], len(data) - 1)


def test_what_others_read_is_read() -> None:
    """Trailing bytes, a wrong transfer syntax, an unknown one, and UN for a sequence are read on, as other tools do."""
    good = read_report(GOOD[EXPLICIT], EXPLICIT, DICTIONARY).events
    assert read_report(GOOD[EXPLICIT] + b"\0" * 7, EXPLICIT, DICTIONARY).events == good
    assert (
        read_report(GOOD[EXPLICIT] + struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, 4) + bytes(4), EXPLICIT, DICTIONARY).events
        == good
    )
    assert read_report(GOOD[IMPLICIT], EXPLICIT, DICTIONARY).events == good
    assert read_report(GOOD[EXPLICIT], IMPLICIT, DICTIONARY).events == good
    assert read_report(GOOD[EXPLICIT], "1.2.840.113619.9", DICTIONARY).events == good
    content = GOOD[IMPLICIT][GOOD[IMPLICIT].index(SEQUENCE[:4]) + 8 :]
    head = GOOD[EXPLICIT].split(SEQUENCE[:4])[0]
    unknown = head + struct.pack("<HH2sHI", 0x40, 0xA730, b"UN", 0, len(content)) + content
    assert read_report(unknown, EXPLICIT, DICTIONARY).events == good


def test_items_without_their_delimiters_are_read() -> None:
    """An item of undefined length ends where the next begins, or where its sequence ends."""
    data = encoded(ct_report(), undefined=True)
    loose = data.replace(struct.pack("<HHI", 0xFFFE, 0xE00D, 0), b"")
    assert len(loose) < len(data)
    assert read_report(loose, EXPLICIT, DICTIONARY).events == read_report(data, EXPLICIT, DICTIONARY).events


def test_values_of_sequences_are_not_top_level() -> None:
    """What stands inside a sequence before the birth date is not taken for the data set's own."""
    inner = struct.pack("<HH2sH", 8, 0x18, b"UI", 4) + b"9.9\0"
    nested = (
        struct.pack("<HH2sHI", 8, 0x16, b"SQ", 0, 0xFFFFFFFF)
        + ITEM
        + inner
        + struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    )
    assert 0x00080018 not in top_level(nested, EXPLICIT_LITTLE)
    assert top_level(nested + inner, EXPLICIT_LITTLE)[0x00080018] == b"9.9\0"


def test_a_file_is_taken_apart() -> None:
    """With preamble and meta information, without a preamble, and bare; what is cut off is told."""
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(BIG) + 1) + BIG.encode() + b"\0"
    file = bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta + GOOD[BIG]
    assert (split(file).transfer_syntax, split(file).data_set) == (BIG, GOOD[BIG])
    assert split(meta + GOOD[BIG]).data_set == GOOD[BIG]
    assert split(GOOD[IMPLICIT]).transfer_syntax == IMPLICIT
    assert split(GOOD[EXPLICIT]) == split(bytes(128) + b"DICM" + GOOD[EXPLICIT])
    for cut in (file[:140], file[:150], bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 2, b"UI", 2) + b"1\0"):
        with pytest.raises(Unreadable):
            split(cut)


def survives(data: bytes, syntax: str) -> None:
    """Read all there is; only `Unreadable` may be raised, and says what and where."""
    told: list[bool] = []
    for act in (
        lambda: read_header(data, syntax),
        lambda: list(walk(data, syntax)) if syntax != DEFLATED else None,
        lambda: template_problems(read_report(data, syntax, DICTIONARY), DICTIONARY),
        lambda: missing(read_report(data, syntax, DICTIONARY), DICTIONARY),
        lambda: split(data),
    ):
        try:
            act()
        except Unreadable as error:
            told.append(bool(error.what) and error.where >= 0)
    assert all(told)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(SYNTAXES))
def test_any_bytes(data: bytes, syntax: str) -> None:
    """Any bytes give a value or `Unreadable`."""
    survives(data, syntax)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), syntax=st.sampled_from(SYNTAXES), undefined=st.booleans())
def test_damaged_reports(data: st.DataObject, syntax: str, *, undefined: bool) -> None:
    """A good report, cut off anywhere and with any bytes changed, gives a value or `Unreadable`."""
    made = ct_report() if undefined else projection_report()
    whole = bytearray(encoded(made, syntax, undefined=undefined))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.sampled_from([0, 0xFF, 0xFE]) | st.integers(0, 255))
    survives(bytes(whole[: data.draw(st.integers(0, len(whole)))]), syntax)


def test_a_name_that_stands_twice_hides_behind_none() -> None:
    """Where name or ID stand twice, every value is told, so that a real one cannot hide behind a synthetic one."""
    names = b"".join(struct.pack("<HH2sH", 0x10, 0x10, b"PN", len(name)) + name for name in (b"DOE^JANE", b"SYNTHETIC^"))
    header = read_header(struct.pack("<HH2sH", 8, 0x18, b"UI", 4) + b"9.9\0" + names, EXPLICIT_LITTLE)
    assert header.patient_name == "DOE^JANE\\SYNTHETIC^"
