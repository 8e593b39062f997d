"""The verdict on each row of a file: can it be read as a record at all, and what do the mapping's tables say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from acrmock.datafile import Layout, Row, RowFault
from acrmock.facts import RuleKind
from acrmock.pointer import parse_pointer
from acrmock.record import RecordProblem
from acrmock.redaction import Digester
from acrmock.schema import RecordState, RecordValidator, exam_key, needed_forms, of_rule
from mockserver.portal.model import LogRow

_encode = msgspec.json.Encoder(order="deterministic").encode
_SPACE = " \t"


@dataclass(slots=True, kw_only=True)
class Judge:
    """Judges the rows of one file in order; rows are records of `selected` unless they name another of `facilities`.

    `loaded` says whether the form of a reference was loaded before.
    """

    layout: Layout
    validator: RecordValidator
    digester: Digester
    today: date
    selected: str
    facilities: tuple[str, ...]
    loaded: Callable[[str], bool]
    _keys: set[str] = field(default_factory=set)
    _index: int = 0

    def judge(self, row: Row) -> LogRow:
        """The row with all that is wrong with it."""
        index, self._index = self._index, self._index + 1
        fault = row.fault or self._unreadable(row)
        if fault is not None:
            return LogRow(number=row.number, cells=row.cells, errors=(f"{self._told(fault, row)} ({fault.code})",))
        exam = self.layout.record(row.cells)
        facility = self.layout.facility_of(exam, self.selected)
        verdict = self.validator.check(exam, index=index, today=self.today, facility=facility)
        problems = [*verdict.problems, *self._unmet(exam, facility)]
        errors = [_text(problem) for problem in problems if problem.severity == "error"]
        raw = exam_key(self.layout.version, exam, facility)
        key = self.digester.ref("exam", raw) if raw else ""
        if facility not in self.facilities:
            errors.append(f"{self.layout.facility}: not a facility of yours ({RowFault.FACILITY.code})")
        unique = next((rule for rule in self.layout.version.rules if rule.kind is RuleKind.UNIQUE_EXAM), None)
        if unique is not None and key and key in self._keys:
            errors.append(_text(of_rule(self.layout.version, unique, "", "")))
        self._keys.add(key)
        rejected = bool(errors) or verdict.state is RecordState.REJECTED
        return LogRow(
            number=row.number,
            cells=row.cells,
            key="" if rejected else key,
            content="" if rejected else self.digester.ref("content", _encode(exam)),
            follow_ups=_follow_ups(self.layout, exam),
            errors=tuple(errors),
            warnings=tuple(_text(problem) for problem in problems if problem.severity != "error"),
        )

    def _unreadable(self, row: Row) -> RowFault | None:
        if self.layout.is_header(row.cells):
            return RowFault.HEADER
        if len(row.cells) != len(self.layout.columns):
            return RowFault.COUNT
        return RowFault.SPACE if any(cell and not cell.strip(_SPACE) for cell in row.cells) else None

    def _told(self, fault: RowFault, row: Row) -> str:
        """The fault in words; never a value of the row."""
        wanted = len(self.layout.columns)
        return {
            RowFault.COUNT: f"the record has {len(row.cells)} elements; mapping {self.layout.version.version} has {wanted}",
            RowFault.HEADER: "this is a header row; a file needs none, and it is not loaded",
            RowFault.LONG: "the record is too long to be read",
            RowFault.ENCODING: "the record is not UTF-8",
            RowFault.SPACE: "an element holds nothing but spaces; an empty element is nothing between pipes",
        }.get(fault, str(fault))

    def _unmet(self, exam: dict[str, Any], facility: str) -> list[RecordProblem]:
        """The forms that the record needs and that were never loaded."""
        version = self.layout.version
        found = needed_forms(version, exam, facility)
        return [
            of_rule(version, rule, "", rule.elements[0]) for rule, raw in found if not self.loaded(self.digester.ref("exam", raw))
        ]


def _text(problem: RecordProblem) -> str:
    """A problem as a log has it: which column, what is wrong, our code."""
    steps = parse_pointer(problem.pointer)[2:] if problem.pointer else (problem.element,)
    named = ".".join(str(int(step) + 1) if step.isdigit() else step for step in steps)
    where = f"{named}: " if named and not problem.message.startswith(named) else ""
    return f"{where}{problem.message} ({problem.code})"


def _follow_ups(layout: Layout, exam: dict[str, Any]) -> int:
    child = layout.version.follow_ups
    return len(exam.get(child.name) or ()) if child is not None else 0
