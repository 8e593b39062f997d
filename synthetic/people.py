"""Seeded people: synthetic by construction and recognisably so; nobody here can be a real person.

Social Security numbers lie in the areas 000 and 666 (never issued), Medicare identifiers have an `S` in second place
(CMS never issues the letters S, L, O, I, B, Z), provider identifiers lead with 9 (issued ones lead with 1 or 2) and have
a valid check digit, telephone numbers are 555-01xx (kept for fiction), and family names end in the marker `-Zztest`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import gcd, prod

from acrmock.identity import npi_check_digit
from synthetic.randomness import Draws, Stream
from synthetic.wordlists import words

FAMILY_MARK = "-Zztest"
MRN_MARK = "SYN"
SSN_AREAS = ("000", "666")

_GROUPS, _SERIALS = 99, 9999
_SSN_SLOTS = len(SSN_AREAS) * _GROUPS * _SERIALS
_SSN_STEP = 1_234_577
if gcd(_SSN_SLOTS, _SSN_STEP) != 1:  # pragma: no cover - a guard on the two constants above
    raise AssertionError("the step must visit every slot")

_LETTERS = "ACDEFGHJKMNPQRTUVWXY"  # CMS: A to Z without S, L, O, I, B, Z
_DIGITS = "0123456789"
_EITHER = _DIGITS + _LETTERS
_MBI_TAIL = (_EITHER, _DIGITS, _LETTERS, _EITHER, _DIGITS, _LETTERS, _LETTERS, _DIGITS, _DIGITS)
_MBI_COUNT = 9 * prod(map(len, _MBI_TAIL))


@dataclass(frozen=True, slots=True)
class Person:
    """One synthetic person; `sex` is `F` or `M`, `birth_date` a calendar day."""

    index: int
    given: str
    middle: str
    family: str
    sex: str
    birth_date: date
    ssn: str
    mbi: str
    health_insurance_claim: str
    mrn: str
    telephone: str

    def age_on(self, day: date) -> int:
        """Whole years on `day`."""
        before = (day.month, day.day) < (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - before


class Crowd:
    """The people of one seed: `person(index)` is the same on any machine and in any order.

    Social Security numbers are unique for the first 1,979,802 people of a seed, medical record numbers always.
    """

    __slots__ = ("_female", "_male", "_offset", "_people", "_surnames")

    def __init__(self, seed: int) -> None:
        self._people = Stream(seed, "people")
        self._offset = Stream(seed, "people/ssn").item(0).below(_SSN_SLOTS)
        self._female = words("given-female")
        self._male = words("given-male")
        self._surnames = words("family")

    def person(self, index: int, *, born: tuple[date, date]) -> Person:
        """Person `index`, born on a day from `born[0]` to `born[1]`, both included."""
        draws = self._people.item(index)
        female = draws.below(2) == 0
        names = self._female if female else self._male
        ssn = social_security_number(self._offset + index)
        return Person(
            index=index,
            given=draws.choice(names),
            middle=draws.choice(names),
            family=draws.choice(self._surnames) + FAMILY_MARK,
            sex="F" if female else "M",
            birth_date=draws.day(*born),
            ssn=ssn,
            mbi=medicare_beneficiary_identifier(draws),
            health_insurance_claim=ssn.replace("-", "") + "A",
            mrn=f"{MRN_MARK}{index:09d}{draws.digits(4)}",
            telephone=telephone_number(draws),
        )


def social_security_number(slot: int) -> str:
    """The synthetic number of `slot`, in area 000 or 666, `NNN-NN-NNNN`; slots repeat after 1,979,802."""
    rest, serial = divmod(slot * _SSN_STEP % _SSN_SLOTS, _SERIALS)
    area, group = divmod(rest, _GROUPS)
    return f"{SSN_AREAS[area]}-{group + 1:02d}-{serial + 1:04d}"


def medicare_beneficiary_identifier(draws: Draws) -> str:
    """A Medicare Beneficiary Identifier of CMS's pattern but for the `S` in second place, which CMS never issues."""
    rest, first = divmod(draws.below(_MBI_COUNT), 9)
    text = f"{first + 1}S"
    for kind in _MBI_TAIL:
        rest, place = divmod(rest, len(kind))
        text += kind[place]
    return text


def telephone_number(draws: Draws) -> str:
    """A North American number of the range 555-0100 to 555-0199, kept for fiction: `NXX-555-01XX`."""
    area, line = divmod(draws.below(80_000), 100)
    return f"{200 + area}-555-01{line:02d}"


def provider_identifier(draws: Draws) -> str:
    """A National Provider Identifier that leads with 9 and has a valid check digit."""
    first_nine = "9" + draws.digits(8)
    return first_nine + npi_check_digit(first_nine)
