"""Turning the errors of the JSON Schema validator into problems: which element, which rule, which sentence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from jsonschema_rs import ValidationError

from acrmock.facts import EXAM, Element, Level, MappingVersion, Rule, RuleKind
from acrmock.pointer import join
from acrmock.record import RecordProblem
from acrmock.schema.problems import PREFIX, ProblemKind, of_element, of_list, of_record, of_rule, unknown_element
from acrmock.schema.record import schema_rules

_KINDS = {
    "type": ProblemKind.TYPE,
    "anyOf": ProblemKind.TYPE,
    "minItems": ProblemKind.TYPE,
    "enum": ProblemKind.CODE,
    "minLength": ProblemKind.LENGTH,
    "maxLength": ProblemKind.LENGTH,
    "pattern": ProblemKind.FORMAT,
    "uniqueItems": ProblemKind.REPEATED,
}

_NAMED = 100
_NOW_AND_THEN = 256
_ONE_OF: tuple[str, ...] = (ProblemKind.TYPE, ProblemKind.FORMAT, ProblemKind.LENGTH, ProblemKind.CODE)


class Explainer:
    """Explains the errors of one version's schema at level submit."""

    def __init__(self, version: MappingVersion) -> None:
        self._version = version
        self._elements = {record: {element.name: element for element in version.of(record)} for record in version.kinds}
        self._rules = {record: schema_rules(version, record, Level.SUBMIT) for record in version.kinds}

    def problems(
        self,
        errors: Iterable[ValidationError],
        base: str,
        *,
        enough: Callable[[Collection[RecordProblem]], bool] = lambda _found: False,
    ) -> list[RecordProblem]:
        """The problems that `errors` are, of an exam at the pointer `base`; of one value the weightiest only.

        Where what was found is `enough`, nothing more is looked at; it is asked now and then.
        """
        found: dict[tuple[str, str], RecordProblem] = {}
        for number, error in enumerate(errors):
            if number % _NOW_AND_THEN == 0 and enough(found.values()):
                break
            for problem in self._explain(error, base):
                rank = self._rank(problem)
                key = (problem.pointer, problem.code if rank is None else "")
                if key not in found or (rank or 0) < (self._rank(found[key]) or 0):
                    found[key] = problem
        return list(found.values())

    def _rank(self, problem: RecordProblem) -> int | None:
        """How weighty a problem with a value is among those of the same value (0 first); None for any other problem."""
        about = problem.code.removeprefix(f"{PREFIX}{self._version.header_word}-").partition("-")[0]
        return _ONE_OF.index(about) if about in _ONE_OF else None

    def _explain(self, error: ValidationError, base: str) -> Iterator[RecordProblem]:
        instance, schema = list(error.instance_path), list(error.schema_path)
        record = EXAM
        child = self._version.listed(str(schema[1])) if schema[0] == "properties" else None
        if child is not None:
            if len(schema) < 4:
                yield of_list(self._version, child, join(base, child.name))
                return
            base = join(base, child.name, instance[1])
            instance, schema = instance[2:], schema[3:]
            record = child.kind
        yield from self._in_record(record, base, instance, schema, error.kind)

    def _in_record(
        self,
        record: str,
        base: str,
        instance: list[str | int],
        schema: list[str | int],
        kind: Any,
    ) -> Iterator[RecordProblem]:
        keyword = schema[0]
        elements = self._elements[record]
        if keyword == "properties":
            yield self._value(elements[str(schema[1])], base, instance, str(schema[-1]))
        elif keyword == "required":
            yield self._missing(record, kind.property, base)
        elif keyword == "additionalProperties":
            known = tuple(elements)
            for name in kind.unexpected[:_NAMED]:
                yield unknown_element(self._version, join(base, name), name, known)
        elif keyword == "allOf":
            yield self._rule(self._rules[record][int(schema[1])], base, instance, kind)
        else:
            child = self._version.list_of(record)
            what = "an exam" if child is None else child.label
            yield of_record(self._version, ProblemKind.RECORD, base, "", f"{what} must be a JSON object")

    def _value(self, element: Element, base: str, instance: list[str | int], keyword: str) -> RecordProblem:
        kind = _KINDS.get(keyword, ProblemKind.TYPE)
        return of_element(self._version, kind, element, join(base, *instance))

    def _missing(self, record: str, name: str, base: str) -> RecordProblem:
        child = self._version.listed(name) if record == EXAM else None
        if child is not None:
            return of_list(self._version, child, join(base, child.name))
        return of_element(self._version, ProblemKind.REQUIRED, self._elements[record][name], join(base, name))

    def _rule(self, rule: Rule, base: str, instance: list[str | int], kind: Any) -> RecordProblem:
        if rule.kind is RuleKind.FORBIDS:
            return of_rule(self._version, rule, join(base, *instance), str(instance[-1]))
        if rule.kind is RuleKind.ANY_OF:
            return of_rule(self._version, rule, base, rule.elements[0])
        name = getattr(kind, "property", rule.elements[0])
        return of_rule(self._version, rule, join(base, name), name)
