"""The age bands of the registry's radiography reports (fact D1b)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mockserver.dirlink.age import in_years, settled

_NO_CAP = 999


def band_of(age: str, birth_date: str, study_date: str, bands: Mapping[str, float]) -> str:
    """The name of the first band whose bound (years) is above the age; empty where the age is not known.

    `age` is an AS value as written, the dates DA values; without a valid age it is computed from them.
    """
    years = in_years(settled(age, birth_date, study_date, oldest=_NO_CAP, capped=""))
    if years is None or not math.isfinite(years):
        return ""
    return next((name for name, bound in sorted(bands.items(), key=lambda band: band[1]) if years < bound), "")
