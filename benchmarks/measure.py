"""How a figure is taken: several rounds, ours and the peer's in turn, and the median of each."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import msgspec

from acrmock.clock import SystemClock

CLOCK = SystemClock()
ROUNDS = 3


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: what was done, our figure, the peer's, and which way is better. `goal` is the ratio aimed at."""

    what: str
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    goal: str = ""
    smaller_is_better: bool = False
    cpu: tuple[float | None, float | None] = (None, None)
    """Milliseconds of a core for one operation, ours and the peer's."""
    memory: tuple[float | None, float | None] = (None, None)
    """The peak of resident memory in MiB, ours and the peer's."""

    @property
    def ratio(self) -> float | None:
        """How many times better we are than the peer; None without one."""
        if not self.theirs or not self.ours:
            return None
        return self.theirs / self.ours if self.smaller_is_better else self.ours / self.theirs


def seconds(work: Callable[[], object]) -> float:
    """How long `work` took, in seconds."""
    begun = CLOCK.monotonic()
    work()
    return CLOCK.monotonic() - begun


def core_seconds(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """The seconds of a core that `work` takes: the best of several rounds, so that what else the machine does counts little."""
    taken = []
    for _ in range(rounds):
        begun = CLOCK.core()
        work()
        taken.append(CLOCK.core() - begun)
    return min(taken)


def side_by_side(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = ROUNDS) -> tuple[float, float]:
    """The median seconds of both, taken in turn so that a noisy machine is unfair to neither."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        taken[0].append(seconds(ours))
        taken[1].append(seconds(theirs))
    return median(taken[0]), median(taken[1])


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| what | unit | acrmock | peer | peer's figure | ratio | CPU each, ms | peak, MiB | goal |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        theirs = f"{row.theirs:,.3g}" if row.theirs is not None else "-"
        ratio = f"{row.ratio:,.2g} x" if row.ratio is not None else "-"
        used = f"{_pair(row.cpu, '.2f')} | {_pair(row.memory, '.0f')}"
        ours = f"{row.ours:,.4g}" if row.ours else "-"
        lines.append(
            f"| {row.what} | {row.unit} | {ours} | {row.peer or '-'} | {theirs} | {ratio} | {used} | {row.goal or '-'} |"
        )
    return "\n".join(lines)


def _pair(pair: tuple[float | None, float | None], shape: str) -> str:
    """Ours beside the peer's."""
    if pair == (None, None):
        return "-"
    return " / ".join("-" if one is None else format(one, shape) for one in pair)
