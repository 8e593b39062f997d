"""Patterns of texts that somebody else wrote: both validators of records must be able to read them."""

from __future__ import annotations

import re


def why_unreadable(pattern: str) -> str:
    """Why a pattern cannot be used; empty where it can.

    Rules are told by Python's expressions, records are validated by those of JSON Schema (JSON Schema Validation 2020-12,
    section 6.3.3: ECMA-262).
    """
    import jsonschema_rs  # noqa: PLC0415 - only overlays and imports need it

    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    try:
        jsonschema_rs.validator_for({"type": "string", "pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return "it is a regular expression of Python alone: JSON Schema has none of \\A, \\Z, (?>…) and the like"
    return ""
