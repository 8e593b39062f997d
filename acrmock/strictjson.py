"""Strict reading of JSON bodies (RFC 8259, I-JSON of RFC 7493): what two parsers could read differently is refused."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from enum import StrEnum
from typing import Any, NoReturn

import msgspec

MAX_INTEGER_DIGITS = 18
"""Digits of an integer that every 64-bit reader keeps."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SHAPES = bytes(48 if 48 <= code < 58 else 32 if code in b" \t\r\n" else code for code in range(256))
"""Digits become 0, white space becomes a space."""
_MANY_DIGITS = b"0" * 16
"""More digits than readers agree on: they are left to the strict reader, whether they are a number's or a text's."""
_SPACED = b" :"
_CONTAINERS = frozenset({dict, list})
_UNTOLD = object()
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class JsonReason(StrEnum):
    """Why a body is not acceptable JSON."""

    EMPTY = "the body is empty"
    NOT_UTF8 = "not UTF-8"
    BYTE_ORDER_MARK = "begins with a byte order mark"
    SYNTAX = "not JSON"
    TRAILING = "something follows the JSON text"
    DUPLICATE_KEY = "a member name stands twice in one object"
    NOT_A_NUMBER = "NaN and Infinity are not JSON"
    HUGE_NUMBER = "a number is too large"
    TOO_DEEP = "nested too deeply"
    TOO_MANY = "holds too many values"
    LONE_SURROGATE = "half of a surrogate pair"


class JsonProblem(ValueError):  # noqa: N818 - it says what is wrong with the text, as `Problem` does of a request
    """Why a body was refused: `reason`, `detail`, and the `position` in it, as far as it is known (else None).

    `position` counts bytes for `NOT_UTF8`, characters otherwise.
    """

    def __init__(self, reason: JsonReason, position: int | None = None, detail: str = "") -> None:
        super().__init__(f"{reason}{f' at {position}' if position is not None else ''}{f': {detail}' if detail else ''}")
        self.reason = reason
        self.position = position
        self.detail = detail


def loads(data: bytes, *, max_depth: int, max_values: int | None = None) -> Any:
    """The value that `data` stands for; raises `JsonProblem`. `max_depth` bounds arrays and objects within each other.

    `max_values` bounds how many values there may be, counted by commas before anything is built: a small text can stand for
    a value of many times its size.
    """
    text = _decode(data)
    if max_values is not None and data.count(b",") >= max_values and _STRING.sub(b"", data).count(b",") >= max_values:
        raise JsonProblem(JsonReason.TOO_MANY, detail=f"more than {max_values}")
    if data.count(b"{") + data.count(b"[") > max_depth and deeper_than(data, max_depth):
        raise JsonProblem(JsonReason.TOO_DEEP, detail=f"more than {max_depth} levels")
    value = _quick(data)
    if value is not _UNTOLD:
        return value
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        trailing = error.msg == "Extra data"
        reason = JsonReason.TRAILING if trailing else JsonReason.SYNTAX
        raise JsonProblem(reason, error.pos, "" if trailing else error.msg) from None
    except RecursionError:
        raise JsonProblem(JsonReason.TOO_DEEP) from None
    if _SURROGATE.search(data):
        _check_surrogates(value)
    return value


def _quick(data: bytes) -> Any:
    """The value of JSON that cannot be read in two ways, from a reader that is not strict; `_UNTOLD` where it may be.

    Without escapes `":` stands behind each name, if no space stands before a colon, and else only where a text begins with a
    colon. So where there are as many of them as there are names in the value, no name was lost to another.
    """
    shape = data.translate(_SHAPES)
    if b"\\" in shape or _SPACED in shape or _MANY_DIGITS in shape:
        return _UNTOLD
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _UNTOLD
    return value if data.count(b'":') == _names(value) else _UNTOLD


def _names(value: Any) -> int:
    """How many member names there are in a value."""
    names, within = 0, [value]
    for item in within:
        if type(item) is dict:
            names += len(item)
            within += [inner for inner in item.values() if type(inner) in _CONTAINERS]
        elif type(item) is list:
            within += [inner for inner in item if type(inner) in _CONTAINERS]
    return names


def well_formed(data: str | bytes) -> bool:
    """Whether `data` is JSON to a reader that is not strict: names may stand twice."""
    try:
        msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return False
    return True


def deeper_than(data: bytes, levels: int) -> bool:
    """Whether brackets outside strings stand more than `levels` deep; in time linear in the size of `data`."""
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > levels:
            return True
    return False


def _decode(data: bytes) -> str:
    if not data.strip():
        raise JsonProblem(JsonReason.EMPTY)
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise JsonProblem(JsonReason.BYTE_ORDER_MARK, 0)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonProblem(JsonReason.NOT_UTF8, error.start) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise JsonProblem(JsonReason.DUPLICATE_KEY, detail=twice[:64])
    return made


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS and len(text.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise JsonProblem(JsonReason.HUGE_NUMBER, detail=f"{len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise JsonProblem(JsonReason.HUGE_NUMBER, detail=text[:32])
    return value


def _constant(text: str) -> NoReturn:
    raise JsonProblem(JsonReason.NOT_A_NUMBER, detail=text)


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise JsonProblem(JsonReason.LONE_SURROGATE) from None


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
