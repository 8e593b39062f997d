"""Faults made on purpose are nobody's fault: whatever was injected, nothing is held against the vendor or the harness."""

from __future__ import annotations

import msgspec
import pytest
from builder import Story, good_run
from catalogue import FACTS, LCSR

from acrmock.record import FaultFacts, HttpEntry, HttpFacts, HttpResponse
from acrmock.record import Operation as Op
from conformance.flows import build
from conformance.judge import judge
from conformance.recording import read
from conformance.result import Outcome, Result

WIRES = (Op.DISCOVERY, Op.AUTHORIZE, Op.TOKEN, Op.NRDR_POST, Op.NRDR_STATUS)
BAD = {Outcome.FAILED, Outcome.HARNESS_ERROR}


def judged(story: Story) -> Result:
    """The result of a story."""
    return judge(read(story.lines()), FACTS, LCSR)


def failed(story: Story) -> set[str]:
    """The checks that failed or broke."""
    return {finding.check for finding in judged(story).findings if finding.outcome in BAD}


def http(story: Story, place: int) -> HttpEntry:
    """The exchange at a place."""
    entry = story.entries[place]
    assert isinstance(entry, HttpEntry)
    return entry


def unseen(entry: HttpEntry, status: int) -> HttpEntry:
    """The exchange as it is recorded when a fault answered in place of the service."""
    facts = HttpFacts(
        operation=entry.facts.operation,
        channel=entry.facts.channel,
        allowed=entry.facts.allowed,
        exposures=entry.facts.exposures,
        fault=FaultFacts(name="f", instead=True, lost=status == 0),
    )
    return msgspec.structs.replace(entry, response=HttpResponse(status=status), facts=facts)


@pytest.mark.parametrize("operation", WIRES)
@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_answers_in_place_of_the_service(operation: Op, status: int) -> None:
    """Each request answered by a fault first, then served when it is repeated: the same findings, no harness error."""
    story = good_run()
    clean = {(f.check, f.outcome) for f in judged(story).findings}
    for place in reversed(story.of(operation)):
        story.entries.insert(place, unseen(http(story, place), status))
    assert {(f.check, f.outcome) for f in judged(story).findings} == clean


@pytest.mark.parametrize("operation", [Op.TOKEN, Op.NRDR_POST, Op.NRDR_STATUS])
def test_lost_answers(operation: Op) -> None:
    """An answer that never came is asked for again: neither the retry nor its consequences are the vendor's fault."""
    story = good_run()
    assert failed(story) == set()
    for place in reversed(story.of(operation)):
        entry = http(story, place)
        lost = msgspec.structs.replace(entry.facts, fault=FaultFacts(name="f", lost=True))
        story.entries.insert(place, msgspec.structs.replace(entry, facts=lost))
        if entry.facts.transaction is not None:
            story.put(place + 1, "/facts/transaction/repeat", value=True)
        if entry.facts.grant is not None and entry.facts.grant.grant_type == "authorization_code":
            story.put(place + 1, "/facts/grant/grant_state", "reused")
            story.put(place + 1, "/response/status", 400)
    assert failed(story) <= {"auth-refresh"}


@pytest.mark.parametrize("status", [0, 503])
def test_polling_that_ended_at_a_fault(status: int) -> None:
    """Where the last poll met a fault, that polling ended there is not held against the vendor."""
    story = good_run()
    polls = story.of(Op.NRDR_STATUS)
    last = max(polls)
    story.entries[last] = unseen(http(story, last), status)
    assert failed(story) == set()
    story = good_run()
    del story.entries[max(story.of(Op.NRDR_STATUS))]
    assert failed(story) == {"status-terminal"}


def test_a_transaction_of_which_no_answer_came() -> None:
    """A transaction that was taken without the client ever hearing of it needs no poll."""
    story = good_run()
    place = story.of(Op.NRDR_POST)[-1]
    entry = http(story, place)
    story.put(place, "/facts/fault", FaultFacts(name="f", lost=True))
    name = entry.facts.transaction.transaction_id if entry.facts.transaction else ""
    story.entries = [
        e for e in story.entries if not (isinstance(e, HttpEntry) and e.facts.status and e.facts.status.transaction_id == name)
    ]
    assert "status-each" not in failed(story)


def test_flows_tell_what_was_injected() -> None:
    """The flows list each injected answer with its path; a fault that only delayed is none."""
    story = good_run()
    place = story.of(Op.NRDR_STATUS)[0]
    story.put(place, "/facts/fault", FaultFacts(name="slow"))
    assert build(story.closed()).injected == ()
    story.put(place, "/facts/fault", FaultFacts(name="lost", lost=True))
    found = build(story.closed()).injected
    assert [(item.operation, item.instead) for item in found] == [(Op.NRDR_STATUS, False)]
    assert "/transactions/" in found[0].path
