"""The byte writer gives what pydicom gives for the same description: every kind, shape, quirk and transfer syntax."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.dose import Kind, Maker, Report, images, negative, tree
from synthetic.dose.elements import shifted
from synthetic.dose.encoding import TRANSFER_SYNTAXES
from synthetic.dose.quirks import QUIRKS, VARIANTS
from synthetic.dose.shapes import SHAPES

VARYING = {"Q5", "Q6", "Q8", "Q16", "Q19", "Q20", "Q21", "Q22", "Q24"}


def cases() -> Iterator[tuple[str, Kind]]:
    """Every quirk with the kinds it befalls, fluoroscopy only where no other has it: its many events take pydicom long."""
    for name, quirk in QUIRKS.items():
        for kind in sorted(quirk.kinds - {Kind.FLUORO} or quirk.kinds) if name != "Q30" else ():
            yield name, kind


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", Kind)
def test_every_shape_equals_pydicom(maker: Callable[..., Maker], kind: Kind, shape: str) -> None:
    """Two reports of each kind and shape have the bytes that pydicom writes."""
    made = maker(kind, shape=shape)
    for index in (0,) if kind is Kind.FLUORO else (0, 5):
        report = made.report(index)
        assert tree.write(report.content) == report.file_bytes


@pytest.mark.filterwarnings("ignore:Invalid value")  # Q21 is just that
@pytest.mark.parametrize(("quirk", "kind"), list(cases()))
def test_every_quirk_equals_pydicom_and_is_read(maker: Callable[..., Maker], quirk: str, kind: Kind) -> None:
    """A report with the quirk, in all its variants, has the bytes that pydicom writes, and pydicom reads it."""
    made = maker(kind, quirks=(quirk,))
    for index in range(VARIANTS if quirk in VARYING and kind is not Kind.FLUORO else 1):
        report = made.report(index)
        assert tree.write(report.content) == report.file_bytes
        assert len(list(pydicom.dcmread(io.BytesIO(report.file_bytes)))) > 20


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_every_transfer_syntax_equals_pydicom(maker: Callable[..., Maker], syntax: str) -> None:
    """Explicit, implicit, big-endian and deflated files are those that pydicom writes."""
    report = maker(Kind.CT, transfer_syntax=syntax, shape="siemens-like").report(2)
    assert report.transfer_syntax == TRANSFER_SYNTAXES[syntax]
    assert tree.write(report.content) == report.file_bytes


def test_every_quirk_changes_something(maker: Callable[..., Maker]) -> None:
    """No quirk leaves the first two reports as they are."""
    plain = {kind: [maker(kind).report(index).data_set for index in (0, 1)] for kind in Kind}
    for name, kind in cases():
        made = maker(kind, quirks=(name,))
        assert [made.report(index).data_set for index in (0, 1)] != plain[kind], name


def test_many_events(maker: Callable[..., Maker]) -> None:
    """Q30 makes a report of 316 events and some megabytes at most."""
    report = maker(Kind.FLUORO, quirks=("Q30",)).report(0)
    assert len(report.values.exam.x_events) == 316
    assert report.data_set.count(b"Irradiation Event X-Ray Data") == 316
    assert 10**6 < len(report.data_set) < 4 * 10**6


def test_images_and_negatives_equal_pydicom(maker: Callable[..., Maker]) -> None:
    """What belongs to a report or stands beside it has the bytes that pydicom writes."""
    made = maker(Kind.CT)
    report = made.report(3)
    beside = [negative.MAKERS[name](report) for name in negative.MAKERS] + [negative.non_dose_sr(made, 3)]
    found = [*images.ct_images(report), *images.localizers(report), *beside]
    compared = [one for one in found if one.content is not None]
    assert len(compared) >= 8
    for one in compared:
        assert one.content is not None
        assert tree.write(one.content) == one.file_bytes


def test_the_data_set_is_what_stands_in_the_file(maker: Callable[..., Maker]) -> None:
    """The bytes for the wire are the end of the file, after file meta information of the length it says."""
    report: Report = maker(Kind.MG).report(1)
    length = int.from_bytes(report.file_bytes[140:144], "little")
    assert report.file_bytes[144 + length :] == report.data_set


@given(st.integers(-(10**12), 10**12), st.integers(0, 9), st.integers(0, 6))
def test_shifting_a_point_multiplies(units: int, places: int, shift: int) -> None:
    """Moving the decimal point is multiplying by a power of ten, exactly."""
    from decimal import Decimal  # noqa: PLC0415 - only here

    number = f"{Decimal(units).scaleb(-places):f}"
    assert Decimal(shifted(number, shift)) == Decimal(number).scaleb(shift)
