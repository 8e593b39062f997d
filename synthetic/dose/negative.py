"""Objects that a dose registry must not take, made of a report's own study: captures, screens, lossy, anonymised, PDF, SR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import pack
from typing import NamedTuple

import msgspec

from acrmock.dose.elements import EXPLICIT_LITTLE
from synthetic.dose import codes, jpeg
from synthetic.dose.content import Content, Elements, file_meta
from synthetic.dose.elements import DataSet, Element, Hole, code_items, in_order
from synthetic.dose.encoding import Encoding
from synthetic.dose.model import Heading
from synthetic.dose.raster import text_image
from synthetic.dose.reports import Maker, Report

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
WIDTH, HEIGHT = 320, 240
_DEIDENTIFIED = (("113100", "Basic Application Confidentiality Profile"), ("113109", "Retain Device Identity Option"))


class Negative(NamedTuple):
    """One object: the file, the data set as it goes over the wire, and what is needed to send it."""

    file_bytes: bytes
    data_set: bytes
    transfer_syntax: str
    sop_class: str
    sop_instance: str
    study_uid: str
    content: Content | None


def secondary_capture(report: Report) -> Negative:
    """A Secondary Capture of a grey ramp."""
    pixels = bytes(column * 255 // (WIDTH - 1) for _ in range(HEIGHT) for column in range(WIDTH))
    return _capture(report, pixels, "Screen capture")


def dose_screen(report: Report) -> Negative:
    """A Secondary Capture of a dose page: the report's own figures as a picture of text."""
    return _capture(report, text_image(screen_lines(report), WIDTH, HEIGHT), "Dose screen", number="999")


def screen_lines(report: Report) -> list[str]:
    """What the dose screen says, line by line."""
    values, heading = report.values, report.values.heading
    lines = ["SYNTHETIC DOSE REPORT", heading.patient_id, heading.study_description[:40], f"DATE {heading.study_date}", ""]
    if values.ct_totals is not None:
        lines += [
            f"{event.protocol[:20]} CTDIVOL {event.ctdi_vol} DLP {event.dlp} {event.phantom.meaning[4:8]}"
            for event in values.exam.ct_events
        ]
        lines.append(f"TOTAL DLP {values.ct_totals.dlp_total} MGY.CM")
    if values.x_totals is not None:
        lines += [f"DAP {event.dap} GY.M2 RP {event.rp} GY" for event in values.exam.x_events[:16]]
        lines.append(f"TOTAL DAP {values.x_totals.dap_total} GY.M2")
    return lines


def lossy(report: Report) -> Negative:
    """A Secondary Capture in JPEG Baseline, and labelled as lossy (PS3.3 section C.7.6.1.1.5)."""
    pixels = text_image(screen_lines(report), WIDTH, HEIGHT)
    stream = jpeg.encode(pixels, WIDTH, HEIGHT)
    stream += b"\0" * (len(stream) % 2)
    item = pack("<HHL", 0xFFFE, 0xE000, 0)
    pixel_data = item + pack("<HHL", 0xFFFE, 0xE000, len(stream)) + stream + pack("<HHL", 0xFFFE, 0xE0DD, 0)
    extra = [
        Element(0x00282110, "CS", "01"),
        Element(0x00282112, "DS", f"{WIDTH * HEIGHT / len(stream):.2f}"),
        Element(0x00282114, "CS", "ISO_10918_1"),
    ]
    elements = [*_patient_and_study(report, "OT", "Lossy capture", SECONDARY_CAPTURE), *_image_elements(), *extra]
    content = Content(
        Encoding(EXPLICIT_LITTLE, "ISO_IR 192"),
        Elements(in_order(elements)),
        _values(report),
        file_meta(SECONDARY_CAPTURE, JPEG_BASELINE),
    )
    data_set = content.data_set() + pack("<HH", 0x7FE0, 0x0010) + b"OB\0\0\xff\xff\xff\xff" + pixel_data
    return _made(report, content, data_set, JPEG_BASELINE, SECONDARY_CAPTURE)._replace(content=None)


def anonymised(report: Report) -> Negative:
    """The same report as somebody else anonymised it: Patient Identity Removed, names and identifiers gone (PS3.15 annex E)."""
    empty = {0x00100010: "PN", 0x00100020: "LO", 0x00100030: "DA", 0x00080050: "SH", 0x00200010: "SH", 0x00080090: "PN"}
    kept = [element for element in report.content.header.elements if element.tag not in empty and element.tag != 0x00080080]
    methods = tuple(code_items(codes.dcm(value, meaning)) for value, meaning in _DEIDENTIFIED)
    kept += [Element(tag, vr, "") for tag, vr in empty.items()]
    kept += [Element(0x00120062, "CS", "YES"), Element(0x00120064, "SQ", methods)]
    content = report.content._replace(header=Elements(in_order(kept)), values=_values(report))
    return _made(report, content, content.data_set(), report.transfer_syntax, report.sop_class)


