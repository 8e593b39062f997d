"""RFC 6901 pointers into a transaction's body."""

from __future__ import annotations

_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)


def token(text: str) -> str:
    """One part of a pointer, escaped (RFC 6901 section 3) and encodable."""
    return printable(text).replace("~", "~0").replace("/", "~1")


def join(base: str, *parts: str | int) -> str:
    """`base` followed by `parts`."""
    return base + "".join(f"/{token(str(part))}" for part in parts)


def printable(text: str, limit: int = 200) -> str:
    """A text that UTF-8 can carry, cut to `limit` characters."""
    return text.translate(_SURROGATES) if len(text) <= limit else text[:limit].translate(_SURROGATES) + "…"
