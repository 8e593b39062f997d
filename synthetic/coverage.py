"""A small set of complete exams that together exercise every element, every code and every condition of a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any

from acrmock.errors import HarnessError
from acrmock.facts import Facts
from acrmock.facts.registry import Condition, MappingVersion, RecordKind, RuleKind
from acrmock.schema import census, possible
from synthetic.exammaker import ExamMaker, version_of
from synthetic.makers import Record
from synthetic.plan import PRESENT
from synthetic.wishing import Wish, Wisher

Goal = Callable[[Wish], Wish | None]


def coverage_set(
    facts: Facts,
    registry: str,
    mapping: str | None = None,
    *,
    seed: int = 0,
    as_of: date,
    facility: str = "",
) -> list[Record]:
    """The exams of the set, all complete, by a greedy cover; `facility` is the header's, for the element that repeats it.

    Without `facility` that element is left out. Raises `SetupError` on bad arguments.
    """
    maker = ExamMaker(version_of(facts, registry, mapping, as_of), seed=seed, as_of=as_of)
    version = maker.version
    exam_wishes = _cover(_goals(maker, RecordKind.EXAM), version)
    follow_ups = _cover(_goals(maker, RecordKind.FOLLOW_UP), version)
    if facility:
        repeated = _equal_to_header(version)
        exam_wishes[0] = {**exam_wishes[0], **dict.fromkeys(repeated, facility)}
    per_exam = -(-len(follow_ups) // len(exam_wishes))
    return [
        maker.exam(index, wishes, follow_ups[index * per_exam : (index + 1) * per_exam])
        for index, wishes in enumerate(exam_wishes)
    ]


def uncovered(version: MappingVersion, exams: Iterable[Any]) -> tuple[str, ...]:
    """What the exams do not exercise of a mapping version: elements, `Element=code` values and rules, each with its kind."""
    whole, found = possible(version), census(version, exams)
    return (
        *(f"element {name}" for name in whole.elements if name not in found.elements),
        *(f"value {name}" for name in whole.values if name not in found.values),
        *(f"branch {name}" for name in whole.branches if name not in found.branches),
    )


def _equal_to_header(version: MappingVersion) -> tuple[str, ...]:
    return tuple(name for rule in version.rules if rule.kind is RuleKind.EQUALS_HEADER for name in rule.elements)


def _goals(maker: ExamMaker, record: RecordKind) -> list[Goal]:
    """What a record of this kind can exercise: each code, each element, each condition both ways."""
    version = maker.version
    wisher = Wisher(version, record, maker.hints)
    skipped = _equal_to_header(version)
    goals: list[Goal] = []
    for element in version.of(record):
        if element.name in skipped:
            continue
        values: Sequence[Any] = [[c.code] if element.multiple else c.code for c in element.codes] or [PRESENT]
        goals += [partial(_wished, wisher, element.name, value) for value in values]
    for rule in version.rules:
        if rule.record is record and rule.when is not None:
            goals += [partial(_held, wisher, rule.when), partial(_avoided, wisher, rule.when)]
    return goals


def _wished(wisher: Wisher, name: str, value: Any, wishes: Wish) -> Wish | None:
    return wisher.add(wishes, name, value)


def _held(wisher: Wisher, condition: Condition, wishes: Wish) -> Wish | None:
    return wisher.satisfy(wishes, condition)


def _avoided(wisher: Wisher, condition: Condition, wishes: Wish) -> Wish | None:
    return wisher.avoid(wishes, condition)


def _cover(goals: list[Goal], version: MappingVersion) -> list[Wish]:
    """Wishes for as few records as a greedy pass needs to reach every goal."""
    cover: list[Wish] = []
    while goals:
        wishes: Wish = {}
        left: list[Goal] = []
        for goal in goals:
            granted = goal(wishes)
            if granted is None:
                left.append(goal)
            else:
                wishes = granted
        if len(left) == len(goals):
            raise HarnessError(f"{len(left)} branches of {version.registry} {version.version} cannot be reached")
        cover.append(wishes)
        goals = left
    return cover
