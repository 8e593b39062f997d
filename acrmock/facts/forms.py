"""What the text of a setting must look like, where its type alone does not say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit


class Form(StrEnum):
    """The forms of a text; of a list every item has it, and there is one at least."""

    FILLED = "filled"
    UID = "uid"
    AE_TITLE = "ae-title"
    AE_PREFIX = "ae-prefix"
    PATH = "path"
    URL = "url"
    PATTERN = "pattern"
    WORD = "word"


_UID = re.compile(r"(?=.{1,64}\Z)[0-9]+(?:\.[0-9]+)+")
_AE = r"[\x20-\x5b\x5d-\x7e]"
_AE_TITLE = re.compile(rf"(?=.*\S){_AE}{{1,16}}")
_AE_PREFIX = re.compile(rf"{_AE}{{0,5}}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~{}-]+)+")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def misshapen(form: Form, value: Any) -> str:
    """Why `value`, a text or several, has not this form, or an empty string."""
    texts = (value,) if isinstance(value, str) else tuple(value)
    if not texts:
        return "must not be empty"
    what, fits = _FORMS[form]
    wrong = next((text for text in texts if not fits(text)), None)
    return "" if wrong is None else f"must be {what}, not {wrong!r:.80}"


def _is_pattern(text: str) -> bool:
    try:
        return bool(text) and re.compile(text) is not None
    except (re.error, RecursionError, OverflowError):
        return False


def _is_url(text: str) -> bool:
    """Whether the text is empty or the URL of a server."""
    try:
        parts = urlsplit(text)
        return not text or (parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0)
    except ValueError:
        return False


_FORMS: Mapping[Form, tuple[str, Callable[[str], Any]]] = {
    Form.FILLED: ("a text that is not empty", str.strip),
    Form.UID: ("a UID: numbers and full stops, at most 64 characters (PS3.5 section 9.1)", _UID.fullmatch),
    Form.AE_TITLE: (
        "an AE title: 1 to 16 ASCII characters, no backslash, not only spaces (PS3.5 table 6.2-1)",
        _AE_TITLE.fullmatch,
    ),
    Form.AE_PREFIX: ("the beginning or end of an AE title: at most 5 ASCII characters, no backslash", _AE_PREFIX.fullmatch),
    Form.PATH: ("a path that begins with a slash", _PATH.fullmatch),
    Form.URL: ("empty or a URL of http or https", _is_url),
    Form.PATTERN: ("a regular expression", _is_pattern),
    Form.WORD: ("a word of letters, digits, _ . or -", _WORD.fullmatch),
}
