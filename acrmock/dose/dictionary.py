"""The dictionary of dose reports as the reader uses it: what a code means and what a value is in the registry's unit."""

from __future__ import annotations

import math

import msgspec

from acrmock.facts import Facts
from acrmock.facts.dose import Concept, Dictionary, DoseElement, Need, TemplateRow, Unit

__all__ = ["Concept", "Dictionary", "DoseElement", "Need", "Quantity", "TemplateRow", "Unit", "dose_dictionary", "quantity"]

_DIGITS = 12
_CHARACTERS = 64


class Quantity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A number of a report in the registry's `unit`, beside what was written.

    `value` is None when none was given, when it is no number, or when its unit is not known (`problem` says which).
    `converted`: the value differs from what was written by a factor.
    """

    value: float | None
    unit: str
    raw_value: str = ""
    raw_unit: str = ""
    converted: bool = False
    problem: str = ""


def dose_dictionary(facts: Facts) -> Dictionary:
    """The dictionary of dose reports in these facts."""
    return facts.dose


def quantity(dictionary: Dictionary, values: tuple[str, ...], raw_unit: str, unit: str) -> Quantity:
    """The number written as `values` in `raw_unit`, given in `unit`; of several values, which nothing allows, their mean."""
    raw = "\\".join(values)
    if not raw:
        return Quantity(value=None, unit=unit, raw_unit=raw_unit, problem="no value is given")
    numbers = [_number(text) for text in values]
    if None in numbers:
        return Quantity(value=None, unit=unit, raw_value=raw, raw_unit=raw_unit, problem="this is no number")
    number = math.fsum(found for found in numbers if found is not None) / len(numbers)
    problem = f"there are {len(values)} values, their mean stands" if len(values) > 1 else ""
    if raw_unit == unit:
        return Quantity(value=number, unit=unit, raw_value=raw, raw_unit=raw_unit, problem=problem)
    written, wanted = dictionary.units.get(raw_unit), dictionary.units.get(unit)
    if written is None or wanted is None or written.dimension != wanted.dimension:
        problem = f"the unit {raw_unit!r} is not one of {unit}" if raw_unit else "no unit is given"
        return Quantity(value=None, unit=unit, raw_value=raw, raw_unit=raw_unit, problem=problem)
    same = written.factor == wanted.factor
    value = number if same else float(f"{number * written.factor / wanted.factor:.{_DIGITS}g}")
    if not same:
        problem = f"converted from {raw_unit}"
    elif not written.plain:
        problem = f"{raw_unit} is not how UCUM spells {unit}"
    return Quantity(value=value, unit=unit, raw_value=raw, raw_unit=raw_unit, converted=not same, problem=problem)


def _number(text: str) -> float | None:
    try:
        found = float(text) if len(text) <= _CHARACTERS and "_" not in text else math.nan
    except ValueError:
        return None
    return found if math.isfinite(found) else None
