"""The judge: a recording, the facts and a profile in, a result out. Live runs and stored recordings take this one way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

from acrmock.errors import SetupError
from acrmock.facts.model import Profile, Requirement
from acrmock.facts.provenance import Provenance
from acrmock.record import AnyEntry, Header, HttpEntry
from conformance import verdict as fold
from conformance.checks import CHECKS, PER_REGISTRY, Case, Check, Ruling
from conformance.flows import Flows, build
from conformance.profile import FactsView, Rules, rules
from conformance.recording import Problem
from conformance.result import RESULT_SCHEMA, Finding, Outcome, Resolution, Result, Weight

REGISTRATION = "registration"
"""What blocks when the last attempt to register was refused for a reason that no check of its own names."""
_BLOCKS = frozenset({Outcome.FAILED, Outcome.NOT_EXERCISED, Outcome.HARNESS_ERROR})
_CHALLENGE = "needs a challenge, which this revision does not have; listed, not scored"


class Judged(Protocol):
    """What can be judged: `conformance.recording.Recording`, or a `RecordingStream` that is read meanwhile."""

    @property
    def header(self) -> Header:
        """The recording's header."""
        ...

    @property
    def entries(self) -> Iterable[AnyEntry]:
        """The entries in order."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The gaps; asked for when the entries were read."""
        ...

    @property
    def sha256(self) -> str:
        """The SHA-256 of the entries; asked for when they were read."""
        ...


def judge(
    recording: Judged,
    facts: FactsView,
    profile: Profile,
    *,
    claims: Iterable[str] | None = None,
    only: Sequence[str] = (),
    resolutions: Sequence[Resolution] = (),
    baseline: Collection[str] | None = None,
    application: str | None = None,
    judged_at: str = "",
) -> Result:
    """The result of a recording under `profile`.

    `claims`: what the vendor can do (None: the profile's defaults). `only`: groups or checks. `baseline`: the checks that
    are known to fail; one of them that passes makes the run not ready. `application`: whose entries count
    (None: the recording's). `judged_at`: RFC 3339, for the record.

    Raises `SetupError` for an unknown claim or check, for a recording of several applications of which none was named, and
    for an unusable resolution. A fault in a check becomes a `harness-error`, never an exception.
    """
    claimed = _claims(profile, claims)
    wanted = _only(facts, profile, only)
    whose = application or recording.header.application
    flows = build(_of(recording.entries, whose))
    bench = _Bench(facts, profile, rules(facts, profile, claimed), flows)
    everything = tuple(bench.findings())
    resolved, notes = fold.resolve(everything, resolutions)
    findings = tuple(f for f in resolved if f.check in wanted)
    gaps = _gaps(recording, flows)
    surprises = fold.unexpected_passes(findings, baseline)
    counted = fold.points(findings)
    outcome = fold.verdict(findings, gaps=bool(gaps), unexpected=bool(surprises))
    attempts = flows.last_registrations()
    return Result(
        schema=RESULT_SCHEMA,
        profile=profile.name,
        revision=profile.revision,
        verdict=outcome,
        statement=fold.statement(outcome=outcome, profile=profile.name, revision=profile.revision, counted=counted, only=only),
        points=counted,
        findings=findings,
        application=whose,
        application_name=attempts[-1].name if attempts else "",
        run=recording.header.run or flows.run,
        judged_at=judged_at,
        facts_digest=facts.digest,
        recording_sha256=recording.sha256,
        claims=tuple(sorted(claimed)),
        only=tuple(only),
        notes=(*gaps, *_surprised(surprises), *profile.remarks, *_unknown(bench), *_facts_differ(recording, facts), *notes),
        resolutions=tuple(resolutions),
    )


