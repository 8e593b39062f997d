"""An engine in this process, with TLS and its state in memory, up and down: what a test fixture costs after the first."""

from __future__ import annotations

from benchmarks.measure import Row, seconds
from mockserver import Engine

TIMES = 21


def once() -> None:
    """An engine, started and stopped."""
    with Engine():
        pass


def rows() -> list[Row]:
    """The median, after three that fill the caches."""
    for _ in range(3):
        once()
    taken = sorted(seconds(once) for _ in range(TIMES))[TIMES // 2]
    return [Row(what="fixture up and down, TLS, in memory", unit="s", ours=taken, goal="<= 0.010 s", smaller_is_better=True)]
