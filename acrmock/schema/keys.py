"""What names an exam and a patient, and when a follow-up was; raw values, which the caller digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from acrmock.facts import EXAM, Element, ElementType, MappingVersion, Rule
from acrmock.pointer import join, printable
from acrmock.record import FollowUpFacts
from acrmock.schema.rules import day

_SEPARATOR = "\x1f"
_DAYS = frozenset({ElementType.DATE, ElementType.INSTANT})


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
    """What names an exam: facility, patient and the version's key elements (fact U16); empty without a patient. Raw.

    A record of a form names no patient: facility, form and key elements name it.
    """
    if version.form:
        return form_key(version.form, exam, version.key_elements, facility)
    patient = patient_key(version, exam, facility)
    if not patient:
        return ""
    return _SEPARATOR.join((patient, *(_part(exam.get(name)) for name in version.key_elements)))


def changeable(version: MappingVersion) -> list[Element]:
    """The elements of an exam that may change while it stays the same exam: they name no exam and nobody, and have two values."""
    naming = {*version.key_elements, *version.patient_elements}
    free = (element for element in version.of(EXAM) if element.name not in naming and not element.identity)
    return [
        element for element in free if len(element.codes) != 1 and (element.minimum is None or element.minimum != element.maximum)
    ]


def without_updates(version: MappingVersion) -> str:
    """Why no exam of a version can be sent again with a change; empty where one can."""
    if not version.form and not version.patient_elements:
        return "has no elements that name a patient, and so none that name an exam"
    return "" if changeable(version) else "has nothing but elements that name the exam"


def form_key(form: str, record: Any, elements: Sequence[str], facility: str) -> str:
    """What names a record of a form: facility, form and the values of `elements`; empty without one of them. Raw."""
    parts = [_part(record.get(name)) for name in elements] if isinstance(record, Mapping) else []
    return _SEPARATOR.join((facility, form, *parts)) if parts and all(parts) else ""


def needed_forms(version: MappingVersion, record: Any, facility: str) -> Iterator[tuple[Rule, str]]:
    """The rules by which a record needs another form before it, each with that form's key. Raw."""
    for rule in version.needs:
        key = form_key(rule.form, record, rule.elements, facility)
        if key:
            yield rule, key


def exam_date(version: MappingVersion, exam: Any) -> str:
    """The date of an exam as written, or empty: the first of its key elements that is a date."""
    for name in version.key_elements:
        element = version.element(name)
        if element is not None and element.type in _DAYS and isinstance(exam, Mapping):
            found = day(exam.get(name))
            return found.isoformat() if found else ""
    return ""


def follow_up_facts(version: MappingVersion, exam: Any, index: int, today: date) -> tuple[FollowUpFacts, ...]:
    """When the follow-ups of an exam were, as far as their dates can be read (fact N2.16)."""
    rule, child = version.window, version.follow_ups
    follow_ups = exam.get(child.name) if child is not None and isinstance(exam, Mapping) else None
    if rule is None or child is None or not isinstance(follow_ups, list):
        return ()
    screen = day(exam.get(rule.other))
    found = []
    for place, follow_up in enumerate(follow_ups):
        when = day(follow_up.get(rule.elements[0])) if isinstance(follow_up, Mapping) else None
        found.append(
            FollowUpFacts(
                pointer=join("", version.exams, index, child.name, place),
                days_after_exam=(when - screen).days if when and screen else None,
                in_future=when is not None and when > today,
            ),
        )
    return tuple(found)


def _part(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:.12g}"
    return printable(value) if isinstance(value, str) else ""
