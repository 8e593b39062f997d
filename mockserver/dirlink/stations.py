"""The stations whose reports go on to the registry, by Station Name (0008,1010) (S1; facts D1.6 and D1.7).

A name matches exactly, case and all, once trailing spaces are dropped: they are no part of an SH value (PS3.5
section 6.2). A report without a name matches none.
"""

from __future__ import annotations

import difflib

from acrmock.dose.text import unpadded
from mockserver.store import Reader, Scope, Stored, Unit

STATION = "dir-station"
"""The kind under which configured stations are stored, scope (application, environment), keyed by name."""

NOWHERE = "(none)"
"""What stands for the station of a report that names none."""

LONGEST = 16
"""The most characters of an SH value (PS3.5 table 6.2-1)."""

_ALIKE = 0.8


class Station(Stored, frozen=True, kw_only=True):
    """A configured station: for which facilities, and since when (business time, RFC 3339)."""

    name: str
    facilities: tuple[str, ...] = ()
    since: str


class Match(Stored, frozen=True, kw_only=True):
    """Whether a report's station is configured; else the configured one that it nearly is, and how they differ."""

    station: Station | None = None
    near: str = ""
    why: str = ""


def problem_with(name: str) -> str:
    """Why `name` cannot be a Station Name, or an empty string (PS3.5 table 6.2-1, SH)."""
    if not unpadded(name):
        return "is empty"
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if "\\" in name or any(ord(letter) < 32 or 126 < ord(letter) < 160 for letter in name):
        return "has a backslash or a control character"
    return ""


def configure(unit: Unit, scope: Scope, name: str, facility: str, now: str) -> Station:
    """The station as configured from `now` on, for `facility` too."""
    name = unpadded(name)
    known = unit.get(STATION, scope, name, Station)
    facilities = tuple(sorted({*(known.facilities if known else ()), facility}))
    station = Station(name=name, facilities=facilities, since=known.since if known else now)
    unit.put(STATION, scope, name, station)
    return station


def remove(unit: Unit, scope: Scope, name: str, facility: str) -> bool:
    """Take a station back, for one facility or (empty) for all; False where it was not configured so."""
    name = unpadded(name)
    known = unit.get(STATION, scope, name, Station)
    if known is None or (facility and facility not in known.facilities):
        return False
    left = tuple(item for item in known.facilities if facility and item != facility)
    if left:
        unit.put(STATION, scope, name, Station(name=name, facilities=left, since=known.since))
    else:
        unit.delete(STATION, scope, name)
    return True


def configured(reader: Reader, scope: Scope) -> list[Station]:
    """The configured stations by name."""
    return [station for _, station in reader.scan(STATION, scope, Station)]


def match(reader: Reader, scope: Scope, name: str | None) -> Match:
    """What the configuration says of a report's station."""
    wanted = unpadded(name)
    if not wanted:
        return Match(why="the report has no Station Name")
    found = reader.get(STATION, scope, wanted, Station)
    if found is not None:
        return Match(station=found)
    near = nearest(wanted, [station.name for station in configured(reader, scope)])
    if not near:
        return Match(why=f"the station `{shown(name)}` is not configured")
    return Match(near=near, why=f"got `{shown(name)}`, configured `{near}`")


def nearest(name: str, known: list[str]) -> str:
    """The one of `known` that `name` nearly is: but for case, spaces and signs, or for a letter or two; else empty."""
    plain = _plain(name)
    for other in known:
        if plain and _plain(other) == plain:
            return other
    close = difflib.get_close_matches(name.casefold(), [other.casefold() for other in known], n=1, cutoff=_ALIKE)
    return next((other for other in known if close and other.casefold() == close[0]), "")


def shown(name: str | None) -> str:
    """A report's station as it came, padding and all, control characters made visible."""
    if name is None:
        return NOWHERE
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in name[:64])


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
