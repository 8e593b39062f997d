"""Taking in connections when the system has no room for another: wait, say so now and then, serve those that are there.

Without it the listening socket stays readable, so that whoever listens turns in circles and writes a traceback in each.
"""

from __future__ import annotations

import errno
import logging

from acrmock.clock import Clock

_log = logging.getLogger("mockserver")
_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PAUSE = 0.05
_SAY_EVERY = 60.0


def is_scarce(error: BaseException) -> bool:
    """Whether an error is that the system has no room now, which passes."""
    return isinstance(error, OSError) and error.errno in _SCARCE


class Scarcity:
    """What one listener does when it cannot accept; for its own thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: float | None = None

    def outlast(self, error: OSError) -> bool:
        """Wait a moment where `error` is that there is no room; False, at once, where it is another."""
        if not is_scarce(error):
            return False
        now = self._clock.monotonic()
        if self._said is None or now - self._said >= _SAY_EVERY:
            self._said = now
            _log.warning("no more connections can be accepted for now (%s): raise the limit of open files", error.strerror)
        self._clock.wait(_PAUSE)
        return True
