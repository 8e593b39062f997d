"""Dose reports as objects: what the registry needs, the template, the station, and that a forwarder changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from acrmock.dose.text import nul_padded, unpadded
from acrmock.pointer import pointer_of
from acrmock.record import FieldProblem, ReportFacts
from conformance.checks.base import Case, Collection, Fault, Ruling, at, inapplicable, review, rule
from conformance.flows.associations import Operation, Planted, Reading, Received
from conformance.profile import DoseRules
from conformance.result import Evidence

CONTENT = Collection("dir")
NAMED = 5
"""How many changed tags one finding names."""
Problems = Callable[[ReportFacts], tuple[FieldProblem, ...]]


def _planted(case: Case) -> dict[tuple[str, str], Planted]:
    return {(one.environment, one.facts.sop_instance): one for one in case.flows.dicom.planted}


def _reports(case: Case) -> Iterator[tuple[Received, Reading]]:
    """The dose reports that were stored and read."""
    for item in case.flows.dicom.objects:
        for reading in item.readings:
            if reading.facts.readable and reading.facts.dose:
                yield item, reading


def _content(case: Case, expected: str, problems: Problems, name: str, correct: str) -> Ruling:
    """The ruling about what is in the reports of which the sender is the author, or which were planted; see `dir-valid`."""
    planted = _planted(case)
    faults: list[Fault] = []
    seen: list[Evidence] = []
    doubts: list[Fault] = []
    for item, reading in _reports(case):
        found = problems(reading.facts)
        one = planted.get((item.environment, item.sop_instance))
        author = not case.rules.dose.forwards or (one is not None and not _unchanged(one, reading))
        (faults if author else doubts).extend(_problem(reading, found, name))
        if not found and (author or one is not None):
            seen.append(at(reading.seq, "/data"))
    ruling = rule(expected, faults, seen, "no report was read of which the sender must answer for the content", correct=correct)
    if not doubts:
        return ruling
    note = "a report that was not planted, or was planted like that: the forwarder cannot be blamed for it"
    return msgspec.structs.replace(ruling, others=(("modality", review(expected, doubts, note=note)),))


def _unchanged(planted: Planted, reading: Reading) -> bool:
    """Whether a report arrived as it was planted."""
    return reading.facts.sha256 == planted.facts.sha256 or reading.facts.digest == planted.facts.digest


def _problem(reading: Reading, found: tuple[FieldProblem, ...], name: str) -> Iterator[Fault]:
    for index, problem in enumerate(found):
        what = problem.element or problem.pointer or "an element"
        words = f"{what}: {problem.reason or problem.actual or 'not there'}"
        yield Fault(entry=reading.seq, pointer=f"/data/{name}/{index}", actual=words, correct=problem.expected)


@CONTENT.check("dir-valid", subject="sender")
def dir_valid(case: Case) -> Ruling:
    """What the registry needs to process a report is there (that it is collected: S1; the list: our choice).

    Judged on planted reports and, where the sender is the author, on all. What a forwarder passes on as it got it is not its
    doing: if something is missing in a report that was not planted, or that was planted like that, a person must decide about
    the modality. Fails for a missing element, and where the sender is the author for an object that cannot be understood.
    """
    expected = "every report has what the registry needs to process it"
    ruling = _content(case, expected, lambda facts: facts.missing, "missing", "the report as the scanner made it")
    if case.rules.dose.forwards:
        return ruling
    broken = [fault for item in case.flows.dicom.objects for fault in _not_understood(item, case.rules.dose)]
    return rule(expected, broken, ruling.evidence, ruling.actual) if broken else ruling


def _not_understood(item: Received, rules: DoseRules) -> Iterator[Fault]:
    for reading in item.readings:
        if not reading.facts.readable:
            yield Fault(entry=reading.seq, pointer="/data/readable", actual="the object cannot be read")
    for copy in item.copies:
        if copy.facts.status in rules.not_understood:
            yield Fault(entry=copy.seq, pointer="/facts/status", actual="the object cannot be understood")


@CONTENT.check("dir-template", subject="sender")
def dir_template(case: Case) -> Ruling:
    """The mandatory rows of the template are there (PS3.16 TID 10001, TID 10011); judged on the reports of dir-valid."""
    expected = "every report has the mandatory rows of its template"
    return _content(
        case, expected, lambda facts: facts.template, "template", "the content items that the template makes mandatory"
    )


@CONTENT.check("dir-pass-through", subject="sender")
def dir_pass_through(case: Case) -> Ruling:
    """A forwarder passes reports on unmodified (S1 for an RDIM, our choice for a PACS).

    Equal means equal after transfer syntax, length encoding, group lengths and padding were normalised. Fails for each copy of a
    planted report in which an element was changed, dropped or added; the finding names the tags.
    """
    expected = "every planted report arrives with no element changed, dropped or added"
    if not case.rules.dose.forwards:
        return inapplicable(expected, "the sender is the author of its reports and forwards none")
    faults: list[Fault] = []
    seen: list[Evidence] = []
    for planted in case.flows.dicom.planted:
        for copy in _stored(planted):
            if copy.facts.sha256 == planted.facts.sha256:
                seen.append(at(copy.seq, "/facts/sha256"))
                continue
            reading = _reading_of(planted, copy)
            if reading is None:
                continue
            if reading.facts.readable and _unchanged(planted, reading):
                seen.append(at(reading.seq, "/data/digest"))
            else:
                faults.append(_changed(case, planted, reading))
    return rule(expected, faults, seen, "no planted report arrived", correct="the data set as it was received")


def _stored(planted: Planted) -> Iterator[Operation]:
    """The stored copies of a planted report, one for each content."""
    copies = planted.received.copies if planted.received else ()
    found = {copy.facts.sha256: copy for copy in reversed(copies) if copy.stored}
    yield from sorted(found.values(), key=lambda copy: copy.seq)


def _reading_of(planted: Planted, copy: Operation) -> Reading | None:
    readings = planted.received.readings if planted.received else ()
    return next((one for one in readings if one.facts.sha256 == copy.facts.sha256), None)


def _changed(case: Case, planted: Planted, reading: Reading) -> Fault:
    """What was changed, as tags with their keywords."""
    if not reading.facts.readable:
        return Fault(entry=reading.seq, pointer="/data/readable", actual="the copy that arrived cannot be read")
    before, after = planted.facts.tags, reading.facts.tags
    kinds = {
        "changed": [path for path in before if path in after and after[path] != before[path]],
        "dropped": [path for path in before if path not in after],
        "added": [path for path in after if path not in before],
    }
    told = [f"{kind} {_some(sorted(paths), case.rules.dose.keywords)}" for kind, paths in kinds.items() if paths]
    first = next((min(paths) for kind, paths in kinds.items() if paths and kind != "dropped"), "")
    pointer = pointer_of(("data", "tags", first)) if first else "/data/digest"
    return Fault(entry=reading.seq, pointer=pointer, actual="; ".join(told) or "the digests differ, the tags were not recorded")


def _some(paths: list[str], keywords: Mapping[str, str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(tag_words(path, keywords) for path in paths[:NAMED]) + more


def tag_words(path: str, keywords: Mapping[str, str]) -> str:
    """A tag path such as `0040A730[2]/0040A30A` as people write it: `(0040,A730)[2] > (0040,A30A) NumericValue`."""
    steps = path.split("/")
    shown = [f"({step[:4]},{step[4:8]}){step[8:]}" if len(step) >= 8 else step for step in steps]
    keyword = keywords.get(steps[-1][:8].upper(), "")
    return " > ".join(shown) + (f" {keyword}" if keyword else "")


@CONTENT.check("dir-pass-through-bytes", subject="sender")
def dir_pass_through_bytes(case: Case) -> Ruling:
    """A forwarder passes reports on byte for byte (our choice): the data set on the wire is the one that was planted."""
    expected = "every planted report arrives byte for byte"
    if not case.rules.dose.forwards:
        return inapplicable(expected, "the sender is the author of its reports and forwards none")
    faults, seen = [], []
    for planted in case.flows.dicom.planted:
        for copy in _stored(planted):
            if copy.facts.sha256 == planted.facts.sha256:
                seen.append(at(copy.seq, "/facts/sha256"))
            else:
                faults.append(Fault(entry=copy.seq, pointer="/facts/sha256", actual=_encoded_anew(planted, copy)))
    return rule(expected, faults, seen, "no planted report arrived", correct="the bytes as they were received")


def _encoded_anew(planted: Planted, copy: Operation) -> str:
    was, now = planted.facts.transfer_syntax, copy.facts.transfer_syntax
    if was and now and was != now:
        return f"the data set was encoded anew: planted in {was}, sent in {now}"
    return "the data set was encoded anew: its SHA-256 is another"


@CONTENT.check("dir-station", subject="sender")
def dir_station(case: Case) -> Ruling:
    """The Station Name sent is a configured one (S1), padding aside (PS3.5 section 6.2).

    Fails for a report of a station that was not configured in the whole run; where the sender is the author, also for a name that
    it padded with NUL instead of a space, which the simulated DIR Link takes and another need not. A report without the name is
    judged by dir-valid, a planted one whose name was changed by dir-pass-through, one that was not to be forwarded by
    dir-selective.
    """
    planted = _planted(case)
    faults: list[Fault] = []
    seen: list[Evidence] = []
    for item, reading in _reports(case):
        facts = reading.facts
        one = planted.get((item.environment, item.sop_instance))
        if facts.station is None or not unpadded(facts.station).strip() or (one is not None and _not_its_station(one, facts)):
            continue
        if nul_padded(facts.station) and not case.rules.dose.forwards:
            faults.append(Fault(entry=reading.seq, pointer="/data/station", actual=f"got {facts.station!r}, padded with NUL"))
        elif facts.station_configured or case.flows.dicom.configured(item.environment, facts.station):
            seen.append(at(reading.seq, "/data/station"))
        else:
            faults.append(Fault(entry=reading.seq, pointer="/data/station", actual=_station_words(facts)))
    return rule(
        "each report's Station Name is one that was configured",
        faults,
        seen,
        "no report with a Station Name was read",
        correct="a Station Name of the registration",
    )


def _not_its_station(planted: Planted, facts: ReportFacts) -> bool:
    return not planted.facts.expected or unpadded(planted.facts.station) != unpadded(facts.station)


def _station_words(facts: ReportFacts) -> str:
    near = f"; configured is {facts.station_near!r}" if facts.station_near else ""
    return f"got {facts.station!r}, which is not configured{near}"
