"""From findings to points, verdict and statement: pure folds, in which nothing but *passed* is green."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from acrmock.errors import SetupError
from acrmock.facts.provenance import Provenance
from conformance.result import Finding, Outcome, Points, Resolution, Verdict, Weight

SCORED = frozenset({Weight.MUST, Weight.SHOULD})
"""The weights that carry a point."""
_LEAVES = Outcome.NOT_APPLICABLE
_OPEN = frozenset({Outcome.NOT_EXERCISED, Outcome.NEEDS_REVIEW})


def points(findings: Iterable[Finding]) -> Points:
    """One point per must or should that passed; not exercised stays in the denominator, not applicable leaves it."""
    groups: dict[str, tuple[int, int]] = {}
    words: dict[str, tuple[int, int]] = {}
    for finding in findings:
        if finding.weight not in SCORED or finding.outcome is _LEAVES:
            continue
        earned = int(finding.outcome is Outcome.PASSED)
        for table, key in ((groups, finding.group), (words, finding.provenance)):
            had, could = table.get(key, (0, 0))
            table[key] = (had + earned, could + 1)
    return Points(
        earned=sum(part[0] for part in groups.values()),
        possible=sum(part[1] for part in groups.values()),
        by_group=groups,
        by_provenance=words,
    )


def verdict(findings: Sequence[Finding], *, gaps: bool = False, unexpected: bool = False) -> Verdict:
    """The first that holds of void, not ready, incomplete, ready.

    `gaps`: the recording is not whole. `unexpected`: something passed of which the baseline says that it fails. Nothing
    earned is never ready, whatever was possible.
    """
    musts = [finding.outcome for finding in findings if finding.weight is Weight.MUST]
    if gaps or Outcome.HARNESS_ERROR in musts:
        return Verdict.VOID
    if unexpected or Outcome.FAILED in musts:
        return Verdict.NOT_READY
    if any(outcome in _OPEN for outcome in musts) or not points(findings).earned:
        return Verdict.INCOMPLETE
    return Verdict.READY


def resolve(findings: Iterable[Finding], resolutions: Sequence[Resolution]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The findings with people's words on those that needed review, and notes on words that met none.

    The last word on a finding counts. Raises `SetupError` for a word that is neither passed nor failed, or is nobody's.
    """
    findings = tuple(findings)
    words = {(word.check, word.registry): _sound(word) for word in resolutions}
    found = tuple(_resolved(finding, words.get((finding.check, finding.registry))) for finding in findings)
    met = {(f.check, f.registry) for f in findings if f.outcome is Outcome.NEEDS_REVIEW}
    notes = tuple(
        f"the resolution of {_name(*key)} by {word.who} met nothing to review" for key, word in words.items() if key not in met
    )
    return found, notes


def unexpected_passes(findings: Iterable[Finding], baseline: Collection[str] | None) -> tuple[str, ...]:
    """The checks that passed although the baseline names them as failing."""
    return tuple(
        _name(finding.check, finding.registry)
        for finding in findings
        if finding.outcome is Outcome.PASSED and finding.check in (baseline or ())
    )


def statement(*, outcome: Verdict, profile: str, revision: str, counted: Points, only: Sequence[str] = ()) -> str:
    """What the verdict means, in words that cannot be mistaken for ACR's."""
    parts = [
        f"{_WORDS[outcome]} (self-test, not an ACR certification), by profile {profile} revision {revision}.",
        f"{counted.earned} of {counted.possible} points.",
        _provenance(counted),
    ]
    if only:
        parts.append(f"Only {', '.join(only)} was judged.")
    return " ".join(part for part in parts if part)


def _provenance(counted: Points) -> str:
    """How many points rest on whose word."""
    told = [
        f"{possible} on {_WHOSE.get(word, word)} ({earned} earned)"
        for word, (earned, possible) in sorted(counted.by_provenance.items(), key=lambda item: _ORDER.get(item[0], 9))
    ]
    return f"The points rest: {', '.join(told)}." if told else "Nothing was judged."


def _sound(word: Resolution) -> Resolution:
    if word.outcome not in {Outcome.PASSED, Outcome.FAILED} or not (word.who.strip() and word.why.strip() and word.when.strip()):
        raise SetupError(
            f"the resolution of {_name(word.check, word.registry)} cannot be used",
            expected="passed or failed, with who, why and when",
            actual=f"{word.outcome.value} by {word.who or 'nobody'}",
            fix="record it again with `acrmock resolve`",
        )
    return word


def _resolved(finding: Finding, word: Resolution | None) -> Finding:
    if word is None or finding.outcome is not Outcome.NEEDS_REVIEW:
        return finding
    note = f"{finding.note} " if finding.note else ""
    note += f"{word.outcome.value} on the word of {word.who}, {word.when}: {word.why}"
    return msgspec.structs.replace(finding, outcome=word.outcome, note=note)


def _name(check: str, registry: str | None) -> str:
    return f"{check} ({registry})" if registry else check


_WORDS = {
    Verdict.VOID: "Void",
    Verdict.NOT_READY: "Not ready",
    Verdict.INCOMPLETE: "Incomplete",
    Verdict.READY: "Ready",
}
_WHOSE = {
    "acr": "ACR's own published words",
    "acr-mirror": "ACR's words seen through a third party",
    "standard": "a standard",
    "third-party": "a third party's practice",
    "mock-choice": "choices of acrmock that ACR has not confirmed",
}
_ORDER = {word.value: rank for rank, word in enumerate(Provenance)}
