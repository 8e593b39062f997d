"""Room in the write-ahead log before it is needed: a disk syncs blocks that were written before in half of the time of new ones.

SQLite writes its log from the beginning again after each checkpoint and keeps its length, so this is for the first time only. It
knows the valid frames of a log by their salts and checksums (SQLite file format, section 4.1): zeros behind them are nothing.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from mockserver._syncer import started

_CHUNK = 1024 * 1024
_FRAME = 4096 + 24
_AFTER_COMMITS = 64
_MODE = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
"""A system that appends in one step overwrites nothing, even if another program writes to the log meanwhile."""

_sync_data = getattr(os, "fdatasync", os.fsync)


class LogAhead:
    """Zeroes the log of the database at `path` up to `pages`, a chunk at a time, once it is seen that much is written.

    `lock` is held by whoever writes to the log, and here while a chunk is appended.
    """

    def __init__(self, path: Path, pages: int, lock: threading.Lock) -> None:
        self._log = path.with_name(path.name + "-wal")
        self._most = pages * _FRAME
        self._lock = lock
        self._commits = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def committed(self) -> None:
        """Something was committed."""
        self._commits += 1
        if self._commits == _AFTER_COMMITS:
            with contextlib.suppress(OSError):
                self._thread = started(self._run, "log")

    def close(self) -> None:
        """End; the lock must not be held."""
        self._closed = True
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            file = os.open(self._log, _MODE)
            try:
                while not self._closed and self._append(file):
                    _sync_data(file)
            finally:
                os.close(file)

    def _append(self, file: int) -> bool:
        """Append a chunk of zeros, unless there are enough; whether that was done."""
        with self._lock:
            size = os.fstat(file).st_size
            if self._closed or size >= self._most:
                return False
            return os.write(file, bytes(min(_CHUNK, self._most - size))) > 0
