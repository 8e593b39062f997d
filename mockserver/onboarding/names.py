"""The application's name, which people will read on the sign-in page (fact N1.2), and the id made of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import hidden_characters, named, shown, wrong

DEFAULT = "default"
"""The id of the first application, whose paths have no prefix."""

SLUG_LENGTH = 40
AE_LENGTH = 14
"""The longest AE title of a test environment; that of production is two characters longer, the 16 of PS3.5 section 6.2."""


def check_name(name: str, limits: Limits) -> list[FieldProblem]:
    """Why `name` cannot stand on a sign-in page; empty when it can."""
    if not name.strip():
        return [
            wrong(
                "name", "an application name is needed: people will read it on the sign-in page", expected="a name", actual=name
            )
        ]
    found = []
    if len(name) > limits.name_length:
        found.append(
            wrong(
                "name",
                "the name is too long",
                expected=f"at most {limits.name_length} characters",
                actual=f"{len(name)} characters",
            )
        )
    if hidden := hidden_characters(name[: 4 * limits.name_length]):
        found.append(
            wrong(
                "name",
                f"the name holds characters that cannot be seen or that reorder text: {named(hidden)}",
                expected="printable text",
                actual=shown(name, 60),
            )
        )
    if name != name.strip():
        found.append(
            wrong("name", "the name begins or ends with white space", expected=shown(name.strip(), 60), actual=shown(name, 60))
        )
    if not any(unicodedata.category(char)[0] in "LN" for char in name[: 4 * limits.name_length]):
        found.append(wrong("name", "the name has no letter and no digit", expected="a readable name", actual=name))
    return found


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
