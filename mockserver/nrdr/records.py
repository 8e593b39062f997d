"""The verdict on each exam of a transaction, with references in place of what identifies a person (facts U16, U20, U21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from acrmock.facts import ElementType, RecordKind, RuleKind
from acrmock.record import FollowUpFacts, RecordFacts, RecordProblem
from acrmock.redaction import Digester
from acrmock.schema import exam_key, patient_key
from mockserver.nrdr.tables import Tables

if TYPE_CHECKING:
    from acrmock.facts import MappingVersion, Rule

_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class DateNames:
    """The elements that date an exam and its follow-ups; empty where the mapping has none."""

    exam: str = ""
    follow_up: str = ""


def date_names(version: MappingVersion) -> DateNames:
    """The dating elements: the date among the exam's key, and the one that the follow-up rules compare with it."""
    dated = {item.name for item in version.of(RecordKind.EXAM) if item.type is ElementType.DATE}
    exam = next((name for name in version.key_elements if name in dated), "")
    comparing = {RuleKind.NOT_BEFORE, RuleKind.WITHIN_DAYS}
    follow_up = next(
        (
            rule.elements[0]
            for rule in version.rules
            if rule.record is RecordKind.FOLLOW_UP and rule.kind in comparing and rule.other == exam and rule.elements
        ),
        "",
    )
    return DateNames(exam, follow_up)


def judge_records(
    digester: Digester, tables: Tables, version: MappingVersion, exams: list[Any], *, today: date, facility: str
) -> tuple[RecordFacts, ...]:
    """The facts of each exam, in order; an exam that stands twice in one transaction is rejected the second time."""
    validator, dates = tables.records(version), date_names(version)
    unique = next((rule for rule in version.rules if rule.kind is RuleKind.UNIQUE_EXAM), None)
    seen: set[str] = set()
    found = []
    for index, exam in enumerate(exams):
        verdict = validator.check(exam, index=index, today=today, facility=facility)
        status, problems = str(verdict.status), tuple(verdict.problems)
        sound = exam if isinstance(exam, dict) else {}
        key = digester.ref("exam", exam_key(version, sound, facility))
        if key in seen and unique is not None and status != tables.names.rejected:
            status = tables.names.rejected
            problems = (*problems, _duplicate(tables, version, unique, index))
        if status != tables.names.rejected:
            seen.add(key)
        found.append(
            RecordFacts(
                index=index,
                key=key,
                patient=digester.ref("patient", patient_key(version, sound, facility)),
                content=digester.ref("content", _encoder.encode(exam)),
                status=status,
                exam_date=_iso(sound.get(dates.exam)),
                problems=problems,
                follow_ups=tuple(_follow_ups(version, dates, sound, f"/{tables.names.envelope_exams}/{index}", today)),
            )
        )
    return tuple(found)


def _duplicate(tables: Tables, version: MappingVersion, rule: Rule, index: int) -> RecordProblem:
    return RecordProblem(
        code=f"{version.header_word}-{rule.id}",
        severity="error",
        pointer=f"/{tables.names.envelope_exams}/{index}",
        element=version.key_elements[0] if version.key_elements else "",
        message=rule.message,
        provenance=rule.provenance,
    )


def _follow_ups(version: MappingVersion, dates: DateNames, exam: dict[str, Any], base: str, today: date) -> Iterator[FollowUpFacts]:
    """Each follow-up's place in time, as far as its dates can be read (fact N2.16)."""
    listed = exam.get(version.follow_ups)
    exam_day = _day(exam.get(dates.exam))
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        day = _day(item.get(dates.follow_up)) if isinstance(item, dict) else None
        yield FollowUpFacts(
            pointer=f"{base}/{version.follow_ups}/{index}",
            days_after_exam=(day - exam_day).days if day is not None and exam_day is not None else None,
            in_future=day is not None and day > today,
        )


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-04-30") else None
    except ValueError:
        return None


def _iso(value: Any) -> str:
    day = _day(value)
    return day.isoformat() if day is not None else ""
