"""Patients of dose reports: recognisably synthetic, of plausible age, sex, size and weight."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from math import pi, sqrt

from synthetic.dose.draw import between, fixed, rounded
from synthetic.dose.model import Patient
from synthetic.dose.tables import tables
from synthetic.randomness import Draws
from synthetic.wordlists import words

FAMILY = "SYNTHETIC"
ID_MARK = "SYN"
_CHILD_YEARS = 18
_TRUNK = 1.17  # the trunk is wider than the mean of the body


def patient(draws: Draws, index: int, day: date, *, child: bool = False, sex: str = "") -> Patient:
    """The patient of study `index`, examined on `day`; `sex` is drawn unless given."""
    table = tables().patients
    chosen = sex or ("F" if draws.below(2) else "M")
    years = draws.below(_CHILD_YEARS) if child else draws.integer(*table.adult_years)
    born = day - timedelta(days=years * 36525 // 100 + 1 + draws.below(360))
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    if years < _CHILD_YEARS:
        height = table.child_height_cm[years] + draws.integer(-4, 4)
        index_of_mass = between(draws, *table.child_body_mass_index)
    else:
        height = draws.integer(*table.height_cm[chosen])
        index_of_mass = between(draws, *table.body_mass_index)
    hectograms = rounded(index_of_mass * height * height / 1000)
    return Patient(
        patient_name=f"{FAMILY}^{draws.choice(_given(chosen))}",
        patient_id=f"{ID_MARK}{index:09d}{draws.digits(4)}",
        birth_date=born.strftime("%Y%m%d") if born.year >= 1000 else f"{born.year:04d}0101",
        patient_sex=chosen,
        patient_age=age_string(born, day, years),
        patient_size=fixed(height, 2),
        patient_weight=fixed(hectograms, 1),
        years=years,
        height_cm=height,
        diameter_cm=_TRUNK * 2 * sqrt(hectograms * 100 / (pi * height)),
    )


@cache
def _given(sex: str) -> tuple[str, ...]:
    """Names that every character set can write."""
    return tuple(name for name in words("given-female" if sex == "F" else "given-male") if name.isascii())


def age_string(born: date, day: date, years: int) -> str:
    """The age on `day` as DICOM writes it (PS3.5 table 6.2-1, AS): months below two years, else years."""
    if years >= 2:
        return f"{years:03d}Y"
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    return f"{max(months, 0):03d}M"
