"""What every part of the record is made of."""

from __future__ import annotations

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of what stands in a record: frozen, by keyword, defaults left out."""


class FieldProblem(Struct, frozen=True, kw_only=True):
    """One field that was wrong: where it stands, what was expected and what was there (redacted), and why."""

    pointer: str
    element: str = ""
    expected: str = ""
    actual: str = ""
    reason: str = ""
