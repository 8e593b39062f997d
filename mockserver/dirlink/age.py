"""A patient's age as the registry gets it: valid, computed where a report gives none, never over 89 years (D1.17, D8)."""

from __future__ import annotations

import re
from datetime import date

_AGE = re.compile(r"([0-9]{3})([DWMY])\Z")
_LOOSE = re.compile(r"([0-9]{1,3}) ?([DWMY])\Z", re.IGNORECASE)
_DAYS = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_OLDEST_PERSON = 130
_YEARS_FROM = 2
"""Below this age in years, months or days are written: the registry's youngest bands need them (D1b)."""


def day(text: str) -> date | None:
    """The date that a DA value (`20260131`, also with dots or hyphens) writes, or None where it is no date."""
    digits = re.sub(r"[-.]", "", text.strip())
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def in_years(age: str) -> float | None:
    """The years that an AS value (`045Y`, `003M`) stands for, or None where it is no AS value (PS3.5 section 6.2)."""
    found = _AGE.match(age)
    return int(found[1]) * _DAYS[found[2]] / _DAYS["Y"] if found else None


def between(birth: date, on: date) -> str | None:
    """The age on a day as an AS value: years from two on, before that months, before the first month days; None if impossible."""
    months = (on.year - birth.year) * 12 + on.month - birth.month - (on.day < birth.day)
    if on < birth or months >= _OLDEST_PERSON * 12:
        return None
    if months >= _YEARS_FROM * 12:
        return f"{months // 12:03d}Y"
    return f"{months:03d}M" if months else f"{(on - birth).days:03d}D"


def settled(written: str, birth_date: str, study_date: str, *, oldest: int, capped: str) -> str:
    """The AS value to send: the valid one written, else computed from birth and study date, else mended, else empty.

    An age over `oldest` years becomes `capped`.
    """
    age = written.strip() if in_years(written.strip()) is not None else ""
    birth, study = day(birth_date), day(study_date)
    if not age and birth and study:
        age = between(birth, study) or ""
    loose = _LOOSE.match(written.strip())
    if not age and loose:
        age = f"{int(loose[1]):03d}{loose[2].upper()}"
    years = in_years(age)
    return capped if years is not None and years >= oldest + 1 else age
