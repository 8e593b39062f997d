"""Values without secrets: what was issued here is found in any encoding, and identifiers of people become pseudonyms.

Where a value stands in a message is the business of `redaction` and `_cleanjson`, which build upon this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import commonprefix
from urllib.parse import unquote

from acrmock._digest import Digester
from acrmock._people import People
from acrmock._pseudonym import pseudonym
from acrmock._scan import Known, Scanner
from acrmock._secretnames import SENSITIVE
from acrmock.pointer import printable
from acrmock.record import Exposure, SecretKind

_REMEMBERED = 200
_MOST_REMEMBERED = 1024
_MOST_PIECES = 200
"""A text with more that must go is hidden as a whole: to replace them one by one takes the square of its length."""
SHORTEST_PART = 8
_PERSON = "d:id:"
_TELLING_USER = 16
_NO_WORD = re.compile(r"[.\d+]")
_REFERENCE = re.compile(r"d:[a-z_0-9]{1,20}:[A-Za-z0-9_-]{22}")


@dataclass(slots=True)
class Noted:
    """What a caller wants to know beyond the exposures: what was replaced, while it is still known.

    `person`: whether an identifier of a person was found that no name marked. `pieces`: the secrets and identifiers that were
    found, each with what stands for it, so that a part of one can be found too, where a text was cut. Nothing of it is stored.
    """

    person: bool = False
    pieces: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Seen:
    """What was seen while one request or answer was cleaned."""

    known: Known
    exposures: list[Exposure] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    """The references that stand for what went: they hold nothing that is to be found."""
    noted: Noted | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    """Secrets issued here that the caller knows for such already, each with its reference."""

    def note(self, kind: SecretKind | None, place: str, name: str, pointer: str) -> None:
        if kind is not None and place:
            seen = Exposure(secret=kind, place=place, name=printable(name), pointer=pointer)
            if seen not in self.exposures:
                self.exposures.append(seen)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a piece of text stands: `place` empty means that a secret there is no exposure."""

    place: str
    name: str
    pointer: str


class Cleaner:
    """Cleans values; what its arguments are, `Redactor` says."""

    def __init__(
        self,
        digester: Digester,
        *,
        identities: Mapping[str, str],
        synthetic: Callable[[str, str], bool],
        sensitive: Mapping[str, str],
        dated: Iterable[str],
    ) -> None:
        self._digester = digester
        self.people = People(digester.stream, frozenset(map(str.lower, (*dated, *identities))))
        self._nobodys: set[str] = set()
        self._identities = {name.lower(): kind for name, kind in identities.items()}
        self._synthetic = synthetic
        self._members = {**SENSITIVE, **sensitive}
        self.scanner = Scanner(digester.mark)

    def _text(self, text: str, seen: Seen, spot: Spot) -> str:
        """`text` without issued secrets, JWTs and identifiers of people, in whichever encoding they stand."""
        return self._persons(self._secrets(text, seen, spot), seen)

    def _persons(self, text: str, seen: Seen) -> str:
        """`text` without identifiers of people; short texts without any are remembered, because headers repeat."""
        if text in self._nobodys:
            return text
        clean = self.people.clean(text)
        if clean != text:
            if seen.noted is not None:
                seen.noted.person = True
                seen.noted.pieces.update((piece, self._digester.ref("id", piece)) for piece in self.people.pieces(text))
        elif len(text) <= _REMEMBERED:
            if len(self._nobodys) >= _MOST_REMEMBERED:
                self._nobodys = set()
            self._nobodys.add(text)
        return clean

    def _secrets(self, text: str, seen: Seen, spot: Spot) -> str:
        """`text` without issued secrets and JWTs, in whichever encoding they stand."""
        if self.scanner.is_clean(text):
            return text
        whole = text
        for _ in range(4):
            found = self.scanner.find(text, seen.known)
            for kind in dict.fromkeys(found.values()):
                seen.note(kind, spot.place, spot.name, spot.pointer)
            if len(found) > _MOST_PIECES:
                text = self._digester.ref("text", text)
                seen.made.add(text)
                if seen.noted is not None:
                    seen.noted.pieces.update((piece, text) for piece, kind in found.items() if kind is not None)
                break
            for piece, kind in found.items():
                reference = self._digester.ref(kind or "token", piece)
                seen.made.add(reference)
                if seen.noted is not None:
                    seen.noted.pieces[piece] = reference
                text = text.replace(piece, reference)
            decoded = unquote(text, encoding="latin-1") if "%" in text else text
            if decoded == text or not any(
                piece for round_ in _rounds(decoded) for piece in self.scanner.find(round_, seen.known)
            ):
                break
            text = decoded
        if text == whole:
            self.scanner.remember_clean(text)
        return text

    def _value(self, name: str, value: str, kinds: Mapping[str, str], seen: Seen, spot: Spot) -> str:
        """A parameter's value as sent (`value` decoded): a reference where the name is sensitive, else cleaned."""
        if value in seen.made:
            return value
        kind = kinds.get(name.lower())
        if kind is None or not value or _REFERENCE.fullmatch(value):
            return self._text(value, seen, spot)
        reference = seen.references.get(value)
        if reference is not None:
            seen.note(SecretKind(reference.split(":")[1]), spot.place, spot.name, spot.pointer)
            if seen.noted is not None:
                seen.noted.pieces[value] = reference
            return reference
        mark = self._digester.mark(value)
        ours = seen.known((mark,)).get(mark)
        if ours is None:
            self._text(value, seen, spot)  # for its exposures: the whole value goes anyway
        seen.note(ours, spot.place, spot.name, spot.pointer)
        if ours is not None and seen.noted is not None:
            seen.noted.pieces[value] = f"d:{ours}:{mark}"
        return f"d:{ours or kind}:{mark}"

    def _identity(self, kind: str, value: str) -> str:
        if not value or (value.startswith("d:") and _REFERENCE.fullmatch(value)) or self._synthetic(kind, value):
            return value
        return pseudonym(self._digester.stream, kind, value)


