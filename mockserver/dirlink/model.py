"""What DIR Link keeps of a report, and what the receiver hands on."""

from __future__ import annotations

from datetime import datetime

import msgspec

from acrmock.dose.header import Brief
from mockserver.store import Stored

REPORT = "dir-report"
"""The kind under which reports are stored, scope (application, environment), keyed by Affected SOP Instance UID."""

PLANTED = "dir-planted"
"""The kind under which it is stored that a report was planted, scope and key as of `REPORT`; the value is a `Planted`."""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A data set that was taken, with what its C-STORE said (PS3.7 section 9.1.1); `at` is business time, RFC 3339.

    `sha256` and `size` are those of the data set as it was on the wire in `transfer_syntax`. `planted` and `synthetic` say why
    it was taken; neither holds for real data under `--accept-real-data`. `repeat`: the same object came before; `same`: with
    the same bytes (None where it is no repeat).
    """

    application: str
    environment: str
    association: str
    calling_ae: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    sha256: str
    size: int
    at: str
    header: Brief
    run: str | None = None
    peer: str = ""
    planted: bool = False
    synthetic: bool = True
    repeat: bool = False
    same: bool | None = None


class Step(Stored, frozen=True, kw_only=True):
    """A state that a report came to: when (business time, RFC 3339) and why."""

    at: str
    state: str
    why: str = ""


class Copy(Stored, frozen=True, kw_only=True):
    """Another data set that came under the same SOP Instance UID, with other bytes."""

    sha256: str
    size: int
    at: str
    transfer_syntax: str = ""
    calling_ae: str = ""


class StoredReport(Stored, frozen=True, kw_only=True):
    """A report as kept; identity is the Affected SOP Instance UID.

    Its bytes are in the object store under (scope, `sop_instance`, `sha256`), those of `copies` beside it. `at` is when it came,
    `hold_until` when it expires (business time). `state` and those of `history` are words of the layer. `study_uid` and
    `event_uids` are as in the report.

    `near` is the configured station that the report's nearly is. `facility` is the one that its station is configured for.
    `replaces` are the reports of the study that this one contains. `attempts` counts those to send it on that failed,
    `next_try` (protocol time, RFC 3339) is when the next is due, `central` the SOP Instance UID under which it was sent on.
    `deleted`: the bytes are gone.
    """

    sop_instance: str
    sop_class: str
    transfer_syntax: str
    sha256: str
    size: int
    at: str
    association: str = ""
    calling_ae: str = ""
    station: str | None = None
    state: str = ""
    reasons: tuple[str, ...] = ()
    history: tuple[Step, ...] = ()
    copies: tuple[Copy, ...] = ()
    study_uid: str = ""
    event_uids: tuple[str, ...] = ()
    hold_until: datetime | None = None
    planted: bool = False
    synthetic: bool = True
    run: str | None = None
    dose: bool = False
    modality: str = ""
    near: str = ""
    facility: str = ""
    replaces: tuple[str, ...] = ()
    attempts: int = 0
    next_try: str = ""
    central: str = ""
    deleted: bool = False


class Planted(Stored, frozen=True, kw_only=True):
    """That the harness planted a report under this SOP Instance UID: it may come, synthetic or not."""

    sop_instance: str
    sha256: str = ""
    expected: bool = True
