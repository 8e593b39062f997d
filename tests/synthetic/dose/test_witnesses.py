"""Others read what is made: dsrdump strictly, dciodvfy without an error, pydicom; and the mandatory rows stand."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from witness import tool

from synthetic.dose import Kind, Maker, Options, images, negative

# PS3.16, current edition: the rows that are mandatory, or mandatory under a condition that holds in these reports, as
# paths of code values from the root; written from the tables of TID 10011 to 10014, 10001 to 10007, not from fixtures
OBSERVER = {("121005",), ("121012",), ("113705",), ("113854",), ("121058",)}
ROWS = {
    Kind.CT: OBSERVER
    | {("121058", "363703001"), ("113809",), ("113810",), ("113705", "110180"), ("113811", "113812"), ("113811", "113813")},
    Kind.FLUORO: OBSERVER | {("113702", code) for code in ("113764", "113722", "113725", "113726", "113728", "113730", "113780")},
    Kind.DX: OBSERVER | {("113702", code) for code in ("113764", "113722", "113725", "113780")},
    Kind.MG: OBSERVER | {("113702", "113764"), ("113702", "111637"), ("113702", "111637", "272741003")},
}
CT_EVENT = {("123014",), ("113820",), ("113769",)} | {
    ("113822", code) for code in ("113824", "113825", "113826", "113827", "113823", "113831")
}
CT_SOURCE = {("113822", "113831", code) for code in ("113832", "113733", "113833", "113734")}
CT_DOSE = {("113829", "113830"), ("113829", "113835"), ("113829", "113838"), ("113822", "113831", "113834")}
X_EVENT = {("113764",), ("113769",), ("111526",), ("113721",), ("123014",)}
X_MORE = {Kind.FLUORO: {("122130",), ("113738",), ("113780",)}, Kind.DX: {("122130",), ("113845",)}, Kind.MG: {("111631",)}}
EVENT = {Kind.CT: "113819"}


@pytest.fixture(scope="module", params=list(Kind))
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, reports_read: int) -> tuple[Kind, list[Path]]:
    """Reports of one kind as files, without quirks."""
    kind = request.param
    made = Maker(Options(kind=kind, seed=23, as_of=date(2026, 6, 1)))
    folder = tmp_path_factory.mktemp(str(kind))
    paths = []
    for index in range(reports_read):
        path = folder / f"{index}.dcm"
        path.write_bytes(made.report(index).file_bytes)
        paths.append(path)
    return kind, paths


def test_dsrdump_reads_all_strictly(files: tuple[Kind, list[Path]]) -> None:
    """DCMTK's strict reader of structured reports takes every report."""
    done = subprocess.run([tool("dsrdump"), *map(str, files[1])], capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[:500]
    assert done.stdout.count(b"X-Ray Radiation Dose SR Document") == len(files[1])
    assert done.stderr == b""


def test_dciodvfy_finds_no_error(files: tuple[Kind, list[Path]]) -> None:
    """The verifier of dicom3tools has nothing to object; it takes one file at a time, so a sample unless all are asked for."""
    program = tool("dciodvfy")
    sample = files[1] if "ACRMOCK_DOSE_REPORTS" in os.environ else files[1][::10]
    for path in sample:
        done = subprocess.run([program, str(path)], capture_output=True, text=True, timeout=60, check=False)
        assert "XRayRadiationDoseSR" in done.stderr
        assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == [], path


def test_mandatory_rows_stand(files: tuple[Kind, list[Path]]) -> None:
    """Read by pydicom, every report has each mandatory row of its templates, and values of NUM rows have units."""
    kind, paths = files
    for path in paths if "ACRMOCK_DOSE_REPORTS" in os.environ else paths[::10]:
        report = pydicom.dcmread(path)
        found = rows(report)
        assert ROWS[kind] <= found, ROWS[kind] - found
        events = [item for item in report.ContentSequence if name(item) == EVENT.get(kind, "113706")]
        assert events
        for event in events:
            inner = rows(event)
            assert wanted(kind, event) <= inner, wanted(kind, event) - inner
            assert numbers_have_units(event)


def wanted(kind: Kind, event: Dataset) -> set[tuple[str, ...]]:
    """The mandatory rows of one event."""
    if kind is not Kind.CT:
        return X_EVENT | X_MORE[kind]
    acquisition = next(item.ConceptCodeSequence[0].CodeValue for item in event.ContentSequence if name(item) == "113820")
    dose = set() if acquisition == "113805" else CT_DOSE
    pitch = {("113822", "113828")} if acquisition in {"116152004", "113804"} else set()
    return CT_EVENT | CT_SOURCE | dose | pitch


def name(item: Dataset) -> str:
    """The code value of an item's concept name."""
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def rows(item: Dataset, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """All paths of code values below an item."""
    found = set()
    for child in item.get("ContentSequence", ()):
        path = (*above, name(child))
        found |= {path} | rows(child, path)
    return found


def numbers_have_units(item: Dataset) -> bool:
    """Whether each NUM at or below an item has one measured value with a UCUM unit."""
    if item.ValueType == "NUM":
        (measured,) = item.MeasuredValueSequence
        return measured.MeasurementUnitsCodeSequence[0].CodingSchemeDesignator == "UCUM" and measured.NumericValue is not None
    return all(numbers_have_units(child) for child in item.get("ContentSequence", ()))


def test_what_stands_beside_a_report_is_valid(maker: Callable[..., Maker], tmp_path: Path) -> None:
    """Dciodvfy finds no error in images, captures, screens, PDF and plain SR of a report."""
    program = tool("dciodvfy")
    made = maker(Kind.CT)
    report = made.report(3)
    beside = {what: make(report) for what, make in negative.MAKERS.items() if what != "anonymised"}
    found = {**beside, "sr": negative.non_dose_sr(made, 3), "ct": next(images.ct_images(report))}
    found["localizer"] = next(images.localizers(report))
    for what, one in found.items():
        path = tmp_path / f"{what}.dcm"
        path.write_bytes(one.file_bytes)
        done = subprocess.run([program, str(path)], capture_output=True, text=True, timeout=60, check=False)
        assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == [], what


def test_the_lossy_picture_is_a_picture(maker: Callable[..., Maker], tmp_path: Path) -> None:
    """DCMTK decodes the JPEG of a lossy capture to as many pixels as it says."""
    program = tool("dcmdjpeg")
    source, target = tmp_path / "lossy.dcm", tmp_path / "plain.dcm"
    source.write_bytes(negative.lossy(maker(Kind.CT).report(1)).file_bytes)
    subprocess.run([program, str(source), str(target)], capture_output=True, timeout=60, check=True)
    plain = pydicom.dcmread(target)
    assert len(plain.PixelData) == plain.Rows * plain.Columns
    assert max(plain.PixelData) > 60


def test_images_belong_to_their_report(maker: Callable[..., Maker]) -> None:
    """Images have the report's study, patient, frame of reference and events; localizers only of localizer events."""
    report = maker(Kind.CT).report(2)
    values = report.values
    events = {event.event_uid: event for event in values.exam.ct_events}
    for one in (*images.ct_images(report), *images.localizers(report)):
        read = pydicom.dcmread(io.BytesIO(one.file_bytes))
        assert read.StudyInstanceUID == report.study_uid
        assert read.PatientID == values.heading.patient_id
        assert read.FrameOfReferenceUID == values.heading.frame_uid
        assert (events[read.IrradiationEventUID].type == "localizer") == ("LOCALIZER" in read.ImageType)
