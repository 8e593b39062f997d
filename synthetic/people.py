"""Seeded people: synthetic by construction and recognisably so; nobody here can be a real person.

Social Security numbers lie in the areas 000 and 666 (never issued), Medicare identifiers have an `S` in second place
(CMS never issues the letters S, L, O, I, B, Z), provider identifiers lead with 9 (issued ones lead with 1 or 2) and have
a valid check digit, telephone numbers are 555-01xx (kept for fiction), and family names end in the marker `-Zztest`.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from math import gcd, prod
from typing import NamedTuple

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
_MRN_COUNT = 10**4
_TELEPHONES = 80_000


class Person(NamedTuple):
    """One synthetic person; `sex` is `F` or `M`, `birth_date` a calendar day.

    The identifiers are written when they are asked for, from what was drawn for them.
    """

    number: int
    given: str
    middle: str
    family: str
    sex: str
    birth_date: date
    slot: int
    lots: tuple[int, int, int]

    @property
    def ssn(self) -> str:
        """The Social Security number, `NNN-NN-NNNN`."""
        return social_security_number(self.slot)

    @property
    def mbi(self) -> str:
        """The Medicare Beneficiary Identifier."""
        return medicare_beneficiary_identifier(self.lots[0])

    @property
    def health_insurance_claim(self) -> str:
        """The Health Insurance Claim Number, as Medicare made it from the Social Security number."""
        return self.ssn.replace("-", "") + "A"

    @property
    def mrn(self) -> str:
        """The medical record number."""
        return f"{MRN_MARK}{self.number:09d}{self.lots[1]:04d}"

    @property
    def telephone(self) -> str:
        """A number kept for fiction."""
        return telephone_number(self.lots[2])

    def age_on(self, day: date) -> int:
        """Whole years on `day`."""
        born = self.birth_date
        years = day.year - born.year
        return years - 1 if day.month < born.month or (day.month == born.month and day.day < born.day) else years


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
        self._surnames = tuple(name + FAMILY_MARK for name in words("family"))

    def person(self, index: int, *, born: tuple[date, date]) -> Person:
        """Person `index`, born on a day from `born[0]` to `born[1]`, both included."""
        draws = self._people.item(index)
        female = draws.below(2) == 0
        names = self._female if female else self._male
        many, first = len(names), born[0].toordinal()
        bounds = (many, many, len(self._surnames), born[1].toordinal() - first + 1, _MBI_COUNT, _MRN_COUNT, _TELEPHONES)
        given, middle, family, day, mbi, mrn, telephone = draws.each_below(bounds)
        return Person(
            index,
            names[given],
            names[middle],
            self._surnames[family],
            "F" if female else "M",
            date.fromordinal(first + day),
            self._offset + index,
            (mbi, mrn, telephone),
        )


def social_security_number(slot: int) -> str:
    """The synthetic number of `slot`, in area 000 or 666, `NNN-NN-NNNN`; slots repeat after 1,979,802."""
    rest, serial = divmod(slot * _SSN_STEP % _SSN_SLOTS, _SERIALS)
    area, group = divmod(rest, _GROUPS)
    return f"{SSN_AREAS[area]}-{group + 1:02d}-{serial + 1:04d}"


@cache
def _tails() -> tuple[tuple[str, ...], ...]:
    """The three thirds of an identifier's last nine characters, each as all its combinations, the first character fastest."""
    thirds = (_MBI_TAIL[0:3], _MBI_TAIL[3:6], _MBI_TAIL[6:9])
    return tuple(tuple(a + b + c for c in third[2] for b in third[1] for a in third[0]) for third in thirds)


def medicare_beneficiary_identifier(lot: int) -> str:
    """The identifier of a lot: CMS's pattern but for the `S` in second place, which CMS never issues."""
    first, second, third = _tails()
    lot, digit = divmod(lot, 9)
    lot, one = divmod(lot, len(first))
    three, two = divmod(lot, len(second))
    return f"{digit + 1}S{first[one]}{second[two]}{third[three]}"


def telephone_number(lot: int) -> str:
    """The North American number of a lot, of the range 555-0100 to 555-0199, kept for fiction: `NXX-555-01XX`."""
    area, line = divmod(lot, 100)
    return f"{200 + area}-555-01{line:02d}"


def provider_identifier(draws: Draws) -> str:
    """A National Provider Identifier that leads with 9 and has a valid check digit."""
    first_nine = "9" + draws.digits(8)
    return first_nine + npi_check_digit(first_nine)
