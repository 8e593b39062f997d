"""The header of a dose report: the modules of the X-Ray Radiation Dose SR IOD (PS3.3 section A.35.8.3)."""

from __future__ import annotations

from functools import cache

import msgspec

from synthetic.dose import codes
from synthetic.dose.elements import Code, DataSet, Element, Hole, HoleKind, code_sequence, in_order
from synthetic.dose.rows import template_identification

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
_TEXTS = (
    (0x00080005, "CS", "charset"),
    (0x00080012, "DA", "content_date"),
    (0x00080013, "TM", "content_time"),
    (0x00080020, "DA", "study_date"),
    (0x00080023, "DA", "content_date"),
    (0x00080030, "TM", "study_time"),
    (0x00080033, "TM", "content_time"),
    (0x00080050, "SH", "accession"),
    (0x00080070, "LO", "manufacturer"),
    (0x00080080, "LO", "institution"),
    (0x00080090, "PN", "referring"),
    (0x00081010, "SH", "station"),
    (0x00081030, "LO", "study_description"),
    (0x0008103E, "LO", "series_description"),
    (0x00081090, "LO", "model"),
    (0x00100010, "PN", "patient_name"),
    (0x00100020, "LO", "patient_id"),
    (0x00100030, "DA", "birth_date"),
    (0x00100040, "CS", "patient_sex"),
    (0x00101010, "AS", "patient_age"),
    (0x00101020, "DS", "patient_size"),
    (0x00101030, "DS", "patient_weight"),
    (0x00181000, "LO", "serial"),
    (0x00181020, "LO", "software"),
    (0x00200010, "SH", "study_id"),
    (0x0040A491, "CS", "completion"),
)
_UIDS = (
    (0x00080016, "sop_class"),
    (0x00080018, "sop_instance"),
    (0x0020000D, "study_uid"),
    (0x0020000E, "series_uid"),
)


def header(title: Code = codes.REPORT, template: str = "") -> list[Element]:
    """The elements before the content sequence; their holes are the attributes of `Heading`."""
    found = [Element(tag, vr, Hole(name)) for tag, vr, name in _TEXTS]
    found += [Element(tag, "UI", Hole(name, HoleKind.UID)) for tag, name in _UIDS]
    found += [
        Element(0x00080060, "CS", "SR"),
        Element(0x00081111, "SQ", ()),
        Element(0x00200011, "IS", "990"),
        Element(0x00200013, "IS", "1"),
        code_sequence(0x0040A043, title),
        Element(0x0040A040, "CS", "CONTAINER"),
        Element(0x0040A050, "CS", "SEPARATE"),
        Element(0x0040A370, "SQ", (_request(),)),
        Element(0x0040A372, "SQ", ()),
        Element(0x0040A493, "CS", "UNVERIFIED"),
    ]
    if template:
        found.append(template_identification(template))
    return found


def _request() -> DataSet:
    """One item of the Referenced Request Sequence (PS3.3 table C.17-2)."""
    return in_order(
        [
            Element(0x00080050, "SH", Hole("accession")),
            Element(0x00081110, "SQ", ()),
            Element(0x0020000D, "UI", Hole("study_uid", HoleKind.UID)),
            Element(0x00321060, "LO", Hole("study_description")),
            Element(0x00321064, "SQ", ()),
            Element(0x00401001, "SH", Hole("study_id")),
            Element(0x00402016, "LO", Hole("accession")),
            Element(0x00402017, "LO", Hole("accession")),
        ]
    )


def evidence(image_class: str, count: int) -> Element:
    """The Current Requested Procedure Evidence Sequence of `count` images, whose UIDs are the fields of `images`."""
    references = tuple(
        (Element(0x00081150, "UI", image_class), Element(0x00081155, "UI", Hole(f"images.i{number}", HoleKind.UID)))
        for number in range(count)
    )
    series = (Element(0x00081199, "SQ", references), Element(0x0020000E, "UI", Hole("image_series", HoleKind.UID)))
    study = (Element(0x00081115, "SQ", (series,)), Element(0x0020000D, "UI", Hole("study_uid", HoleKind.UID)))
    return Element(0x0040A375, "SQ", (study,))


@cache
def _images_type(count: int) -> type[msgspec.Struct]:
    return msgspec.defstruct(f"Images{count}", [(f"i{number}", str) for number in range(count)], frozen=True)


def images_of(uids: list[str]) -> msgspec.Struct:
    """The UIDs of the images that a report names, as `evidence` asks for them."""
    return _images_type(len(uids))(*uids)
