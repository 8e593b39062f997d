"""The journal: what went over the wires and beside them, redacted, in the same unit as the state change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from acrmock.clock import Clock
from acrmock.record import HttpFacts, HttpRequest, HttpResponse
from acrmock.redaction import Redactor
from mockserver.store import Store, Unit


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """What waiting came to: the last matching `seq` (0 when none) and how many entries matched."""

    seq: int
    matched: int


class Journal:
    """Writes, reads and awaits entries."""

    def __init__(self, store: Store, clock: Clock, redactor: Redactor) -> None:
        self._store = store
        self._clock = clock
        self._redactor = redactor

    def event(
        self,
        unit: Unit,
        name: str,
        data: dict[str, Any] | None = None,
        *,
        application: str | None = None,
        environment: str | None = None,
        run: str | None = None,
        peer: str | None = None,
    ) -> int:
        """Append an event within `unit`; `data` must hold no secret. Returns its `seq`."""
        raise NotImplementedError

    def exchange(
        self,
        unit: Unit,
        request: HttpRequest,
        response: HttpResponse,
        facts: HttpFacts,
        *,
        application: str | None = None,
        environment: str | None = None,
        run: str | None = None,
        peer: str | None = None,
    ) -> int:
        """Append an exchange seen elsewhere (e.g. by the robot user), redacted, with its exposures. Returns its `seq`."""
        raise NotImplementedError

    def export(self, *, application: str | None = None, run: str | None = None, after: int = 0) -> Iterator[bytes]:
        """The NDJSON lines of a recording, each with its line feed: header, entries, footer. Memory stays flat."""
        raise NotImplementedError

    def await_entries(
        self,
        *,
        application: str | None = None,
        run: str | None = None,
        labels: Iterable[str] = (),
        after: int = 0,
        count: int = 1,
        timeout: float = 30.0,
    ) -> Awaited:
        """Wait until `count` entries with one of `labels` (operations, event names) stand after `after`, or time is up."""
        raise NotImplementedError
