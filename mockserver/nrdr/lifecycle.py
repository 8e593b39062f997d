"""The status of a stored transaction, computed when it is read from plan, business time, polls and later transactions.

A transaction is `UpdatedWithNewTransaction` once each of its loaded exams was replaced by one that is loaded too: a later
transaction that is still on its way, or that failed, replaces nothing (facts N2.14, U18, U22).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mockserver.nrdr.model import SUCCESSOR, TRANSACTION, Successor, Transaction, successor_key, transaction_key
from mockserver.plans import Hold, Polls, StatusKey, assigned, settles_after, status
from mockserver.store import Reader, Scope


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a transaction stands, and the transaction that replaced it last, if any."""

    key: StatusKey
    replaced_by: str = ""


@dataclass(slots=True)
class Lifecycle:
    """Statuses of one registry's transactions, as they are at `now` (business time) for one application and environment."""

    reader: Reader
    scope: Scope
    registry: str
    now: datetime
    _loaded: dict[str, bool] = field(default_factory=dict)

    def standing(self, transaction: Transaction) -> Standing:
        """The status of `transaction`, counting its stored polls."""
        own = self.own(transaction)
        if not own.loaded:
            return Standing(own)
        newest = self._replaced_by(transaction)
        return Standing(StatusKey.UPDATED, newest) if newest else Standing(own)

    def own(self, transaction: Transaction) -> StatusKey:
        """The status without regard to later transactions."""
        plan = assigned(self.reader, self.scope, transaction.assignment, transaction.default)
        return status(
            plan.plan,
            end=transaction.end,
            elapsed=self._elapsed(transaction),
            polls=transaction.polls,
            ordinal=transaction.assignment.ordinal,
            released=plan.released_at is not None,
        )

    def settles_after(self, transaction: Transaction) -> float | None:
        """The business seconds until `transaction` ends, or None where the clock alone does not bring it."""
        plan = assigned(self.reader, self.scope, transaction.assignment, transaction.default)
        return settles_after(plan.plan, elapsed=self._elapsed(transaction))

    def loaded_at(self, transaction: Transaction) -> datetime | None:
        """When the records of `transaction` were loaded (business time), or None while or where they are not."""
        if not self.own(transaction).loaded:
            return None
        record = assigned(self.reader, self.scope, transaction.assignment, transaction.default)
        match record.plan:
            case Hold():
                return max(transaction.accepted_at, record.released_at or transaction.accepted_at)
            case Polls():
                return transaction.settled_at or transaction.accepted_at
            case plan:
                return transaction.accepted_at + timedelta(seconds=settles_after(plan, elapsed=0.0) or 0.0)

    def _elapsed(self, transaction: Transaction) -> float:
        return max(0.0, (self.now - transaction.accepted_at).total_seconds())

    def _replaced_by(self, transaction: Transaction) -> str:
        """The last of the transactions that replaced all loaded exams of this one, or nothing while one is left."""
        prefix = successor_key(self.registry, transaction.id, 0)[:-6]
        successors = [value for _, value in self.reader.scan(SUCCESSOR, self.scope, Successor, prefix=prefix)]
        if not successors or len(successors) < transaction.counts.loaded:
            return ""
        newest = ""
        for successor in successors:
            found = next((step.transaction for step in self._chain(successor) if self._is_loaded(step.transaction)), "")
            if not found:
                return ""
            newest = found
        return newest

    def _chain(self, successor: Successor) -> Iterator[Successor]:
        """The records that took one record's place, one after the other."""
        following: Successor | None = successor
        while following is not None:
            yield following
            key = successor_key(self.registry, following.transaction, following.index)
            following = self.reader.get(SUCCESSOR, self.scope, key, Successor)

    def _is_loaded(self, transaction_id: str) -> bool:
        if transaction_id not in self._loaded:
            key = transaction_key(self.registry, transaction_id)
            found = self.reader.get(TRANSACTION, self.scope, key, Transaction)
            self._loaded[transaction_id] = found is not None and self.own(found).loaded
        return self._loaded[transaction_id]
