"""Synthetic registry exams: complete, incomplete, or invalid in one named way; follow-ups and updates of an exam.

The same seed and as-of date give the same bytes on any machine, in any order and in any shard: exam `index` depends on
nothing but them, the mapping version and the shipped hints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts import Facts
from acrmock.facts.registry import Level, MappingVersion, RecordKind, Rule, RuleKind
from synthetic.hints import Hints, hints_for
from synthetic.makers import Occasion, Record, years_before
from synthetic.people import Crowd, provider_identifier
from synthetic.plan import ABSENT, PRESENT, RecordPlan, Wishes, holds
from synthetic.randomness import Draws, Stream

EARLIEST, LATEST = date(1930, 1, 1), date(9000, 1, 1)
_NONE: Wishes = {}


class Kind(StrEnum):
    """What kind of exams are made."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    INVALID = "invalid"
    COVERAGE = "coverage"


class ExamMaker:
    """Makes exams of one mapping version, seed and as-of date; exams lie before that date, follow-ups not after it.

    Raises `SetupError` when the version has no elements, the seed or the date cannot be used, or an element's table
    leaves no value to make.
    """

    def __init__(self, version: MappingVersion, *, seed: int = 0, as_of: date, hints: Hints | None = None) -> None:
        if not EARLIEST <= as_of <= LATEST:
            raise SetupError("that as-of date cannot be used", expected=f"{EARLIEST} to {LATEST}", actual=str(as_of))
        if not version.elements:
            raise SetupError(f"nothing is known of the elements of {version.registry} {version.version}")
        self.version = version
        self.as_of = as_of
        self.hints = hints or hints_for(version.registry)
        self.exam_plan = RecordPlan(version, RecordKind.EXAM, self.hints)
        self.follow_up_plan = RecordPlan(version, RecordKind.FOLLOW_UP, self.hints)
        name = f"{version.registry}/{version.version}"
        self._exams = Stream(seed, f"{name}/exam")
        self._later = Stream(seed, f"{name}/later")
        self._crowd = Crowd(seed)
        staff = Stream(seed, "practitioners")
        self._practitioners = tuple(provider_identifier(staff.item(index)) for index in range(self.hints.practitioners))

    def exam(
        self,
        index: int,
        wishes: Wishes = _NONE,
        follow_ups: Sequence[Wishes] | None = None,
        *,
        early: int = 0,
    ) -> Record:
        """Exam `index`; `wishes` and `follow_ups` fix elements of it and of its follow-ups (None: as chance has it).

        `early` is how many days before the as-of date it lies at least.
        """
        draws = self._exams.item(index)
        occasion = self.occasion(index, draws, early=max(early, self.hints.follow_ups.after_days if follow_ups else 0))
        exam = self.exam_plan.make(draws, occasion, wishes)
        wanted = follow_ups if follow_ups is not None else self._chance(draws, occasion)
        if wanted:
            exam[self.version.follow_ups] = [self.follow_up(draws, occasion, n, wish) for n, wish in enumerate(wanted)]
        return exam

    def follow_up(self, draws: Draws, occasion: Occasion, number: int, wishes: Wishes = _NONE) -> Record:
        """Follow-up `number` of the exam of `occasion`."""
        first, last = self._window(occasion.exam_day)
        occasion.number = number
        occasion.follow_up_day = draws.day(min(first, last), last)
        return self.follow_up_plan.make(draws, occasion, wishes)

    def with_follow_up(self, exam: Mapping[str, Any], index: int, *, exam_day: date) -> Record:
        """The exam with one follow-up more, within the hinted days and not after the as-of date."""
        draws = self._later.item(index)
        occasion = self.occasion(index, draws)
        occasion.exam_day = exam_day
        before = list(exam.get(self.version.follow_ups, ()))
        return {**exam, self.version.follow_ups: [*before, self.follow_up(draws, occasion, len(before))]}

    def later(self, index: int) -> Draws:
        """The draws of what happens later to exam `index`."""
        return self._later.item(index)

    def occasion(self, index: int, draws: Draws, *, early: int = 0) -> Occasion:
        """Who is examined when, at least `early` days before the as-of date."""
        hints = self.hints
        last = self.as_of - timedelta(days=early)
        exam_day = draws.day(self.as_of - timedelta(days=max(early, hints.exam_within_days)), last)
        youngest, oldest = hints.age_years
        born = (years_before(exam_day, oldest + 1) + timedelta(days=1), years_before(exam_day, youngest))
        person = self._crowd.person(index, born=born)
        return Occasion(
            index=index,
            person=person,
            exam_day=exam_day,
            as_of=self.as_of,
            age=person.age_on(exam_day),
            practitioners=self._practitioners,
        )

    def _chance(self, draws: Draws, occasion: Occasion) -> Sequence[Wishes]:
        hint = self.hints.follow_ups
        if not self.follow_up_plan.elements or not draws.chance(hint.share):
            return ()
        first, last = self._window(occasion.exam_day)
        return (_NONE,) * (1 + draws.below(hint.most)) if first <= last else ()

    def _window(self, exam_day: date) -> tuple[date, date]:
        hint = self.hints.follow_ups
        last = min(self.as_of, exam_day + timedelta(days=hint.within_days))
        return exam_day + timedelta(days=hint.after_days), last


