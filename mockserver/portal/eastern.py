"""US Eastern time, in which the portal shows its times and works at night (UPL, MIPSREV).

Worked out here, for not every system has the time zones' tables.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acrmock.facts import Facts

_SUNDAY = 6
_CHANGE = 2
"""The hour of local time at which the clocks change."""


def eastern(facts: Facts, moment: datetime) -> datetime:
    """`moment` in US Eastern time."""
    standard, daylight = facts.integer("portal.eastern.standard"), facts.integer("portal.eastern.daylight")
    begins = datetime(moment.year, 3, _sunday(moment.year, 3, 2), _CHANGE - standard, tzinfo=UTC)
    ends = datetime(moment.year, 11, _sunday(moment.year, 11, 1), _CHANGE - daylight, tzinfo=UTC)
    hours = daylight if begins <= moment < ends else standard
    return moment.astimezone(timezone(timedelta(hours=hours)))


def night_after(facts: Facts, moment: datetime) -> datetime:
    """The next time at which a night's files have been processed."""
    local = eastern(facts, moment)
    due = local.replace(hour=facts.integer("portal.overnight.hour"), minute=0, second=0, microsecond=0)
    due = due if due > local else due + timedelta(days=1)
    offset = eastern(facts, due).utcoffset()
    found = due.replace(tzinfo=timezone(offset or timedelta())).astimezone(UTC)
    # in the night in which daylight time begins that hour may not exist: the next one stands for it
    return found if eastern(facts, found).hour == due.hour else due.astimezone(UTC)


def _sunday(year: int, month: int, ordinal: int) -> int:
    """The day of the month of its `ordinal`-th Sunday."""
    first = datetime(year, month, 1, tzinfo=UTC)
    return 1 + (_SUNDAY - first.weekday()) % 7 + 7 * (ordinal - 1)
