"""Checking exam records: the JSON Schema first, the rules it cannot say second, each problem with pointer and provenance."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import jsonschema_rs

from acrmock.facts import EXAM, Facts, Level, MappingVersion, RuleKind
from acrmock.pointer import join
from acrmock.record import RecordProblem, Struct
from acrmock.schema.explain import Explainer
from acrmock.schema.flawless import flawless_test
from acrmock.schema.keys import exam_key
from acrmock.schema.mistyped import Mistyped
from acrmock.schema.problems import (
    ERROR,
    ProblemKind,
    element_code,
    of_record,
    of_rule,
    rule_code,
    unknown_element,
)
from acrmock.schema.record import record_schema
from acrmock.schema.rules import Scene, evaluators

_DEEPEST = 4
_PLENTY = 10
"""So many times the problems that are told of are looked for, once the record is known to be rejected."""
_INCONVERTIBLE = (ValueError, TypeError, OverflowError, RecursionError)


class RecordState(StrEnum):
    """What becomes of a record (facts N2.8, U21), whatever word the facts have for it."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    REJECTED = "rejected"


class RecordVerdict(Struct, frozen=True, kw_only=True):
    """One record checked: `status` is the word of the facts for `state`; errors reject, a missing rest leaves incomplete."""

    state: RecordState
    status: str
    problems: tuple[RecordProblem, ...] = ()

    @property
    def errors(self) -> tuple[RecordProblem, ...]:
        """The problems that reject the record."""
        return tuple(problem for problem in self.problems if problem.severity == ERROR)

    @property
    def warnings(self) -> tuple[RecordProblem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if problem.severity != ERROR)


