"""The verdict on each exam of a transaction, with references in place of what identifies a person (facts U16, U20, U21)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from acrmock.record import RecordFacts
from acrmock.redaction import Digester
from acrmock.schema import RecordValidator, exam_date, exam_key, follow_up_facts, patient_key

if TYPE_CHECKING:
    from acrmock.facts import MappingVersion

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
