"""Which parts of an enhanced report's details apply to an irradiation event (PS3.16 TID 10042 and 10043).

The details are told by periods of time and X-ray source, independently of the events. A part applies to an event of the same
source whose time overlaps the part's period; of several, first the one that held when the event began.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from acrmock.dose.tree import Item
from acrmock.facts.dose import Dictionary

NOT_READ = "not read"
"""How a reader's word begins about what it does not read."""

LOOKED_AT = 10
"""So many parts before, and after, the one that held when an event began are looked at."""

_DT = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\.(\d{1,6}))?([+-]\d{4})?")
_EARLIEST = datetime(1, 1, 1)  # noqa: DTZ001 - of a device, as all moments here


class Period(NamedTuple):
    """From when to when; None where it does not say."""

    start: datetime | None
    end: datetime | None

    def holds(self, other: Period) -> bool:
        """Whether this period and an event's overlap in more than an end that is the other's beginning; unknown ends do."""
        start, end = other.start, other.end if other.end is not None else other.start
        before = self.start is None or end is None or self.start < end or self.start == start
        after = self.end is None or start is None or self.end > start or (self.start is not None and self.start >= start)
        return before and after


class Part(NamedTuple):
    """A part of the details: its item, the X-ray source that it names, and its period."""

    item: Item
    source: str
    period: Period


class Details:
    """The parts of a report's details that are read, by their concept, source and time."""

    def __init__(self, containers: Iterable[Item], wanted: Container[str]) -> None:
        self._parts: dict[tuple[str, str], list[Part]] = {}
        for item in (child for container in containers for child in container.children if child.key in wanted):
            part = Part(item, source(item), period(item))
            self._parts.setdefault((item.key, part.source), []).append(part)
            if part.source:
                self._parts.setdefault((item.key, ""), []).append(part)
        for parts in self._parts.values():
            parts.sort(key=lambda part: part.period.start or _EARLIEST)

    def of(self, event: Item, concept: str) -> list[Item]:
        """The parts of that concept that apply to an event, the one that held at its beginning first.

        Where no part names the event's source ("A and B"), those of every source apply, as they do to an event that names none.
        """
        parts = self._parts.get((concept, source(event))) or self._parts.get((concept, ""), [])
        when = period(event)
        last = bisect_right(parts, when.start or _EARLIEST, key=lambda part: part.period.start or _EARLIEST) - 1
        near = [*reversed(parts[max(0, last - LOOKED_AT) : last + 1]), *parts[last + 1 : last + 1 + LOOKED_AT]]
        return [part.item for part in near if part.period.holds(when)]


def unread(details: Item, dictionary: Dictionary) -> Iterator[tuple[Item, str]]:
    """The items of an enhanced report's details that are not read, with what is to be told of each."""
    known = dictionary.concepts
    parts = {known[part.key].meaning if part.key else "others" for part in details.children if part.type == "CONTAINER"}
    parts -= {known[key].meaning for key in dictionary.details}
    named = ", ".join(sorted(parts, key=lambda name: (name == "others", name)))
    if named:
        yield details, f"{NOT_READ}: {named}; of the details only what gives elements of the registry is"
    numbers = {concept for family in dictionary.detailed.values() for concept, element in family.items() if element.unit}
    for item in details.walk():
        if item.type == "TABLE" and item.key in numbers:
            yield item, f"{NOT_READ}: a table of values over time"


def source(item: Item) -> str:
    """What an item names as its X-ray source; TID 10054 writes a number, `1.0` too, where the others write text."""
    found = item.first("source_id")
    if found is None or found.text:
        return found.text if found else ""
    number = "".join(found.numbers[:1])
    whole, point, fraction = number.partition(".")
    return whole if point and not fraction.strip("0") else number


def period(item: Item) -> Period:
    """From when to when an item applies, as it says below."""
    start, end = item.first("started"), item.first("ended")
    return Period(moment(start.text) if start else None, moment(end.text) if end else None)


def moment(text: str) -> datetime | None:
    """A DT (PS3.5 section 6.2) as a moment, in UTC where it states an offset, else as it is; None for what is none."""
    found = _DT.fullmatch(text)
    if found is None:
        return None
    *parts, fraction, offset = found.groups()
    year, month, day, hour, minute, second = (int(part or least) for part, least in zip(parts, (1, 1, 1, 0, 0, 0), strict=True))
    try:
        made = datetime(year, month, day, hour, minute, min(second, 59), int((fraction or "0").ljust(6, "0")))  # noqa: DTZ001 - of a device
        if offset:
            hours, minutes = int(offset[1:3]), int(offset[3:])
            made -= timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
    except (ValueError, OverflowError):
        return None
    return made
