"""The same report in other bytes gives the same digests; a changed tag is named by its path."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from dose_files import EXPLICIT, SYNTAXES, ct_event, ct_report, encoded, item, real_files
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from acrmock.dose.compare import REST, changed, digest_tags, normal_value
from acrmock.dose.elements import Unreadable
from acrmock.dose.header import Header
from acrmock.dose.part10 import split
from acrmock.dose.synthetic import id_is_synthetic, looks_synthetic, name_is_synthetic
from acrmock.dose.text import nul_padded, unpadded
from acrmock.facts import load_facts

FACTS = load_facts()
LAYER = """schema: acrmock/layer/1
kind: settings
settings:
  dirlink.synthetic.patient_id: {value: "SYN[0-9A-Z]{8,}", title: t, new: true, provenance: mock-choice, sources: [MOCK]}
  dirlink.synthetic.patient_name_prefix: {value: SYNTHETIC, title: t, new: true, provenance: mock-choice, sources: [MOCK]}
"""


def key(value: bytes) -> str:
    """A keyed digest."""
    return hashlib.blake2b(value, key=b"a key", digest_size=12).hexdigest()


def digests(dataset: Dataset, syntax: str = EXPLICIT, *, undefined: bool = False) -> tuple[str, dict[str, str]]:
    """The digests of a data set written so."""
    return digest_tags(encoded(dataset, syntax, undefined=undefined), syntax, key)


def made() -> Dataset:
    """A report with binary values, an empty sequence, a private element and a nested header sequence."""
    report = ct_report(ct_event(), ct_event(uid="2.25.21"), StudyDescription="Odd", ReferencedStudySequence=[])
    report.Rows, report.PregnancyStatus = 513, 4
    report.add_new(0x00091010, "UN", b"\1\2\3\4")
    report.add_new(0x00189810, "FD", 1.5)
    return report


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_writing_makes_no_difference(syntax: str, *, undefined: bool) -> None:
    """Transfer syntax and undefined lengths change neither the whole digest nor any tag's."""
    assert digests(made(), syntax, undefined=undefined) == digests(made())


def test_real_reports_however_written() -> None:
    """Each small real report, rewritten in implicit VR with undefined lengths, gives the digests of its own bytes."""
    import pydicom  # noqa: PLC0415 - only where the real files are

    small = [path for path in real_files() if path.stat().st_size < 40_000]
    for path in small:
        part = split(path.read_bytes())
        own = digest_tags(part.data_set, part.transfer_syntax, key)
        again = pydicom.dcmread(path)
        assert digest_tags(encoded(again, SYNTAXES[0], undefined=True), SYNTAXES[0], key) == own, path.name


def test_group_lengths_and_padding_make_no_difference() -> None:
    """Group lengths, padding of values and of the data set are not what a data set says."""
    plain, other = made(), made()
    other.add_new(0x00080000, "UL", 1234)
    other.add_new(0xFFFCFFFC, "OB", bytes(6))
    other.StationName, other.StudyDescription = "CT1", "Odd "
    assert digests(other) == digests(plain)


def change(path: str) -> tuple[Callable[[Dataset], None], str]:
    """A change of a report, and the path that must be named."""
    changes: dict[str, Callable[[Dataset], None]] = {
        "00081010": lambda d: setattr(d, "StationName", "CT2"),
        "00081030": lambda d: delattr(d, "StudyDescription"),
        "00081040": lambda d: setattr(d, "InstitutionalDepartmentName", "X"),
        "00280010": lambda d: setattr(d, "Rows", 0),
        "0040A730[9]/0040A730[5]/0040A730[0]/0040A300[0]/0040A30A": lambda d: setattr(
            d.ContentSequence[9].ContentSequence[5].ContentSequence[0].MeasuredValueSequence[0], "NumericValue", "6.25"
        ),
        "0040A730[10]/0040A730[3]/0040A124": lambda d: setattr(d.ContentSequence[10].ContentSequence[3], "UID", "2.25.99"),
    }
    return changes[path], path


@pytest.mark.parametrize(
    "path",
    [
        "00081010",
        "00081030",
        "00081040",
        "00280010",
        "0040A730[9]/0040A730[5]/0040A730[0]/0040A300[0]/0040A30A",
        "0040A730[10]/0040A730[3]/0040A124",
    ],
)
def test_a_changed_tag_is_named(path: str) -> None:
    """A value changed, removed or added is named, and nothing else is."""
    act, expected = change(path)
    before, after = made(), copy.deepcopy(made())
    act(after)
    (whole, tags), (other, others) = digests(before), digests(after)
    assert whole != other
    assert changed(tags, others) == changed(others, tags) == (expected,)


def test_an_item_dropped_or_moved_is_seen() -> None:
    """An item that is gone changes its sequence's count; items in another order change the digests."""
    dropped, moved = made(), made()
    del dropped.ContentSequence[10]
    moved.ContentSequence[0], moved.ContentSequence[1] = moved.ContentSequence[1], moved.ContentSequence[0]
    tags = digests(made())[1]
    assert "0040A730" in changed(tags, digests(dropped)[1])
    assert all(path.startswith("0040A730[") for path in changed(tags, digests(moved)[1]))
    assert digests(moved)[0] != digests(made())[0]


