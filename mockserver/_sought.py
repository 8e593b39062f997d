"""Looking for a value in a request, wherever it may stand: parameters, form fields, JSON members, headers, path."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

_MOST_FIELDS = 200


@lru_cache(maxsize=64)
def _member(names: tuple[str, ...]) -> re.Pattern[bytes]:
    """A JSON member of one of `names` with a text value."""
    found = b"|".join(re.escape(name.encode()) for name in names)
    return re.compile(rb'"(?:' + found + rb')"\s*:\s*("(?:[^"\\]|\\.){0,512}")')


class Sought:
    """One request, to be searched for values; nothing is parsed before it is asked for."""

    def __init__(self, environ: dict[str, Any], body: bytes) -> None:
        self._environ = environ
        self._body = body

    @property
    def _path(self) -> str:
        return str(self._environ.get("PATH_INFO", ""))

    @property
    def _query(self) -> str:
        return str(self._environ.get("QUERY_STRING", ""))

    def mentions(self, text: str) -> bool:
        """Whether `text` stands anywhere in the request's path, query or body: a quick no."""
        return text.encode() in self._body or text in self._path or text in self._query or text in unquote(self._query)

    def values(self, names: Iterable[str]) -> Iterator[str]:
        """The values of the parameters, form fields and JSON members of these names, and the segments of the path."""
        wanted = tuple(names)
        yield from self._path.split("/")
        for name, value in (*_pairs(self._query), *self._form()):
            if name in wanted:
                yield value
        if "json" in str(self._environ.get("CONTENT_TYPE", "")).lower():
            for match in _member(wanted).finditer(self._body):
                text = _text(match[1])
                if text is not None:
                    yield text

    def has(self, name: str, prefix: str) -> bool:
        """Whether a value of that name, or a header of that name, begins with `prefix`."""
        header = self._environ.get("HTTP_" + name.upper().replace("-", "_"))
        if isinstance(header, str) and header.startswith(prefix):
            return True
        return any(value.startswith(prefix) for value in self.values((name,)))

    def digest(self) -> str:
        """What tells this request from another: method, path, query and body."""
        whole = "\0".join((str(self._environ.get("REQUEST_METHOD", "")), self._path, self._query))
        return hashlib.sha256(whole.encode("utf-8", "replace") + b"\0" + self._body).hexdigest()[:16]

    def _form(self) -> list[tuple[str, str]]:
        media = str(self._environ.get("CONTENT_TYPE", "")).lower()
        return _pairs(self._body.decode("utf-8", "replace")) if media.startswith("application/x-www-form-urlencoded") else []


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []


def _text(quoted: bytes) -> str | None:
    try:
        return msgspec.json.decode(quoted, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
