"""The application's name, which people will read on the sign-in page (fact N1.2), and the id made of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from acrmock.declared import name_faults
from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import shown, wrong

DEFAULT = "default"
"""The id of the first application, whose paths have no prefix."""

SLUG_LENGTH = 40
AE_LENGTH = 14
"""The longest AE title of a test environment; that of production is two characters longer, the 16 of PS3.5 section 6.2."""


def check_name(name: str, limits: Limits) -> list[FieldProblem]:
    """Why `name` cannot stand on a sign-in page; empty when it can."""
    actual = shown(name, 60) if len(name) <= limits.name_length else f"{len(name)} characters"
    return [wrong("name", reason, expected=expected, actual=actual) for reason, expected in name_faults(name, limits.name_length)]


def slug(name: str) -> str:
    """`name` as an id of a path segment: lower-case ASCII letters and digits joined by hyphens; `app` if nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-") or "app"


def application_id(name: str, taken: Callable[[str], bool]) -> str:
    """The id of a new application: `default` for the first, else the slug of its name, `-2`… where that is taken."""
    if not taken(DEFAULT):
        return DEFAULT
    stem = slug(name)
    candidate, number = stem, 1
    while taken(candidate):
        number += 1
        candidate = f"{stem}-{number}"
    return candidate


def ae_title(application: str, taken: Callable[[str], bool], *, default: str, prefix: str) -> str:
    """The called AE title of an application's test environment: at most 14 characters, unique, so that `_P` can follow.

    `default` is that of the first application, `prefix` how any other begins. PS3.5 allows an AE title 16 characters.
    """
    if application == DEFAULT:
        return default
    stem = application.upper()
    candidate, number = (prefix + stem)[:AE_LENGTH], 1
    while taken(candidate):
        number += 1
        ending = f"-{number}"
        candidate = (prefix + stem)[: AE_LENGTH - len(ending)] + ending
    return candidate
