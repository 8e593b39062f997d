"""CT images and localizers that belong to a report: same study, frame of reference, device and geometry; small, uncompressed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from struct import pack
from typing import NamedTuple

import msgspec

from acrmock.dose.elements import EXPLICIT_LITTLE
from synthetic.dose.content import Content, Elements, file_meta
from synthetic.dose.elements import Element, Hole, HoleKind, in_order
from synthetic.dose.encoding import Encoding
from synthetic.dose.model import CtEvent, CtType, Heading
from synthetic.dose.reports import Report

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SIDE = 64  # pixels
_FIELD = 512  # mm
_ENCODING = Encoding(EXPLICIT_LITTLE, "ISO_IR 192")
_META = file_meta(CT_IMAGE, EXPLICIT_LITTLE)
_AIR, _WATER = 0, 1024  # stored values; rescale intercept -1024


class Image(NamedTuple):
    """One image: the file, the data set as it goes over the wire, and what is needed to send it."""

    file_bytes: bytes
    data_set: bytes
    transfer_syntax: str
    sop_class: str
    sop_instance: str
    study_uid: str
    event_uid: str
    content: Content


class _Slice(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from image to image."""

    head: Heading
    sop_instance: str
    series_uid: str
    event_uid: str
    series_number: str
    instance_number: str
    description: str
    position: str
    location: str
    acquired: str
    thickness: str
    kvp: str
    ma: str
    exposure: str


def ct_images(report: Report, *, per_event: int = 3) -> Iterator[Image]:
    """Axial images of the report's scans, `per_event` of each, evenly along the scanned length; none of the localizers."""
    for number, event in enumerate(report.values.exam.ct_events, 1):
        if event.type is not CtType.LOCALIZER:
            for place in range(per_event):
                yield _image(report, event, number, place, per_event)


def localizers(report: Report) -> Iterator[Image]:
    """The localizer images of the report, one of each localizer event: frontal, then lateral."""
    for number, event in enumerate(report.values.exam.ct_events, 1):
        if event.type is CtType.LOCALIZER:
            yield _image(report, event, number, 0, 1)


