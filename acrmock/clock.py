"""The only clock: protocol time is wall time, business time is a virtual clock per application.

Tokens, certificates, cookies, `Date` and `Retry-After` use protocol time, or honest clients break. Status plans, holds,
sunset dates and retention use business time, which can be set, advanced and frozen. No other module reads a clock or sleeps.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import msgspec

from acrmock.errors import SetupError

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
_LONGEST = len("2026-04-30T23:59:59.000000Z")
_encode = msgspec.json.Encoder().encode


class Clock(Protocol):
    """Where time comes from: `now` is protocol time (UTC), `monotonic` and `wait` are for durations, in seconds."""

    def now(self) -> datetime:
        """Protocol time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when `seconds` have passed."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The machine's time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The machine's monotonic seconds."""
        return time.monotonic()

    def core(self) -> float:
        """The seconds of a core that this process has used, which a busy machine does not lengthen."""
        return time.process_time()

    def wait(self, seconds: float) -> None:
        """Sleep for `seconds` (nothing when it is not positive)."""
        if seconds > 0:
            time.sleep(seconds)


class ManualClock:
    """A clock that a test moves by hand; `wait` moves it and returns at once."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The start plus what was moved since."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """The seconds moved since the start."""
        return self._elapsed

    def wait(self, seconds: float) -> None:
        """Move the clock by `seconds`."""
        with self._lock:
            self._elapsed += max(0.0, seconds)


class BusinessTime(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The virtual clock of one application: an offset from protocol time in seconds, or a frozen instant.

    Immutable, so that it can be stored and put into the journal; each change gives a new one.
    """

    offset: float = 0.0
    frozen_at: datetime | None = None

    def now(self, wall: datetime) -> datetime:
        """Business time when protocol time is `wall`."""
        return self.frozen_at if self.frozen_at is not None else wall + timedelta(seconds=self.offset)

    def set(self, wall: datetime, to: datetime) -> BusinessTime:
        """The clock set to `to`; raises `SetupError` outside the years 1970 to 9000."""
        checked = _within_range(to)
        if self.frozen_at is not None:
            return BusinessTime(frozen_at=checked)
        return BusinessTime(offset=(checked - wall).total_seconds())

    def advance(self, wall: datetime, seconds: float) -> BusinessTime:
        """The clock moved forward by `seconds`; raises `SetupError` when negative, not finite or out of range."""
        if not 0 <= seconds < float("inf"):
            raise SetupError("the clock can only be advanced", expected="seconds >= 0", actual=str(seconds))
        try:
            target = self.now(wall) + timedelta(seconds=seconds)
        except OverflowError as error:
            raise SetupError("the clock would leave its range", actual=f"{seconds} s") from error
        return self.set(wall, target)

    def freeze(self, wall: datetime) -> BusinessTime:
        """The clock stopped where it stands."""
        return BusinessTime(frozen_at=self.now(wall))

    def resume(self, wall: datetime) -> BusinessTime:
        """The clock running again from where it was frozen."""
        if self.frozen_at is None:
            return self
        return BusinessTime(offset=(self.frozen_at - wall).total_seconds())


def _within_range(instant: datetime) -> datetime:
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    if not EARLIEST <= aware <= LATEST:
        raise SetupError(
            "a clock cannot be set to that instant",
            expected=f"{EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}",
            actual=aware.isoformat(),
        )
    return aware.astimezone(UTC)


def rfc3339(instant: datetime) -> str:
    """An instant as RFC 3339 section 5.6 text in UTC with microseconds, e.g. `2026-04-30T23:59:59.000000Z`."""
    text = _encode(instant.astimezone(UTC)).decode("ascii")[1:-1]  # three times as quick as `isoformat`
    return text if len(text) == _LONGEST else f"{text[:19]}.000000Z"


def parse_rfc3339(text: str) -> datetime:
    """The instant written in RFC 3339 `text`, in UTC; raises `SetupError` on anything else or without a zone."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError("no zone")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SetupError("not an instant", expected="RFC 3339, e.g. 2026-04-30T12:00:00Z", actual=text[:64]) from error


def today(clock: Clock) -> date:
    """The calendar date of protocol time, in UTC."""
    return clock.now().date()
