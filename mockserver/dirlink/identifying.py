"""The values that identify somebody in one report, and a cleaner that finds them in any text that is to stay.

A name is looked for whole and part by part, an identifier whole, a place whole and by the words that name it; accents, width and
case make no difference, nor which character set a text was written in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from mockserver.dirlink.age import day
from mockserver.dirlink.deidentification import Rules

_WORDS = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*")
_LONG_UID = re.compile(r"[0-9]+(?:\.[0-9]+){6,}")
_SHORTEST_ID = 3
_SUBSTRING_FROM = 4
_SHORTEST_PLACE_WORD = 4
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def fold(text: str) -> tuple[str, list[int]]:
    """A text without accents, width and case, and for each of its characters the place in the original."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(part):
                letters.append(part)
                places.append(place)
    return "".join(letters), places


@dataclass(slots=True)
class Known:
    """The identifying values of one report, folded: `strong` ones whole, `weak` ones (parts of names, words of places) too."""

    strong: set[str] = field(default_factory=set)
    weak: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)

    def add_name(self, name: str) -> None:
        """A person's name in all its groups (`Family^Given=...=...`), whole, turned round and part by part."""
        for group in name.split("="):
            parts = [part for part in re.split(r"[\^\\,]", group) if part.strip()]
            for joined in (" ".join(parts), " ".join(reversed(parts)), ", ".join(parts), "^".join(parts), group.strip("^ ")):
                self._add(self.strong, joined, 2)
            for part in parts:
                self._add(self.weak, part, 2)
                for word in _WORDS.findall(part):
                    self._add(self.weak, word, 2)

    def add_identifier(self, value: str) -> None:
        """A number or word that an organisation gave a person or an exam."""
        for one in value.split("\\"):
            self._add(self.strong, one, _SHORTEST_ID)
            bare = one.strip().lstrip("0")
            if len(bare) >= 5:
                self._add(self.strong, bare, _SHORTEST_ID)

    def add_uid(self, uid: str) -> None:
        """A UID; a long one is told by its shape, so that thousands of them need not be looked for one by one."""
        if not _LONG_UID.fullmatch(uid):
            self.add_identifier(uid)

    def add_place(self, value: str, common: frozenset[str]) -> None:
        """An institution, department or address: whole, and each word of it that is not one of the `common` ones."""
        if fold(value)[0].strip() in self.devices:
            return
        self._add(self.strong, value, _SHORTEST_ID)
        for word in _WORDS.findall(value):
            if fold(word)[0] not in common:
                self._add(self.weak, word, _SHORTEST_PLACE_WORD)

    def add_birth_date(self, value: str) -> None:
        """A date of birth in the ways in which people write it."""
        born = day(value)
        if born is None:
            return
        years, months, days = f"{born.year:04d}", f"{born.month:02d}", f"{born.day:02d}"
        name = _MONTHS[born.month - 1]
        for order in (
            (years, months, days),
            (days, months, years),
            (months, days, years),
            (days, name, years),
            (name, days, years),
        ):
            for mark in ("", "-", "/", ".", " "):
                self._add(self.strong, mark.join(order), 8)

    def _add(self, kind: set[str], value: str, shortest: int) -> None:
        folded = fold(value)[0].strip()
        if len(folded) >= (shortest if folded.isascii() else 1) and any(map(str.isalnum, folded)):
            kind.add(folded)


class Cleaner:
    """Replaces what identifies in a text; `clean` looks for everything, `clean_strong` for whole values only."""

    def __init__(self, known: Known, rules: Rules) -> None:
        self._known = known
        self._rules = rules
        self._cleaned: dict[str, str] = {}
        self._cleaned_strong: dict[str, str] = {}

    def clean(self, text: str) -> str:
        """The text with every known value, part of a name and identifying pattern replaced."""
        if text not in self._cleaned:  # a report says few things, and says them often
            self._cleaned[text] = self._replaced(text, (self._all, self._rules.patterns))
        return self._cleaned[text]

    def clean_strong(self, text: str) -> str:
        """The text with whole known values replaced: for what is kept, where a part of a name may be an ordinary word."""
        if text not in self._cleaned_strong:
            self._cleaned_strong[text] = self._replaced(text, (self._strong,))
        return self._cleaned_strong[text]

    @cached_property
    def _all(self) -> re.Pattern[str] | None:
        return _expression(self._known.strong | (self._known.weak - self._known.devices))

    @cached_property
    def _strong(self) -> re.Pattern[str] | None:
        return _expression(value for value in self._known.strong if len(value) >= _SUBSTRING_FROM)

    def _replaced(self, text: str, expressions: Iterable[re.Pattern[str] | None]) -> str:
        for expression in expressions:
            if expression is None or not text:
                continue
            folded, places = fold(text)
            for found in reversed(list(expression.finditer(folded))):
                if found.end() > found.start():
                    start, end = places[found.start()], places[found.end() - 1] + 1
                    text = text[:start] + self._rules.replacement + text[end:]
        return text


def _expression(values: Iterable[str]) -> re.Pattern[str] | None:
    """An expression for any of the values, longest first; a short one counts only as a word of its own."""
    parts = [_one(value) for value in sorted(values, key=lambda value: (-len(value), value))]
    return re.compile("|".join(parts)) if parts else None


def _one(value: str) -> str:
    quoted = r"[\s^_,]+".join(re.escape(word) for word in value.split())
    if len(value) >= _SUBSTRING_FROM or not value.isascii():
        return quoted
    return rf"(?<![^\W_]){quoted}(?![^\W_])"
