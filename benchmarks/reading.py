"""Reading one dose report for the registry's elements: our reader beside a full walk of it with pydicom."""

from __future__ import annotations

import io
from pathlib import Path
from statistics import median
from typing import Any

import pydicom

from acrmock.dose.compare import digest_tags
from acrmock.dose.header import read_header
from acrmock.dose.part10 import Part10, split
from acrmock.dose.report import missing, read_report, template_problems
from acrmock.facts import load_facts
from benchmarks.measure import ROUNDS, Row, seconds, side_by_side

OURS_PER_THEIRS = 20
THEIRS = 1
EVENTS = 33


def walked(dataset: pydicom.Dataset) -> int:
    """How many elements a data set has, each with its value decoded; what any reader on pydicom has to do."""
    count = 0
    for element in dataset.iterall():
        _ = element.value
        count += 1
    return count


def report(events: int = EVENTS) -> bytes:
    """A CT dose report as a file, of about 1 kB for each event, made with pydicom."""
    root = _item("CONTAINER", "113701", _item("CODE", "121058", code=("77477000", "SCT")))
    totals = _item("CONTAINER", "113811", _number("113812", events, "{events}"), _number("113813", 7.5 * events, "mGy.cm"))
    root.ContentSequence = [*root.ContentSequence, totals, *(_event(index) for index in range(events))]
    root.SOPClassUID, root.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.67", "2.25.1"
    root.StudyDate, root.StationName, root.PatientID, root.PatientName = "20260101", "CT1", "SYN00000001", "Synthetic^One"
    root.file_meta = pydicom.dataset.FileMetaDataset()
    root.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    root.file_meta.MediaStorageSOPClassUID, root.file_meta.MediaStorageSOPInstanceUID = root.SOPClassUID, root.SOPInstanceUID
    out = io.BytesIO()
    root.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _event(index: int) -> pydicom.Dataset:
    dose = _item("CONTAINER", "113829", _number("113830", 5.1, "mGy"), _number("113838", 7.5, "mGy.cm"))
    dose.ContentSequence.append(_item("CODE", "113835", code=("113691", "DCM")))
    uid = _item("UIDREF", "113769")
    uid.UID = f"2.25.{index + 2}"
    kind = _item("CODE", "113820", code=("116152004", "SCT"))
    return _item("CONTAINER", "113819", kind, uid, dose)


def _item(type_: str, concept: str, *children: pydicom.Dataset, code: tuple[str, str] | None = None) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", type_
    item.ConceptNameCodeSequence = [_code(concept, "DCM")]
    if code is not None:
        item.ConceptCodeSequence = [_code(*code)]
    if children:
        item.ContentSequence = list(children)
    return item


def _number(concept: str, value: float, unit: str) -> pydicom.Dataset:
    item, measured = _item("NUM", concept), pydicom.Dataset()
    measured.NumericValue, measured.MeasurementUnitsCodeSequence = str(value), [_code(unit, "UCUM")]
    item.MeasuredValueSequence = [measured]
    return item


def _code(value: str, scheme: str) -> pydicom.Dataset:
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, "meaning"
    return code


def _samples() -> list[tuple[str, bytes]]:
    above = Path(__file__).parents[2:4]
    real = sorted(path for folder in above for path in folder.glob("shared/data/rdsr/*.dcm"))
    named = [(path.stem, path.read_bytes()) for path in real]
    wanted = ("DX-RDSR-Carestream_DRXEvolution", "philips_allura_clarity_u601")
    return [("made, CT", report()), *(sample for sample in named if sample[0] in wanted)]


def rows() -> list[Row]:
    """A made report, and real ones where they lie beside the project."""
    dictionary = load_facts().dose
    out = []
    for name, file in _samples():
        part = split(file)
        parts: list[tuple[str, str, Any]] = [
            (
                "read for the registry's elements",
                ">= 20 x",
                lambda p=part: read_report(p.data_set, p.transfer_syntax, dictionary),
            ),
            ("the same, judged by needs and template", "", lambda p=part: _judged(p, dictionary)),
            ("header only", "", lambda p=part: read_header(p.data_set, p.transfer_syntax)),
            ("digest of each tag", "", lambda p=part: digest_tags(p.data_set, p.transfer_syntax, bytes.hex)),
        ]
        peer: float | None = None
        for what, goal, ours in parts:
            if peer is None:
                mine, peer = side_by_side(
                    lambda ours=ours: [ours() for _ in range(OURS_PER_THEIRS)],  # type: ignore[misc]
                    lambda file=file: [walked(pydicom.dcmread(io.BytesIO(file))) for _ in range(THEIRS)],  # type: ignore[misc]
                )
            else:
                mine = median(seconds(lambda ours=ours: [ours() for _ in range(OURS_PER_THEIRS)]) for _ in range(ROUNDS))  # type: ignore[misc]
            out.append(
                Row(
                    what=f"{name}, {len(part.data_set) / 1000:.0f} kB: {what}",
                    unit="reports/s",
                    ours=OURS_PER_THEIRS / mine,
                    peer="pydicom, full walk",
                    theirs=THEIRS / peer,
                    goal=goal,
                )
            )
    return out


def _judged(part: Part10, dictionary: Any) -> int:
    read = read_report(part.data_set, part.transfer_syntax, dictionary)
    return len(missing(read, dictionary)) + len(template_problems(read, dictionary))