class RecordValidator:
    """Checks exams against one mapping version; made once, then used from any thread.

    No value can make it raise: whatever is not JSON's own is reported as a value of the wrong type.
    """

    def __init__(self, facts: Facts, version: MappingVersion) -> None:
        self._version = version
        self._limit = facts.integer("nrdr.limit.problems")
        self._words = {state: facts.text(f"nrdr.record.word.{state}") for state in RecordState}
        self._schema = jsonschema_rs.validator_for(record_schema(version))
        self._explainer = Explainer(version)
        self._mistyped = Mistyped(version)
        self._exam_rules = evaluators(version, EXAM)
        self._below = tuple((child.name, evaluators(version, child.kind)) for child in version.lists)
        self._unique = next((rule for rule in version.rules if rule.kind is RuleKind.UNIQUE_EXAM), None)
        self._incompleting = _incompleting(version)
        self._flawless = flawless_test(version)
        self._complete = RecordVerdict(state=RecordState.COMPLETE, status=self._words[RecordState.COMPLETE])
        self._names = tuple(element.name for element in version.of(EXAM))

    def check(self, exam: Any, *, index: int, today: date, facility: str) -> RecordVerdict:
        """The verdict on one exam at `index` of the transaction; pointers are relative to the transaction's body."""
        try:
            if self._flawless(exam, today, facility):
                return self._complete
        except _INCONVERTIBLE:
            pass  # gone through below
        return self._examine(exam, index, today, facility)

    def _examine(self, exam: Any, index: int, today: date, facility: str) -> RecordVerdict:
        """The verdict with all that there is to say, rule by rule."""
        base = join("", self._version.exams, index)
        problems = self._first_layer(exam, base)
        if not self._enough(problems):
            for problem in self._second_layer(exam, base, today, facility):
                problems.append(problem)
                if problem.severity == ERROR and self._enough(problems):
                    break
        return self._verdict(problems, base)

    def _enough(self, problems: Collection[RecordProblem]) -> bool:
        """Whether there is more than anybody is told of, and the verdict stands; nobody needs thousands counted."""
        return len(problems) > _PLENTY * self._limit and any(problem.severity == ERROR for problem in problems)

    def check_all(
        self, exams: Iterable[Any], *, today: date, facility: str, keys: Sequence[str] = ()
    ) -> tuple[RecordVerdict, ...]:
        """The verdicts on all exams of a transaction, duplicates among them included; `keys` are their `exam_key`s if known."""
        seen: set[str] = set()
        verdicts = []
        for index, exam in enumerate(exams):
            verdict = self.check(exam, index=index, today=today, facility=facility)
            key = "" if self._unique is None else keys[index] if keys else exam_key(self._version, exam, facility)
            if key in seen and self._unique is not None:
                base = join("", self._version.exams, index)
                duplicate = of_rule(self._version, self._unique, base, "")
                verdict = self._verdict([*verdict.problems, duplicate], base)
            elif key:
                seen.add(key)
            verdicts.append(verdict)
        return tuple(verdicts)

    def valid(self, exam: Any) -> bool:
        """Whether the first layer alone accepts an exam."""
        try:
            return bool(self._schema.is_valid(exam))
        except _INCONVERTIBLE:
            return False

    def _first_layer(self, exam: Any, base: str) -> list[RecordProblem]:
        if self.valid(exam):
            return list(self._tolerated(exam, base))
        beginning = self._beginning(exam)
        if beginning is not None and self._enough(problems := self._refused(beginning, base)):
            return problems
        return self._refused(exam, base)

    def _refused(self, exam: Any, base: str) -> list[RecordProblem]:
        mistyped = self._mistyped.names(exam)
        try:
            errors = list(self._mistyped.errors(exam, set(mistyped)) if mistyped else self._schema.iter_errors(exam))
        except _INCONVERTIBLE:
            mistyped, errors = [], list(self._schema.iter_errors(_plain(exam)))
        explained = self._explainer.problems(errors, base, enough=self._enough)
        problems = [*self._mistyped.problems(mistyped, base), *explained]
        return problems if self._enough(problems) else [*problems, *self._tolerated(exam, base)]

    def _beginning(self, exam: Any) -> dict[str, Any] | None:
        """An exam without what stands far behind in its lists; None where they are not that long."""
        most = _PLENTY * self._limit
        if not isinstance(exam, dict) or not any(isinstance(value, list) and len(value) > most for value in exam.values()):
            return None
        return {name: value[: most + 1] if isinstance(value, list) else value for name, value in exam.items()}

    def _tolerated(self, exam: Any, base: str) -> Iterator[RecordProblem]:
        """Unknown elements, where the version only warns of them."""
        if self._version.unknown_elements != "warn" or not isinstance(exam, Mapping):
            return
        for name in exam:
            if name not in self._names and self._version.listed(name) is None:
                yield unknown_element(self._version, join(base, str(name)), str(name), self._names)

    def _second_layer(self, exam: Any, base: str, today: date, facility: str) -> Iterator[RecordProblem]:
        if not isinstance(exam, Mapping):
            return
        scene = Scene(exam, exam, base, today, facility)
        for evaluate in self._exam_rules:
            yield from evaluate(scene)
        for name, rules in self._below:
            listed = exam.get(name)
            for place, record in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(record, Mapping):
                    below = Scene(record, exam, join(base, name, place), today, facility)
                    for evaluate in rules:
                        yield from evaluate(below)

    def _verdict(self, problems: list[RecordProblem], base: str) -> RecordVerdict:
        state = RecordState.COMPLETE
        if any(problem.severity == ERROR for problem in problems):
            state = RecordState.REJECTED
        elif any(problem.code in self._incompleting for problem in problems):
            state = RecordState.INCOMPLETE
        if len(problems) > self._limit:
            rest = len(problems) - self._limit
            more = "at least " if len(problems) > _PLENTY * self._limit else ""
            problems = sorted(problems, key=lambda problem: problem.severity != ERROR)[: self._limit]
            message = f"{more}{rest} more problems of this record are not listed"
            problems.append(of_record(self._version, ProblemKind.RECORD, base, "", message))
        return RecordVerdict(state=state, status=self._words[state], problems=tuple(problems))


def _incompleting(version: MappingVersion) -> frozenset[str]:
    """The codes of problems that leave a record incomplete."""
    codes = {
        element_code(version, ProblemKind.REQUIRED, element) for element in version.elements if element.level is Level.COMPLETE
    }
    return frozenset(codes | {rule_code(version, rule) for rule in version.rules if rule.level is Level.COMPLETE})


def _plain(value: Any, depth: int = 0) -> Any:
    """A copy that the validator can read: whatever it cannot carry becomes null, whatever is too deep an empty object."""
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()} if depth <= _DEEPEST else {}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value] if depth <= _DEEPEST else []
    if isinstance(value, str):
        return value if _encodable(value) else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, int) else None


def _key(key: Any) -> str:
    text = str(key)
    return text if _encodable(text) else text.encode("utf-8", "replace").decode()


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
