"""How a refusal of onboarding is written down: a reason per fault, short, printable and without secrets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from acrmock.record import FieldProblem

SHOWN = 120
"""Characters of a value that a reason shows."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def shown(value: str, limit: int = SHOWN) -> str:
    """`value` fit for a person's eyes: shortened, what cannot be seen written as `U+XXXX`."""
    head = value[:limit]
    text = "".join(f"<U+{ord(char):04X}>" if unicodedata.category(char) in _HIDDEN else char for char in head)
    return text if len(value) <= limit else f"{text}… ({len(value)} characters)"


def hidden_characters(value: str) -> tuple[str, ...]:
    """The characters of `value` that cannot be seen or that reorder text (categories C, line and paragraph separators)."""
    return tuple(dict.fromkeys(char for char in value if unicodedata.category(char) in _HIDDEN))


def named(characters: Iterable[str]) -> str:
    """Characters by their code points, e.g. `U+202E, U+0007`; at most eight."""
    found = [f"U+{ord(char):04X}" for char in characters]
    return ", ".join(found[:8]) + (" …" if len(found) > 8 else "")


def wrong(field: str, reason: str, *, expected: str = "", actual: str | None = None, index: int | None = None) -> FieldProblem:
    """One reason against `field` of a registration request (`index` of a list); `actual` is made fit to show."""
    pointer = f"/{field}" if index is None else f"/{field}/{index}"
    return FieldProblem(
        pointer=pointer, element=field, expected=expected, actual="" if actual is None else shown(actual), reason=reason
    )
