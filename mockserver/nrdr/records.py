"""The verdict on each exam of a transaction, with references in place of what identifies a person (facts U16, U20, U21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from acrmock.pointer import join
from acrmock.record import RecordFacts, RecordProblem
from acrmock.redaction import Digester, Redactor
from acrmock.schema import RecordValidator, exam_date, exam_key, follow_up_facts, needed_forms, of_rule, patient_key
from acrmock.schema.problems import ProblemKind
from mockserver.journal import Known
from mockserver.nrdr.model import Verdict, Verdicts
from mockserver.nrdr.names import Names
from mockserver.plans import Partial, Plan

if TYPE_CHECKING:
    from acrmock.facts import MappingVersion

_UNKNOWN = f"-{ProblemKind.UNKNOWN}"
_encode = msgspec.json.Encoder(order="deterministic").encode


def judge_records(
    digester: Digester, validator: RecordValidator, version: MappingVersion, exams: list[Any], *, today: date, facility: str
) -> tuple[RecordFacts, ...]:
    """The facts of each exam, in order; an exam that stands twice in one transaction is rejected the second time."""
    keys = [exam_key(version, exam, facility) for exam in exams]
    verdicts = validator.check_all(exams, today=today, facility=facility, keys=keys)

    def reference(kind: str, raw: str) -> str:
        return digester.ref(kind, raw) if raw else ""

    return tuple(
        RecordFacts(
            index=index,
            key=reference("exam", keys[index]),
            patient=reference("patient", patient_key(version, exam, facility)),
            content=digester.ref("content", _encode(exam)),
            status=verdict.status,
            exam_date=exam_date(version, exam),
            problems=verdict.problems,
            follow_ups=follow_up_facts(version, exam, index, today),
        )
        for index, (exam, verdict) in enumerate(zip(exams, verdicts, strict=True))
    )


@dataclass(frozen=True, slots=True)
class Need:
    """A record's need of another form that must have been loaded before: its place, the form's reference, the problem if not."""

    index: int
    key: str
    problem: RecordProblem


def needs(digester: Digester, version: MappingVersion, exams: list[Any], *, facility: str) -> tuple[Need, ...]:
    """What the records of a transaction need of other forms; only the store can say whether it is there."""
    return tuple(_needs(digester, version, exams, facility))


def _needs(digester: Digester, version: MappingVersion, exams: list[Any], facility: str) -> Iterator[Need]:
    for index, exam in enumerate(exams):
        for rule, raw in needed_forms(version, exam, facility):
            name = rule.elements[0]
            problem = of_rule(version, rule, join("", version.exams, index, name), name)
            yield Need(index, digester.ref("exam", raw), problem)


def to_keep(redactor: Redactor, known: Known, records: tuple[RecordFacts, ...], body: bytes) -> Verdicts:
    """The verdicts as the store keeps them: a name that the sender made up may hold a secret, or the beginning of one."""
    problems = [problem for record in records for problem in record.problems]
    if not any(problem.code.endswith(_UNKNOWN) for problem in problems):
        return Verdicts(records=tuple(map(_verdict, records)))
    pieces = redactor.pieces(_encode(msgspec.json.decode(body)).decode(), known)

    def clean(problem: RecordProblem) -> RecordProblem:
        def told(text: str) -> str:
            return redactor.text(text, known, pieces=pieces)

        if not problem.code.endswith(_UNKNOWN):
            return problem
        return msgspec.structs.replace(
            problem, pointer=told(problem.pointer), element=told(problem.element), message=told(problem.message)
        )

    kept = (msgspec.structs.replace(record, problems=tuple(map(clean, record.problems))) for record in records)
    return Verdicts(records=tuple(map(_verdict, kept if pieces else records)))


def _verdict(record: RecordFacts) -> Verdict:
    return Verdict(index=record.index, key=record.key, status=record.status, problems=record.problems)


def without_form(record: RecordFacts, missing: list[RecordProblem], rejected: str) -> RecordFacts:
    """The record once forms that it needs are missing: rejected, with a problem for each."""
    return msgspec.structs.replace(record, status=rejected, problems=(*record.problems, *missing)) if missing else record


def on_purpose(records: tuple[RecordFacts, ...], plan: Plan, names: Names) -> tuple[RecordFacts, ...]:
    """The records as a plan of kind `partial` has them: the last of those that could be loaded rejected, though nothing is wrong.

    Only the answers tell of it; the journal keeps the true verdicts, so that nobody is blamed for it.
    """
    if not isinstance(plan, Partial):
        return records
    doomed = {item.index for item in [item for item in records if item.status != names.rejected][-plan.reject :]}
    return tuple(_doom(item, names) if item.index in doomed else item for item in records)


def _doom(record: RecordFacts, names: Names) -> RecordFacts:
    problem = RecordProblem(
        code="acrmock:PLAN-PARTIAL",
        severity="error",
        pointer=join("", names.envelope_exams, record.index),
        element="",
        message="rejected on purpose, as the plan of this transaction says; the record itself may be right",
        provenance="mock-choice",
    )
    return msgspec.structs.replace(record, status=names.rejected, problems=(*record.problems, problem))
