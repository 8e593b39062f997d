"""What the exams of a transaction exercised: elements, codes and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from acrmock.facts import EXAM, MappingVersion, RuleKind
from acrmock.record import Struct
from acrmock.schema.rules import holds


class Census(Struct, frozen=True, kw_only=True):
    """`elements` that were present, `values` (`Element=code`) that were used, `branches`: rules whose condition held."""

    elements: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


def census(version: MappingVersion, exams: Iterable[Any]) -> Census:
    """The census of `exams`, sorted; what is no element and no code of the version is not counted."""
    elements: set[str] = set()
    values: set[str] = set()
    branches: set[str] = set()
    lists, coded, conditions = version.code_lists, version.coded, version.conditions_on
    for kind, record in _records(version, exams):
        codes_of, conditional = coded[kind], conditions[kind]
        elements |= lists[kind].keys() & record.keys()
        for name in codes_of.keys() & record.keys():
            codes, value = codes_of[name], record[name]
            if type(value) is str:
                if value in codes:
                    values.add(codes[value])
            else:
                values.update(codes[code] for code in _strings(value) if code in codes)
        for name in conditional.keys() & record.keys():
            branches.update(rule for rule, when in conditional[name] if holds(when, record))
    return Census(elements=tuple(sorted(elements)), values=tuple(sorted(values)), branches=tuple(sorted(branches)))


def possible(version: MappingVersion) -> Census:
    """All that a census of this version can count: the denominators of coverage. What a rule excludes is not asked for."""
    rules = [rule for rule in version.rules if rule.when is not None]
    barred = {f"{r.when.element}={v}" for r in rules if r.when and r.kind is RuleKind.EXCLUDED for v in r.when.values}
    values = {f"{element.name}={code.code}" for element in version.elements for code in element.codes}
    return Census(
        elements=tuple(sorted(element.name for element in version.elements)),
        values=tuple(sorted(values - barred)),
        branches=tuple(sorted(rule.id for rule in rules if rule.kind is not RuleKind.EXCLUDED)),
    )


def _records(version: MappingVersion, exams: Iterable[Any]) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    for exam in exams:
        if not isinstance(exam, Mapping):
            continue
        yield EXAM, exam
        for child in version.lists:
            listed = exam.get(child.name)
            if isinstance(listed, list):
                yield from ((child.kind, item) for item in listed if isinstance(item, Mapping))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
