"""Plausibility hints as data: how often and in what proportion, per registry; never what is allowed.

Codes, ranges, levels and conditions come from the mapping version. A registry without hints still gets valid records:
every hint has a default. A hint for an element that a mapping version does not have is ignored by that version.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from acrmock.facts import EXAM, shipped
from acrmock.facts.errors import FactsError
from acrmock.facts.yamlfile import Document, read_text
from acrmock.typed import convert

SCHEMA = "acrmock/synthesis/1"


class DateHint(StrEnum):
    """Which day a date element has: the exam's, one before or after it, or that of the record in a list of the exam.

    `year` and `month` are the exam's, for an element that is no date.
    """

    EXAM = "exam"
    BEFORE_EXAM = "before-exam"
    AFTER_EXAM = "after-exam"
    FOLLOW_UP = "follow-up"
    YEAR = "year"
    MONTH = "month"


class PersonPart(StrEnum):
    """An attribute of `synthetic.people.Person`."""

    GIVEN = "given"
    MIDDLE = "middle"
    FAMILY = "family"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    SSN = "ssn"
    MBI = "mbi"
    HEALTH_INSURANCE_CLAIM = "health_insurance_claim"
    MRN = "mrn"


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of what stands in a hints file."""


class ElementHint(_Strict, frozen=True, kw_only=True):
    """How one element is drawn.

    `share` is per mille of the records where the element may be left out; `needs` names elements without which it is
    left out, `unless` codes of other elements beside which it is. `weights` are per code (`other` for each code not
    named) or per number; `alone` are codes of a multi-select that exclude all others, `most` how many are chosen. `range`
    and `places` are of a number; `product_of` multiplies other numbers by `percent`; `years_from_age` and `per_year` cap a
    number at (age - years) x per_year. `prefix` and `numbered` shape a person's part into a key of its own, `plain` writes it
    in the letters A to Z. An instant lies
    `minutes` after the instant of the element `after`.
    """

    person: PersonPart | None = None
    weigh_person: int = 0
    prefix: str = ""
    plain: bool = False
    numbered: bool = False
    practitioner: bool = False
    date: DateHint | None = None
    share: int | None = None
    needs: tuple[str, ...] = ()
    unless: dict[str, tuple[str, ...]] = {}
    weights: dict[str, int] = {}
    other: int = 0
    alone: tuple[str, ...] = ()
    most: int = 2
    range: tuple[str, str] | None = None
    places: int = 0
    product_of: tuple[str, ...] = ()
    percent: tuple[int, int] = (100, 100)
    years_from_age: int | None = None
    per_year: str = "1"
    words: tuple[str, ...] = ()
    after: str = ""
    minutes: tuple[int, int] = (0, 0)


class Outcome(_Strict, frozen=True, kw_only=True):
    """What a record of a list says together: a code for each of its `elements`; drawn by `weight`."""

    weight: int
    elements: dict[str, str]


class ListHint(_Strict, frozen=True, kw_only=True):
    """What stands in a list of an exam: `share` per mille of the exams that may have any do, up to `most`.

    The records' days are `after_days` to `within_days` after the exam. `by` is an element of the exam: for each of its codes
    `shares` may say another share, and `outcomes` what the records say.
    """

    share: int = 0
    most: int = 1
    after_days: int = 1
    within_days: int = 365
    by: str = ""
    shares: dict[str, int] = {}
    outcomes: dict[str, tuple[Outcome, ...]] = {}
    elements: dict[str, ElementHint] = {}


_NO_LIST = ListHint(share=500)


class Hints(_Strict, frozen=True, kw_only=True):
    """The hints of one registry; `age_years` is the age on the day of the exam, both ends included.

    Exams lie `exam_from_days` to `exam_within_days` before the as-of date. `forms` says of each form how many days lie
    between one record of it and the next.
    """

    schema: str = SCHEMA
    registry: str = ""
    age_years: tuple[int, int] = (50, 80)
    exam_from_days: int = 0
    exam_within_days: int = 1095
    forms: dict[str, int] = {}
    practitioners: int = 64
    optional_share: int = 500
    phrases: tuple[str, ...] = ("Synthetic entry",)
    exam: dict[str, ElementHint] = {}
    lists: dict[str, ListHint] = {}

    def of(self, record: str) -> dict[str, ElementHint]:
        """The hints for the elements of one kind of record."""
        return self.exam if record == EXAM else self.list_of(record).elements

    def list_of(self, kind: str) -> ListHint:
        """The hint for a list of the exam, by the kind of its records."""
        return self.lists.get(kind, _NO_LIST)


def hints_schema() -> dict[str, Any]:
    """The JSON Schema of a hints file, as published in `fixtures/schema/synthesis.schema.json`."""
    schema = msgspec.json.schema(Hints)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Plausibility hints of a registry", **schema}


def read_hints(path: Path) -> Hints:
    """The hints of a file; raises `FactsError` with file and reason when it cannot be used."""
    document = Document(str(path), read_text(path))
    try:
        found = convert(document.data, Hints)
    except msgspec.ValidationError as error:
        raise FactsError(f"not hints for synthesis: {error}", file=str(path)) from error
    if found.schema != SCHEMA:
        raise FactsError(f"the schema is {found.schema!r}, not {SCHEMA!r}", file=str(path), line=document.line(("schema",)))
    return found


@cache
def hints_for(registry: str) -> Hints:
    """The shipped hints of a registry's slug, else the defaults."""
    path = shipped.root() / "synthesis" / f"{registry}.yaml"
    return read_hints(path) if path.is_file() else Hints(registry=registry)
