"""Drawing in the units of dose reports; only operations that IEEE 754 rounds alike on every machine."""

from __future__ import annotations

from synthetic.randomness import Draws, decimal_text

_STEPS = 10_000
_SCALES: list[int] = [10**places for places in range(10)]
_FORMATS = [f"%d.%0{places}d" for places in range(10)]


def between(draws: Draws, low: float, high: float) -> float:
    """A number from `low` to `high`, in ten thousand steps."""
    return low + (high - low) * draws.below(_STEPS + 1) / _STEPS


def rounded(number: float) -> int:
    """The nearest whole number, halves up."""
    return int(number + 0.5)


def fixed(units: int, places: int) -> str:
    """Whole units as decimal text without needless sign: `fixed(1234, 2) == "12.34"`."""
    if places and units >= 0:
        return _FORMATS[places] % divmod(units, _SCALES[places])
    return decimal_text(units, places)


class Uids:
    """UIDs below 2.25, one after the other from a drawn place (PS3.5 section B.2; UUIDs of version 8, RFC 9562 section 5.8).

    Two drawn places are never within reach of each other, as far as chance goes: 106 bits of each are drawn.
    """

    __slots__ = ("_next",)

    def __init__(self, draws: Draws) -> None:
        high = draws.word() & 0xFFFFFFFFFFFF0FFF | 0x8000
        low = draws.word() & 0x3FFFFFFFFFFF0000 | 0x8000000000000000
        self._next = high << 64 | low

    def new(self) -> str:
        """The next one."""
        number = self._next
        self._next = number + 1
        return f"2.25.{number}"


def clock(seconds: int) -> str:
    """Seconds since midnight as a DICOM time, `HHMMSS`."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}{minute:02d}{second:02d}"
