"""Values of a wrong JSON type, told without the validator: of each there is one thing to say, and it is known beforehand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs

from acrmock.facts import EXAM, Element, ElementType, MappingVersion
from acrmock.pointer import join
from acrmock.record import RecordProblem
from acrmock.schema.problems import ProblemKind, of_element, of_list
from acrmock.schema.record import DIALECT, record_schema

_JSON = frozenset({dict, list, str, int, float, bool, type(None)})
_ALWAYS = True


class Mistyped:
    """The elements and lists of an exam whose values have a wrong type, and what the schema says of the rest."""

    def __init__(self, version: MappingVersion) -> None:
        elements = version.of(EXAM)
        self._version = version
        self._wrong = {element.name: _JSON - _right(element) for element in elements}
        self._said = {
            element.name: of_element(version, ProblemKind.TYPE, element, join("", element.name)) for element in elements
        }
        self._wrong |= {child.name: _JSON - {list} for child in version.lists}
        self._said |= {child.name: of_list(version, child, join("", child.name)) for child in version.lists}
        self._problem = lru_cache(maxsize=4096)(self._made)
        whole = record_schema(version)
        self._values = jsonschema_rs.validator_for({"$schema": DIALECT, "properties": whole["properties"]})
        self._around = jsonschema_rs.validator_for({**whole, "properties": dict.fromkeys(whole["properties"], _ALWAYS)})

    def names(self, exam: Any) -> list[str]:
        """The elements whose values have a wrong type; of subclasses of JSON's own types nothing is said."""
        if type(exam) is not dict:
            return []
        wrong = self._wrong
        return [name for name, value in exam.items() if name in wrong and type(value) in wrong[name]]

    def problems(self, names: Collection[str], base: str) -> list[RecordProblem]:
        """What there is to say of them."""
        problem = self._problem
        return [problem(base, name) for name in names]

    def _made(self, base: str, name: str) -> RecordProblem:
        said = self._said[name]
        return RecordProblem(
            code=said.code,
            severity=said.severity,
            pointer=base + said.pointer,
            element=said.element,
            message=said.message,
            provenance=said.provenance,
        )

    def errors(self, exam: Mapping[str, Any], names: Collection[str]) -> Iterator[jsonschema_rs.ValidationError]:
        """What the schema says of everything else; raises what jsonschema-rs raises."""
        if len(names) < len(exam):
            yield from self._values.iter_errors({name: value for name, value in exam.items() if name not in names})
        if not self._around.is_valid(exam):
            yield from self._around.iter_errors(exam)


def _right(element: Element) -> frozenset[type]:
    """The types that a value of an element may have, as far as its type decides."""
    if element.type is ElementType.CODE:
        return frozenset({list}) if element.multiple else frozenset({str})
    if element.type is ElementType.NUMBER:
        return frozenset({int, float, str})
    return frozenset({str})
