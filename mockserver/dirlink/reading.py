"""What is read of a data set, as facts for the journal: references where a patient could be known by the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from acrmock.dose.compare import digest_tags
from acrmock.dose.dictionary import Dictionary, dose_dictionary
from acrmock.dose.elements import Unreadable
from acrmock.dose.report import DoseReport, missing, read_report, template_problems
from acrmock.record import ReportFacts
from mockserver.dirlink.persons import real_persons

if TYPE_CHECKING:
    from acrmock.facts import Facts
    from mockserver.context import EngineCore

_MOST_EVENTS = 2_000
"""So many irradiation events of a report stand in the journal at most."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A data set as read: the report (None where it cannot be read), and what the journal says of it.

    `real` says where names or IDs stand that are not synthetic, though the header is (see `persons`).
    """

    report: DoseReport | None
    facts: ReportFacts
    problem: str = ""
    real: str = ""


def dictionary(facts: Facts) -> Dictionary:
    """The codes, units and rows by which reports are read."""
    return dose_dictionary(facts)


def read(core: EngineCore, data: bytes, transfer_syntax: str, facts: ReportFacts) -> Reading:
    """`data` read, with `facts` (what is known of it already) filled in."""
    words = dictionary(core.facts)
    facts = _digested(core, data, transfer_syntax, facts)
    real = real_persons(data, transfer_syntax, core.facts) if facts.synthetic and not facts.planted else ""
    try:
        report = read_report(data, transfer_syntax, words)
    except Unreadable as error:
        return Reading(report=None, facts=msgspec.structs.replace(facts, readable=False), problem=str(error), real=real)
    ref = core.digester.ref
    header = report.header
    events = tuple(dict.fromkeys(ref("event", event.uid) for event in report.events if event.uid))
    return Reading(
        real=real,
        report=report,
        facts=msgspec.structs.replace(
            facts,
            dose=report.dose,
            modality=report.modality,
            station=header.station_name,
            study=ref("study", header.study_uid) if header.study_uid else "",
            patient=ref("patient", header.patient_id) if header.patient_id else "",
            events=events[:_MOST_EVENTS],
            study_time=f"{header.study_date}{header.study_time}"[:24],
            ended=report.end[:32],
            missing=missing(report, words) if report.dose else (),
            template=template_problems(report, words) if report.dose else (),
            warnings=tuple(f"{one.pointer}: {one.element or one.expected}: {one.reason}" for one in report.warnings),
        ),
    )


def _digested(core: EngineCore, data: bytes, transfer_syntax: str, facts: ReportFacts) -> ReportFacts:
    """With digests by tag path, for a planted report, so that a changed tag can be named without the report."""
    if not facts.planted:
        return facts
    key: Callable[[bytes], str] = core.digester.mark
    try:
        digest, tags = digest_tags(data, transfer_syntax, key)
    except Unreadable:
        return facts
    return msgspec.structs.replace(facts, digest=digest, tags=tags)
