"""Drawing in the units of dose reports; only operations that IEEE 754 rounds alike on every machine."""

from __future__ import annotations

from synthetic.randomness import Draws, decimal_text

_STEPS = 10_000
_SCALES = [10**places for places in range(10)]
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


def unique_id(draws: Draws) -> str:
    """A UID below 2.25 of 128 drawn bits, marked as a UUID of version 8 (PS3.5 section B.2, RFC 9562 section 5.8)."""
    high = draws.word() & 0xFFFFFFFFFFFF0FFF | 0x8000
    low = draws.word() & 0x3FFFFFFFFFFFFFFF | 0x8000000000000000
    return f"2.25.{high << 64 | low}"


def clock(seconds: int) -> str:
    """Seconds since midnight as a DICOM time, `HHMMSS`."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}{minute:02d}{second:02d}"
