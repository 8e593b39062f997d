"""What a file does to the database: its valid rows load like a transaction's, once nobody need be asked (facts N2.12, U22)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from mockserver.context import EngineCore
from mockserver.nrdr.loading import Loadable, load
from mockserver.nrdr.model import TRANSACTION, Counts, Transaction, transaction_key
from mockserver.plans import RECORD_KIND, Assignment, Plan, PlanRecord, StatusKey, status
from mockserver.portal.model import FILE, Decision, FileStatus, PortalFile
from mockserver.portal.standing import end_of
from mockserver.portal.upload import rows_of
from mockserver.portal.words import words
from mockserver.store import Scope, Unit


def settle(core: EngineCore, unit: Unit, scope: Scope, file: PortalFile) -> PortalFile:
    """Store a file; load its valid rows where they are to be loaded, as one transaction under the file's plan."""
    end = end_of(file, words(core.facts, file.channel))
    if file.decision is Decision.CONTINUE and end.loaded and file.valid:
        updated = load(unit, scope, file.registry, file.transaction, _valid(unit, scope, file))
        loaded = msgspec.structs.replace(file.counts, uploaded=file.valid - updated, updated=updated)
        file = msgspec.structs.replace(file, counts=loaded)
        _as_transaction(unit, scope, file)
    unit.put(FILE, scope, file.id, file)
    return file


def decided(file: PortalFile, decision: Decision, now: datetime) -> PortalFile:
    """The file once the user has said what becomes of its valid rows; still to be settled."""
    return msgspec.structs.replace(file, decision=decision, decided_at=now)


def release(unit: Unit, scope: Scope, file: PortalFile, now: datetime) -> PortalFile:
    """A file that was held goes on to its end."""
    released = msgspec.structs.replace(file, released_at=now)
    unit.put(FILE, scope, file.id, released)
    record = unit.get(RECORD_KIND, scope, file.transaction, PlanRecord)
    if record is not None:
        unit.put(RECORD_KIND, scope, file.transaction, msgspec.structs.replace(record, released_at=now))
    return released


def counts_shown(file: PortalFile, status_: FileStatus) -> Counts:
    """The counts as they can be told: nothing is loaded before a file has ended so."""
    if status_.loaded:
        return file.counts
    rejected = file.counts.received if status_.terminal else file.counts.rejected
    return msgspec.structs.replace(file.counts, uploaded=0, updated=0, rejected=rejected)


def _valid(unit: Unit, scope: Scope, file: PortalFile) -> Iterator[Loadable]:
    rows = rows_of(unit, scope, file.id)
    return (Loadable(index, row.key, row.content, row.follow_ups) for index, row in rows if not row.errors)


def _as_transaction(unit: Unit, scope: Scope, file: PortalFile) -> None:
    """So that what the file replaces, and what replaces it, are known as they are of any transaction."""
    end = StatusKey.PARTIALLY_SUCCESSFUL if file.counts.rejected else StatusKey.POSTED
    plan: Plan = file.plan
    unit.put(RECORD_KIND, scope, file.transaction, PlanRecord(id=file.transaction, plan=plan, registry=file.registry))
    made = Transaction(
        id=file.transaction,
        registry=file.registry,
        mapping=file.mapping,
        facility=file.facility,
        accepted_at=file.decided_at or file.uploaded_at,
        body="",
        end=end,
        first=status(plan, end=end, elapsed=0.0, polls=0),
        default=plan,
        assignment=Assignment(plan_id=file.transaction),
        counts=file.counts,
        file=True,
    )
    unit.put(TRANSACTION, scope, transaction_key(file.registry, file.transaction), made)
