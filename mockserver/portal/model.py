"""What is kept of a data file: its standing, its rows with what was wrong with them, and that its name was used.

Unlike a transaction's records a file's rows are kept as they came, because the portal gives them back with an Error column; they
go with the application's reset and are never exported.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from mockserver.nrdr.model import Counts
from mockserver.plans import Immediate, Plan
from mockserver.store import Stored

FILE = "portal.file"
ROWS = "portal.rows"
NAME = "portal.name"
TRANSACTION_PREFIX = "file:"
"""How the ID of a file's transaction begins; no transaction ID of a client's can hold a colon."""


class FileStatus(StrEnum):
    """The statuses of files, by key; the layer's `portal.word.<channel>.<key>` is the word."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESSFUL = "successful"
    WITH_WARNING = "successful_with_warning"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    LOAD_FAILURE = "load_failure"
    VALIDATION_FAILED = "validation_failed"

    @property
    def loaded(self) -> bool:
        """Whether rows of the file stand in the database."""
        return self in {FileStatus.SUCCESSFUL, FileStatus.WITH_WARNING}

    @property
    def terminal(self) -> bool:
        """Whether nothing follows."""
        return self not in {FileStatus.PENDING, FileStatus.PROCESSING}


class Decision(StrEnum):
    """What becomes of a file in which some rows are wrong (UPL): asked, the valid rows load, or none does."""

    ASK = "ask"
    CONTINUE = "continue"
    CANCEL = "cancel"


class Reason(Stored, frozen=True, kw_only=True):
    """Why a whole file is rejected; `row` is the first where it shows (0: none)."""

    code: str
    message: str
    row: int = 0


class PortalFile(Stored, frozen=True, kw_only=True):
    """An uploaded file; times are business time. `forced` is the status that its plan names, if it names one."""

    id: str
    name: str
    registry: str
    mapping: str
    facility: str
    channel: str
    format: str
    size: int
    uploaded_at: datetime
    plan_word: str
    plan: Plan = Immediate()
    forced: str = ""
    decision: Decision = Decision.ASK
    decided_at: datetime | None = None
    released_at: datetime | None = None
    reason: Reason | None = None
    counts: Counts = Counts()

    @property
    def transaction(self) -> str:
        """The ID of the transaction as which its rows are loaded."""
        return TRANSACTION_PREFIX + self.id

    @property
    def valid(self) -> int:
        """How many rows can be loaded."""
        return self.counts.received - self.counts.rejected


class FileName(Stored, frozen=True, kw_only=True):
    """Which file had a name."""

    file: str


class LogRow(Stored, frozen=True, kw_only=True):
    """A row as it came, what is wrong with it, and, where it can be loaded, the references of its key and content."""

    number: int
    cells: tuple[str, ...]
    key: str = ""
    content: str = ""
    follow_ups: int = 0
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class LogRows(Stored, frozen=True, kw_only=True):
    """Some rows of a file; `first` is the index of the first among all."""

    first: int
    rows: tuple[LogRow, ...]


def rows_key(file: str, chunk: int) -> str:
    """The key of some rows of a file."""
    return f"{file}/{chunk:06d}"
