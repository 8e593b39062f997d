"""Dose reports built by pydicom to hide identifiers where an anonymiser might not look."""

from __future__ import annotations

import io
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from mockserver.dirlink.anonymise import Anonymised, Policy, anonymise, uid_map

KEY = b"k" * 32
TRANSFER = str(ExplicitVRLittleEndian)
RDSR = "1.2.840.10008.5.1.4.1.1.88.67"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A code sequence item."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def content(kind: str, value: str, meaning: str, scheme: str = "DCM", **attributes: Any) -> Dataset:
    """A content item of a value type and concept."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", kind
    item.ConceptNameCodeSequence = Sequence([code(value, scheme, meaning)])
    for name, one in attributes.items():
        setattr(item, name, one)
    return item


def number(value: str, concept: str, meaning: str, unit: str, **attributes: Any) -> Dataset:
    """A NUM content item."""
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = Sequence([code(unit, "UCUM", unit)])
    return content("NUM", concept, meaning, MeasuredValueSequence=Sequence([measured]), **attributes)


def report(*items: Dataset, **attributes: Any) -> Dataset:
    """A dose report with a dose, a person and a place in its content tree, and any further items and attributes."""
    data_set = Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = RDSR, "1.2.3.4.5.6.7.1"
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = "1.2.3.4.5.6.7.2", "1.2.3.4.5.6.7.3"
    data_set.StudyDate, data_set.StudyTime, data_set.Modality = "20260110", "101500", "SR"
    data_set.PatientName, data_set.PatientID, data_set.PatientBirthDate = "Quillfeather^Ambrosius", "MRN99Q77", "19500301"
    data_set.PatientSex, data_set.AccessionNumber, data_set.StudyID = "M", "ACC55443X", "ST7788"
    data_set.InstitutionName, data_set.ReferringPhysicianName = "Wolkenstein Hospital", "Zauberlehrling^Eva"
    data_set.StationName, data_set.Manufacturer, data_set.StudyDescription = "CT1", "ACME", "CT CHEST"
    data_set.ValueType = "CONTAINER"
    data_set.ConceptNameCodeSequence = Sequence([code("113701", "DCM", "X-Ray Radiation Dose Report")])
    data_set.ContentSequence = Sequence([number("12.34", "113830", "Mean CTDIvol", "mGy"), *items])
    for name, value in attributes.items():
        setattr(data_set, name, value)
    return data_set


def part10(data_set: Dataset, *, preamble: bytes = b"\0" * 128, trailing: bytes = b"") -> bytes:
    """The Part 10 file of a data set."""
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.preamble = preamble
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue() + trailing


def anonymous(data: bytes, **policy: Any) -> Anonymised:
    """What the anonymiser makes of a file."""
    return anonymise(data, TRANSFER, Policy(key=KEY, **policy), uid_map(KEY))


def reread(anonymised: Anonymised) -> Dataset:
    """The anonymous data set as pydicom reads it."""
    return pydicom.dcmread(io.BytesIO(anonymised.data), force=True)
