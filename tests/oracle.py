"""The second JSON Schema validator, which the derived schemas are checked against."""

from __future__ import annotations

from typing import Any

import jsonschema


def oracle(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """`jsonschema` for a derived schema; `$` means the end of the text, as in ECMA-262, and not also before a last newline."""
    meant: dict[str, Any] = _ecma(schema)
    return jsonschema.Draft202012Validator(meant)


def _ecma(value: Any) -> Any:
    if isinstance(value, list):
        return [_ecma(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _ecma(item) for key, item in value.items()}
    pattern = found.get("pattern")
    return found | {"pattern": pattern[:-1] + r"\Z"} if isinstance(pattern, str) and pattern.endswith("$") else found
