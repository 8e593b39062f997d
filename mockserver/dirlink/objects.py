"""The bytes of received data sets, exactly as they were on the wire (fact D1.9).

They live as BLOBs in the store's own database: one file of mode 0600, one sync for bytes, state and journal entry together, and
one transaction, so that no crash leaves the one without the other. Deleting overwrites them (`PRAGMA secure_delete`) and empties
the write-ahead log after the commit.
"""

from __future__ import annotations

from typing import Protocol

from mockserver.store import Scope, Store, Unit


class ObjectStore(Protocol):
    """Received bytes, by scope (application, environment), SOP Instance UID and SHA-256 (hexadecimal) of the bytes."""

    def put(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str, data: bytes) -> None:
        """Keep `data`; it is as durable as the unit. The same bytes again change nothing."""
        ...

    def get(self, scope: Scope, sop_instance: str, sha256: str) -> bytes | None:
        """The committed bytes, or None; raises `StoreError` when they cannot be read."""
        ...

    def delete(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str | None = None) -> None:
        """Delete the bytes, or with `sha256` None every copy under that UID; nothing of them is left in any file."""
        ...


class StoreObjects:
    """`ObjectStore` in the store itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str, data: bytes) -> None:
        """Keep `data`."""
        unit.put_object(scope, sop_instance, sha256, data)

    def get(self, scope: Scope, sop_instance: str, sha256: str) -> bytes | None:
        """The committed bytes, or None."""
        with self._store.read() as snapshot:
            return snapshot.get_object(scope, sop_instance, sha256)

    def delete(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str | None = None) -> None:
        """Delete the bytes, or every copy under that UID."""
        unit.delete_object(scope, sop_instance, sha256)
