"""Where a file stands: computed when it is looked at, from plan, business time and what was decided (UPL, MIPSREV, APPUPL)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mockserver.plans import Hold, StatusKey, status
from mockserver.portal.model import Decision, FileStatus, PortalFile
from mockserver.portal.words import APP


def end_of(file: PortalFile, known: Mapping[FileStatus, str]) -> FileStatus:
    """How a file ends once its time has come, of the statuses that its channel knows."""
    if file.channel == APP and (file.counts.rejected or file.counts.warnings or file.reason is not None):
        return FileStatus.VALIDATION_FAILED
    if file.decision is Decision.CANCEL:
        return _known(FileStatus.CANCELLED, known)
    if file.reason is not None or file.valid == 0:
        return FileStatus.REJECTED
    forced = FileStatus(file.forced) if file.forced else None
    if forced is not None and forced in known:
        return forced
    return FileStatus.WITH_WARNING if file.counts.warnings and FileStatus.WITH_WARNING in known else FileStatus.SUCCESSFUL


def standing(file: PortalFile, known: Mapping[FileStatus, str], now: datetime) -> FileStatus:
    """The status of a file at `now`, business time."""
    end = end_of(file, known)
    if end in {FileStatus.VALIDATION_FAILED, FileStatus.CANCELLED} or file.decision is Decision.CANCEL:
        return end
    if waits(file):
        return FileStatus.PENDING
    since = file.decided_at or file.uploaded_at
    step = status(
        file.plan,
        end=StatusKey.POSTED,
        elapsed=max(0.0, (now - since).total_seconds()),
        polls=0,
        released=file.released_at is not None,
    )
    if step.terminal:
        return end
    working = step is not StatusKey.LOADING and FileStatus.PROCESSING in known
    return FileStatus.PROCESSING if working else FileStatus.PENDING


def waits(file: PortalFile) -> bool:
    """Whether the user must say what becomes of the valid rows."""
    mixed = file.counts.rejected > 0 and file.valid > 0 and file.reason is None
    return mixed and file.channel != APP and file.decision is Decision.ASK


def held(file: PortalFile) -> bool:
    """Whether the file stands until it is released."""
    return isinstance(file.plan, Hold) and file.released_at is None


def _known(key: FileStatus, known: Mapping[FileStatus, str]) -> FileStatus:
    return key if key in known else FileStatus.REJECTED
