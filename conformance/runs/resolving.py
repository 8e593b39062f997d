"""A person's word on a finding that needs review: kept in the package, and the verdict computed anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acrmock.clock import Clock, SystemClock, rfc3339
from acrmock.errors import SetupError
from acrmock.facts import Facts
from conformance.result import Finding, Outcome, Resolution, Result
from conformance.runs.judging import Question, judge_recording, read_recording, read_result
from conformance.runs.package import JOURNAL, RESULT, write_package

if TYPE_CHECKING:
    from conformance.recording import Recording


def resolve_finding(
    directory: Path,
    facts: Facts,
    *,
    check: str,
    registry: str | None,
    outcome: Outcome,
    who: str,
    why: str,
    clock: Clock | None = None,
) -> tuple[Result, Recording]:
    """Decide a finding of the package in `directory`; raises `SetupError` when no such finding waits for a person."""
    before = read_result(directory / RESULT)
    finding = _awaiting(before, check, registry)
    if not who.strip() or not why.strip():
        raise SetupError("a decision needs a name and a reason", where="--who, --why")
    when = rfc3339((clock or SystemClock()).now())
    word = Resolution(check=check, registry=finding.registry, outcome=outcome, who=who.strip(), why=why.strip(), when=when)
    kept = tuple(r for r in before.resolutions if (r.check, r.registry) != (check, finding.registry))
    recording = read_recording(directory / JOURNAL)
    question = Question(profile=before.profile, claims=before.claims, only=before.only, resolutions=(*kept, word))
    result = judge_recording(recording, facts, question)
    write_package(directory, result, recording, facts)
    return result, recording


def _awaiting(result: Result, check: str, registry: str | None) -> Finding:
    named = [f for f in result.findings if f.check == check and (registry is None or f.registry == registry)]
    decided = {(r.check, r.registry) for r in result.resolutions}
    waiting = [f for f in named if f.outcome is Outcome.NEEDS_REVIEW or (f.check, f.registry) in decided]
    if len({f.registry for f in waiting}) == 1:  # what a check says of several subjects is decided by one word
        return waiting[0]
    if waiting:
        raise SetupError(
            "several findings wait for a person", expected="--registry", actual=", ".join(f"{f.registry}" for f in waiting)
        )
    open_ones = sorted({f.check for f in result.findings if f.outcome is Outcome.NEEDS_REVIEW})
    actual = f"{check} is {named[0].outcome}" if named else f"there is no finding {check}"
    raise SetupError("no such finding waits for a person", expected=", ".join(open_ones) or "none waits", actual=actual)
