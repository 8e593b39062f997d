"""Having a file on the disk, on a thread of its own: whoever has written goes on with other work, and waits for it in the end."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable


def started(run: Callable[[], None], name: str) -> threading.Thread:
    """A thread that runs; raises `OSError` where the system gives none."""
    thread = threading.Thread(target=run, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error
    return thread


class Syncer:
    """Calls `sync` for all who began to wait since the last call; its thread starts with the first of them."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._asked = self._done = 0
        self._failed: tuple[int, int, OSError | None] = (0, 0, None)
        self._closed = False

    def begin(self) -> int:
        """Have what was written so far on the disk soon; a number to wait for. Raises `OSError` where it cannot be."""
        with self._changed:
            if self._closed:
                raise OSError(errno.EBADF, "the store is closed")
            if self._thread is None:
                self._thread = started(self._run, "sync")
            self._asked += 1
            self._changed.notify_all()
            return self._asked

    @property
    def next(self) -> int:
        """The first sync that may tell of what is written from now on: one that goes on already may."""
        return self._done + 1

    def wait(self, first: int, last: int) -> None:
        """Wait until what was written from `next` to `begin` is on the disk; raises `OSError` when it may not be.

        A sync that fails may be the only one that tells of bytes that were lost, so any between the two counts.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._done >= last)
            after, until, error = self._failed
        if error is not None and first <= until and last > after:
            raise OSError(error.errno, error.strerror) from error

    def close(self) -> None:
        """End the thread, when all that was begun is done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._asked > self._done)
                number = self._asked
                if number == self._done:
                    return
            failed = None
            try:
                self._sync()
            except OSError as error:
                failed = error
            with self._changed:
                if failed is not None:
                    self._failed = (self._failed[0] if self._failed[2] else self._done, number, failed)
                self._done = number
                self._changed.notify_all()
