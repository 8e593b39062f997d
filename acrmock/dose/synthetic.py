"""Telling our own synthetic reports from anybody's patients."""

from __future__ import annotations

import re
from functools import lru_cache

from acrmock.dose.header import Header
from acrmock.facts import Facts


def looks_synthetic(header: Header, facts: Facts) -> bool:
    """Whether an object is recognisably synthetic: its Patient ID and its Patient's Name both keep our convention.

    The settings `dirlink.synthetic.patient_id` (a pattern for the whole ID) and `dirlink.synthetic.patient_name_prefix` (upper
    and lower case alike) say which. Either alone is not enough: a person may be called so.
    """
    prefix = facts.text("dirlink.synthetic.patient_name_prefix")
    named = bool(prefix) and header.patient_name.upper().startswith(prefix.upper())
    return named and _pattern(facts.text("dirlink.synthetic.patient_id")).fullmatch(header.patient_id) is not None


@lru_cache(maxsize=16)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
