"""JSON text without secrets: the members that matter are replaced, all else stays byte for byte, well-formed or not."""

from __future__ import annotations

import json
import re
from functools import cached_property, lru_cache

from acrmock._cleaning import Cleaner, Seen, Spot
from acrmock.strictjson import well_formed

_MOST_PATTERNS = 64
_HALF = re.compile("[\ud800-\udfff]")
_NAMES = re.compile(r'"([^"\\]*+)"\s*+:')
_ESCAPED_MEMBER = r'"([^"\\]*+)"(\s*+:\s*+)"([^"\\]*+(?:\\.[^"\\]*+)++)"'
_ESCAPED_ELSEWHERE = r'"[^"\\]*+(\\)'
_STRING = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_JSON_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)("(\s*+:)?|\Z)|(-?\d[\d.eE+-]*+)|([\[\]{},])', re.DOTALL)


class JsonCleaner(Cleaner):
    """Cleans JSON too; what its arguments are, `Redactor` says."""

    @cached_property
    def _marked(self) -> re.Pattern[str]:
        return _marked(frozenset((*self._members, *self._identities)))

    @cached_property
    def _marked_or_escaped(self) -> re.Pattern[str]:
        return re.compile(rf"{self._marked.pattern}|{_ESCAPED_MEMBER}|{_ESCAPED_ELSEWHERE}", re.DOTALL)

    def _json(self, text: str, seen: Seen, spot: Spot) -> str:
        """JSON text with sensitive members and identifiers replaced, all else as it was; it need not be well-formed.

        Only the members that matter are looked at, unless that could miss one: lists under a sensitive name, names written with
        escapes, and escapes in what is no JSON are gone through token by token.
        """
        escaped = "\\" in text
        if escaped and not well_formed(text):
            return self._tokens(text, seen, spot)
        slow = False

        def pair(match: re.Match[str]) -> str:
            nonlocal slow
            name, colon, inner, end, number, bracket = match.groups()[:6]
            if escaped and match.lastindex is not None and match.lastindex > 6:
                name, colon, inner, elsewhere = match.groups()[6:]
                end = '"'
                slow = slow or elsewhere is not None
            slow = slow or bracket is not None
            if slow:
                return match.group()
            if number is not None:
                return f'"{name}"{colon}{self._number(name, number, seen, spot)}'
            if not end:
                return f'"{name}"{colon}"'
            value = _unescape(inner)
            clean = self._member(name, value, escaped="\\" in inner, seen=seen, spot=spot)
            return match.group() if clean == value else f'"{name}"{colon}{_quoted(clean)}'

        pattern = self._marked_or_escaped if escaped else self._marked_for(text)
        quick = pattern.sub(pair, text) if pattern is not None else text
        if not slow:
            return quick
        return self._tokens(text, seen, spot)

    def _encoded_strings(self, text: str, seen: Seen, spot: Spot) -> str:
        """Well-formed JSON without the secrets in strings with an escape or a percent, each looked at as what it stands for.

        To decode the whole would end strings where none ends, and an escape that a secret follows looks like a part of it.
        """

        def string(match: re.Match[str]) -> str:
            value = _unescape(match[1])
            clean = self._secrets(value, seen, spot) if "\\" in match[1] or "%" in match[1] else value
            return match.group() if clean == value else _quoted(clean)

        return _STRING.sub(string, text)

    def _marked_for(self, text: str) -> re.Pattern[str] | None:
        """What finds the members that matter in `text`, which holds no escape: as few names as stand in it; None for none."""
        names = set(_NAMES.findall(text))
        if not all(map(str.isascii, names)):
            return self._marked  # letters beyond ASCII may stand for others where case does not count
        there = frozenset([name for name in map(str.lower, names) if name in self._members or name in self._identities])
        return _marked(there) if there else None

    def _tokens(self, text: str, seen: Seen, spot: Spot) -> str:
        """JSON text token by token: for escapes, and for lists and objects under a name that matters, whose members it rules."""
        name = ""
        outer: list[str] = []

        def token(match: re.Match[str]) -> str:
            nonlocal name
            inner, end, colon, number, mark = match.groups()
            if mark is not None:
                if mark in "[{":
                    outer.append(name)
                elif mark == ",":
                    name = outer[-1] if outer else ""
                else:
                    name = outer.pop() if outer else ""
                return mark
            if number is not None:
                return self._number(name, number, seen, spot)
            if not end:
                return '"'  # cut off in the middle: what it was cannot be known
            value = _unescape(inner)
            if colon is not None:
                name = outer[-1] if outer and self._matters(outer[-1]) and not self._matters(value) else value
                clean = self._text(value, seen, spot) if "\\" in inner else value
            else:
                clean = self._member(name, value, escaped="\\" in inner, seen=seen, spot=spot)
            return match.group() if clean == value else _quoted(clean) + (colon or "")

        return _JSON_TOKEN.sub(token, text)

    def _matters(self, name: str) -> bool:
        return name.lower() in self._identities or name.lower() in self._members

    def _number(self, name: str, number: str, seen: Seen, spot: Spot) -> str:
        """A JSON number under `name`: an identifier stays a number, a secret becomes a reference."""
        kind = self._identities.get(name.lower())
        if kind is not None:
            return self._identity(kind, number)
        if name.lower() not in self._members:
            return number
        return f'"{self._value(name, number, self._members, seen, Spot(spot.place, name, spot.pointer))}"'

    def _member(self, name: str, value: str, *, escaped: bool, seen: Seen, spot: Spot) -> str:
        kind = self._identities.get(name.lower())
        if kind is not None:
            return self._identity(kind, value)
        if name.lower() in self._members:
            return self._value(name, value, self._members, seen, Spot(spot.place, name, spot.pointer))
        return self._text(value, seen, Spot(spot.place, name, spot.pointer)) if escaped else value


@lru_cache(maxsize=_MOST_PATTERNS)
def _marked(names: frozenset[str]) -> re.Pattern[str]:
    """What finds a member of one of these names in JSON text, whatever the case of its letters."""
    either = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    member = rf'"((?i:{either}))"(\s*+:\s*+)(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)("|\Z)|(-?\d[\d.eE+-]*+)|([\[{{]))'
    return re.compile(member, re.DOTALL)


def _unescape(inner: str) -> str:
    if "\\" not in inner:
        return inner
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        return inner


def _quoted(text: str) -> str:
    """`text` as a JSON string that UTF-8 can carry: half of a surrogate pair stays an escape."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if not _HALF.search(quoted) else json.dumps(text)
