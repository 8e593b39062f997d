"""An independent proof that nothing identifying is left: it reads the original with pydicom and searches the output's raw bytes.

It shares nothing with the anonymiser: no rule, no parser, no table.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pydicom
from pydicom.dataset import Dataset

SHORTEST = 4
CODECS = ("utf-8", "latin-1", "iso2022_jp", "iso2022_kr", "cp1251", "gb18030", "utf-16-le")
TEXT_KINDS = {"LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE", "PN", "UN"}
RETAINED = {
    "StationName",
    "Manufacturer",
    "ManufacturerModelName",
    "DeviceSerialNumber",
    "SoftwareVersions",
    "CodeValue",
    "LongCodeValue",
    "CodeMeaning",
    "CodingSchemeDesignator",
    "CodingSchemeVersion",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
    "ScheduledProcedureStepDescription",
    "TimezoneOffsetFromUTC",
    "UniqueDeviceIdentifier",
    "GantryID",
    "DetectorID",
}
"""What the options retain; it is no leak as it is, but must not hold a name, an identifier or a place."""
RETAINED_TEXTS = {
    "125203",
    "113605",
    "113832",
    "113842",
    "113780",
    "121013",
    "121014",
    "121015",
    "121016",
    "113877",
    "113878",
    "113879",
    "113880",
    "113961",
}
METHODS = "Retain Patient Characteristics Option; Clean Structured Content Option; Basic Application Confidentiality Profile"
"""Words that the anonymiser itself writes (CID 7050)."""
IDENTIFIERS = {"PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "RequestedProcedureID", "AdmissionID"}
WELL_KNOWN = "1.2.840.10008."


def values(data_set: Dataset) -> Iterator[tuple[Dataset, Any]]:
    """Every element that is no sequence, at any depth, with the data set that holds it."""
    for element in data_set:
        if element.VR == "SQ":
            for item in element.value or []:
                yield from values(item)
        else:
            yield data_set, element


def identifying(original: bytes) -> set[str]:
    """Every string of a Part 10 file that must not survive: names and their parts, texts, identifiers, UIDs, places."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = pydicom.dcmread(io.BytesIO(original), force=True)
        kept = {str(value) for name in RETAINED for value in [data_set.get(name)] if value}
        found: set[str] = set()
        for holder, element in values(data_set):
            found |= _strings(holder, element)
        for element in data_set.file_meta:
            if element.VR == "UI" or element.VR in TEXT_KINDS:
                found.add(str(element.value))
    found = {text.strip("\0 ") for text in found}
    return {text for text in found if len(text) >= SHORTEST and text not in kept and not text.startswith(WELL_KNOWN)}


def _strings(holder: Dataset, element: Any) -> set[str]:
    if element.value is None or element.value == "":
        return set()
    if element.VR == "PN":
        names = element.value if element.VM > 1 else [element.value]
        return {part for name in names for part in re.split(r"[\^=,]", str(name))} | {str(name) for name in names}
    raw = element.value if isinstance(element.value, bytes) else None
    texts = {raw.decode("latin-1")} if raw is not None else {str(one) for one in _several(element)}
    if element.VR == "UI" or element.keyword in IDENTIFIERS:
        return texts
    if element.keyword == "TextValue":
        name = holder.get("ConceptNameCodeSequence")
        code = name[0].get("CodeValue", "") if name else ""
        scheme = name[0].get("CodingSchemeDesignator", "") if name else ""
        return set() if scheme == "DCM" and code in RETAINED_TEXTS else texts
    if element.VR in TEXT_KINDS and element.keyword not in RETAINED:
        return texts
    return set()


def _several(element: Any) -> list[Any]:
    return list(element.value) if element.VM > 1 else [element.value]


def leaks(original: bytes, anonymised: bytes) -> set[str]:
    """The identifying strings of a Part 10 file that stand anywhere in the bytes of what was made of it, in any encoding.

    A word that stands in what is retained as it is (the name of a device that a sender also wrote as a place) is no leak, nor are
    the few digits of a number among the random ones of a UID that the anonymiser made.
    """
    retained = _retained_bytes(original)
    elsewhere = re.sub(rb"2\.25\.[0-9]+", b"2.25.", anonymised)
    return {
        text
        for text in identifying(original)
        if not _in(text, retained) and _in(text, elsewhere if text.isdigit() else anonymised)
    }


def _retained_bytes(original: bytes) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = pydicom.dcmread(io.BytesIO(original), force=True)
        device = ("StationName", "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions")
        words = [str(data_set.get(name, "")) for name in device]
        words.append(METHODS)
        words += [str(one.value) for _, one in values(data_set) if one.keyword in {"CodeMeaning", "CodeValue"}]
    return "\n".join(words).encode()


def _in(text: str, data: bytes) -> bool:
    return any(form in data for form in _forms(text))


def _forms(text: str) -> set[bytes]:
    forms = set()
    for codec in CODECS:
        try:
            forms.add(text.encode(codec))
        except UnicodeError:
            continue
    return forms


def numbers(data_set: Dataset) -> list[tuple[str, str, str]]:
    """Every number of the content tree in order: concept code, numeric value as written, unit."""
    found = []
    for item in data_set.get("ContentSequence", []):
        if item.get("ValueType") == "NUM":
            code = item.ConceptNameCodeSequence[0].get("CodeValue", "")
            for measured in item.get("MeasuredValueSequence", []):
                units = measured.get("MeasurementUnitsCodeSequence")
                found.append((code, str(measured.get("NumericValue")), units[0].get("CodeValue", "") if units else ""))
        found += numbers(item)
    return found
