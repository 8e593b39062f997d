"""Test facilities and test users (facts N2.6, N1.6, choice U28): how many, and who belongs where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import wrong

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class Person:
    """A user to be made: `username` (empty: one is issued) and the number of the facility it acts for, from 1."""

    username: str
    facility: int


def check_facilities(count: int | None, limits: Limits) -> tuple[int, list[FieldProblem]]:
    """How many test facilities to issue, and why that number cannot be."""
    if count is None:
        return limits.facilities_default, []
    if 1 <= count <= limits.facilities:
        return count, []
    return limits.facilities_default, [
        wrong("facility", "so many facilities cannot be issued", expected=f"1 to {limits.facilities}", actual=str(count)[:40])
    ]


def check_users(users: tuple[str, ...] | None, facilities: int, limits: Limits) -> tuple[tuple[Person, ...], list[FieldProblem]]:
    """The users to make, and every reason against one; by default one user for each facility."""
    if users is None:
        return tuple(Person("", number) for number in range(1, facilities + 1)), []
    if not 1 <= len(users) <= limits.users:
        return (), [wrong("user", "so many users cannot be made", expected=f"1 to {limits.users}", actual=str(len(users)))]
    people: list[Person] = []
    found: list[FieldProblem] = []
    for index, text in enumerate(users):
        person, reasons = _person(text, index, facilities)
        if person is not None and any(other.username.casefold() == person.username.casefold() for other in people):
            reasons.append(wrong("user", "the user name is taken twice", expected="unique names", actual=text, index=index))
        found += reasons
        people += [] if person is None else [person]
    return tuple(people), found


def _person(text: str, index: int, facilities: int) -> tuple[Person | None, list[FieldProblem]]:
    username, colon, facility = text.rpartition(":")
    if not colon:
        return None, [wrong("user", "the facility is missing", expected="NAME:FACILITY", actual=text, index=index)]
    found = []
    if not _USERNAME.fullmatch(username):
        found.append(
            wrong(
                "user",
                "not a user name",
                expected="1 to 64 of A-Z a-z 0-9 . _ @ -, beginning with a letter or digit",
                actual=text,
                index=index,
            )
        )
    valid = facility.isascii() and facility.isdecimal() and len(facility) <= 6 and 1 <= int(facility) <= facilities
    if not valid:
        found.append(
            wrong("user", "there is no such facility", expected=f"a number from 1 to {facilities}", actual=text, index=index)
        )
    return (None, found) if found else (Person(username, int(facility)), [])
