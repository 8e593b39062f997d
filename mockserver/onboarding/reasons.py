"""How a refusal of onboarding is written down: a reason per fault, short, printable and without secrets."""

from __future__ import annotations

from acrmock.declared import SHOWN, hidden_characters, named, shown
from acrmock.record import FieldProblem

__all__ = ["SHOWN", "hidden_characters", "named", "shown", "wrong"]


def wrong(field: str, reason: str, *, expected: str = "", actual: str | None = None, index: int | None = None) -> FieldProblem:
    """One reason against `field` of a registration request (`index` of a list); `actual` is made fit to show."""
    pointer = f"/{field}" if index is None else f"/{field}/{index}"
    return FieldProblem(
        pointer=pointer, element=field, expected=expected, actual="" if actual is None else shown(actual), reason=reason
    )
