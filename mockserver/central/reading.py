"""What the central server makes of an anonymised report: the exam's name, the indices, and what tells exams apart."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from acrmock.dose.dictionary import Quantity, dose_dictionary
from acrmock.dose.report import DoseReport, missing, read_report
from mockserver.central.model import Envelope, Index

if TYPE_CHECKING:
    from mockserver.context import EngineCore

_MOST_WARNINGS = 50


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A report as the registry keeps it; `exam` is a digest of what tells exams apart, empty where that cannot be said."""

    dose: bool
    sop_instance: str
    station: str = ""
    modality: str = ""
    exam_name: str = ""
    mapped: str = ""
    mapped_meaning: str = ""
    indices: tuple[Index, ...] = ()
    warnings: tuple[str, ...] = ()
    exam: str = ""


def describe(core: EngineCore, data_set: bytes, transfer_syntax: str, envelope: Envelope) -> Described:
    """The report in `data_set`; raises `Unreadable`."""
    dictionary = dose_dictionary(core.facts)
    report = read_report(data_set, transfer_syntax, dictionary)
    header = report.header
    if not report.dose:
        return Described(dose=False, sop_instance=header.sop_instance)
    name = header.study_description or header.requested_procedure
    return Described(
        dose=True,
        sop_instance=header.sop_instance,
        station=envelope.station or (header.station_name or "").rstrip(" \0"),
        modality=report.modality,
        exam_name=name,
        indices=_indices(report),
        warnings=tuple(f"missing: {lack.element}" for lack in missing(report, dictionary))[:_MOST_WARNINGS],
        exam=_exam(report, envelope),
    )


def _indices(report: DoseReport) -> tuple[Index, ...]:
    found: list[Index] = []

    def add(name: str, quantity: Quantity | None, unit: str, event: int = 0) -> None:
        if quantity is not None and quantity.value is not None:
            found.append(Index(name=name, value=quantity.value, unit=unit, event=event))

    add("DLP", report.totals.dlp, "mGy.cm")
    for number, event in enumerate(report.ct_events, 1):
        add("CTDIvol", event.ctdivol, "mGy", number)
    return tuple(found)


def _exam(report: DoseReport, envelope: Envelope) -> str:
    """A digest of age, date of birth, sex, date and time, Station Name, CTDIvols and total DLP (fact D1.19); of CT alone.

    The Study Instance UID is no part of it: some consoles make a new one where an exam is split.
    """
    if report.modality != "CT":
        return ""
    header = report.header
    doses = sorted(event.ctdivol.value for event in report.ct_events if event.ctdivol and event.ctdivol.value is not None)
    total = report.totals.dlp.value if report.totals.dlp is not None else None
    if not doses or total is None or not header.study_date:
        return ""
    who = (header.patient_age, envelope.birth_date or header.birth_date, header.patient_sex)
    where = (header.study_date, header.study_time, (header.station_name or "").rstrip(" \0"))
    told = msgspec.json.encode((*who, *where, doses, total))
    return hashlib.sha256(told).hexdigest()
