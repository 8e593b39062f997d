"""What a report lacks: what the registry needs to process it, and the mandatory rows of its template; both said by the layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from acrmock.dose.dictionary import Dictionary, Need, Quantity, TemplateRow
from acrmock.dose.model import DoseReport
from acrmock.dose.tree import Code, Item
from acrmock.facts.dose import Condition
from acrmock.record import FieldProblem

PROBLEMS_MOST = 1000

Place = tuple[str, Mapping[str, Any]]
"""Where to look: a tag path, and what stands there by family (`header`, `report`, `plane`, `ct`, `projection`)."""

Lineage = tuple[frozenset[tuple[str, str]], ...]
"""The coded items (concept, value) directly below an item, then below those above it."""


def missing(report: DoseReport, dictionary: Dictionary) -> tuple[FieldProblem, ...]:
    """What the registry needs to process the report and is not there; empty for an object that is no dose report."""
    return _lacking(report, dictionary, "reject")


def warned(report: DoseReport, dictionary: Dictionary) -> tuple[FieldProblem, ...]:
    """What is not there though the report can be processed without."""
    return _lacking(report, dictionary, "warn")


def _lacking(report: DoseReport, dictionary: Dictionary, severity: str) -> tuple[FieldProblem, ...]:
    if not report.dose:
        return ()
    found: list[FieldProblem] = []
    for need in dictionary.needs.values():
        if need.severity == severity and (not need.modalities or report.modality in need.modalities):
            found += _unmet(need, report, dictionary)
    return tuple(found[:PROBLEMS_MOST])


def _unmet(need: Need, report: DoseReport, dictionary: Dictionary) -> Iterator[FieldProblem]:
    if need.if_event and not any(event.kind in need.if_event for event in report.events):
        return
    places = _places(need, report)
    lacks = [(place, lack) for place, values in places if (lack := _lack(need, values))]
    if need.among.startswith("some-") and len(lacks) < len(places):
        return
    if not places:
        lacks = [("", (*need.all, *need.any))]
    if need.among.startswith("some-"):  # the place that lacks least is what to mend
        lacks = sorted(lacks, key=lambda found: len(found[1]))[:1]
    for place, names in lacks:
        titles = [dictionary.elements[name].title for name in names]
        joined = ", ".join(titles) if need.all else " or ".join(titles)
        yield FieldProblem(
            pointer=place or _pointer(names[0], dictionary),
            element=", ".join(names),
            expected=joined,
            actual="absent or without value",
            reason=need.text,
        )


def _places(need: Need, report: DoseReport) -> list[Place]:
    if need.among == "header":
        return [("", {"header": report.header})]
    if need.among == "report":
        return [("", {"report": report, "header": report.header})]
    if need.among == "some-plane":
        return [(plane.path, {"plane": plane, "total": report.totals}) for plane in report.totals.planes]
    return [(event.path, {"ct": event, "projection": event}) for event in report.events if event.kind not in need.excepted]


def _lack(need: Need, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The elements that are missing of `all`; where none is, those of `any` when not one is there."""
    absent = tuple(name for name in need.all if not _there(name, values))
    if absent:
        return absent
    return need.any if need.any and not any(_there(name, values) for name in need.any) else ()


def _there(name: str, values: Mapping[str, Any]) -> bool:
    family, _, attribute = name.partition(".")
    value = getattr(values.get(family), attribute, None)
    if isinstance(value, Quantity):
        return value.value is not None
    if isinstance(value, Code):
        return not value.empty
    return bool(value.strip(" \0") if isinstance(value, str) else value)


def _pointer(name: str, dictionary: Dictionary) -> str:
    return dictionary.elements[name].tag.strip("()").replace(",", "")


def template_problems(report: DoseReport, dictionary: Dictionary) -> tuple[FieldProblem, ...]:
    """The mandatory rows of the template that are not there (PS3.16); each tells the place, the row and the template."""
    if not report.dose:
        return ()
    by_parent: dict[str, list[TemplateRow]] = {}
    for row in dictionary.rows.values():
        if report.modality not in row.modalities or row.enhanced != report.enhanced:
            continue
        if not row.if_event or any(event.kind in row.if_event for event in report.events):
            by_parent.setdefault(row.parent, []).append(row)
    found: list[FieldProblem] = []
    waiting: list[tuple[Item, Lineage, str]] = [(report.tree, (), "root")]
    while waiting and len(found) < PROBLEMS_MOST:
        item, above, key = waiting.pop()
        lineage = (frozenset((child.key, child.code.key) for child in item.children if child.type == "CODE"), *above[:4])
        found += _row_problems(item, lineage, by_parent.get(key, ()), dictionary)
        waiting += [(child, lineage, child.key) for child in reversed(item.children)]
    return tuple(found[:PROBLEMS_MOST])


def _row_problems(item: Item, lineage: Lineage, rows: Iterable[TemplateRow], dictionary: Dictionary) -> Iterator[FieldProblem]:
    for row in rows:
        if row.when is not None and not _holds(row.when, lineage):
            continue
        if row.unless is not None and _holds(row.unless, lineage):
            continue
        stated = list(item.all(row.concept))
        good = [child for child in stated if child.type in row.types and not child.empty]
        if good:
            continue
        concept = dictionary.concepts[row.concept]
        actual, pointer = "absent", item.path
        if stated:
            pointer = stated[0].path
            actual = f"a {stated[0].type}" if stated[0].type not in row.types else "without value"
        yield FieldProblem(
            pointer=pointer,
            element=f"({concept.written[0]}) {concept.meaning}",
            expected=f"{' or '.join(row.types)} (TID {row.template}, mandatory)",
            actual=actual,
            reason=f"TID {row.template} asks for {concept.meaning} here",
        )


def _holds(condition: Condition, lineage: Lineage) -> bool:
    """Whether an item beside or above has one of the values."""
    return any((condition.concept, value) in coded for coded in lineage for value in condition.values)
