"""The vendor's own data: synthetic exams of one registry, and what happens to them later."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts import ElementType, Facts, MappingVersion, Registry
from acrmock.schema import exam_date
from conformance.vendors.state import State
from synthetic.coverage import coverage_set
from synthetic.exammaker import ExamMaker
from synthetic.exams import incomplete, updated

Exam = dict[str, Any]

SEED = 20_250
AFTER_COVERAGE = 1_000
"""The exams of the coverage set have the first indices; the vendor draws its others from here on."""
AGO = (60, 300)
"""Days before today between which an exam lies: a follow-up of it can have happened, and its year is not over."""


class ExamSource:
    """The exams of one registry and facility; `state` remembers how many were drawn, so that none comes twice."""

    def __init__(
        self, facts: Facts, registry: Registry, version: MappingVersion, *, facility: str, state: State, today: date
    ) -> None:
        self._facts = facts
        self._registry = registry
        self._version = version
        self._facility = facility
        self._state = state
        self._today = today

    @cached_property
    def maker(self) -> ExamMaker:
        """The maker of this version's exams."""
        return ExamMaker(self._version, seed=SEED, as_of=self._today, facility=self._facility)

    def coverage(self) -> list[Exam]:
        """Exams that together exercise every element, value and branch of the mapping."""
        return coverage_set(
            self._facts, self._registry.slug, self._version.version, seed=SEED, as_of=self._today, facility=self._facility
        )

    def complete(self, count: int) -> list[Exam]:
        """The next complete exams, without follow-ups."""
        return [self.maker.exam(index, lists={}, ago=AGO) for index in self._next(count)]

    def incomplete(self, count: int) -> list[Exam]:
        """The next exams that are acceptable and not complete."""
        return [incomplete(self.maker, index) for index in self._next(count)]

    def changed(self, exam: Exam) -> Exam:
        """The exam under the same key with another answer."""
        return dict(updated(self._version, exam, seed=SEED))

    def followed_up(self, exam: Exam) -> Exam:
        """The exam with a follow-up more."""
        return dict(self.maker.with_follow_up(exam, 0, exam_day=self.exam_day(exam)))

    def exam_day(self, exam: Exam) -> date:
        """The day of the exam."""
        return date.fromisoformat(exam_date(self._version, exam))

    def moved(self, exam: Exam, days: int) -> Exam:
        """The exam of another day: of what makes its key, the days are others."""
        keys = [element for name in self._version.key_elements if (element := self._version.element(name)) is not None]
        dated = [element.name for element in keys if element.type in (ElementType.DATE, ElementType.INSTANT)]
        instants = {name: datetime.fromisoformat(exam[name]) + timedelta(days=days) for name in dated}
        return {**exam, **{name: found.isoformat()[: len(exam[name])] for name, found in instants.items()}}

    def corrected(self, exam: Exam, elements: Collection[str]) -> Exam | None:
        """A rejected exam with the named elements taken from a fresh record; None when none of them is known."""
        fresh = self.maker.exam(next(iter(self._next(1))), lists={}, ago=AGO)
        named = set(elements) & (exam.keys() | fresh.keys())
        if not named:
            return None
        mended = {key: value for key, value in exam.items() if key not in named}
        return mended | {key: fresh[key] for key in named if key in fresh}

    def _next(self, count: int) -> range:
        first = AFTER_COVERAGE + self._state.drawn
        self._state.drawn += count
        return range(first, first + count)


def other_version(registry: Registry, version: MappingVersion, today: date) -> str:
    """A mapping version of the registry that is not in force; raises `SetupError` when all are."""
    for known in registry.versions:
        if known.version != version.version and known.state(today) != "in-force":
            return known.version
    raise SetupError(f"every mapping version of {registry.slug} is in force")
