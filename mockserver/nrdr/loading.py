"""Loading records into the database, whichever door they came by (facts N2.12, N2.18, U16, U22)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mockserver.nrdr.model import EXAM, SUCCESSOR, Exam, Successor, successor_key
from mockserver.store import Scope, Unit


@dataclass(frozen=True, slots=True)
class Loadable:
    """What is needed of a record: its place in what was sent, references of key and content, how many follow-ups it has."""

    index: int
    key: str
    content: str
    follow_ups: int = 0


def load(unit: Unit, scope: Scope, registry: str, transaction_id: str, records: Iterable[Loadable]) -> int:
    """Make each record the owner of its exam, and it the successor of the owner before; how many there were before.

    The follow-ups of an exam are replaced as a list together with it (fact U22).
    """
    updated = 0
    for record in (record for record in records if record.key):
        key = f"{registry}/{record.key}"
        before = unit.get(EXAM, scope, key, Exam)
        if before is not None:
            updated += 1
            place = successor_key(registry, before.transaction, before.index)
            unit.put(SUCCESSOR, scope, place, Successor(transaction=transaction_id, index=record.index))
        owner = Exam(transaction=transaction_id, index=record.index, content=record.content, follow_ups=record.follow_ups)
        unit.put(EXAM, scope, key, owner)
    return updated