class _Bench:
    """Asks each check once, what it presupposes first."""

    def __init__(self, facts: FactsView, profile: Profile, known: Rules, flows: Flows) -> None:
        self._requirements = facts.requirements
        self._profile = profile
        self.rules = known
        self.flows = flows
        self._rulings: dict[tuple[str, str], Ruling] = {}
        self._given = {"logo"} if any(attempt.logo for attempt in flows.last_registrations()) else set()
        self._refused = bool(flows.registrations) and not any(a.accepted for a in flows.last_registrations())

    def findings(self) -> Iterator[Finding]:
        """Every requirement of the profile's groups, in their order; those of a registry once for each."""
        for group in self._profile.groups:
            for requirement in self._requirements.values():
                if requirement.group == group and requirement.id in self._profile.weights:
                    for registry in self.rules.claimed if group in PER_REGISTRY else ("",):
                        yield from self._found(requirement, registry)

    def _found(self, requirement: Requirement, registry: str) -> Iterator[Finding]:
        """What a check found of its subject and, where it says more, of others."""
        check = CHECKS.get(requirement.id)
        ruling = self._ruling(requirement, registry)
        yield self._finding(requirement, registry, check.subject if check else requirement.subject, ruling)
        for subject, other in ruling.others:
            yield self._finding(requirement, registry, subject, other)

    def _finding(self, requirement: Requirement, registry: str, subject: str, ruling: Ruling) -> Finding:
        return Finding(
            check=requirement.id,
            registry=registry or None,
            requirement=requirement.text,
            group=requirement.group,
            subject=subject,
            weight=self._weight(requirement),
            outcome=ruling.outcome,
            expected=ruling.expected,
            actual=ruling.actual,
            evidence=ruling.evidence,
            source="; ".join(requirement.sources),
            provenance=Provenance(requirement.provenance).value,
            hint=requirement.hint,
            blocked_by=ruling.blocked_by,
            note=ruling.note,
            correct=ruling.correct,
        )

    def _weight(self, requirement: Requirement) -> Weight:
        if requirement.challenge or requirement.id not in CHECKS:
            return Weight.NOT_SCORED
        given = self._profile.weights.get(requirement.id)
        return Weight(given.value) if given is not None else Weight.NOT_SCORED

    def _ruling(self, requirement: Requirement, registry: str) -> Ruling:
        key = (requirement.id, registry)
        if key not in self._rulings:
            self._rulings[key] = Ruling(outcome=Outcome.NOT_EXERCISED, expected=requirement.text)  # ends a circle
            self._rulings[key] = self._rule(requirement, registry)
        return self._rulings[key]

    def _rule(self, requirement: Requirement, registry: str) -> Ruling:
        check = CHECKS.get(requirement.id)
        if check is None:
            return Ruling(outcome=Outcome.NOT_EXERCISED, expected=requirement.text, actual="no challenge", note=_CHALLENGE)
        if requirement.claim and requirement.claim not in self.rules.claims | self._given:
            why = f"the capability {requirement.claim} is not claimed"
            return Ruling(outcome=Outcome.NOT_APPLICABLE, expected=requirement.text, actual=why, note=why)
        blocker = self._blocker(requirement, registry)
        if blocker:
            why = f"blocked by {blocker}"
            return Ruling(outcome=Outcome.NOT_EXERCISED, expected=requirement.text, actual=why, blocked_by=blocker)
        return self._ask(check, registry)

    def _blocker(self, requirement: Requirement, registry: str) -> str | None:
        """The check that stands in the way, or None."""
        if self._refused and requirement.group != "apply":
            return self._why_refused()
        for name in requirement.presupposes:
            other = self._requirements.get(name)
            if other is None or other.challenge or name not in CHECKS:
                continue
            where = ((registry,) if registry else self.rules.claimed) if other.group in PER_REGISTRY else ("",)
            if any(self._ruling(other, slug).outcome in _BLOCKS for slug in where):
                return name
        return None

    def _why_refused(self) -> str:
        applied = (r for r in self._requirements.values() if r.group == "apply" and r.id in self._profile.weights)
        failed = (r.id for r in applied if self._ruling(r, "").outcome is Outcome.FAILED)
        return next(failed, REGISTRATION)

    def _ask(self, check: Check, registry: str) -> Ruling:
        try:
            return check.run(Case(flows=self.flows, rules=self.rules, registry=registry))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours and not the vendor's
            words = f"{type(error).__name__}: {error}"[:500]
            note = "a fault of acrmock's own, not of the software that was judged"
            return Ruling(outcome=Outcome.HARNESS_ERROR, expected="a ruling", actual=words, note=note)


def _of(entries: Iterable[AnyEntry], application: str | None) -> Iterator[AnyEntry]:
    """The entries of one application; raises `SetupError` when there are several and none was named."""
    only = application
    for entry in entries:
        if entry.application is None:
            if application is None or not isinstance(entry, HttpEntry):
                yield entry
            continue
        only = only or entry.application
        if entry.application == only:
            yield entry
        elif application is None:
            raise SetupError(
                "the recording holds the traffic of several applications",
                expected="one application",
                actual=f"{only} and {entry.application}",
                fix="name the application that is to be judged",
            )


def _claims(profile: Profile, claims: Iterable[str] | None) -> frozenset[str]:
    if claims is None:
        return frozenset(profile.default_claims)
    given = frozenset(claims)
    unknown = sorted(given - frozenset(profile.claims)) if profile.claims else []
    if unknown:
        raise SetupError(
            f"unknown claim: {', '.join(unknown)}", expected=", ".join(profile.claims), fix="claim what the profile knows"
        )
    return given


def _only(facts: FactsView, profile: Profile, only: Sequence[str]) -> frozenset[str]:
    """The checks that are asked for by group or id."""
    known = {r.id: r.group for r in facts.requirements.values() if r.group in profile.groups and r.id in profile.weights}
    if not only:
        return frozenset(known)
    unknown = [name for name in only if name not in known and name not in known.values()]
    if unknown:
        raise SetupError(
            f"unknown group or check: {', '.join(unknown)}",
            expected=f"one of the groups {', '.join(profile.groups)}, or a check of theirs",
            fix="see the checklist of a full result for the ids",
        )
    return frozenset(check for check, group in known.items() if check in only or group in only)


def _gaps(recording: Judged, flows: Flows) -> tuple[str, ...]:
    """Every reason for which the recording is not whole, in words."""
    broken = [f"line {p.line}: {p.reason}" if p.line else p.reason for p in recording.problems[:20]]
    dropped = [f"entry {gap.seq}: {gap.reason}" for gap in flows.gaps[:20]]
    return tuple(f"void, the recording does not tell the whole: {words}" for words in (*broken, *dropped))


def _surprised(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{name} passed, the baseline has it as failed: renew the baseline" for name in names)


def _unknown(bench: _Bench) -> tuple[str, ...]:
    """What is unknown of the mapping versions that the result rests on."""
    used = {(post.facts.registry, post.facts.mapping) for post in bench.flows.posts}
    used |= {pair for attempt in bench.flows.last_registrations() for pair in attempt.registries}
    versions = [bench.rules.version(slug, mapping) for slug, mapping in sorted(used)]
    return tuple(dict.fromkeys(v.unknown for v in versions if v is not None and v.unknown))


def _facts_differ(recording: Judged, facts: FactsView) -> tuple[str, ...]:
    made = recording.header.facts_digest
    if not made or made == facts.digest:
        return ()
    return ("the recording was made under other facts than those it is judged by",)
