"""Synthetic registry exams: complete, incomplete, or invalid in one named way; follow-ups and updates of an exam."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts import Facts
from acrmock.facts.registry import EXAM, ElementType, Level, MappingVersion, Rule, RuleKind
from acrmock.schema import changeable, exam_date
from synthetic.coverage import coverage_set
from synthetic.exammaker import ExamMaker, version_of
from synthetic.makers import Record
from synthetic.plan import holds
from synthetic.randomness import Stream
from synthetic.shards import WHOLE, shard_of
from synthetic.violations import invalid_exams

_SOME_DAY = date(2026, 1, 1)
_TRIES = 50
MOST = 1_000_000_000_000


class Kind(StrEnum):
    """What kind of exams are made."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    INVALID = "invalid"
    COVERAGE = "coverage"


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
    facility: str = "",
    shard: str = WHOLE,
) -> Iterator[Record]:
    """The exams `start` to `start + count - 1` of a seed, each fit to stand in a transaction's list of exams.

    Of these a shard has its part (`synthetic.shards`).

    Of kind `coverage` the set has its own size: `start` and `count` cut a slice of it, and `facility` (the header's) is what
    the element that repeats it says. Raises `SetupError` at once, not at the first exam, when an argument cannot be used.
    """
    for flag, number in (("--count", count), ("--start", start)):
        if not 0 <= number <= MOST:
            raise SetupError("that many exams cannot be made", expected=f"0 to {MOST}", actual=str(number)[:40], where=flag)
    try:
        chosen = Kind(kind)
    except ValueError as error:
        raise SetupError(
            "there is no such kind of exam", expected=", ".join(Kind), actual=str(kind)[:40], where="--kind"
        ) from error
    indices = shard_of(range(start, start + count), shard)
    version = version_of(facts, registry, mapping, as_of)
    if chosen is Kind.COVERAGE:
        covering = coverage_set(facts, registry, version.version, seed=seed, as_of=as_of, facility=facility)
        return (covering[index] for index in indices if index < len(covering))
    maker = ExamMaker(version, seed=seed, as_of=as_of, facility=facility)
    if chosen is Kind.COMPLETE:
        return (maker.exam(index) for index in indices)
    if chosen is Kind.INCOMPLETE:
        return _incomplete(maker, indices)
    return invalid_exams(maker, indices)


def incomplete(maker: ExamMaker, index: int) -> Record:
    """Exam `index` without one of the elements that only completeness demands; raises `SetupError` when none does."""
    exam = maker.exam(index)
    found = droppable(maker.version, exam)
    if not found:
        raise SetupError(f"every exam of {maker.version.registry} {maker.version.version} that is accepted is complete")
    del exam[maker.later(index).choice(found)]
    return exam


def _incomplete(maker: ExamMaker, indices: range) -> Iterator[Record]:
    return (incomplete(maker, index) for index in indices)


def droppable(version: MappingVersion, exam: Record) -> list[str]:
    """The elements in the exam that may go and leave it acceptable but incomplete."""
    rules = [rule for rule in version.rules if rule.record == EXAM]
    kept = {name for rule in rules if rule.level is Level.SUBMIT for name in rule.elements}
    conditional = {name for rule in rules if _asks(rule, exam) for name in rule.elements}
    return [
        element.name
        for element in version.of(EXAM)
        if element.name in exam
        and element.name not in kept
        and element.level is not Level.SUBMIT
        and (element.level is Level.COMPLETE or element.name in conditional)
    ]


def _asks(rule: Rule, exam: Record) -> bool:
    return rule.kind is RuleKind.REQUIRES and rule.level is Level.COMPLETE and holds(rule.when, exam)


def updated(version: MappingVersion, exam: Mapping[str, Any], *, seed: int = 0, index: int = 0) -> Record:
    """The exam under the same key with one answer changed, a coded one if there is any, valid before and after (fact U22).

    What changes names no patient and no exam, and no rule speaks of it. Raises `SetupError` when the exam has no such
    element.
    """
    spoken = {name for rule in version.rules for name in (*rule.elements, rule.when.element if rule.when else "", rule.other)}
    spoken.update(band.element for rule in version.rules for band in rule.bands)
    spoken.update(version.key_elements, version.patient_elements)
    free = [
        element
        for element in version.of(EXAM)
        if element.name in exam and len(element.codes) > 1 and not element.multiple and not element.identity
        if element.name not in spoken
    ]
    if not free:
        if any(element.level is Level.SUBMIT and element.name not in exam for element in version.of(EXAM)):
            raise SetupError("nothing in that exam can be changed under the same key", fix="start from a complete exam")
        others = [element.name for element in changeable(version) if element.name not in spoken]
        return {**exam, **_anew(version, exam, others, seed=seed, index=index)}
    draws = Stream(seed, "update").item(index)
    element = draws.choice(free)
    others = [code.code for code in element.codes if code.code != exam[element.name]]
    return {**exam, element.name: draws.choice(others)}


def _anew(version: MappingVersion, exam: Mapping[str, Any], names: list[str], *, seed: int, index: int) -> Record:
    """Another value of one of these elements, as another exam has it."""
    maker = ExamMaker(version, seed=seed, as_of=_SOME_DAY)
    for number in range(index * _TRIES, (index + 1) * _TRIES):
        another = maker.exam(number, lists={})
        for name in names:
            if name in another and another[name] != exam.get(name):
                return {name: another[name]}
    texts = (element for element in version.of(EXAM) if element.name in names and element.type is ElementType.TEXT)
    for element in texts:
        if not element.pattern:
            letter = "B" if str(exam.get(element.name)).startswith("A") else "A"
            return {element.name: letter * max(1, element.min_length or 0)}
    raise SetupError("nothing in that exam can be changed under the same key", fix="start from a complete exam")


def with_follow_up(version: MappingVersion, exam: Mapping[str, Any], *, as_of: date, seed: int = 0, index: int = 0) -> Record:
    """The exam with one follow-up more: within twelve months after it (fact N2.16), never after `as_of`.

    Raises `SetupError` when the exam has no date or lies after `as_of`, or the mapping has no follow-ups.
    """
    written = exam_date(version, exam)
    if not written:
        raise SetupError("an exam without a date cannot be followed up", fix="start from a complete exam")
    return ExamMaker(version, seed=seed, as_of=as_of).with_follow_up(exam, index, exam_day=date.fromisoformat(written))