def may_hold(text: str, pieces: Mapping[str, str]) -> bool:
    """Whether `without_parts` could find anything in `text`: what it looks for begins with so many characters of a piece."""
    return "%" in text or any(piece[:SHORTEST_PART] in text for piece in pieces)


def without_parts(text: str, pieces: Mapping[str, str]) -> str:
    """`text` without the beginnings of `pieces`, which stand in it where it was cut: each replaced by what stands for the whole.

    They are found percent-encoded too. Of several that could have stood there the one is taken of which most does. What is too
    little to tell, `_least` says; a part of an identifier counts only where no letter or digit goes on: otherwise another value
    stands there (another day, a word).
    """
    while True:
        text = _replaced(text, _parts_in(text, pieces))
        decoded = _rounds(text)[1:]
        if not any(_parts_in(said, pieces) for said in decoded):
            return text
        text = decoded[0]


def _parts_in(text: str, pieces: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Where parts of `pieces` stand: place, size below zero, what stands for it; in the order in which they are to be taken."""
    found: list[tuple[int, int, str]] = []
    for piece, reference in pieces.items():
        head, person = piece[: _least(piece, reference)], reference.startswith(_PERSON)
        at = text.find(head) if len(head) >= SHORTEST_PART else -1
        while at >= 0:
            size = len(commonprefix((text[at : at + len(piece)], piece)))
            if not person or size == len(piece) or not text[at + size : at + size + 1].isalnum():
                found.append((at, -size, reference))
            at = text.find(head, at + size)
    return sorted(found)


def _least(piece: str, reference: str) -> int:
    """How many characters of a piece must stand there to be a part of it.

    Fewer than eight are nobody's secret, nor is the header of a JWT, with which all others begin too. A mailbox is told by its
    `@` or by much of what is no word: what anybody is called is also what a member or a word of the wire may be called.
    """
    if piece.startswith("eyJ") and "." in piece:
        return piece.index(".") + 1 + SHORTEST_PART
    if reference.startswith(_PERSON) and "@" in piece:
        user = piece.index("@")
        told = _NO_WORD.search(piece, 0, min(user, _TELLING_USER)) is not None
        return max(SHORTEST_PART, min(user + 1, _TELLING_USER) if told else user + 1)
    return SHORTEST_PART


def _replaced(text: str, found: Sequence[tuple[int, int, str]]) -> str:
    """`text` with what was found, each by its place and its size below zero, in order, replaced."""
    parts, end = [], 0
    for at, size, reference in found:
        if at >= end:
            parts += [text[end:at], reference]
            end = at - size
    return "".join([*parts, text[end:]])


def _rounds(text: str) -> list[str]:
    """`text` and what further percent-decoding makes of it, three rounds at most."""
    rounds = [text]
    while "%" in rounds[-1] and len(rounds) < 3:
        decoded = unquote(rounds[-1], encoding="latin-1")
        if decoded == rounds[-1]:
            break
        rounds.append(decoded)
    return rounds
