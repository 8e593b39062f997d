"""Checking registry data: JSON Schemas derived from the facts' tables, and the rules that they cannot say."""

from acrmock.schema.census import Census, census, possible
from acrmock.schema.envelope import HEADER_PARTS, envelope_schema, header_schema
from acrmock.schema.keys import changeable, exam_date, exam_key, follow_up_facts, needed_forms, patient_key, without_updates
from acrmock.schema.marks import identity_marks
from acrmock.schema.problems import PREFIX, ProblemKind, breached, element_code, of_rule, rule_code
from acrmock.schema.record import element_schema, record_schema
from acrmock.schema.validator import RecordState, RecordValidator, RecordVerdict

__all__ = [
    "HEADER_PARTS",
    "PREFIX",
    "Census",
    "ProblemKind",
    "RecordState",
    "RecordValidator",
    "RecordVerdict",
    "breached",
    "census",
    "changeable",
    "element_code",
    "element_schema",
    "envelope_schema",
    "exam_date",
    "exam_key",
    "follow_up_facts",
    "header_schema",
    "identity_marks",
    "needed_forms",
    "of_rule",
    "patient_key",
    "possible",
    "record_schema",
    "rule_code",
    "without_updates",
]