def pdf_report(report: Report) -> Negative:
    """The dose figures as a PDF in an Encapsulated PDF object (PS3.3 section A.45.1)."""
    document = _pdf(screen_lines(report))
    elements = [
        *_patient_and_study(report, "DOC", "Dose report PDF", ENCAPSULATED_PDF),
        Element(0x00080064, "CS", "WSD"),
        Element(0x0008002A, "DT", Hole("end")),
        Element(0x00280301, "CS", "YES"),
        Element(0x0040A043, "SQ", ()),
        Element(0x00420010, "ST", "Dose report"),
        Element(0x00420012, "LO", "application/pdf"),
        Element(0x00420011, "OB", document),
    ]
    return _object(report, elements, ENCAPSULATED_PDF)


def non_dose_sr(maker: Maker, index: int) -> Negative:
    """An Enhanced SR that is no dose report (root 18748-4 LN), of the study with this index."""
    other = Maker(msgspec.structs.replace(maker.options, quirks=("Q2",))).report(index)
    return Negative(
        other.file_bytes,
        other.data_set,
        other.transfer_syntax,
        other.sop_class,
        other.sop_instance,
        other.study_uid,
        other.content,
    )


MAKERS: dict[str, Callable[[Report], Negative]] = {
    "sc": secondary_capture,
    "dose-screen": dose_screen,
    "lossy": lossy,
    "anonymised": anonymised,
    "pdf": pdf_report,
}


def _capture(report: Report, pixels: bytes, description: str, number: str = "900") -> Negative:
    elements = _patient_and_study(report, "OT", description, SECONDARY_CAPTURE, number)
    return _object(report, [*elements, *_image_elements(), Element(0x7FE00010, "OB", pixels)], SECONDARY_CAPTURE)


def _object(report: Report, elements: Sequence[Element], sop_class: str) -> Negative:
    encoding = Encoding(EXPLICIT_LITTLE, "ISO_IR 192")
    content = Content(encoding, Elements(in_order(list(elements))), _values(report), file_meta(sop_class, EXPLICIT_LITTLE))
    return _made(report, content, content.data_set(), EXPLICIT_LITTLE, sop_class)


def _values(report: Report) -> Heading:
    """The report's heading for another object: instance and series of its own."""
    heading = report.values.heading
    return msgspec.structs.replace(heading, sop_instance=heading.sop_instance + ".1", series_uid=heading.series_uid + ".1")


def _made(report: Report, content: Content, data_set: bytes, transfer_syntax: str, sop_class: str) -> Negative:
    instance = report.values.heading.sop_instance + ".1"
    return Negative(content.file(data_set), data_set, transfer_syntax, sop_class, instance, report.study_uid, content)


def _patient_and_study(report: Report, modality: str, description: str, sop_class: str, number: str = "900") -> list[Element]:
    wanted = {
        0x00080018, 0x00080020, 0x00080023, 0x00080030, 0x00080033, 0x00080050, 0x00080070, 0x00080090, 0x00081010,
        0x00081030, 0x00081090, 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00101010, 0x00181000, 0x00181020,
        0x0020000D, 0x0020000E, 0x00200010, 0x00200013,
    }  # fmt: skip # tags in rows
    found = [element for element in report.content.header.elements if element.tag in wanted]
    return [
        *found,
        Element(0x00080005, "CS", "ISO_IR 192"),
        Element(0x00080016, "UI", sop_class),
        Element(0x00080060, "CS", modality),
        Element(0x0008103E, "LO", description),
        Element(0x00200011, "IS", number),
    ]


def _image_elements() -> DataSet:
    return (
        Element(0x00080008, "CS", "DERIVED\\SECONDARY"),
        Element(0x00080064, "CS", "WSD"),
        Element(0x00200020, "CS", ""),
        Element(0x00200060, "CS", ""),
        Element(0x00280002, "US", 1),
        Element(0x00280004, "CS", "MONOCHROME2"),
        Element(0x00280010, "US", HEIGHT),
        Element(0x00280011, "US", WIDTH),
        Element(0x00280100, "US", 8),
        Element(0x00280101, "US", 8),
        Element(0x00280102, "US", 7),
        Element(0x00280103, "US", 0),
        Element(0x00280301, "CS", "YES"),
    )


def _pdf(lines: list[str]) -> bytes:
    """A PDF 1.4 of one page (ISO 32000-1)."""
    shown = [line.replace("\\", "").replace("(", "[").replace(")", "]") for line in lines]
    text = "BT /F1 10 Tf 40 780 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in shown) + " ET"
    stream = text.encode("ascii", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(made)
    count = len(objects) + 1
    made += b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(made)
