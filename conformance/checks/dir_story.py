"""Dose reports over time: each exam's report once, soon, and only of the stations that were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from acrmock.facts.model import Role
from conformance.checks.base import Case, Collection, Fault, Ruling, at, inapplicable, rule
from conformance.flows.associations import STORE, Association, Expected, Operation, Planted, Received
from conformance.profile import DoseRules
from conformance.result import Evidence

STORY = Collection("dir")
_DICOM_TIME = re.compile(r"([0-9]{8})([0-9]{2}(?:[0-9]{2}){0,2})(?:\.[0-9]{1,6})?([+-][0-9]{4})?")
_DAY = 10
"""Characters of a day alone."""


@STORY.check("dir-each-exam", subject="sender")
def dir_each_exam(case: Case) -> Ruling:
    """Every exam's report arrives (S1), and none is stored a second time after its success was delivered (our choice).

    Fails for: a planted report, or one that was expected, that was never stored; fewer reports than were expected; a report
    that comes again although the sender was told of its success. Again after no answer, a lost one or a refusal is right.
    """
    dicom = case.flows.dicom
    wanted = [one for one in dicom.planted if one.facts.expected]
    unwanted = {(one.environment, one.facts.sop_instance) for one in dicom.planted if not one.facts.expected}
    faults = [
        Fault(entry=one.seq, pointer="/data/sop_instance", actual=f"the report {one.facts.sop_instance} never arrived")
        for one in wanted
        if _arrival(one) is None
    ]
    faults += [fault for one in dicom.expected for fault in _missing(one, dicom.objects)]
    for item in dicom.objects:
        if (item.environment, item.sop_instance) not in unwanted:
            faults += _twice(item)
    seen = [at(copy.seq, "/facts/sop_instance") for one in wanted if (copy := _arrival(one)) is not None]
    seen += [at(one.seq, "/data") for one in dicom.expected]
    return rule(
        "every exam's report arrives, once",
        faults,
        seen,
        "no report was planted and none was expected",
        correct="each report once; again only when its success did not come",
    )


def _arrival(planted: Planted) -> Operation | None:
    return planted.received.arrived if planted.received else None


def _missing(expected: Expected, objects: Iterable[Received]) -> Iterator[Fault]:
    here = [item for item in objects if item.environment == expected.environment or not expected.environment]
    arrived = {item.sop_instance for item in here if item.arrived is not None and item.is_report}
    for index, name in enumerate(expected.sop_instances):
        if name not in arrived:
            yield Fault(entry=expected.seq, pointer=f"/data/sop_instances/{index}", actual=f"the report {name} never arrived")
    if expected.count is not None and len(arrived) < expected.count:
        words = f"{len(arrived)} reports arrived, {expected.count} were expected"
        yield Fault(entry=expected.seq, pointer="/data/count", actual=words)


def _twice(item: Received) -> Iterator[Fault]:
    told: Operation | None = None
    if not item.is_report:
        return
    for copy in item.copies:
        if told is not None:
            words = f"the report {item.sop_instance} came again after its success in entry {told.seq}"
            yield Fault(entry=copy.seq, pointer="/facts/sop_instance", actual=words)
            return
        told = told or (copy if copy.told else None)


@STORY.check("dir-soon", subject="sender")
def dir_soon(case: Case) -> Ruling:
    """Reports come by themselves, soon after the exam, not in manual batches (facts D1.5, D1.10; S1), in wall time.

    An exam ends when its report was planted, else when the report itself says so, which tells nothing where that is very long
    ago (a stored sample). Fails for: a report that was stored later than what counts as soon; an association that brings several
    reports whose exams lie far apart. A time without a zone counts only where no zone could explain it.
    """
    rules = case.rules.dose
    exams = dict(_exams(case))
    late = [fault for ended, zoned, copy in exams.values() for fault in _late(ended, copy, rules, zoned=zoned)]
    seqs = {fault.entry for fault in late}
    batches = [fault for one in case.flows.dicom.associations for fault in _batch(one, exams, rules)]
    faults = [*late, *(fault for fault in batches if fault.entry not in seqs)]
    seen = [at(copy.seq, "/t") for _, _, copy in exams.values()]
    return rule(
        f"each report within {rules.soon:g} s of its exam, none kept for a batch",
        faults,
        seen,
        "no report was stored of which it is known when its exam ended",
        correct="C-STORE by itself when the exam ends",
    )


Exam = tuple[float, bool, Operation]


def _exams(case: Case) -> Iterator[tuple[tuple[str, str], Exam]]:
    """The exams whose end is known: seconds since 1970, whether the zone is known, and the first copy that was stored."""
    planted = {(one.environment, one.facts.sop_instance): one for one in case.flows.dicom.planted}
    for item in case.flows.dicom.objects:
        copy, key = item.arrived, (item.environment, item.sop_instance)
        if copy is None or not item.is_report or (key in planted and not planted[key].facts.expected):
            continue
        if key in planted:
            yield key, (planted[key].t, True, copy)
            continue
        said = next((one.facts.ended or one.facts.study_time for one in item.readings if one.facts.dose), "")
        moment = _moment(said)
        if moment is None:
            continue
        ended = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if -case.rules.dose.unzoned <= copy.t - ended <= case.rules.dose.old:
            yield key, (ended, moment.tzinfo is not None, copy)


def _moment(text: str) -> datetime | None:
    """A time as RFC 3339 or as DICOM writes it (PS3.5 section 6.2, DT or DA with TM), or None; a bare day tells too little."""
    found = _DICOM_TIME.fullmatch(text.strip())
    if found is not None:
        day, time, zone = found.groups()
        text = f"{day}T{time:0<6}{zone or ''}"
    try:
        return datetime.fromisoformat(text) if len(text) > _DAY else None
    except ValueError:
        return None


def _late(ended: float, copy: Operation, rules: DoseRules, *, zoned: bool) -> Iterator[Fault]:
    allowed = rules.soon + (0.0 if zoned else rules.unzoned)
    if copy.t - ended > allowed:
        yield Fault(entry=copy.seq, pointer="/t", actual=f"the report came {copy.t - ended:.0f} s after its exam")


def _batch(one: Association, exams: dict[tuple[str, str], Exam], rules: DoseRules) -> Iterator[Fault]:
    """A manual batch: exams far apart whose reports came in one association."""
    brought = {(item.environment, item.facts.sop_instance) for item in one.stores}
    seqs = {item.seq for item in one.stores}
    ends = [exams[key][0] for key in brought if key in exams and exams[key][2].seq in seqs]
    if len(ends) >= rules.batch_reports and max(ends) - min(ends) >= rules.batch_spread:
        words = f"{len(ends)} reports of exams that lie {max(ends) - min(ends):.0f} s apart came in one association"
        yield Fault(entry=one.seq, pointer="/facts/stored" if one.facts else "", actual=words)


@STORY.check("dir-selective", subject="sender")
def dir_selective(case: Case) -> Ruling:
    """A PACS sends only the stations that it was told to (S1).

    Fails for a planted report of another station that comes all the same, refused or not. Needs both: one that was to come and
    came, and one that was not to.
    """
    expected = "reports of the stations asked for, and of no others"
    if case.rules.dose.role is not Role.PACS:
        return inapplicable(expected, "the sender is no PACS")
    planted = case.flows.dicom.planted
    faults = [
        Fault(entry=copy.seq, pointer="/facts/sop_instance", actual=f"a report of the station {one.facts.station!r} came")
        for one in planted
        if not one.facts.expected
        for copy in (one.received.copies if one.received else ())
        if copy.facts.service == STORE
    ]
    came = [at(copy.seq, "/facts/sop_instance") for one in planted if one.facts.expected and (copy := _arrival(one))]
    seen: list[Evidence] = came if any(not one.facts.expected for one in planted) else []
    return rule(expected, faults, seen, "no report of another station was planted, or nothing came")
