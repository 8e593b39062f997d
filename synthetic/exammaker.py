"""Makes the exams of one mapping version: who, when, and the records by their plans.

Exam `index` depends on nothing but the seed, the as-of date, the mapping version and the shipped hints: the same bytes on
any machine, in any order and in any shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts import Facts
from acrmock.facts.registry import EXAM, ChildList, Element, ElementType, Level, MappingVersion, Rule, RuleKind
from acrmock.schema.rules import texts
from synthetic.hints import ElementHint, Hints, Outcome, hints_for
from synthetic.makers import Occasion, Record, years_before
from synthetic.people import Crowd, provider_identifier
from synthetic.plan import ABSENT, RecordPlan, Step, Wishes
from synthetic.randomness import Draws, Stream, Weighted

EARLIEST, LATEST = date(1930, 1, 1), date(2199, 12, 1)
SLOTS = 40
_NONE: Wishes = {}
_LAST_MONTH = 31
Lists = Mapping[str, Sequence[Wishes]]
"""What is wished of the records in an exam's lists, by their kind."""


class _Listing:
    """One list of the exams: how its records are made, and when an exam has any."""

    def __init__(self, version: MappingVersion, child: ChildList, hints: Hints) -> None:
        self.child = child
        self.plan = RecordPlan(version, child.kind, hints)
        self.hint = hints.list_of(child.kind)
        self._most = min(self.hint.most, child.most)
        rules = tuple(rule for rule in version.rules if rule.record == EXAM)
        self.step = Step(pseudo_element(child), rules, ElementHint(), self.hint.share, _nothing)
        among = (rule for rule in version.rules if rule.record == child.kind and rule.kind is RuleKind.AMONG)
        named = ((rule, version.element(rule.other)) for rule in among)
        self._outcomes = {
            code: found for code, told in self.hint.outcomes.items() if (found := _possible(told, self.plan.elements))
        }
        self.among = tuple((rule, tuple(c.code for c in element.codes)) for rule, element in named if element is not None)

    def window(self, occasion: Occasion) -> tuple[int, int]:
        """From which day to which the records of the list may be, as ordinals; none where the second is before the first."""
        day = occasion.exam_day.toordinal()
        return day + self.hint.after_days, min(occasion.as_of.toordinal(), day + self.hint.within_days)

    def make(self, draws: Draws, occasion: Occasion, number: int, wishes: Wishes = _NONE) -> Record:
        """Record `number` of the list of the exam of `occasion`."""
        first, last = self.window(occasion)
        first = min(first, last)
        occasion.number = number
        occasion.listed_day = date.fromordinal(first + draws.below(last - first + 1))
        return self.plan.make(draws, occasion, wishes)

    def many(self, draws: Draws, occasion: Occasion, exam: Record) -> int:
        """How many records chance and the tables give to an exam."""
        least = self.child.least
        if self.step.demanded(exam):
            return max(least, 1 + draws.below(self._most))
        first, last = self.window(occasion)
        if self.step.conditional or first > last or self.step.barred(exam):
            return least
        share = self.hint.shares.get(exam.get(self.hint.by, ""), self.hint.share) if self.hint.shares else self.hint.share
        return max(least, 1 + draws.below(self._most) if draws.chance(share) else 0)

    def outcome(self, draws: Draws, exam: Mapping[str, Any]) -> Wishes:
        """What a record of the list says because of what its exam says."""
        outcomes = self._outcomes.get(exam.get(self.hint.by, "")) if self._outcomes else None
        return _NONE if outcomes is None else draws.weighted(outcomes)

    def wished(self, exam: Record, wishes: Wishes, lists: Lists) -> Sequence[Wishes]:
        """What is wished of the records of the list: as many as the wishes and the tables demand."""
        wanted = list(lists.get(self.child.kind, ()))
        least = max(self.child.least, self.step.demanded(exam))
        if self.child.name in wishes:
            least = 0 if wishes[self.child.name] is ABSENT else max(1, least)
        return wanted + [_NONE] * (least - len(wanted))


def _possible(outcomes: Sequence[Outcome], elements: Sequence[Element]) -> Weighted[Wishes] | None:
    """The outcomes whose elements and codes a mapping version has; None where there are none."""
    codes = {element.name: element.code_set for element in elements}
    fits = [one for one in outcomes if all(code in codes.get(name, ()) for name, code in one.elements.items())]
    return Weighted([(one.elements, one.weight) for one in fits]) if fits else None


def pseudo_element(child: ChildList) -> Element:
    """A list of the exam as rules and wishes see it: something that is there or not."""
    return Element(
        name=child.name,
        record=EXAM,
        label=child.label,
        type=ElementType.TEXT,
        level=Level.OPTIONAL,
        provenance=child.provenance,
        sources=child.sources,
    )


def _nothing(_draws: Draws, _occasion: Occasion, _record: Record) -> None:
    return None


