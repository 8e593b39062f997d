"""Same-shape pseudonyms for identifiers: type, length and pattern stay, the value goes; equal values stay equal."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator

from acrmock.identity import npi_check_digit

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLAIN_DATE = re.compile(r"\d{8}")
_UPPER = "ABCDEFGHJKLMNPQRTUVWXY"
_LOWER = "abcdefghijkmnopqrstuvwxyz"

_ASCII = {
    letter: shape
    for shape, letters in (("0123456789", string.digits), (_UPPER, string.ascii_uppercase), (_LOWER, string.ascii_lowercase))
    for letter in letters
}
_ROWS = {letter: "".join(shape[byte % len(shape)] for byte in range(256)) for letter, shape in _ASCII.items()}
"""What stands for a letter or digit, by the byte that decides."""
_BLOCK = 32
_KEPT = frozenset(string.punctuation + " ")

Stream = Callable[[str], bytes]
"""Keyed bytes for a label; at least 32 of them, the same for the same label."""


def pseudonym(stream: Stream, kind: str, value: str) -> str:
    """A value of the same shape in a synthetic range: an SSN in area 000, an NPI that begins with 9, a real date."""
    label = f"{kind}\0{value}"
    source = _bytes(stream, label)
    if kind == "birth-date" and _DATE.fullmatch(value):
        return f"{1930 + next(source) % 40:04d}-{next(source) % 12 + 1:02d}-{next(source) % 28 + 1:02d}"
    if kind == "birth-date" and _PLAIN_DATE.fullmatch(value):
        return f"{1930 + next(source) % 40:04d}{next(source) % 12 + 1:02d}{next(source) % 28 + 1:02d}"
    if value.isascii() and len(value) <= _BLOCK:
        shaped = _short(stream(f"0\0{label}"), value)
    else:
        shaped = "".join([_shape(letter, source) for letter in value])
    if kind == "ssn":
        return _replace_leading_digits(shaped, "000")
    if kind == "npi" and len(shaped) == 10 and shaped.isascii() and shaped.isdigit():
        nine = "9" + shaped[1:9]
        return nine + npi_check_digit(nine)
    if kind == "mbi" and len(shaped) > 1 and shaped[1].isalpha():
        return shaped[0] + "S" + shaped[2:]
    return shaped


def _short(source: bytes, value: str) -> str:
    """What `_shape` makes of the characters of a short ASCII value."""
    letters, rows, at = list(value), _ROWS, 0
    for place, letter in enumerate(letters):
        row = rows.get(letter)
        if row is not None:
            letters[place] = row[source[at]]
            at += 1
    return "".join(letters)


def _bytes(stream: Stream, label: str) -> Iterator[int]:
    block = 0
    while True:
        yield from stream(f"{block}\0{label}")
        block += 1


def _shape(character: str, source: Iterator[int]) -> str:
    letters = _ASCII.get(character)
    if letters is not None:
        return letters[next(source) % len(letters)]
    if character in _KEPT:
        return character
    if character.isdecimal():
        return str(next(source) % 10)
    if character.isupper():
        return _UPPER[next(source) % len(_UPPER)]
    if character.isalpha():
        return _LOWER[next(source) % len(_LOWER)]
    return character


def _replace_leading_digits(text: str, digits: str) -> str:
    rest = iter(digits)
    return "".join(next(rest, character) if character.isdigit() else character for character in text)
