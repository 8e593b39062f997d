"""Counters of one engine, for `/metrics`: cheap to count, read under a lock."""

from __future__ import annotations

import threading
from collections import Counter


class Metrics:
    """Requests answered on the wires, by operation and HTTP status, since the engine was made.

    `began` is the clock's monotonic time (seconds) at which the engine was made; `associations` are open now. `no_room`:
    something was refused because the store had no room for it, and nothing as large was kept since.
    """

    def __init__(self) -> None:
        self.began = 0.0
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._dimse: Counter[tuple[str, int]] = Counter()
        self.associations = 0
        self.no_room = False

    def count(self, operation: str, status: str) -> None:
        """Count one answered request; `operation` as in the record, `status` the three digits."""
        with self._lock:
            self._requests[str(operation), status] += 1

    def requests(self) -> dict[tuple[str, str], int]:
        """The counts so far by (operation, status)."""
        with self._lock:
            return dict(self._requests)

    def dimse(self, service: str, status: int) -> None:
        """Count one answered DIMSE operation by its service and its status."""
        with self._lock:
            self._dimse[service, status] += 1

    def operations(self) -> dict[tuple[str, int], int]:
        """The counts of DIMSE operations so far by (service, status)."""
        with self._lock:
            return dict(self._dimse)
