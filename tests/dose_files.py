"""Dose reports for tests: made with pydicom item by item, written in any transfer syntax, or real ones beside the project."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
SYNTAXES = (IMPLICIT, EXPLICIT, BIG, DEFLATED)
DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
TEXTS = {"TEXT": "TextValue", "UIDREF": "UID", "DATETIME": "DateTime", "PNAME": "PersonName"}
MEANINGS = {"113830": "Mean CTDIvol"}


def real_files() -> list[Path]:
    """The real dose reports that lie beside the project; the test skips where there are none."""
    above = Path(__file__).resolve().parents[2:4]
    found = sorted(path for folder in above for path in folder.glob("shared/data/rdsr/*.dcm"))
    if not found:
        pytest.skip("the real dose reports do not lie beside the project")
    return found


def code(text: str, meaning: str = "a meaning") -> Dataset:
    """A code written `value,scheme`."""
    value, _, scheme = text.rpartition(",")
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator = value, scheme
    made.CodeMeaning = MEANINGS.get(value, meaning)
    return made


def item(type_: str, concept: str, value: Any = None, *children: Dataset, relationship: str = "CONTAINS") -> Dataset:
    """A content item; `value` is text, a code, or for a NUM (value, unit) or None for one that is not known."""
    made = Dataset()
    if relationship:
        made.RelationshipType = relationship
    made.ValueType = type_
    made.ConceptNameCodeSequence = [code(concept)]
    if type_ == "CODE":
        made.ConceptCodeSequence = [code(value)] if isinstance(value, str) else value or []
    elif type_ == "NUM":
        made.MeasuredValueSequence = [] if value is None else [measured(*value)]
    elif value is not None:
        setattr(made, TEXTS[type_], value)
    if children:
        made.ContentSequence = list(children)
    return made


def measured(value: Any, unit: str) -> Dataset:
    """A measured value with its unit."""
    made = Dataset()
    made.NumericValue, made.MeasurementUnitsCodeSequence = value, [code(f"{unit},UCUM")]
    return made


def container(concept: str, *children: Dataset) -> Dataset:
    """A container."""
    return item("CONTAINER", concept, None, *children)


def document(*children: Dataset, root: str = "113701,DCM", template: str = "10011", **attributes: Any) -> Dataset:
    """A dose report of these items; further attributes of its header by keyword, None for none."""
    made = container(root, *children)
    if template:
        identification = Dataset()
        identification.MappingResource, identification.TemplateIdentifier = "DCMR", template
        made.ContentTemplateSequence = [identification]
    header = {"SOPClassUID": DOSE_SR, "SOPInstanceUID": "2.25.9", "StudyDate": "20260102", "StationName": "CT1 "}
    header |= {"StudyInstanceUID": "2.25.8", "PatientID": "SYN00000001", "PatientName": "Synthetic^One", "PatientAge": "040Y"}
    for name, value in {**header, **attributes}.items():
        if value is not None:
            setattr(made, name, value)
    return made


def ct_event(
    *extra: Dataset,
    uid: str = "2.25.20",
    kind: str = "116152004,SCT",
    region: Any = "51185008,SCT",
    protocol: str | None = "Chest",
    dose: Dataset | None = None,
) -> Dataset:
    """A CT acquisition with every mandatory row."""
    parameters = container(
        "113822,DCM",
        item("NUM", "113824,DCM", ("2.5", "s")),
        item("NUM", "113825,DCM", ("300", "mm")),
        item("NUM", "113826,DCM", ("0.6", "mm")),
        item("NUM", "113827,DCM", ("38.4", "mm")),
        item("NUM", "113828,DCM", ("0.9", "{ratio}")),
        item("NUM", "113823,DCM", ("1", "{X-Ray sources}")),
        container(
            "113831,DCM",
            item("TEXT", "113832,DCM", "A"),
            item("NUM", "113733,DCM", ("120", "kV")),
            item("NUM", "113833,DCM", ("300", "mA")),
            item("NUM", "113734,DCM", ("200", "mA")),
            item("NUM", "113834,DCM", ("0.5", "s")),
        ),
    )
    parts = [item("TEXT", "125203,DCM", protocol)] if protocol is not None else []
    parts += [item("CODE", "123014,DCM", region)] if region is not None else []
    parts += [item("CODE", "113820,DCM", kind), item("UIDREF", "113769,DCM", uid), parameters]
    return container("113819,DCM", *parts, *([ct_dose()] if dose is None else [dose]), *extra)


def ct_dose(ctdivol: str = "5.25", dlp: tuple[str, str] = ("157.5", "mGy.cm")) -> Dataset:
    """What a CT acquisition says of dose."""
    return container(
        "113829,DCM",
        item("NUM", "113830,DCM", (ctdivol, "mGy")),
        item("CODE", "113835,DCM", "113691,DCM"),
        item("NUM", "113838,DCM", dlp),
    )


def ct_head(*, intent: bool = True, source: bool = True) -> list[Dataset]:
    """What stands before the acquisitions of a CT dose report."""
    intents = [item("CODE", "363703001,SCT", "261004008,SCT", relationship="HAS CONCEPT MOD")] if intent else []
    parts = [item("CODE", "121058,DCM", "77477000,SCT", *intents, relationship="HAS CONCEPT MOD"), *observer()]
    parts += [item("DATETIME", "113809,DCM", "20260102101500"), item("DATETIME", "113810,DCM", "20260102101600")]
    parts += [item("CODE", "113705,DCM", "113014,DCM", item("UIDREF", "110180,DCM", "2.25.8"))]
    parts += [item("CODE", "113854,DCM", "113856,DCM")] if source else []
    total = container("113811,DCM", item("NUM", "113812,DCM", ("1", "{events}")), item("NUM", "113813,DCM", ("157.5", "mGy.cm")))
    return [*parts, total]


def observer() -> list[Dataset]:
    """The device that reports."""
    return [item("CODE", "121005,DCM", "121007,DCM"), item("UIDREF", "121012,DCM", "2.25.7"), item("TEXT", "121013,DCM", "CT1")]


def ct_report(*events: Dataset, **attributes: Any) -> Dataset:
    """A CT dose report that lacks nothing."""
    return document(*ct_head(), *(events or (ct_event(),)), **attributes)


def projection_report(
    *events: Dataset, device: str | None = "113957,DCM", procedure: str = "113704,DCM", totals: Any = (), **attributes: Any
) -> Dataset:
    """A report of projection X-ray."""
    intent = item("CODE", "363703001,SCT", "261004008,SCT")
    parts = [item("CODE", "121058,DCM", procedure, intent), *observer()]
    parts += [item("CODE", "122142,DCM", device)] if device else []
    parts += [item("CODE", "113705,DCM", "113014,DCM"), item("CODE", "113854,DCM", "113856,DCM")]
    plane = item("CODE", "113764,DCM", "113622,DCM")
    stated = totals or (
        item("NUM", "113722,DCM", ("0.0012", "Gy.m2")),
        item("NUM", "113726,DCM", ("0.0009", "Gy.m2")),
        item("NUM", "113725,DCM", ("0.05", "Gy")),
        item("NUM", "113730,DCM", ("62", "s")),
        item("CODE", "113780,DCM", "113860,DCM"),
    )
    return document(
        *parts, container("113702,DCM", plane, *stated), *(events or (projection_event(),)), template="10001", **attributes
    )


def projection_event(*extra: Dataset, kind: str = "44491008,SCT", uid: str = "2.25.30") -> Dataset:
    """An irradiation event of projection X-ray."""
    return container(
        "113706,DCM",
        item("CODE", "113764,DCM", "113622,DCM"),
        item("UIDREF", "113769,DCM", uid),
        item("DATETIME", "111526,DCM", "20260102101500"),
        item("CODE", "113721,DCM", kind),
        item("CODE", "123014,DCM", "51185008,SCT"),
        *extra,
    )


def encoded(dataset: Dataset, transfer_syntax: str = EXPLICIT, *, undefined: bool = False) -> bytes:
    """The bytes of a data set as they go over the wire."""
    _lengths(dataset, undefined=undefined)
    out = DicomBytesIO()
    out.is_implicit_VR, out.is_little_endian = transfer_syntax == IMPLICIT, transfer_syntax != BIG
    write_dataset(out, dataset)
    data = out.getvalue()
    if transfer_syntax != DEFLATED:
        return data
    engine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


def _lengths(dataset: Dataset, *, undefined: bool) -> None:
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = undefined
            for inner in element.value:
                inner.is_undefined_length_sequence_item = undefined
                _lengths(inner, undefined=undefined)
