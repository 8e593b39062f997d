"""Where pynetdicom's association thread is made to stand still, so that nobody but the sender takes the peer's answers.

That thread comes by its checkpoint in each round of its loop and then takes whatever message has come. Whoever sends clears the
checkpoint (an event) and waits until a flag says that the thread is there; but the flag still says so when the thread was let go
and has merely not run on yet, as between one message and the next on a busy machine. It then takes the answer to the next one and
drops it, and the sender waits for it in vain until its timeout, upon which it aborts the association.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK = 0.05
"""Seconds after which it is looked whether the thread that is waited for has ended; it says nothing when it does."""


class Checkpoint:
    """Takes the place of an association's checkpoint: once `clear` has returned, its thread takes nothing until `set`.

    `clear` also returns when the thread has ended, so that an association's state is to be looked at after it and not before.
    pynetdicom's own methods (`release`, `send_c_echo`) use it as they would use the event.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread
        self._turn = threading.Condition()
        self._open = True
        self._standing = False

    def wait(self) -> None:
        """Stand here while the checkpoint is closed; for the association's thread."""
        with self._turn:
            self._standing = True
            self._turn.notify_all()
            while not self._open:
                self._turn.wait()
            self._standing = False

    def clear(self) -> None:
        """Close the checkpoint, and wait until the association's thread stands here or has ended."""
        with self._turn:
            self._open = False
            while not self._standing and self._thread.is_alive() and self._thread is not threading.current_thread():
                self._turn.wait(_LOOK)

    def set(self) -> None:
        """Open the checkpoint."""
        with self._turn:
            self._open = True
            self._turn.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the association's thread stand here for the while of a context."""
        self.clear()
        try:
            yield
        finally:
            self.set()