def test_a_value_moved_between_items_is_seen() -> None:
    """Item borders are part of the digest."""
    one, two = made(), made()
    for report, where in ((one, 0), (two, 1)):
        report.ReferencedStudySequence = [Dataset(), Dataset()]
        report.ReferencedStudySequence[where].ReferencedSOPInstanceUID = "1.2"
    assert digests(one)[0] != digests(two)[0]


def test_beyond_the_most_tags_the_rest_is_folded() -> None:
    """The number of tags is bounded; a change beyond them is still seen."""
    late = made()
    late.ContentSequence.append(item("TEXT", "121106,DCM", "late"))
    few = [digest_tags(encoded(report), EXPLICIT, key, most=10) for report in (made(), late)]
    assert [len(tags) for _, tags in few] == [11, 11]
    assert changed(few[0][1], few[1][1]) == (REST,)


@given(st.binary(max_size=12))
def test_padding(value: bytes) -> None:
    """Padding a text value makes no difference; a binary zero is not nothing."""
    if value.strip(b" ") and b"\0" not in value:
        assert normal_value(value + b" ") == normal_value(value + b"\0") == normal_value(value)
    assert normal_value(b"\0\0") != normal_value(b"") == normal_value(b"  ")


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(SYNTAXES))
def test_any_bytes(data: bytes, syntax: str) -> None:
    """Any bytes are compared or `Unreadable`."""
    try:
        whole, tags = digest_tags(data, syntax, key)
    except Unreadable:
        return
    assert whole
    assert all(tags.values())


@pytest.mark.parametrize(
    ("name", "patient", "ours"),
    [
        ("Synthetic^One", "SYN00000001", True),
        ("SYNTHETIC^ONE", "SYNABCDEFGH12", True),
        ("Synthetic^One", "12345678", False),
        ("Doe^J", "SYN00000001", False),
        ("Synthetic^One", "SYN1", False),
        ("Synthetic^One", "xSYN00000001", False),
        ("Synthetic^One", "SYN00000001\n", False),
        ("", "", False),
        ("Synthetica^Maria", "SYN00000001", False),
        ("Synthetic", "SYN00000001", True),
        ("Synthetic 2^One", "SYN00000001", True),
        ("\u017fynthetic^One", "SYN00000001", False),
        ("Synthetic^One=Doe^J", "SYN00000001", False),
        ("Synthetic^One==Synthetic^Two", "SYN00000001", True),
        ("Synthetic^One\\Doe^J", "SYN00000001", False),
        ("=", "SYN00000001", False),
        ("Synthetic^One", "SYN00000001\\12345678", False),
    ],
)
def test_our_own_reports_are_told(tmp_path: Path, name: str, patient: str, *, ours: bool) -> None:
    """Both the name and the whole ID must keep our convention."""
    facts = load_facts()
    if "dirlink.synthetic.patient_id" not in facts.settings:
        (tmp_path / "mine.yaml").write_text(LAYER)
        facts = load_facts([tmp_path / "mine.yaml"])
    assert looks_synthetic(Header(patient_name=name, patient_id=patient), facts) is ours


@pytest.mark.parametrize(
    ("others", "ours"),
    [
        ({"other_ids": "12345678"}, False),
        ({"other_ids": "SYN00000002\\12345678"}, False),
        ({"other_ids": "SYN00000002"}, True),
        ({"other_names": "Doe^J"}, False),
        ({"other_names": "Synthetic^Two"}, True),
    ],
)
def test_other_names_and_ids_count(others: dict[str, str], *, ours: bool) -> None:
    """A patient's other names and IDs must keep the convention too, where there are any."""
    header = Header(patient_name="Synthetic^One", patient_id="SYN00000001", **others)
    assert looks_synthetic(header, load_facts()) is ours


NAMES = st.lists(st.sampled_from(["SYNTHETIC", "Synthetic^A", "Doe^J", "a", " ", "=", "\\", "\0", "^"]), max_size=4).map("".join)
IDS = st.lists(st.sampled_from(["SYN00000001", "12345678", " ", "\\", ""]), max_size=3).map("".join)


@given(NAMES, IDS, NAMES, IDS)
def test_all_of_a_patient_is_synthetic_or_none(name: str, patient: str, names: str, ids: str) -> None:
    """A report is ours just when each of its four attributes keeps the convention by itself, and name and ID are there."""
    apart = name_is_synthetic(name, FACTS) and name_is_synthetic(names, FACTS) and id_is_synthetic(ids, FACTS)
    there = bool(name.replace("\\", "").strip(" \0")) and "\\" not in patient and patient.strip(" ") == patient != ""
    ours = apart and there and id_is_synthetic(patient, FACTS)
    header = Header(patient_name=name, patient_id=patient, other_names=names, other_ids=ids)
    assert looks_synthetic(header, FACTS) is ours


@pytest.mark.parametrize(
    ("written", "name", "odd"), [("CT1", "CT1", False), ("CT1  ", "CT1", False), ("CT1\0", "CT1", True), ("CT1 \0 ", "CT1", True)]
)
def test_padding_of_a_station_name(written: str, name: str, *, odd: bool) -> None:
    """Trailing spaces and NULs tell no names apart; NULs are told, and one inside a name is part of it."""
    assert (unpadded(written), nul_padded(written)) == (name, odd)
    assert (unpadded(f"A\0{written}"), nul_padded(f"A\0{written}")) == (f"A\0{name}", odd)
