"""The store: one small interface to durable state and the journal, so that another database can serve later.

State is keyed by (kind, scope, key) and holds msgspec Structs as JSON. All writes go through units, one at a time; a unit
that was left joins a batch, and `flush` returns when that batch is synced to disk: durable before acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol, TypeVar

import msgspec

from acrmock.errors import HarnessError
from acrmock.record import AnyEntry

Scope = tuple[str, str]
"""(application, environment); `GLOBAL` for what belongs to no application."""

GLOBAL: Scope = ("", "")

T = TypeVar("T", bound=msgspec.Struct)


class Stored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of what is stored: frozen, by keyword, defaults left out (so that a new field needs no migration).

    `remembered`: read with every request and seldom written, so that a store may remember what it read.
    """

    remembered: ClassVar[bool] = False


class Row(msgspec.Struct, frozen=True):
    """Whose a journal entry is, without its line."""

    seq: int
    application: str | None
    run: str | None


class StoreError(HarnessError):
    """The store could not keep what was written; nothing of the unit's batch is kept."""


class StoreFull(StoreError):  # noqa: N818 - says what it is
    """There is no room on the disk; nothing of the unit's batch is kept, and the store recovers when there is room."""


class ObjectFile(Protocol):
    """A data set on its way to the disk; who has it discards it in the end; once a unit took it that does nothing."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, hexadecimal."""
        ...

    def write(self, part: bytes | bytearray | memoryview) -> None:
        """Add bytes; a failure is told by `finish`."""
        ...

    def finish(self) -> None:
        """Nothing more is added; raises `StoreFull` and `StoreError`. A unit with it is committed when the bytes are durable."""
        ...

    def whole(self) -> bytes:
        """All that was written; raises `StoreError`."""
        ...

    def discard(self) -> None:
        """Remove the bytes, unless a unit took them."""
        ...


