"""A small set of complete exams that together exercise every element, every code and every condition of a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from acrmock.errors import HarnessError
from acrmock.facts import Facts
from acrmock.facts.registry import EXAM, ChildList, Condition, MappingVersion, RuleKind
from acrmock.schema import census, possible
from synthetic.exammaker import ExamMaker, version_of
from synthetic.makers import Record
from synthetic.plan import PRESENT
from synthetic.related import excluded_codes
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
    maker = ExamMaker(version_of(facts, registry, mapping, as_of), seed=seed, as_of=as_of, facility=facility)
    version = maker.version
    drafts = [_Draft(wishes, {}) for wishes in _cover(_goals(maker, EXAM), version)]
    for child in version.lists:
        _distribute(drafts, child, _cover(_goals(maker, child.kind), version), Wisher(version, EXAM, maker.hints))
    if facility:
        drafts = drafts or [_Draft({}, {})]
        drafts[0].wishes |= dict.fromkeys(_equal_to_header(version), facility)
    return [maker.exam(index, draft.wishes, draft.lists) for index, draft in enumerate(drafts)]


@dataclass(slots=True)
class _Draft:
    """What is wished of one exam of the set, and of the records in its lists."""

    wishes: Wish
    lists: dict[str, list[Wish]]


def _distribute(drafts: list[_Draft], child: ChildList, wishes: list[Wish], wisher: Wisher) -> None:
    """Put the wished records of a list into exams that may have it, as evenly as they come; add exams where it takes more."""
    hosts = []
    for draft in drafts:
        granted = wisher.add(draft.wishes, child.name, PRESENT)
        if granted is not None:
            hosts.append((draft, granted))
    while len(hosts) * child.most < len(wishes) or not hosts:
        draft, granted = _Draft({}, {}), wisher.add({}, child.name, PRESENT)
        if granted is None:
            raise HarnessError(f"no exam can have the list {child.name}")
        drafts.append(draft)
        hosts.append((draft, granted))
    each = -(-len(wishes) // len(hosts))
    for place, (draft, granted) in enumerate(hosts):
        share = wishes[place * each : (place + 1) * each]
        if share:
            draft.wishes, draft.lists[child.kind] = granted, share


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


def _goals(maker: ExamMaker, record: str) -> list[Goal]:
    """What a record of this kind can exercise: each code, each element, each condition both ways."""
    version = maker.version
    wisher = Wisher(version, record, maker.hints)
    skipped = _equal_to_header(version)
    goals: list[Goal] = []
    for element in version.of(record):
        if element.name in skipped:
            continue
        barred = excluded_codes(element.name, version.rules)
        codes = [code.code for code in element.codes if code.code not in barred]
        values: Sequence[Any] = [[code] if element.multiple else code for code in codes] or [PRESENT]
        goals += [partial(_wished, wisher, element.name, value) for value in values]
    for rule in version.rules:
        if rule.record == record and rule.when is not None and rule.kind is not RuleKind.EXCLUDED:
            goals.append(partial(_held, wisher, rule.when))
            if wisher.avoid({}, rule.when) is not None:
                goals.append(partial(_avoided, wisher, rule.when))
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
