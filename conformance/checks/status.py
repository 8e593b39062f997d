"""Statuses: each transaction's is fetched, to its end, at a decent pace."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from acrmock.record import Operation
from conformance.checks.base import Case, Collection, Fault, Ruling, at, rule
from conformance.flows.transactions import Poll, Post, Transaction
from conformance.result import Evidence

STATUS = Collection("status")
IN_FLIGHT = 1
"""How many polls after a terminal answer are innocent: one may have been under way, or confirms."""
TOLERANCE = 0.1
"""Seconds by which a poll may come early: timers and networks jitter."""


def _accepted(case: Case) -> list[tuple[Transaction, Post]]:
    """The accepted transactions of which the client knows: a fault may have kept every answer from it."""
    told = [(story, [post for post in story.posts if post.accepted and not post.lost]) for story in case.transactions()]
    return [(story, posts[0]) for story, posts in told if posts]


def _faulted(case: Case, story: Transaction, after: int) -> bool:
    """Whether a fault of ours met a later request for this transaction's status: what came of it is not the vendor's."""
    return any(
        item.seq > after
        and item.operation is Operation.NRDR_STATUS
        and item.environment == story.environment
        and item.path.endswith(f"/{story.transaction_id}")
        for item in case.flows.injected
    )


@STATUS.check("status-each")
def status_each(case: Case) -> Ruling:
    """The status of every accepted transaction is fetched by its own ID (S2).

    Fails for one that was never asked for, or only under another ID, registry or environment, or only in the list.
    """
    faults, seen = [], []
    for story, post in _accepted(case):
        known = [poll for poll in story.polls if poll.known and poll.seq > post.seq]
        if known:
            seen.append(at(known[0].seq, "/facts/status"))
        elif not _faulted(case, story, post.seq):
            actual = f"the status of transaction {story.transaction_id[:64]} was never fetched"
            faults.append(Fault(entry=post.seq, pointer="/facts/transaction/transaction_id", actual=actual))
    return rule(
        "the status of each accepted transaction, by its ID",
        faults,
        seen,
        "no transaction was accepted",
        correct="GET the Location of the 202",
    )


@STATUS.check("status-terminal")
def status_terminal(case: Case) -> Ruling:
    """Polling goes on to a terminal status and then stops (words of fact N2.2).

    Fails for: the last answer of a transaction not terminal (stopping at `Received`, or at a validation that succeeded);
    more than one poll after a terminal answer. One may have been under way; and once a later transaction of the registry was
    accepted, which may have replaced this one, looking again is innocent.
    """
    faults: list[Fault] = []
    seen: list[Evidence] = []
    accepted = sorted(post.seq for _, post in _accepted(case))
    for story, post in _accepted(case):
        polls = [poll for poll in story.polls if poll.known and poll.seq > post.seq]
        ended = next((poll for poll in polls if poll.terminal), None)
        if ended is not None:
            seen.append(at(ended.seq, "/facts/status/terminal"))
            faults += _went_on(polls, accepted)
        elif polls and not _faulted(case, story, polls[-1].seq):
            actual = f"polling ended at {polls[-1].word or 'an unknown status'}"
            faults.append(Fault(entry=polls[-1].seq, pointer="/facts/status/status", actual=actual))
    return rule(
        "polling to a terminal status, and no further",
        faults,
        seen,
        "no status was fetched",
        correct="polls until the first terminal status",
    )


def _went_on(polls: list[Poll], accepted: list[int]) -> Iterator[Fault]:
    """The polls after a terminal answer, beyond what is innocent."""
    ended: Poll | None = None
    more = 0
    for poll in polls:
        if ended is not None and bisect_left(accepted, poll.seq) > bisect_left(accepted, ended.seq):
            ended, more = None, 0
        if ended is not None:
            more += 1
            if more > IN_FLIGHT:
                actual = f"polled again after {ended.word} in entry {ended.seq}"
                yield Fault(entry=poll.seq, pointer="/request/url", actual=actual)
        elif poll.terminal:
            ended = poll


@STATUS.check("status-pace")
def status_pace(case: Case) -> Ruling:
    """Polls respect the Retry-After of the answer before and the minimum interval, in wall time (our choice).

    Each transaction has its own pace. The answer to the post counts where it has Retry-After. A terminal answer asks for
    nothing, a request that was refused is no poll. A tenth of a second too early is jitter. A single poll that came late
    enough after the post is the best pace.
    """
    faults, seen = [], []
    for story, post in _accepted(case):
        before: Post | Poll = post
        for poll in (poll for poll in story.polls if poll.known and poll.seq > post.seq):
            wait, gap = _wait(before), poll.t - before.t
            if wait is not None and gap < wait - TOLERANCE:
                actual = f"polled again after {gap:.2f} s, {wait:g} s were asked for"
                faults.append(
                    Fault(entry=poll.seq, pointer="/t", actual=actual, correct=f"a poll {wait:g} s after the one before")
                )
            elif wait is not None or (poll.interval and gap >= poll.interval - TOLERANCE):
                seen.append(at(poll.seq, "/t"))
            before = poll
    nothing = "no poll was seen that had to wait"
    places: list[Evidence] = seen
    return rule("polls no faster than Retry-After and the minimum interval", faults, places, nothing)


def _wait(before: Post | Poll) -> float | None:
    """The seconds to wait after an answer, or None when it asked for nothing."""
    if isinstance(before, Post):
        return before.wait
    if before.terminal:
        return None
    asked = max(before.wait or 0.0, before.interval)
    return asked or None
