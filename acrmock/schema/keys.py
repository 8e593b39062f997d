"""What names an exam and a patient, and when a follow-up was; raw values, which the caller digests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from acrmock.facts import ElementType, MappingVersion, RecordKind, RuleKind
from acrmock.pointer import join, printable
from acrmock.record import FollowUpFacts
from acrmock.schema.rules import day

_SEPARATOR = "\x1f"


def patient_key(version: MappingVersion, exam: Any, facility: str) -> str:
    """What names a patient in a facility: the first identifier present (facts N2.13, U16); empty without one. Raw."""
    if not isinstance(exam, Mapping):
        return ""
    for name in version.patient_elements:
        value = exam.get(name)
        if isinstance(value, str) and value:
            return _SEPARATOR.join((facility, name, printable(value)))
    return ""


def exam_key(version: MappingVersion, exam: Any, facility: str) -> str:
    """What names an exam: facility, patient and the version's key elements (fact U16); empty without a patient. Raw."""
    patient = patient_key(version, exam, facility)
    if not patient:
        return ""
    return _SEPARATOR.join((patient, *(_part(exam.get(name)) for name in version.key_elements)))


def exam_date(version: MappingVersion, exam: Any) -> str:
    """The date of an exam as written, or empty: the first of its key elements that is a date."""
    for name in version.key_elements:
        element = version.element(name)
        if element is not None and element.type is ElementType.DATE and isinstance(exam, Mapping):
            found = day(exam.get(name))
            return found.isoformat() if found else ""
    return ""


def follow_up_facts(version: MappingVersion, exam: Any, index: int, today: date) -> tuple[FollowUpFacts, ...]:
    """When the follow-ups of an exam were, as far as their dates can be read (fact N2.16)."""
    rule = next((rule for rule in version.rules if rule.kind is RuleKind.WITHIN_DAYS), None)
    follow_ups = exam.get(version.follow_ups) if isinstance(exam, Mapping) else None
    if rule is None or rule.record is not RecordKind.FOLLOW_UP or not isinstance(follow_ups, list):
        return ()
    screen = day(exam.get(rule.other))
    found = []
    for place, follow_up in enumerate(follow_ups):
        when = day(follow_up.get(rule.elements[0])) if isinstance(follow_up, Mapping) else None
        found.append(
            FollowUpFacts(
                pointer=join("", version.exams, index, version.follow_ups, place),
                days_after_exam=(when - screen).days if when and screen else None,
                in_future=when is not None and when > today,
            ),
        )
    return tuple(found)


def _part(value: Any) -> str:
    return printable(value) if isinstance(value, str) else ""