def version_of(facts: Facts, registry: str, mapping: str | None, as_of: date) -> MappingVersion:
    """The mapping version named, else the newest in force on `as_of`; raises `SetupError` naming what there is."""
    found = facts.registry(registry)
    if found is None:
        known = ", ".join(known.slug for known in facts.registries)
        raise SetupError("there is no such registry", expected=known, actual=registry[:40], where="--registry")
    version = found.default(as_of) if mapping is None else found.version(mapping)
    if version is not None and version.described:
        return version
    known = ", ".join(known.version for known in found.versions if known.described) or "none that is described"
    if mapping is None:
        raise SetupError(f"no mapping of {found.slug} is in force on {as_of}", expected=f"--mapping: {known}", where="--as-of")
    raise SetupError(f"no such mapping of {found.slug}", expected=known, actual=mapping[:40], where="--mapping")


def exams(
    facts: Facts,
    registry: str,
    mapping: str | None = None,
    *,
    seed: int = 0,
    count: int,
    as_of: date,
    start: int = 0,
    kind: Kind | str = Kind.COMPLETE,
) -> Iterator[Record]:
    """The exams `start` to `start + count - 1` of a seed, each fit to stand in a transaction's list of exams.

    Of kind `coverage` the set has its own size, and `start` and `count` cut a slice of it. Raises `SetupError` at once, not
    at the first exam, when an argument cannot be used.
    """
    if count < 0 or start < 0:
        raise SetupError("a count cannot be negative", expected="0 or more", actual=str(min(count, start)))
    try:
        chosen = Kind(kind)
    except ValueError as error:
        raise SetupError("there is no such kind of exam", expected=", ".join(Kind), actual=str(kind)[:40]) from error
    version = version_of(facts, registry, mapping, as_of)
    if chosen is Kind.COVERAGE:
        from synthetic.coverage import coverage_set

        return iter(coverage_set(facts, registry, version.version, seed=seed, as_of=as_of)[start : start + count])
    maker = ExamMaker(version, seed=seed, as_of=as_of)
    indices = range(start, start + count)
    if chosen is Kind.COMPLETE:
        return (maker.exam(index) for index in indices)
    if chosen is Kind.INCOMPLETE:
        return _incomplete(maker, indices)
    from synthetic.violations import invalid_exams

    return invalid_exams(facts, maker, indices)


def incomplete(maker: ExamMaker, index: int) -> Record:
    """Exam `index` without one of the elements that only completeness demands; raises `SetupError` when none does."""
    exam = maker.exam(index)
    droppable = _droppable(maker.version, exam)
    if not droppable:
        raise SetupError(f"every exam of {maker.version.registry} {maker.version.version} that is accepted is complete")
    del exam[maker.later(index).choice(droppable)]
    return exam


def _incomplete(maker: ExamMaker, indices: range) -> Iterator[Record]:
    return (incomplete(maker, index) for index in indices)


def _droppable(version: MappingVersion, exam: Record) -> list[str]:
    """The elements in the exam that may go and leave it acceptable but incomplete."""
    rules = [rule for rule in version.rules if rule.record is RecordKind.EXAM]
    kept = {name for rule in rules if rule.level is Level.SUBMIT for name in rule.elements}
    conditional = {name for rule in rules if _asks(rule, exam) for name in rule.elements}
    return [
        element.name
        for element in version.of(RecordKind.EXAM)
        if element.name in exam
        and element.name not in kept
        and element.level is not Level.SUBMIT
        and (element.level is Level.COMPLETE or element.name in conditional)
    ]


def _asks(rule: Rule, exam: Record) -> bool:
    return rule.kind is RuleKind.REQUIRES and rule.level is Level.COMPLETE and holds(rule.when, exam)


def updated(version: MappingVersion, exam: Mapping[str, Any], *, seed: int = 0, index: int = 0) -> Record:
    """The exam under the same key with one coded answer changed, valid before and after (fact U22).

    What changes names no patient and no exam, and no rule speaks of it. Raises `SetupError` when the exam has no such
    element.
    """
    spoken = {name for rule in version.rules for name in (*rule.elements, rule.when.element if rule.when else "", rule.other)}
    spoken.update(version.key_elements, version.patient_elements)
    free = [
        element
        for element in version.of(RecordKind.EXAM)
        if element.name in exam and len(element.codes) > 1 and not element.multiple and not element.identity
        if element.name not in spoken
    ]
    if not free:
        raise SetupError("nothing in that exam can be changed under the same key", fix="start from a complete exam")
    draws = Stream(seed, "update").item(index)
    element = draws.choice(free)
    others = [code.code for code in element.codes if code.code != exam[element.name]]
    return {**exam, element.name: draws.choice(others)}


__all__ = ["ABSENT", "PRESENT", "ExamMaker", "Kind", "exams", "incomplete", "updated", "version_of"]
