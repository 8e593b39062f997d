"""What the DIR Central Server keeps: reports without a patient, with the registry's indices."""

from __future__ import annotations

import msgspec

from mockserver.central.indices import IndexValue
from mockserver.store import Stored

REPORT = "central-report"
"""The kind under which the registry's reports are stored, scope (application, environment), keyed by SOP Instance UID."""

EXAM = "central-exam"
"""The kind under which it is stored which report stands for an exam, keyed by what tells exams apart."""

BEHAVIOUR = "central-behaviour"
"""The kind under which it is stored how the server is to answer, scope (application, environment)."""

THE = "-"
"""The key of what there is one of."""


class CentralReport(Stored, frozen=True, kw_only=True):
    """A report in the registry. `exam_name` is the facility's, `mapped` the registry's code, empty where nobody mapped it.

    `duplicate_of` is the report that stands for the same exam; `replaced_by` one that holds all of this and more.
    """

    sop_instance: str
    sha256: str
    at: str
    station: str = ""
    facility: str = ""
    modality: str = ""
    exam_name: str = ""
    mapped: str = ""
    mapped_meaning: str = ""
    indices: tuple[IndexValue, ...] = ()
    warnings: tuple[str, ...] = ()
    duplicate_of: str = ""
    replaced_by: str = ""

    @property
    def counts(self) -> bool:
        """Whether the report is in the registry's figures."""
        return not self.duplicate_of and not self.replaced_by


class Exam(Stored, frozen=True, kw_only=True):
    """The report that stands for an exam."""

    sop_instance: str


class Behaviour(Stored, frozen=True, kw_only=True):
    """That the server answers `answer` in place of taking reports: to the next `left`, or (None) until told otherwise."""

    answer: int
    left: int | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What DIR Link says of a report beside it: its facility, and the reports that it replaces.

    `birth_date` is the patient's as the policy has it: a keyed digest, or empty.
    """

    facility: str = ""
    station: str = ""
    birth_date: str = ""
    replaces: tuple[str, ...] = ()
