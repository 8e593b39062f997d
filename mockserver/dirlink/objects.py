"""The bytes of received data sets, exactly as they were on the wire (fact D1.9).

They are in the store's database, or, where that takes fewer syncs, in one file beside it (both of mode 0600), on the disk before
the transaction that names them, so that no crash leaves the one without the other. Deleting overwrites them (`PRAGMA
secure_delete`), and empties the write-ahead log after the commit. A large one is written while it comes in, and never in memory
as a whole.
"""

from __future__ import annotations

from typing import Protocol

from mockserver.store import ObjectFile, Scope, Store, Unit

LARGE = 64 * 1024
"""A data set of more bytes is written while it comes in."""


class ObjectStore(Protocol):
    """Received bytes, by scope (application, environment), SOP Instance UID and SHA-256 (hexadecimal) of the bytes."""

    def file(self, size: int = 0) -> ObjectFile | None:
        """Room for a data set of `size` bytes, 0 when that is not known; None for what its unit keeps."""
        ...

    def put(self, unit: Unit, scope: Scope, sop_instance: str, sha256: str, data: bytes | ObjectFile) -> None:
        """Keep `data`, finished, or bytes; it is as durable as the unit. The same bytes again change nothing."""
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

    def file(self, size: int = 0) -> ObjectFile | None:
        """Room of the store's."""
        return self._store.object_file(size)

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
