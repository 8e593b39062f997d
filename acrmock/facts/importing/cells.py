"""What stands in the cells of an element table: types, value lists, ranges, shapes of texts, yes and no."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from acrmock.facts.importing.columns import Columns, Shape, Words
from acrmock.facts.patterns import why_unreadable
from acrmock.facts.registry import EXAM, ElementType, Level

_AT_COMMA = re.compile(r",(?=\s*[A-Za-z0-9]{1,10}\s*=)")
_NUMBER = r"-?\d{1,15}(?:\.\d{1,15})?"
_BETWEEN = re.compile(rf"({_NUMBER})\s*(?:-|\u2013|\u2014|\.\.|\bto\b|\bthrough\b)\s*({_NUMBER})", re.ASCII | re.IGNORECASE)
_OPEN = re.compile(rf"(>=|<=|\u2265|\u2264|minimum|maximum|min|max)\s*:?\s*({_NUMBER})", re.ASCII | re.IGNORECASE)
_UPWARD = {">=", "\u2265", "minimum", "min"}


class Fault(Exception):  # noqa: N818 - says what a row has
    """Why one row cannot be understood."""


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """What the values of an element are: its type, and the codes, the range or the shape that a row gives it.

    `unread` is a text in the column of values that is neither a list nor a range.
    """

    type: ElementType
    codes: Mapping[str, str] = {}
    multiple: bool = False
    minimum: float | None = None
    maximum: float | None = None
    shape: Shape | None = None
    unread: str = ""


def values_of(cells: Mapping[str, str], columns: Columns) -> Values:
    """The values that a row speaks of; raises `Fault`."""
    text, word = cells.get("codes", ""), _type_word(cells.get("type", ""), columns)
    several = is_one_of(word, columns.multiple_types)
    in_codes = None if several or is_one_of(word, columns.types.get(str(ElementType.CODE), ())) else range_of(text)
    codes = codes_of(text, columns) if in_codes is None else {}
    unread = text if not codes and in_codes is None else ""
    if not codes and is_one_of(word, columns.yes_or_no):
        codes = dict(columns.yes_and_no)
    shape = next((shape for shape in columns.shapes.values() if is_one_of(word, shape.words)), None)
    if shape is not None:
        return Values(type=ElementType.CODE if codes else ElementType.TEXT, codes=codes, shape=shape, unread=unread)
    kind = ElementType.CODE if several else _type(word, cells.get("type", ""), columns, coded=bool(codes))
    if kind is ElementType.CODE and not codes:
        raise Fault("a list of values is its type, and no values are given: give them, or make it text")
    least, most = _bounds(cells, in_codes)
    if kind is ElementType.TEXT and (least, most) != (None, None):
        kind = ElementType.NUMBER  # a range says more than "text" does
    if kind is not ElementType.NUMBER:
        least = most = None
    return Values(
        type=kind,
        codes=codes if kind is ElementType.CODE else {},
        multiple=several,
        minimum=least,
        maximum=most,
        unread=unread,
    )


def _bounds(cells: Mapping[str, str], in_codes: tuple[float | None, float | None] | None) -> tuple[float | None, float | None]:
    """The least and the most that the columns of bounds, of a range, or of values say; the first that speaks wins."""
    told = range_of(cells.get("range", ""))
    if told is None and cells.get("range", ""):
        raise Fault(f"range: {cells['range'][:40]!r} is no range, as are '0 - 10' and '>= 0'")
    low, high = told or in_codes or (None, None)
    least, most = decimal(cells, "minimum"), decimal(cells, "maximum")
    least, most = (low if least is None else least), (high if most is None else most)
    if least is not None and most is not None and least > most:
        raise Fault(f"the least value {least:g} is above the most, {most:g}")
    return least, most


def range_of(text: str) -> tuple[float | None, float | None] | None:
    """`0-10`, `0.01 to 999.99` or `>= 0` as the least and the most; None where the text is nothing of the kind."""
    whole = text.strip()
    between, half = _BETWEEN.fullmatch(whole), _OPEN.fullmatch(whole)
    if between is not None:
        return float(between[1]), float(between[2])
    if half is None:
        return None
    return (float(half[2]), None) if half[1].casefold() in _UPWARD else (None, float(half[2]))


def _type_word(text: str, columns: Columns) -> str:
    """The word of a type: as it stands if it is known so, else without the remark in brackets after it."""
    word = text.casefold().strip()
    known = (*columns.types.values(), *(shape.words for shape in columns.shapes.values()), columns.multiple_types)
    return word if any(is_one_of(word, words) for words in known) else re.sub(r"\s*\([^()]{0,40}\)$", "", word).strip()


def _type(word: str, text: str, columns: Columns, *, coded: bool) -> ElementType:
    if not word:
        return ElementType.CODE if coded else ElementType.TEXT
    for name, words in columns.types.items():
        if is_one_of(word, words):
            kind = ElementType(name)
            # a list of values says more than "text" or "number" does
            return ElementType.CODE if coded and kind is not ElementType.DATE else kind
    if coded and is_one_of(word, columns.yes_or_no):
        return ElementType.CODE
    known = ", ".join(words[0] for words in columns.types.values() if words)
    raise Fault(f"{text[:40]!r} is no known data type, as are {known} and others: see `acrmock facts columns`")


def level_of(cells: Mapping[str, str], columns: Columns) -> Level:
    """How much a row asks for its element; raises `Fault`."""
    if said(cells.get("level", ""), columns, "required to submit"):
        return Level.SUBMIT
    return Level.COMPLETE if said(cells.get("complete", ""), columns, "required to complete") else Level.OPTIONAL


def said(text: str, columns: Columns, what: str) -> bool:
    """Whether a cell says yes; raises `Fault` where it says neither."""
    word = text.casefold().strip()
    if is_one_of(word, columns.said_yes):
        return True
    if is_one_of(word, columns.said_no) or word.startswith(("conditional", "if ")):
        return False
    raise Fault(f"{what}: {text[:40]!r} is neither yes nor no")


def is_one_of(word: str, words: Words) -> bool:
    """Whether a word is one of these, without case."""
    return word in {item.casefold() for item in words}


def kind_of(text: str, columns: Columns) -> str:
    """The kind of record that a word of a column or of a sheet's name stands for; the exam where it is no other's."""
    word = text.casefold().strip()
    return next((kind for kind, words in columns.records.items() if word == kind or is_one_of(word, words)), EXAM)


def codes_of(text: str, columns: Columns) -> dict[str, str]:
    """`1 = Current smoker; 2 = Former` as codes with labels; a text without separators is no list.

    A comma may stand in a label: it separates only where nothing else does, and before another `code =`. Raises `Fault`.
    """
    separator = next((item for item in columns.code_separators if item in text), "")
    parts = [part.strip() for part in (text.split(separator) if separator else _AT_COMMA.split(text)) if part.strip()]
    found: dict[str, str] = {}
    for part in parts:
        label_separator = next((item for item in columns.label_separators if item in part), "")
        code, _, label = (item.strip() for item in part.partition(label_separator)) if label_separator else (part, "", part)
        if not label_separator and len(parts) == 1:
            return {}
        if not code or len(code) > 100:
            raise Fault(f"{part[:40]!r} is no code with its label")
        if code in found:
            raise Fault(f"the code {code!r} stands twice")
        found[code] = label or code
    return found


def whole(cells: Mapping[str, str], role: str, *, lenient: bool = False) -> int | None:
    """A whole number of at most six digits, or None; raises `Fault` unless `lenient`."""
    text = cells.get(role, "")
    if text.isascii() and text.isdigit() and len(text) <= 6:
        number = int(text)
        return number if number or role == "min_length" else None
    if not text or lenient:
        return None
    raise Fault(f"{role.replace('_', ' ')}: {text[:40]!r} is no whole number")


def decimal(cells: Mapping[str, str], role: str) -> float | None:
    """A number of a cell, or None; raises `Fault`."""
    text = cells.get(role, "")
    if not text:
        return None
    if re.fullmatch(_NUMBER, text, re.ASCII) is None:
        raise Fault(f"{role}: {text[:40]!r} is no number")
    return float(text)


def pattern_of(text: str) -> str:
    """A regular expression that can be read; raises `Fault`."""
    reason = why_unreadable(text) if text else ""
    if reason:
        raise Fault(f"pattern: {reason}")
    return text