def _image(report: Report, event: CtEvent, number: int, place: int, of: int) -> Image:
    frontal = event.type is CtType.LOCALIZER
    heading = report.values.heading
    z = event.top_mm - (event.length_mm * place // max(1, of - 1) if of > 1 else 0)
    values = _Slice(
        head=heading,
        sop_instance=f"{event.series_uid}.{place + 1}",
        series_uid=event.series_uid,
        event_uid=event.event_uid,
        series_number=str(number),
        instance_number=str(place + 1),
        description=event.protocol[:64],
        position=f"{-_FIELD // 2}\\0\\{z}" if frontal else f"{-_FIELD // 2}\\{-_FIELD // 2}\\{z}",
        location=str(z),
        acquired=event.started[8:],
        thickness=event.total_collimation if frontal else "5.0",
        kvp=event.kvp,
        ma=event.ma,
        exposure=str(round(float(event.exposure_time) * 1000)),
    )
    content = Content(_ENCODING, _header(localizer=frontal), values, _META)
    data_set = content.data_set()
    return Image(
        content.file(data_set),
        data_set,
        EXPLICIT_LITTLE,
        CT_IMAGE,
        values.sop_instance,
        heading.study_uid,
        event.event_uid,
        content,
    )


@cache
def _header(*, localizer: bool) -> Elements:
    """The CT Image IOD (PS3.3 section A.3) with the pixels of a phantom."""

    def heading(tag: int, vr: str, name: str) -> Element:
        return Element(tag, vr, Hole(f"head.{name}", HoleKind.UID if vr == "UI" else HoleKind.TEXT))

    orientation = "1\\0\\0\\0\\0\\-1" if localizer else "1\\0\\0\\0\\1\\0"
    return Elements(
        in_order(
            [
                Element(0x00080005, "CS", "ISO_IR 192"),
                Element(0x00080008, "CS", "ORIGINAL\\PRIMARY\\" + ("LOCALIZER" if localizer else "AXIAL")),
                Element(0x00080016, "UI", CT_IMAGE),
                Element(0x00080018, "UI", Hole("sop_instance", HoleKind.UID)),
                heading(0x00080020, "DA", "study_date"),
                heading(0x00080022, "DA", "study_date"),
                heading(0x00080023, "DA", "study_date"),
                heading(0x00080030, "TM", "study_time"),
                Element(0x00080032, "TM", Hole("acquired")),
                Element(0x00080033, "TM", Hole("acquired")),
                heading(0x00080050, "SH", "accession"),
                Element(0x00080060, "CS", "CT"),
                heading(0x00080070, "LO", "manufacturer"),
                heading(0x00080080, "LO", "institution"),
                heading(0x00080090, "PN", "referring"),
                heading(0x00081010, "SH", "station"),
                heading(0x00081030, "LO", "study_description"),
                Element(0x0008103E, "LO", Hole("description")),
                heading(0x00081090, "LO", "model"),
                Element(0x00083010, "UI", Hole("event_uid", HoleKind.UID)),
                heading(0x00100010, "PN", "patient_name"),
                heading(0x00100020, "LO", "patient_id"),
                heading(0x00100030, "DA", "birth_date"),
                heading(0x00100040, "CS", "patient_sex"),
                heading(0x00101010, "AS", "patient_age"),
                heading(0x00101020, "DS", "patient_size"),
                heading(0x00101030, "DS", "patient_weight"),
                Element(0x00180050, "DS", Hole("thickness")),
                Element(0x00180060, "DS", Hole("kvp")),
                heading(0x00181000, "LO", "serial"),
                heading(0x00181020, "LO", "software"),
                Element(0x00181150, "IS", Hole("exposure")),
                Element(0x00181151, "IS", Hole("ma")),
                Element(0x00185100, "CS", "HFS"),
                heading(0x0020000D, "UI", "study_uid"),
                Element(0x0020000E, "UI", Hole("series_uid", HoleKind.UID)),
                heading(0x00200010, "SH", "study_id"),
                Element(0x00200011, "IS", Hole("series_number")),
                Element(0x00200012, "IS", Hole("series_number")),
                Element(0x00200013, "IS", Hole("instance_number")),
                Element(0x00200032, "DS", Hole("position")),
                Element(0x00200037, "DS", orientation),
                heading(0x00200052, "UI", "frame_uid"),
                Element(0x00200060, "CS", ""),
                Element(0x00201040, "LO", ""),
                Element(0x00201041, "DS", Hole("location")),
                Element(0x00280002, "US", 1),
                Element(0x00280004, "CS", "MONOCHROME2"),
                Element(0x00280010, "US", SIDE),
                Element(0x00280011, "US", SIDE),
                Element(0x00280030, "DS", f"{_FIELD // SIDE}\\{_FIELD // SIDE}"),
                Element(0x00280100, "US", 16),
                Element(0x00280101, "US", 12),
                Element(0x00280102, "US", 11),
                Element(0x00280103, "US", 0),
                Element(0x00281050, "DS", "40"),
                Element(0x00281051, "DS", "400"),
                Element(0x00281052, "DS", "-1024"),
                Element(0x00281053, "DS", "1"),
                *([] if localizer else [Element(0x00281054, "LO", "HU")]),
                Element(0x7FE00010, "OW", _phantom()),
            ]
        )
    )


def _phantom() -> bytes:
    """A disc of water in air, 16 bits a pixel, little endian."""
    middle = SIDE / 2 - 0.5
    inside = (SIDE * 0.35) ** 2
    values = [
        _WATER if (row - middle) ** 2 + (column - middle) ** 2 < inside else _AIR for row in range(SIDE) for column in range(SIDE)
    ]
    return pack(f"<{len(values)}H", *values)
