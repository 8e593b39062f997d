"""A file as the control API shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from acrmock.clock import rfc3339
from mockserver.context import Settings
from mockserver.portal.eastern import eastern
from mockserver.portal.model import FileStatus, PortalFile
from mockserver.portal.settle import counts_shown
from mockserver.portal.standing import held, standing, waits
from mockserver.portal.words import words
from mockserver.store import Scope

if TYPE_CHECKING:
    from acrmock.facts import Facts


class FileCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many records were received, and how many of them uploaded as new, updated, rejected, or loaded with a warning."""

    received: int
    uploaded: int
    updated: int
    rejected: int
    warnings: int


class FileReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a whole file is rejected: our code, what to know, and the first row where it shows (null: none)."""

    code: str
    message: str
    row: int | None


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """A file: `status` is the word of its channel, `key` the status behind it; times are business time."""

    file: str
    application: str
    environment: str
    name: str
    registry: str
    mapping: str
    facility: str
    channel: str
    format: str
    bytes: int
    status: str
    key: FileStatus
    terminal: bool
    uploaded_at: str
    uploaded_eastern: str
    plan: str
    decision: str
    decision_needed: bool
    held: bool
    counts: FileCounts
    reason: FileReason | None
    remarks: tuple[str, ...]
    log: bool


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """Files in the order of their upload; `next` is what `after` takes to go on (empty: that was all)."""

    files: tuple[FileView, ...]
    next: str = ""


def view(facts: Facts, settings: Settings, file: PortalFile, now: datetime, scope: Scope) -> FileView:
    """The file as it stands `now`, business time."""
    known = words(facts, file.channel)
    status = standing(file, known, now)
    counts = counts_shown(file, status)
    reason = file.reason
    return FileView(
        file=file.id,
        application=scope[0],
        environment=scope[1],
        name=file.name,
        registry=file.registry,
        mapping=file.mapping,
        facility=file.facility,
        channel=file.channel,
        format=file.format,
        bytes=file.size,
        status=known[status],
        key=status,
        terminal=status.terminal,
        uploaded_at=rfc3339(file.uploaded_at),
        uploaded_eastern=f"{eastern(facts, file.uploaded_at):%Y-%m-%d %H:%M:%S} US Eastern",
        plan=file.plan_word,
        decision=file.decision,
        decision_needed=waits(file),
        held=held(file) and not status.terminal,
        counts=FileCounts(**msgspec.structs.asdict(counts)),
        reason=FileReason(code=reason.code, message=reason.message, row=reason.row or None) if reason is not None else None,
        remarks=tuple(_remarks(settings, file)),
        log=reason is None,
    )


def _remarks(settings: Settings, file: PortalFile) -> Iterator[str]:
    advised = settings.integer("portal.limit.advised_bytes")
    if file.size > advised:
        yield f"files of at most {advised} bytes are recommended"
