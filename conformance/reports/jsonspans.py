"""Where in a JSON text a pointer's value stands, by characters, so that it can be marked in the text as it was sent."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]

from acrmock.pointer import PointerError, parse_pointer

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(strict=False)


def locate(text: str, pointer: str) -> tuple[int, int]:
    """The start and end of the value at `pointer` in a JSON text; for a member of an object its name is taken in too.

    Of duplicate names the first is taken. Raises `PointerError` when the text is no JSON so far or the pointer leads
    nowhere.
    """
    at = _skip(text, 0)
    named = at
    try:
        for token in parse_pointer(pointer):
            named, at = _member(text, at, token) if text[at : at + 1] == "{" else _item(text, at, token)
        return named, _DECODER.raw_decode(text, at)[1]
    except (ValueError, IndexError, RecursionError) as error:
        if isinstance(error, PointerError):
            raise
        raise PointerError(f"not JSON as far as {pointer!r}") from error


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int, token: str) -> tuple[int, int]:
    at = _skip(text, at + 1)
    while text[at] == '"':
        named = at
        name, at = scanstring(text, at + 1, False)
        at = _skip(text, _skip(text, at) + 1)
        if name == token:
            return named, at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] != ",":
            break
        at = _skip(text, at + 1)
    raise PointerError(f"nothing at {token!r}")


def _item(text: str, at: int, token: str) -> tuple[int, int]:
    if text[at : at + 1] != "[" or not token.isascii() or not token.isdigit() or len(token) > 9:
        raise PointerError(f"nothing at {token!r}")
    at = _skip(text, at + 1)
    for _ in range(int(token)):
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] != ",":
            raise PointerError(f"nothing at {token!r}")
        at = _skip(text, at + 1)
    if text[at] == "]":
        raise PointerError(f"nothing at {token!r}")
    return at, at
