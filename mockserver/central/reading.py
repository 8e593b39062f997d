"""What the central server makes of an anonymised report: the exam's name, the indices, and what tells exams apart.

A function of bytes and facts that takes milliseconds: the process that reads reports does it, where there is one.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from acrmock.dose.dictionary import dose_dictionary
from acrmock.dose.report import DoseReport, missing, read_report
from acrmock.dose.text import unpadded
from mockserver.central.described import Described
from mockserver.central.indices import IndexRules, index_rules, indices
from mockserver.central.model import Envelope
from mockserver.central.naming import NamingRules, name_exam, naming_rules, stated_code

if TYPE_CHECKING:
    from acrmock.facts import Facts

_MOST_WARNINGS = 50


@lru_cache(maxsize=8)
def rules_of(facts: Facts) -> tuple[IndexRules, NamingRules]:
    """How these facts make indices and name exams."""
    return index_rules(facts), naming_rules(facts)


def describe(facts: Facts, data_set: bytes, transfer_syntax: str, envelope: Envelope) -> Described:
    """The report in `data_set`; raises `Unreadable`."""
    dictionary = dose_dictionary(facts)
    report = read_report(data_set, transfer_syntax, dictionary)
    header = report.header
    if not report.dose:
        return Described(dose=False, sop_instance=header.sop_instance)
    index, naming = rules_of(facts)
    stated = stated_code(data_set, transfer_syntax, naming)
    name = name_exam(report, naming, facility=envelope.facility, stated=stated)
    return Described(
        dose=True,
        sop_instance=header.sop_instance,
        station=envelope.station or unpadded(header.station_name),
        modality=report.modality,
        exam_name=name.local,
        mapped=name.code,
        mapped_meaning=name.meaning,
        indices=indices(report, index, exam_name=name.meaning),
        warnings=tuple(f"missing: {lack.element}" for lack in missing(report, dictionary))[:_MOST_WARNINGS],
        exam=_exam(report, envelope),
    )


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
    where = (header.study_date, header.study_time, unpadded(header.station_name))
    told = msgspec.json.encode((*who, *where, doses, total))
    return hashlib.sha256(told).hexdigest()
