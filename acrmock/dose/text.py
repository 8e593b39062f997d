"""Text of a data set in whatever character set it says, or does not say (PS3.5 section 6.1, PS3.3 section C.12.1.1.2).

Decoding never fails: what a character set does not know becomes a replacement character.
"""

from __future__ import annotations

import re

_CODECS = {
    "": "latin-1",
    "ISO_IR 6": "latin-1",
    "ISO_IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15",
    "ISO_IR 166": "tis-620",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
_ESCAPES = {
    b"\x1b(B": "latin-1",
    b"\x1b(J": "shift_jis",
    b"\x1b)I": "shift_jis",
    b"\x1b-A": "latin-1",
    b"\x1b-B": "iso8859-2",
    b"\x1b-C": "iso8859-3",
    b"\x1b-D": "iso8859-4",
    b"\x1b-F": "iso8859-7",
    b"\x1b-G": "iso8859-6",
    b"\x1b-H": "iso8859-8",
    b"\x1b-L": "iso8859-5",
    b"\x1b-M": "iso8859-9",
    b"\x1b-T": "tis-620",
    b"\x1b-b": "iso8859-15",
    b"\x1b$B": "iso2022_jp",
    b"\x1b$(D": "iso2022_jp_2",
    b"\x1b$)C": "euc_kr",
    b"\x1b$)A": "gb2312",
}
_WITH_ESCAPE = frozenset({"iso2022_jp", "iso2022_jp_2"})
_ESCAPE = re.compile(rb"(\x1b(?:\$[()]?|[()-]).)", re.DOTALL)
_PLAIN = bytes(range(0x80)).replace(b"\x1b", b"")


def codec(charset: str) -> str:
    """The Python codec of a Specific Character Set (its first value); an unknown one is read as UTF-8."""
    if charset in _CODECS:
        return _CODECS[charset]
    first = charset.partition("\\")[0].strip().upper().replace("ISO 2022 IR", "ISO_IR").replace("_IR_", "_IR ")
    return _CODECS.get(first, "utf-8")


def decode(raw: bytes, encoding: str) -> str:
    """`raw` as text, padding kept; `encoding` is that of `codec`. Code extensions by escape sequences are followed."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    if b"\x1b" in raw:
        return "".join(_parts(raw, encoding))
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace")


def trimmed(raw: bytes, encoding: str) -> str:
    """`raw` as text without its padding: leading and trailing spaces and NULs say nothing (PS3.5 section 6.2)."""
    return decode(raw, encoding).strip(" \0")


def unpadded(text: str | None) -> str:
    """A text whose padding was kept without it, as names are told apart; empty where there is none.

    Trailing spaces are no part of a value (PS3.5 section 6.2). Trailing NULs are no padding of text, yet real senders write them:
    they tell no names apart either, for the mock and the judge alike, and the judge says so of who wrote them (`nul_padded`).
    """
    return (text or "").rstrip(" \0")


def nul_padded(text: str | None) -> bool:
    """Whether a text whose padding was kept is padded with NUL, which PS3.5 section 6.2 has for UIDs only."""
    kept = text or ""
    return "\0" in kept[len(unpadded(kept)) :]


def _parts(raw: bytes, encoding: str) -> list[str]:
    parts = _ESCAPE.split(raw)
    texts = [parts[0].decode(encoding, "replace")]
    for escape, part in zip(parts[1::2], parts[2::2], strict=True):
        name = _ESCAPES.get(escape, encoding)
        texts.append((escape + part if name in _WITH_ESCAPE else part).decode(name, "replace"))
    return texts
