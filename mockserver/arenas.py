"""A server's memory: kept small, and not looked through again and again.

For a process that is the server's alone, because it holds for all of it.
"""

from __future__ import annotations

import contextlib
import gc
import sys

_M_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> None:
    """Have many threads share few heaps (glibc's `mallopt`; nothing happens elsewhere).

    By itself glibc gives threads heaps of their own, up to eight for each core, and each keeps what was once used of it.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes  # noqa: PLC0415 - not in every interpreter

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def spare_what_is_loaded() -> None:
    """Have the collector of cyclic garbage look no more at what is there by now, once the server has started.

    Modules, facts and tables stay until the end; to look through them takes some 50 ms, in which nobody is answered. What is
    garbage by then stays too, a hundred small objects: looking for it would make the start longer.
    """
    gc.freeze()
