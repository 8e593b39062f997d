"""Values of a wrong JSON type, told without the validator: of each there is one thing to say, and it is known beforehand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jsonschema_rs

from acrmock.facts import EXAM, Element, ElementType, MappingVersion
from acrmock.pointer import join
from acrmock.record import RecordProblem
from acrmock.schema.problems import ProblemKind, of_element
from acrmock.schema.record import DIALECT, record_schema

_JSON = frozenset({dict, list, str, int, float, bool, type(None)})
_ALWAYS = True


class Mistyped:
    """The elements of an exam whose values have a wrong type, and what the schema says of the rest."""

    def __init__(self, version: MappingVersion) -> None:
        elements = version.of(EXAM)
        self._version = version
        self._wrong = {element.name: _JSON - _right(element) for element in elements}
        self._said = {
            element.name: of_element(version, ProblemKind.TYPE, element, join("", element.name)) for element in elements
        }
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
        return [
            RecordProblem(
                code=said.code,
                severity=said.severity,
                pointer=base + said.pointer,
                element=said.element,
                message=said.message,
                provenance=said.provenance,
            )
            for said in map(self._said.__getitem__, names)
        ]

    def errors(self, exam: Mapping[str, Any], names: Collection[str]) -> Iterator[jsonschema_rs.ValidationError]:
        """What the schema says of everything else; raises what jsonschema-rs raises."""
        rest = {name: value for name, value in exam.items() if name not in names}
        if rest:
            yield from self._values.iter_errors(rest)
        if not self._around.is_valid(exam):
            yield from self._around.iter_errors(exam)


def _right(element: Element) -> frozenset[type]:
    """The types that a value of an element may have, as far as its type decides."""
    if element.type is ElementType.CODE:
        return frozenset({list}) if element.multiple else frozenset({str})
    if element.type is ElementType.NUMBER:
        return frozenset({int, float, str})
    return frozenset({str})
