"""The bytes of received data sets, exactly as they were on the wire (fact D1.9).

Those of at most `LARGE` bytes live as BLOBs in the store's own database: one file of mode 0600, one sync for bytes, state and
journal entry together, and one transaction, so that no crash leaves the one without the other. Deleting overwrites them (`PRAGMA
secure_delete`) and empties the write-ahead log after the commit. A larger one gets a file of its own (mode 0600), written once,
while it comes in, and synced before the transaction that names it; deleting removes the file.
"""

from __future__ import annotations

from typing import Protocol

from mockserver.store import ObjectFile, Scope, Store, Unit

LARGE = 64 * 1024
"""A data set of more bytes gets a file: SQLite would write it twice, to its log and to the database."""


class ObjectStore(Protocol):
    """Received bytes, by scope (application, environment), SOP Instance UID and SHA-256 (hexadecimal) of the bytes."""

    def file(self) -> ObjectFile | None:
        """A file for a data set of more than `LARGE` bytes; None where there are none."""
        ...

    def put(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str, data: bytes | ObjectFile) -> None:
        """Keep `data`, a finished file or bytes; it is as durable as the unit. The same bytes again change nothing."""
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

    def file(self) -> ObjectFile | None:
        """A file of the store's."""
        return self._store.object_file()

    def put(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str, data: bytes | ObjectFile) -> None:
        """Keep `data`."""
        unit.put_object(scope, sop_instance, sha256, data)

    def get(self, scope: Scope, sop_instance: str, sha256: str) -> bytes | None:
        """The committed bytes, or None."""
        with self._store.read() as snapshot:
            return snapshot.get_object(scope, sop_instance, sha256)

    def delete(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str | None = None) -> None:
        """Delete the bytes, or every copy under that UID."""
        unit.delete_object(scope, sop_instance, sha256)
