"""What the numbers and identifiers of DICOM mean, in words for people: classes, transfer syntaxes, statuses, refusals."""

from __future__ import annotations

_NAMES = {
    "1.2.840.10008.1.1": "Verification",
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
    "1.2.840.10008.1.2.4.50": "JPEG Baseline",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless",
    "1.2.840.10008.1.2.5": "RLE Lossless",
    "1.2.840.10008.1.20.1": "Storage Commitment Push Model",
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography Image Storage",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray Image Storage",
    "1.2.840.10008.5.1.4.1.1.2": "CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.4": "MR Image Storage",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image Storage",
    "1.2.840.10008.5.1.4.1.1.12.1": "X-Ray Angiographic Image Storage",
    "1.2.840.10008.5.1.4.1.1.12.2": "X-Ray Radiofluoroscopic Image Storage",
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR Storage",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR Storage",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR Storage",
    "1.2.840.10008.5.1.4.1.1.88.67": "X-Ray Radiation Dose SR Storage",
    "1.2.840.10008.5.1.4.1.1.88.68": "Radiopharmaceutical Radiation Dose SR Storage",
    "1.2.840.10008.5.1.4.1.1.88.73": "Patient Radiation Dose SR Storage",
    "1.2.840.10008.5.1.4.1.1.88.76": "Enhanced X-Ray Radiation Dose SR Storage",
    "1.2.840.10008.5.1.4.1.1.104.1": "Encapsulated PDF Storage",
}
"""Names of UIDs (PS3.6 Annex A)."""

_STATUSES = {
    0x0000: "success",
    0x0001: "success with a warning about attributes",
    0x0105: "no such attribute",
    0x0110: "processing failure",
    0x0111: "duplicate SOP instance",
    0x0112: "no such SOP instance",
    0x0117: "invalid SOP instance",
    0x0118: "no such SOP class",
    0x0122: "SOP class not supported",
    0x0124: "not authorized",
    0x0210: "duplicate invocation",
    0x0211: "unrecognized operation",
    0x0212: "mistyped argument",
    0xB000: "stored, with elements coerced",
    0xB006: "stored, with elements discarded",
    0xB007: "stored, though the data set does not match the SOP class",
    0xFE00: "cancelled",
}
_RANGES = (
    (range(0xA700, 0xA800), "refused: out of resources"),
    (range(0xA900, 0xAA00), "the data set does not match the SOP class"),
    (range(0xB000, 0xC000), "stored, with a warning"),
    (range(0xC000, 0xD000), "cannot be understood or taken"),
)
"""Statuses of a C-STORE (PS3.4 table B.2-1, PS3.7 Annex C)."""

_RESULTS = {
    0: "accepted",
    1: "rejected by the user",
    2: "rejected, no reason given",
    3: "rejected: abstract syntax not supported",
    4: "rejected: transfer syntaxes not supported",
}
"""Results of a presentation context (PS3.8 table 9-18)."""

_LASTING = {1: "permanent", 2: "transient"}
_REASONS = {
    (1, 1): "no reason given",
    (1, 2): "application context name not supported",
    (1, 3): "calling AE title not recognized",
    (1, 7): "called AE title not recognized",
    (2, 1): "no reason given",
    (2, 2): "protocol version not supported",
    (3, 1): "temporary congestion",
    (3, 2): "local limit exceeded",
}
"""Source and reason of a rejection (PS3.8 table 9-21)."""


def name_of_uid(uid: str) -> str:
    """The name of a UID with the UID behind it; the UID alone where it has no name here."""
    name = _NAMES.get(uid, "")
    return f"{name} ({uid})" if name else uid


def status_words(status: int | None) -> str:
    """A status as DICOM writes it, with its meaning."""
    if status is None:
        return "no answer"
    meaning = _STATUSES.get(status) or next((words for numbers, words in _RANGES if status in numbers), "failure")
    return f"{status:04X}H {meaning}"


def result_words(result: int | None) -> str:
    """The result of a presentation context."""
    return "not answered" if result is None else _RESULTS.get(result, f"result {result}")


def rejection_words(rejection: tuple[int, int, int]) -> str:
    """An A-ASSOCIATE-RJ: for how long, and why."""
    result, source, reason = rejection
    why = _REASONS.get((source, reason), f"source {source}, reason {reason}")
    return f"{_LASTING.get(result, f'result {result}')}: {why}"
