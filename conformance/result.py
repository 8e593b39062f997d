"""What the judge says, as data: findings, points, verdict. Reports render it and compute nothing."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from acrmock.record import Struct

RESULT_SCHEMA = "acrmock/result/1"


class Outcome(StrEnum):
    """What came of a check; nothing but `passed` is green."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EXERCISED = "not-exercised"
    NOT_APPLICABLE = "not-applicable"
    NEEDS_REVIEW = "needs-review"
    HARNESS_ERROR = "harness-error"


class Weight(StrEnum):
    """What a profile makes of a check."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"
    NOT_SCORED = "not-scored"


class Verdict(StrEnum):
    """The whole: the first that holds of void, not-ready, incomplete, ready."""

    VOID = "void"
    NOT_READY = "not-ready"
    INCOMPLETE = "incomplete"
    READY = "ready"

    @property
    def exit_code(self) -> int:
        """0 ready, 1 not ready, 3 incomplete, 4 void (2 is a usage or setup error)."""
        return {"ready": 0, "not-ready": 1, "incomplete": 3, "void": 4}[self.value]


class Evidence(Struct, frozen=True, kw_only=True):
    """Where to look: the `seq` of an entry and an RFC 6901 pointer into it."""

    entry: int
    pointer: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one check, with all that is needed to believe and to mend it; keyed by (check, registry, subject)."""

    check: str
    registry: str | None
    requirement: str
    group: str
    subject: str
    weight: Weight
    outcome: Outcome
    expected: str
    actual: str
    evidence: tuple[Evidence, ...]
    source: str
    provenance: str
    hint: str
    blocked_by: str | None = None
    note: str = ""
    correct: str = ""


class Points(msgspec.Struct, frozen=True, kw_only=True):
    """One point per must or should: earned and possible, whole, by group and by provenance (`[earned, possible]`)."""

    earned: int
    possible: int
    by_group: dict[str, tuple[int, int]]
    by_provenance: dict[str, tuple[int, int]]


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word on a finding that needed review: who, why and when."""

    check: str
    registry: str | None
    outcome: Outcome
    who: str
    why: str
    when: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A judged run. `notes` are statements that hold for the whole result, e.g. what is unknown of a mapping version."""

    schema: str
    profile: str
    revision: str
    verdict: Verdict
    statement: str
    points: Points
    findings: tuple[Finding, ...]
    application: str | None = None
    application_name: str = ""
    run: str | None = None
    judged_at: str = ""
    facts_digest: str = ""
    recording_sha256: str = ""
    claims: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
