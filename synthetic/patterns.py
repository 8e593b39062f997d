"""Texts of a pattern: what a simple regular expression admits, drawn from our own draws, so that a seed gives the same texts.

The expression is read by Python's own parser. What cannot be drawn by walking along it (a look ahead, a boundary inside) is
passed over, and a text counts only if the whole expression finds it and its length is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from synthetic.randomness import Draws, Stream

Sampler = Callable[[Draws], str]
_PRINTABLE = "".join(map(chr, range(32, 127)))
_MORE = 6
"""How many repetitions above the least are drawn where an expression names no end, or one far away."""
_TRIES, _PROBES, _LONGEST = 40, 25, 2000
_CATEGORIES = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_WORD": lambda sign: sign.isalnum() or sign == "_",
    "CATEGORY_SPACE": str.isspace,
}


class CannotDrawError(ValueError):
    """No text of the expression was found."""


def sampler(pattern: str, least: int, most: int) -> Sampler:
    """A drawer of texts of the pattern with `least` to `most` characters; raises `CannotDrawError`."""
    try:
        tree = import_module("re._parser").parse(pattern)
        shape = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise CannotDrawError(str(error)) from error

    def tried(draws: Draws) -> str | None:
        for _ in range(_TRIES):
            text = _walk(tree, draws, {})
            if len(text) < least and pattern[-1:] != "$":
                text = text.ljust(least, text[-1:] or "x")
            if least <= len(text) <= most and text.isprintable() and shape.search(text):
                return text
        return None

    known = [tried(Stream(0, pattern).item(index)) for index in range(_PROBES)]
    fits = [text for text in known if text]
    if not fits:
        raise CannotDrawError(f"no text of {least} to {most} characters was found")
    return lambda draws: tried(draws) or draws.choice(fits)


def _walk(tree: Any, draws: Draws, groups: dict[int, str]) -> str:
    return "".join(_one(str(operation), argument, draws, groups) for operation, argument in tree)


def _one(operation: str, argument: Any, draws: Draws, groups: dict[int, str]) -> str:  # noqa: PLR0911 - a case for each kind
    match operation:
        case "LITERAL":
            return chr(argument)
        case "IN" | "NOT_LITERAL" | "ANY":
            signs = _signs(operation, argument)
            return draws.choice(signs) if signs else ""
        case "BRANCH":
            return _walk(draws.choice(argument[1]), draws, groups)
        case "SUBPATTERN":
            text = _walk(argument[-1], draws, groups)
            groups[argument[0]] = text
            return text
        case "ATOMIC_GROUP":
            return _walk(argument, draws, groups)
        case "GROUPREF":
            return groups.get(argument, "")
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, part = argument
            if least > _LONGEST:
                raise CannotDrawError(f"{least} repetitions are more than a text has")
            times = draws.integer(least, min(int(most), least + _MORE))
            return "".join(_walk(part, draws, groups) for _ in range(times))
        case _:
            return ""  # a position or a look around: the whole text is held to it afterwards


def _signs(operation: str, argument: Any) -> Sequence[str]:
    if operation == "ANY":
        return _of((), negated=True)
    if operation == "NOT_LITERAL":
        return _of((("LITERAL", argument),), negated=True)
    negated = str(argument[0][0]) == "NEGATE"
    return _of(tuple((str(kind), _plain(value)) for kind, value in argument[negated:]), negated=negated)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | tuple) and not hasattr(value, "name") else str(value)


@cache
def _of(members: tuple[tuple[str, Any], ...], *, negated: bool) -> str:
    """The printable signs of a class; of one that has none that are printable, what it begins with."""
    found = "".join(sign for sign in _PRINTABLE if any(_is(sign, kind, value) for kind, value in members) != negated)
    letters = "".join(sign for sign in found if sign.isalnum())
    if negated and letters:
        return letters
    beyond = (value if kind == "LITERAL" else value[0] for kind, value in members if kind in {"LITERAL", "RANGE"})
    return found or next((chr(code) for code in beyond if not negated), "")


def _is(sign: str, kind: str, value: Any) -> bool:
    if kind == "LITERAL":
        return ord(sign) == int(value)
    if kind == "RANGE":
        return bool(value[0] <= ord(sign) <= value[1])
    known = _CATEGORIES.get(str(value).replace("_NOT_", "_"))
    return known is not None and known(sign) != ("_NOT_" in str(value))