class Reader(Protocol):
    """Reads of state and journal."""

    def get(self, kind: str, scope: Scope, key: str, type: type[T]) -> T | None:  # noqa: A002 - the contract's name
        """The stored value, or None; raises `StoreError` when it cannot be read as `type`."""
        ...

    def scan(
        self,
        kind: str,
        scope: Scope,
        type: type[T],  # noqa: A002 - the contract's name
        *,
        prefix: str = "",
        after: str = "",
        limit: int | None = None,
    ) -> Iterator[tuple[str, T]]:
        """Keys that begin with `prefix` and stand behind `after`, in order, with their values; at most `limit`.

        Read in pages, so memory stays flat, and only those: what else is stored costs nothing.
        """
        ...

    def known(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Which of `keys` are stored in the global scope under `kind`, with their encoded values."""
        ...

    def get_object(self, scope: Scope, sop_instance: str, sha256: str) -> bytes | None:
        """The bytes kept by `Unit.put_object`, or None."""
        ...


class Ticket(Protocol):
    """The batch that a unit joined; given to `Store.flush`."""


class Unit(Reader, Protocol):
    """Inside one serialised state transaction that is not yet committed; sees what earlier units of the batch wrote."""

    @property
    def ticket(self) -> Ticket:
        """What `Store.flush` waits for; valid once the unit was left."""
        ...

    def put(self, kind: str, scope: Scope, key: str, value: msgspec.Struct) -> None:
        """Store `value`, replacing what was there."""
        ...

    def delete(self, kind: str, scope: Scope, key: str) -> None:
        """Forget a value; nothing happens where there is none."""
        ...

    def delete_scope(self, scope: Scope, *, kind: str | None = None) -> None:
        """Forget everything of a scope, its objects too, or everything of one kind in it (the journal stays)."""
        ...

    def thin_scope(self, scope: Scope, *, most: int, part: int) -> bool:
        """Forget `part` of the values of a scope that holds more than `most`; whether it held so many.

        Again and again, each time in a unit of its own, it is the way to forget very much without making others wait.
        """
        ...

    def put_object(self, scope: Scope, sop_instance: str, sha256: str, data: bytes | ObjectFile) -> None:
        """Keep received bytes, or a finished file, under a SOP Instance UID and their SHA-256; the same again changes nothing."""
        ...

    def delete_object(self, scope: Scope, sop_instance: str, sha256: str | None = None) -> None:
        """Delete those bytes, or all under that UID, so that no file holds them once the unit is committed."""
        ...

    def append(self, entry: AnyEntry) -> int:
        """Append `entry` to the journal and return the `seq` given to it (whatever `entry.seq` said)."""
        ...

    def held(self) -> tuple[int, int]:
        """How many entries the journal holds, and the bytes of their lines; counted as they come and go, so it costs nothing."""
        ...

    def journal_runs(self) -> list[str]:
        """The runs of which entries other than gaps are left, by their first `seq`."""
        ...

    def journal_rows(self, *, below: int, limit: int, after: int = 0, run: str | None = None) -> list[Row]:
        """At most `limit` entries with `after` < seq < `below`, in order; `run` None means all."""
        ...

    def journal_drop(self, seqs: Sequence[int]) -> None:
        """Drop entries from the journal; only its bound does so. The entry with the highest `seq` must stay."""
        ...


class Snapshot(Reader, Protocol):
    """Committed reads, apart from the units: for the control API, exports and waiting."""

    def last_seq(self) -> int:
        """The highest `seq` in the journal, 0 when it is empty."""
        ...

    def entries(
        self,
        *,
        application: str | None = None,
        run: str | None = None,
        labels: Iterable[str] = (),
        after: int = 0,
        until: int | None = None,
    ) -> Iterator[tuple[int, bytes]]:
        """(seq, JSON line) with `after` < seq <= `until`, in order, in pages.

        `labels` are operations of HTTP entries, DIMSE services, names of events, `association` or `tls`; empty means all.
        `application` and `run` None mean all.
        """
        ...

    def unmatched(self, label: str, limit: int) -> list[bytes]:
        """The JSON lines of the newest entries of `label` that belong to no application, newest first."""
        ...

    def count(self, *, application: str | None = None, run: str | None = None, labels: Iterable[str] = (), after: int = 0) -> int:
        """How many entries `entries` would give."""
        ...


class Store(Protocol):
    """Durable state and the journal."""

    def unit(self) -> AbstractContextManager[Unit]:
        """A unit, alone under the state lock; leaving it joins the current batch, leaving it by an exception undoes it."""
        ...

    def flush(self, ticket: Ticket) -> None:
        """Wait until the ticket's batch is synced; raises `StoreFull` or `StoreError` when it could not be kept."""
        ...

    def write(self) -> AbstractContextManager[Unit]:
        """A unit that is flushed when it is left."""
        ...

    def expect(self, number: int, *, settled: bool = False) -> None:
        """So many more (or, if negative, fewer) units are about to be opened; a batch waits a few milliseconds for them.

        `settled`: whoever opens them settles them in the end, so that it waits some milliseconds more.
        """
        ...

    def settle(self, *, at_once: bool = False) -> None:
        """Let nothing wait for units that were expected and not opened; `at_once`: nor for those that still are expected."""
        ...

    def read(self) -> AbstractContextManager[Snapshot]:
        """Committed reads; never waits for a unit longer than a page takes."""
        ...

    def wait_beyond(self, seq: int, timeout: float) -> bool:
        """Wait until an entry above `seq` is committed (True), waiters are released or `timeout` seconds pass (False)."""
        ...

    def release_waiters(self) -> None:
        """Let everybody who waits for entries go, now and from now on (the engine is stopping)."""
        ...

    def object_file(self, size: int = 0) -> ObjectFile | None:
        """Room for a data set of `size` bytes, 0 when that is not known; None where the store keeps everything in memory."""
        ...

    @property
    def held(self) -> tuple[int, int]:
        """As `Unit.held`, of what was written so far."""
        ...

    def close(self) -> None:
        """Commit what is queued and let go of the files."""
        ...
