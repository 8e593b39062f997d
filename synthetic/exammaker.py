"""Makes the exams of one mapping version: who, when, and the records by their plans.

Exam `index` depends on nothing but the seed, the as-of date, the mapping version and the shipped hints: the same bytes on
any machine, in any order and in any shard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts import Facts
from acrmock.facts.registry import MappingVersion, RecordKind
from synthetic.hints import Hints, hints_for
from synthetic.makers import Occasion, Record, years_before
from synthetic.people import Crowd, provider_identifier
from synthetic.plan import RecordPlan, Wishes
from synthetic.randomness import Draws, Stream

EARLIEST, LATEST = date(1930, 1, 1), date(2199, 12, 1)
_NONE: Wishes = {}


class ExamMaker:
    """Makes exams of one mapping version, seed and as-of date; exams lie before that date, follow-ups not after it.

    Raises `SetupError` when the version has no elements, the seed or the date cannot be used, or an element's table
    leaves no value to make.
    """

    def __init__(self, version: MappingVersion, *, seed: int = 0, as_of: date, hints: Hints | None = None) -> None:
        if not EARLIEST <= as_of <= LATEST:
            possible = f"{EARLIEST} to {LATEST}"
            raise SetupError("that as-of date cannot be used", expected=possible, actual=str(as_of), where="--as-of")
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
        ago: tuple[int, int] | None = None,
    ) -> Record:
        """Exam `index`; `wishes` and `follow_ups` fix elements of it and of its follow-ups (None: as chance has it).

        `ago` is how many days before the as-of date it lies, at least and at most.
        """
        draws = self._exams.item(index)
        if ago is None:
            ago = (self.hints.follow_ups.after_days if follow_ups else 0, self.hints.exam_within_days)
        occasion = self.occasion(index, draws, ago=ago)
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
        """The exam with one follow-up more, within the hinted days and not after the as-of date.

        Raises `SetupError` when the exam lies after the as-of date.
        """
        if exam_day > self.as_of:
            raise SetupError(
                "an exam of the future has no follow-up yet", expected=f"not after {self.as_of}", actual=str(exam_day)
            )
        draws = self._later.item(index)
        occasion = self.occasion(index, draws, ago=(0, 0))
        occasion.exam_day = exam_day
        before = list(exam.get(self.version.follow_ups, ()))
        return {**exam, self.version.follow_ups: [*before, self.follow_up(draws, occasion, len(before))]}

    def later(self, index: int) -> Draws:
        """The draws of what happens later to exam `index`."""
        return self._later.item(index)

    def occasion(self, index: int, draws: Draws, *, ago: tuple[int, int]) -> Occasion:
        """Who is examined when, `ago` being the days before the as-of date, at least and at most."""
        hints = self.hints
        least, most = ago
        exam_day = draws.day(self.as_of - timedelta(days=max(least, most)), self.as_of - timedelta(days=least))
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
