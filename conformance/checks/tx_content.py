"""What the transactions held: complete records, coverage, test data, IDs."""

from __future__ import annotations

from acrmock.schema import possible
from acrmock.schema.marks import DOUBTFUL
from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, passed, review, rule, unseen
from conformance.checks.tx_envelope import FACTS, NO_POST
from conformance.result import Evidence

CONTENT = Collection("tx")


@CONTENT.check("tx-complete")
def tx_complete(case: Case) -> Ruling:
    """At least one record of the registry is complete, not merely accepted (after fact N2.8).

    Fails where transactions were accepted and every record lacks what a complete one needs.
    """
    expected = "at least one complete record"
    complete = case.rules.words.complete
    accepted = [post for post in case.posts() if post.accepted]
    seen: list[Evidence] = []
    faults: list[Fault] = []
    for post in accepted:
        for index, record in enumerate(post.facts.records):
            pointer = f"{FACTS}/records/{index}"
            if record.status == complete:
                seen.append(at(post.seq, f"{pointer}/status"))
            else:
                lacks = ", ".join(dict.fromkeys(p.element for p in record.problems if p.element)) or "elements"
                faults.append(Fault(entry=post.seq, pointer=pointer, actual=f"{record.status or 'unknown'}: lacks {lacks[:300]}"))
    if seen:
        return passed(expected, seen, actual=f"{len(seen)} complete records")
    return rule(expected, faults, seen, "no record was accepted")


@CONTENT.check("tx-coverage")
def tx_coverage(case: Case) -> Ruling:
    """The shares of elements, of values in lists and of branches that accepted exams exercised (our choice).

    The shares are reported whatever the bar, which the profile sets and which each of the three must reach: many elements
    do not make up for always the same value. Only what the mapping version in use knows is counted.
    """
    bar = case.rules.coverage_bar
    expected = f"{bar:.0%} of elements, of values and of branches" if bar else "shares of elements, values and branches"
    accepted = [post for post in case.posts() if post.accepted and post.facts.elements]
    if not accepted:
        return unseen(expected, "no record was accepted")
    parts = _shares(case)
    actual = ", ".join(f"{name} {have} of {known} ({have / known:.0%})" for name, have, known in parts if known)
    if any(have / known < bar for _, have, known in parts if known):
        fault = Fault(entry=accepted[-1].seq, pointer=f"{FACTS}/elements", actual=actual)
        return failed(expected, [fault], correct="exams that differ in their elements, values and conditions")
    return passed(expected, [at(post.seq, f"{FACTS}/elements") for post in accepted], actual=actual)


def _shares(case: Case) -> list[tuple[str, int, int]]:
    """What was exercised and what there is, of elements, values and branches."""
    accepted = [post for post in case.posts() if post.accepted]
    versions = [case.rules.version(case.registry, text) for text in dict.fromkeys(post.facts.mapping for post in accepted)]
    there_is = [possible(version) for version in versions if version is not None]
    seen = [
        (part, {name for post in accepted for name in getattr(post.facts, part)}, {n for c in there_is for n in getattr(c, part)})
        for part in ("elements", "values", "branches")
    ]
    return [(name, len(have & whole if whole else have), len(whole or have)) for name, have, whole in seen]


@CONTENT.check("tx-id-unique")
def tx_id_unique(case: Case) -> Ruling:
    """Transaction IDs are unique per environment and registry (choice U14); it takes two transactions to see that.

    Fails for another body under an ID that was accepted before, also when the mock refused it. The same bytes again are a
    retry, and a body that was refused did not take its ID.
    """
    expected = "a new Transaction_ID for each transaction"
    faults: list[Fault] = []
    stories = [story for story in case.transactions() if story.transaction_id and story.posts]
    for story in stories:
        taken = story.accepted
        later = [post for post in story.posts if taken is not None and post.seq > taken.seq and post.body != taken.body]
        for post in later:
            actual = f"the ID of entry {taken.seq if taken else 0} with another body"
            faults.append(Fault(entry=post.seq, pointer=f"{FACTS}/transaction_id", actual=actual, correct="a new UUID"))
    seen = [at(story.posts[0].seq, f"{FACTS}/transaction_id") for story in stories]
    if not faults and len(stories) == 1:
        return unseen(expected, "only one transaction was posted", evidence=seen)
    return rule(expected, faults, seen, NO_POST)


@CONTENT.check("tx-test-data")
def tx_test_data(case: Case) -> Ruling:
    """Only test or anonymised data (S2), in whatever was posted, accepted or not.

    Undeniable marks of a real person fail; doubtful ones (a number that could have been issued, and need not be) are for a
    person to decide. Values of the ranges that are never issued are what test data should have.
    """
    expected = "only test or anonymised data: identifiers from ranges that are never issued"
    posts = [post for post in case.posts() if post.facts.exams or post.facts.records]
    undeniable: list[Fault] = []
    doubtful: list[Fault] = []
    for post in posts:
        for index, mark in enumerate(post.facts.identity):
            fault = Fault(
                entry=post.seq, pointer=f"{FACTS}/identity/{index}", actual=f"{mark.element or mark.pointer}: {mark.mark}"
            )
            (doubtful if mark.grade == DOUBTFUL else undeniable).append(fault)
    if not undeniable and doubtful:
        return review(expected, doubtful)
    return rule(
        expected,
        undeniable,
        [at(post.seq, f"{FACTS}/records") for post in posts],
        "no exam was posted",
        correct="identifiers that nobody was ever issued",
    )
