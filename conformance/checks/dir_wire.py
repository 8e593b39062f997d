"""Dose reports on the wire: associations, verification, what is stored, and what becomes of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from acrmock.record import AssociationEnd
from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, passed, rule, unseen
from conformance.flows.associations import ECHO, STORE, Association, Operation, Received, succeeded
from conformance.flows.events import asked_in
from conformance.profile import DoseRules

WIRE = Collection("dir")
_BROKEN = {
    AssociationEnd.ABORTED: "was aborted by the sender",
    AssociationEnd.LOST: "broke off without a release",
    AssociationEnd.TIMED_OUT: "went silent and was never released",
}
_OUR_DOING = frozenset({AssociationEnd.ABORTED_BY_US, AssociationEnd.REJECTED})
ASKED = ("configure",)
"""The steps in which the connection is configured and verified."""


@WIRE.check("dir-association", subject="sender")
def dir_association(case: Case) -> Ruling:
    """The called AE title is right, dose SR classes are offered, the association is released (PS3.8 sections 7.1, 7.2, 9.3).

    Fails for: another called AE title, or one that is malformed; an association that the sender aborts, drops or leaves
    silent; no association at all that offers a dose class. Which end an association finds by a refusal or an abort of ours is
    not the sender's doing. One that only verifies or asks need offer no dose class; one that was still open when the recording
    ended offered what was stored in it.
    """
    known = [one for one in case.flows.dicom.associations if one.facts is not None]
    faults = [fault for one in known for fault in _association(one)]
    unended = [item for one in case.flows.dicom.associations if one.facts is None for item in one.stores if item.facts.dose]
    offering = [at(one.seq, "/facts/end") for one in known if _offers(one, case.rules.dose)]
    offering += [at(item.seq, "/facts/sop_class") for item in unended]
    storing = [one for one in known if _stores(one, case.rules.dose)]
    if storing and not offering:
        faults.append(Fault(entry=storing[0].seq, pointer="/facts/contexts", actual="no dose SR class was ever offered"))
    return rule(
        "the right called AE title, dose SR classes offered, each association released",
        faults,
        offering,
        "no association that offers a dose SR class was seen",
        correct="A-ASSOCIATE to the AE title of the registration, with a dose SR class, and A-RELEASE when done",
    )


def _association(one: Association) -> Iterator[Fault]:
    facts = one.facts
    if facts is None:
        return
    if facts.called_state and facts.called_state != "own":
        words = f"calls {facts.called_ae!r}, which is no application's AE title"
        yield Fault(entry=one.seq, pointer="/facts/called_ae", actual=words)
    elif facts.end in _BROKEN:
        words = f"the association {_BROKEN[facts.end]}" + (f": {facts.error}" if facts.error else "")
        yield Fault(entry=one.seq, pointer="/facts/end", actual=words, correct="A-RELEASE-RQ, and wait for its answer")


def _offers(one: Association, rules: DoseRules) -> bool:
    """Whether an association offers a class that is for dose reports, or another that was accepted for them (fact D1.15)."""
    contexts = one.facts.contexts if one.facts else ()
    return any(context.dose for context in contexts) or any(map(rules.stores, one.accepted))


def _stores(one: Association, rules: DoseRules) -> bool:
    """Whether an association proposes to store anything."""
    contexts = one.facts.contexts if one.facts else ()
    return any(rules.stores(context.abstract_syntax) for context in contexts)


@WIRE.check("dir-echo", subject="sender")
def dir_echo(case: Case) -> Ruling:
    """Verification works (PS3.4 Annex A): a C-ECHO was answered with success.

    Fails for: none that succeeded although a step asked for it.
    """
    expected = "a C-ECHO that succeeds"
    echoes = case.flows.dicom.operations(ECHO)
    good = [at(item.seq, "/facts/status") for item in echoes if item.facts.status == 0]
    if good:
        return passed(expected, good)
    if echoes:
        return failed(expected, [Fault(entry=echoes[0].seq, pointer="/facts/status", actual="no C-ECHO succeeded")])
    asked = [step for name in ASKED for step in asked_in(case.flows.steps, name)]
    if asked and case.flows.dicom.associations:
        words = f"no C-ECHO came, though the step {asked[0].name} asks for one"
        return failed(expected, [Fault(entry=asked[0].began, pointer="/data/step", actual=words)])
    return unseen(expected, "no C-ECHO was seen")


@WIRE.check("dir-rdsr-only", subject="sender")
def dir_rdsr_only(case: Case) -> Ruling:
    """Only dose SR objects are stored (S1 for secondary captures, our choice for others).

    Fails for: a C-STORE of another class; an object under a dose class that is no dose report; an association that proposes to
    store, and no dose class; an object that comes again more often than the limit after it was refused for good. To propose
    other classes beside dose classes is innocent.
    """
    dicom = case.flows.dicom
    stores = dicom.operations(STORE)
    faults = [
        Fault(entry=item.seq, pointer="/facts/sop_class", actual=f"stores an object of the class {item.facts.sop_class}")
        for one in dicom.associations
        for item in one.stores
        if not (item.facts.dose or item.stored or item.facts.sop_class in one.accepted)
    ]
    faults += [fault for one in dicom.associations for fault in _proposes_none(one, case.rules.dose)]
    faults += [fault for item in dicom.objects for fault in _no_report(item)]
    faults += [fault for item in dicom.objects for fault in _for_ever(item, case.rules.dose)]
    return rule(
        "only dose SR objects, and no object for ever",
        faults,
        [at(item.seq, "/facts/sop_class") for item in stores if item.stored],
        "no object was stored",
        correct="C-STORE of dose SR objects only",
    )


def _proposes_none(one: Association, rules: DoseRules) -> Iterator[Fault]:
    if one.facts is not None and _stores(one, rules) and not _offers(one, rules):
        storage = [context.abstract_syntax for context in one.facts.contexts if rules.stores(context.abstract_syntax)]
        names = ", ".join(storage[:3])
        yield Fault(entry=one.seq, pointer="/facts/contexts", actual=f"proposes no dose SR class, but {names}")


def _no_report(item: Received) -> Iterator[Fault]:
    wrong = next((one for one in item.readings if one.facts.readable and not one.facts.dose), None)
    if wrong is not None and item.arrived is not None:
        yield Fault(entry=wrong.seq, pointer="/data/dose", actual="stores an object that is no dose report")


def _for_ever(item: Received, rules: DoseRules) -> Iterator[Fault]:
    """An object that was refused for good and comes again too often."""
    refused = [copy for copy in item.copies if _refused_for_good(copy, rules)]
    again = [copy for copy in item.copies if refused and copy.seq > refused[0].seq]
    if len(again) > rules.resends:
        words = f"sent again {len(again)} times after it was refused with {refused[0].facts.status:04X}H"
        yield Fault(entry=again[-1].seq, pointer="/facts/status", actual=words)


def _refused_for_good(copy: Operation, rules: DoseRules) -> bool:
    status = copy.facts.status
    return status is not None and copy.facts.delivered and not succeeded(status) and status not in rules.transient


@WIRE.check("dir-retry", subject="sender")
def dir_retry(case: Case) -> Ruling:
    """What was refused for now, or broken by us, is tried again with growing pauses, and nothing is lost (our choice).

    Fails for: an attempt that follows a refusal or a break of ours sooner than the pause; later pauses of the same row that are
    shorter than its first; an object whose C-STORE was refused for now, or got no answer, and that never arrives.
    """
    expected = "a refused or broken association is tried again with growing pauses, and nothing is lost"
    known = (one for one in case.flows.dicom.associations if one.facts and one.facts.called_state in {"", "own"})
    ended = sorted(known, key=lambda one: (one.began, one.seq))
    broken = [one for one in ended if one.facts and one.facts.end in _OUR_DOING]
    unwanted = {(one.environment, one.facts.sop_instance) for one in case.flows.dicom.planted if not one.facts.expected}
    wanted = [item for item in case.flows.dicom.objects if (item.environment, item.sop_instance) not in unwanted]
    troubled = [item for item in wanted if any(_in_trouble(copy, case.rules.dose) for copy in item.copies)]
    faults = [*_hurried(ended, case.rules.dose), *(fault for item in troubled for fault in _lost(item, case.rules.dose))]
    seen = [at(one.seq, "/facts/end") for one in broken] + [at(item.copies[0].seq, "/facts/status") for item in troubled]
    return rule(expected, faults, seen, "no association was refused or broken, and no store was refused for now")


def _in_trouble(copy: Operation, rules: DoseRules) -> bool:
    return copy.facts.status in rules.transient or (copy.facts.dose and copy.facts.status is None)


def _lost(item: Received, rules: DoseRules) -> Iterator[Fault]:
    if item.arrived is None:
        last = next(copy for copy in reversed(item.copies) if _in_trouble(copy, rules))
        yield Fault(entry=last.seq, pointer="/facts/status", actual="the object was not taken, and never came again")


def _hurried(ended: list[Association], rules: DoseRules) -> Iterator[Fault]:
    """Attempts that follow too soon on one that was refused or broken, each row of them apart."""
    first: float | None = None
    for before, after in pairwise(ended):
        if before.facts is None or before.facts.end not in _OUR_DOING:
            first = None
            continue
        pause = after.began - before.ended
        least = max(rules.retry_pause, 0.9 * (first or 0.0))
        if pause < 0.9 * least:
            words = f"tried again after {max(pause, 0.0):.2f} s"
            yield Fault(entry=after.seq, pointer="/facts/began", actual=words, correct=f"a pause of {least:g} s or more")
        first = pause if first is None else first
