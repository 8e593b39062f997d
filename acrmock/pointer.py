"""RFC 6901 pointers: made from what a document holds, and taken apart again."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
_BAD_ESCAPE = re.compile(r"~(?![01])")


class PointerError(ValueError):
    """A JSON pointer is malformed or leads nowhere."""


def escaped(token: str) -> str:
    """One reference token as it stands in a pointer (RFC 6901 section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def pointer_of(tokens: Iterable[str]) -> str:
    """The pointer of reference tokens."""
    return "".join(f"/{escaped(token)}" for token in tokens)


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a pointer, unescaped; raises `PointerError` when it is malformed."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise PointerError(f"a pointer begins with '/': {pointer!r}")
    if _BAD_ESCAPE.search(pointer):
        raise PointerError(f"'~' must be followed by 0 or 1: {pointer!r}")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def join(base: str, *parts: str | int) -> str:
    """`base` followed by `parts`, names of strangers among them: each is cut and made encodable."""
    return base + pointer_of(printable(str(part)) for part in parts)


def printable(text: str, limit: int = 200) -> str:
    """A text that UTF-8 can carry, cut to `limit` characters."""
    return text.translate(_SURROGATES) if len(text) <= limit else text[:limit].translate(_SURROGATES) + "…"
