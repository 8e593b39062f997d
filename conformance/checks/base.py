"""What a check is: one stable id, one requirement, one small pure function of the flows that gives a ruling.

The weight is the profile's, the text and its source the catalogue's; a check knows neither. It says what it saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from acrmock.record import Struct
from conformance.flows import Flows
from conformance.flows.transactions import Post, Transaction
from conformance.profile import Rules
from conformance.result import Evidence, Outcome

MOST = 10
"""How many places one finding shows; all are counted in its words."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What a check is asked about: the flows, the rules, and the registry where the check has one (else empty)."""

    flows: Flows
    rules: Rules
    registry: str = ""

    def posts(self) -> tuple[Post, ...]:
        """The posts to the registry."""
        return tuple(post for post in self.flows.posts if post.facts.registry == self.registry)

    def transactions(self) -> tuple[Transaction, ...]:
        """The transactions of the registry."""
        return tuple(story for story in self.flows.transactions if story.registry == self.registry)


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that was wrong: where, and what was there; `correct` is what a correct client would have sent."""

    entry: int
    pointer: str
    actual: str
    correct: str = ""


class Ruling(Struct, frozen=True, kw_only=True):
    """What a check says; `others` is what it says of somebody else than its subject: the subject, and the ruling."""

    outcome: Outcome
    expected: str
    actual: str = ""
    evidence: tuple[Evidence, ...] = ()
    note: str = ""
    correct: str = ""
    blocked_by: str | None = None
    others: tuple[tuple[str, Ruling], ...] = ()


class Check(Struct, frozen=True, kw_only=True):
    """A registered check. `per_registry`: asked once for each registry claimed."""

    id: str
    group: str
    subject: str
    per_registry: bool
    run: Callable[[Case], Ruling]


CheckFunction = Callable[[Case], Ruling]
PER_REGISTRY = frozenset({"tx", "status"})
"""The groups whose findings are one per registry."""


class Collection:
    """The checks of one module; `check` registers a function under its id, which begins with the group's name."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.checks: list[Check] = []

    def check(self, name: str, *, subject: str = "vendor") -> Callable[[CheckFunction], CheckFunction]:
        """Register the decorated function as the check `name` about `subject`."""

        def register(function: CheckFunction) -> CheckFunction:
            per_registry = self.group in PER_REGISTRY
            found = Check(id=name, group=self.group, subject=subject, per_registry=per_registry, run=function)
            self.checks.append(found)
            return function

        return register


def rule(
    expected: str, faults: Sequence[Fault], seen: Iterable[Evidence], nothing: str, *, note: str = "", correct: str = ""
) -> Ruling:
    """The common shape: any fault fails; nothing seen is not exercised; else passed, with where it was seen."""
    if faults:
        return failed(expected, faults, note=note, correct=correct)
    places = tuple(seen)
    if not places:
        return unseen(expected, nothing, note=note)
    return passed(expected, places, note=note)


def failed(expected: str, faults: Sequence[Fault], *, note: str = "", correct: str = "") -> Ruling:
    """Failed: the first fault in words, how many more there are, and where they all stand.

    `correct` is what a correct client would have sent where the first fault does not say it itself.
    """
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Ruling(
        outcome=Outcome.FAILED,
        expected=expected,
        actual=faults[0].actual + more,
        evidence=_evidence(faults),
        note=note,
        correct=faults[0].correct or correct,
    )


def review(expected: str, doubts: Sequence[Fault], *, note: str = "") -> Ruling:
    """A person must decide about these places."""
    return msgspec.structs.replace(failed(expected, doubts, note=note), outcome=Outcome.NEEDS_REVIEW)


def passed(expected: str, places: Sequence[Evidence], *, actual: str = "", note: str = "") -> Ruling:
    """Passed, as seen at these places."""
    words = actual or f"seen {_times(len(places))}, always so"
    return Ruling(outcome=Outcome.PASSED, expected=expected, actual=words, evidence=tuple(places[:MOST]), note=note)


def unseen(expected: str, nothing: str, *, evidence: Sequence[Evidence] = (), note: str = "") -> Ruling:
    """Not exercised: what was never seen."""
    return Ruling(outcome=Outcome.NOT_EXERCISED, expected=expected, actual=nothing, evidence=tuple(evidence[:MOST]), note=note)


def inapplicable(expected: str, why: str) -> Ruling:
    """Not applicable, and why."""
    return Ruling(outcome=Outcome.NOT_APPLICABLE, expected=expected, actual=why, note=why)


def at(entry: int, pointer: str = "") -> Evidence:
    """Evidence at an entry."""
    return Evidence(entry=entry, pointer=pointer)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _evidence(faults: Iterable[Fault]) -> tuple[Evidence, ...]:
    unique = dict.fromkeys((fault.entry, fault.pointer) for fault in faults)
    return tuple(at(entry, pointer) for entry, pointer in list(unique)[:MOST])
