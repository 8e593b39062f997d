"""Telling our own synthetic reports from anybody's patients."""

from __future__ import annotations

import re
from functools import lru_cache

from acrmock.dose.header import Brief
from acrmock.facts import Facts


def looks_synthetic(header: Brief, facts: Facts) -> bool:
    """Whether an object is recognisably synthetic: its Patient ID and its Patient's Name both keep our convention.

    The settings `dirlink.synthetic.patient_id` (a pattern for the whole ID) and `dirlink.synthetic.patient_name_prefix` (upper
    and lower case alike) say which. Either alone is not enough: a person may be called so. Every value, every component group of
    a name (PS3.5 section 6.2.1.1), and the patient's other names and IDs keep it too, because one real name among them is one
    too many; what follows the prefix is no letter, because a person may be called `Synthetica`.
    """
    names, prefix, pattern = _values(header.patient_name), _prefix(facts), _id(facts)
    return (
        bool(names and prefix)
        and all(_named(name, prefix) for name in names + _values(header.other_names))
        and pattern.fullmatch(header.patient_id) is not None
        and header.patient_id != ""
        and all(pattern.fullmatch(one) is not None for one in _values(header.other_ids))
    )


def name_is_synthetic(text: str, facts: Facts) -> bool:
    """Whether every name in the value of an attribute keeps our convention; none at all does."""
    prefix = _prefix(facts)
    return all(bool(prefix) and _named(name, prefix) for name in _values(text))


def id_is_synthetic(text: str, facts: Facts) -> bool:
    """Whether every patient's ID in the value of an attribute keeps our convention; none at all does."""
    pattern = _id(facts)
    return all(pattern.fullmatch(one) is not None for one in _values(text))


def _prefix(facts: Facts) -> str:
    return facts.text("dirlink.synthetic.patient_name_prefix")


def _id(facts: Facts) -> re.Pattern[str]:
    return _pattern(facts.text("dirlink.synthetic.patient_id"))


def _values(text: str) -> tuple[str, ...]:
    """The values of an attribute that may have several (PS3.5 section 6.4), without padding; none where it is empty."""
    if not text:
        return ()
    return tuple(value for part in text.split("\\") if (value := part.strip(" \0")))


def _named(name: str, prefix: str) -> bool:
    groups = [group for part in name.split("=") if (group := part.strip(" "))]
    return bool(groups) and all(_begins(group, prefix) for group in groups)


def _begins(group: str, prefix: str) -> bool:
    head, after = group[: len(prefix)], group[len(prefix) : len(prefix) + 1]
    same = head.isascii() == prefix.isascii() and head.upper() == prefix.upper()
    return same and not (prefix[-1].isalpha() and after.isalpha())


@lru_cache(maxsize=16)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
