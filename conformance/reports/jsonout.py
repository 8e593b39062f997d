"""The result as JSON, the form that other programs read (schema: `conformance.reports.schemas`)."""

from __future__ import annotations

from typing import Any

import msgspec

from conformance.result import Result


def render(result: Result) -> bytes:
    """The result as UTF-8 JSON with an indent of two and a line feed at the end; the same result gives the same bytes."""
    return encode(result)


def encode(value: Any) -> bytes:
    """Any struct as indented UTF-8 JSON; a lone surrogate, which UTF-8 cannot carry, becomes U+FFFD."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_mended(msgspec.to_builtins(value)))
    return msgspec.json.format(data, indent=2) + b"\n"


def plain(value: Any) -> Any:
    """Plain JSON values as `encode` writes them: as they are, but for lone surrogates."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return _mended(value)
    return value


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value
