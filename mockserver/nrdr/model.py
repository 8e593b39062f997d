"""What NRDR keeps of a transaction: never an exam's content, only references, verdicts and what its status needs.

Kinds are kept apart so that a poll reads little: the transaction, the verdicts on its records, who owns an exam now, and
by which later record an exam was replaced.
"""

from __future__ import annotations

from datetime import datetime

from acrmock.record import RecordProblem
from mockserver.plans import Assignment, Plan, StatusKey
from mockserver.store import Stored

TRANSACTION = "nrdr.transaction"
RECORDS = "nrdr.records"
EXAM = "nrdr.exam"
SUCCESSOR = "nrdr.successor"


class Counts(Stored, frozen=True, kw_only=True):
    """The counts of a status answer (fact U17), as they stand once the transaction has ended."""

    received: int = 0
    uploaded: int = 0
    updated: int = 0
    rejected: int = 0
    warnings: int = 0

    @property
    def loaded(self) -> int:
        """How many records stand in the database."""
        return self.uploaded + self.updated


class Transaction(Stored, frozen=True, kw_only=True):
    """An accepted transaction: when (business time), with which bytes (digest), under which plan, and where it leads.

    `settled_at`: when the poll came that brought its end, under a plan that counts polls. `file`: it is a data file of the
    portal's; the API for transactions knows it only as what replaced one.
    """

    id: str
    registry: str
    mapping: str
    facility: str
    accepted_at: datetime
    body: str
    end: StatusKey
    first: StatusKey
    default: Plan
    assignment: Assignment = Assignment()
    polls: int = 0
    counts: Counts = Counts()
    settled_at: datetime | None = None
    file: bool = False


class Verdict(Stored, frozen=True, kw_only=True):
    """The verdict on one record; `key` is the reference of its exam key (fact U16), `status` the record's word."""

    index: int
    key: str
    status: str
    problems: tuple[RecordProblem, ...] = ()


class Verdicts(Stored, frozen=True, kw_only=True):
    """The verdicts on all records of a transaction."""

    records: tuple[Verdict, ...]


class Exam(Stored, frozen=True, kw_only=True):
    """The record that holds an exam now: which transaction's, and references of its content with its follow-ups."""

    transaction: str
    index: int
    content: str
    follow_ups: int = 0


class Successor(Stored, frozen=True, kw_only=True):
    """The later record by which a record was replaced."""

    transaction: str
    index: int


def transaction_key(registry: str, transaction_id: str) -> str:
    """The key of a transaction; IDs are unique per application, environment and registry."""
    return f"{registry}/{transaction_id}"


def successor_key(registry: str, transaction_id: str, index: int) -> str:
    """The key of the successor of one record."""
    return f"{registry}/{transaction_id}/{index:06d}"