class ExamMaker:
    """Makes exams of one mapping version, seed and as-of date; exams lie before that date, follow-ups not after it.

    `facility` is the header's, for an element that must be there and repeat it. Raises `SetupError` when the version has no
    elements, the seed or the date cannot be used, or an element's table leaves no value to make.
    """

    def __init__(
        self, version: MappingVersion, *, seed: int = 0, as_of: date, hints: Hints | None = None, facility: str = ""
    ) -> None:
        if not EARLIEST <= as_of <= LATEST:
            possible = f"{EARLIEST} to {LATEST}"
            raise SetupError("that as-of date cannot be used", expected=possible, actual=str(as_of), where="--as-of")
        if not version.elements:
            raise SetupError(f"nothing is known of the elements of {version.registry} {version.version}")
        self.version = version
        self.as_of = as_of
        self.hints = hints or hints_for(version.registry)
        self.exam_plan = RecordPlan(version, EXAM, self.hints)
        self._lists = {child.kind: _Listing(version, child, self.hints) for child in version.lists}
        self._listings = tuple(self._lists.values())
        self._order = (*self.exam_plan.order, *(child.name for child in version.lists))
        self._ago = self.hints.exam_from_days, self.hints.exam_within_days
        self._form_days = self.hints.forms.get(version.form, 0) if version.form else 0
        name = f"{version.registry}/{version.version}"
        self._exams = Stream(seed, f"{name}/exam")
        self._given: Wishes = dict.fromkeys(_repeating(version), facility) if facility else _NONE
        self._later = Stream(seed, f"{name}/later")
        self._crowd = Crowd(seed)
        staff = Stream(seed, "practitioners")
        self._practitioners = tuple(provider_identifier(staff.item(index)) for index in range(self.hints.practitioners))

    def exam(
        self,
        index: int,
        wishes: Wishes = _NONE,
        lists: Lists | None = None,
        *,
        ago: tuple[int, int] | None = None,
    ) -> Record:
        """Exam `index`; `wishes` fix elements of it, `lists` what its lists hold (None: as chance has it).

        A list that `lists` does not name is empty as far as the tables allow. `ago` is how many days before the as-of date it
        lies, at least and at most.
        """
        if self._given:
            wishes = {**self._given, **wishes}
        draws = self._exams.item(index)
        if ago is None:
            ago = self._ago
            if lists:
                after = (self._lists[kind].hint.after_days for kind, wished in lists.items() if wished)
                ago = (max((ago[0], *after)), ago[1])
        occasion = self.occasion(index, draws, ago=ago)
        exam = self.exam_plan.make(draws, occasion, wishes)
        for listing in self._listings:
            if lists is None and listing.child.name not in wishes:
                wanted: Sequence[Wishes] = [listing.outcome(draws, exam) for _ in range(listing.many(draws, occasion, exam))]
            else:
                wanted = listing.wished(exam, wishes, lists or {})
            if wanted:
                records = [listing.make(draws, occasion, number, wish) for number, wish in enumerate(wanted)]
                exam[listing.child.name] = records
                if listing.among:
                    exam = self._naming(exam, records, listing.among)
        return exam

    def _naming(self, exam: Record, records: Sequence[Record], rules: Sequence[tuple[Rule, Sequence[str]]]) -> Record:
        """The exam once it names, where a rule asks for it, what the records of its list name."""
        added = False
        for rule, codes in rules:
            there = texts(exam.get(rule.other))
            named: set[str] = set()
            for record in records:
                for name in rule.elements:
                    value = record.get(name)
                    named.update(value if type(value) is list else texts(value))
            if not named.issubset(there):
                added = added or rule.other not in exam
                named.update(there)
                exam[rule.other] = [code for code in codes if code in named]
        return {name: exam[name] for name in self._order if name in exam} if added else exam

    def with_follow_up(self, exam: Mapping[str, Any], index: int, *, exam_day: date) -> Record:
        """The exam with one follow-up more, within the hinted days and not after the as-of date.

        Raises `SetupError` when the exam lies after the as-of date, or the mapping has no follow-ups.
        """
        child = self.version.follow_ups
        if child is None:
            raise SetupError(f"{self.version.registry} {self.version.version} has no follow-ups")
        if exam_day > self.as_of:
            raise SetupError(
                "an exam of the future has no follow-up yet", expected=f"not after {self.as_of}", actual=str(exam_day)
            )
        draws = self._later.item(index)
        occasion = self.occasion(index, draws, ago=(0, 0))
        occasion.exam_day = exam_day
        before = list(exam.get(child.name, ()))
        listing = self._lists[child.kind]
        return {**exam, child.name: [*before, listing.make(draws, occasion, len(before), listing.outcome(draws, exam))]}

    def later(self, index: int) -> Draws:
        """The draws of what happens later to exam `index`."""
        return self._later.item(index)

    def occasion(self, index: int, draws: Draws, *, ago: tuple[int, int]) -> Occasion:
        """Who is examined when, `ago` being the days before the as-of date, at least and at most."""
        least, most = ago
        most = max(least, most)
        exam_day = date.fromordinal(self.as_of.toordinal() - most + draws.below(most - least + 1))
        if self._form_days:
            exam_day = self.as_of - timedelta(days=_LAST_MONTH + self._form_days * (index % SLOTS))
        person = self._crowd.person(index, born=_born(exam_day, self.hints.age_years))
        return Occasion(index, person, exam_day, self.as_of, person.age_on(exam_day), self._practitioners)


@lru_cache(maxsize=4096)
def _born(day: date, age_years: tuple[int, int]) -> tuple[date, date]:
    """Between which days somebody was born who has, on a day, one of the ages."""
    youngest, oldest = age_years
    return years_before(day, oldest + 1) + timedelta(days=1), years_before(day, youngest)


def _repeating(version: MappingVersion) -> Iterator[str]:
    """The elements that must be there and say the same as the header."""
    named = {name for rule in version.rules if rule.kind is RuleKind.EQUALS_HEADER for name in rule.elements}
    return (element.name for element in version.of(EXAM) if element.name in named and element.level is not Level.OPTIONAL)


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
