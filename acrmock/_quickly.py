"""Telling quickly that there is nothing to redact, or only identifiers under a known name: most bodies and headers are such.

What comes with each request (names, codes, headers) is remembered as harmless, so that only what is new is looked at. Whatever
cannot be told quickly is left to the thorough way of `Redactor`, so that a no is never an answer that anybody sees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from acrmock._people import People
from acrmock._scan import UUID, UUID_LENGTH, Known, Scanner
from acrmock.record import NameValue
from acrmock.strictjson import well_formed

_LONGEST_PART = 64
_LONGEST_HEADER = 200
_MOST_PARTS = 4096
_MOST_HEADERS = 1024
_LONGEST_TEXT = 2048
_MOST_TEXTS = 256
_SPACE = " \t\r\n"
_BESIDE_STRINGS = frozenset(':,[]{}"')
_BACKSLASH, _QUOTE = "\x01", "\x02"
"""What stands for the escapes of these two while JSON is taken apart: in JSON no control character stands in a string."""
_HARD = r"\x01\x02\\\x80-\U0010ffff"
_HARD_NAME = re.compile(
    rf'[{_HARD}][^"{_HARD}]*+"[ \t\r\n]*+:'
)  # from the last of them: from each would take the square of a text
_ESCAPED = re.compile(rf"[{_BACKSLASH}{_QUOTE}\\]")

KeptHeaders = dict[tuple[str, str], NameValue]
"""Header fields that stay as they are."""


class Quick:
    """The quick way of one redactor; `identities` and `members` are names in lower case, `identity` replaces a value of a kind.

    What was remembered is forgotten when a secret was learnt that could stand in it.
    """

    def __init__(
        self,
        scanner: Scanner,
        people: People,
        identities: Mapping[str, str],
        members: Iterable[str],
        identity: Callable[[str, str], str],
    ) -> None:
        self._scanner = scanner
        self._people = people
        self._identities = identities
        self._identity = identity
        self._names = frozenset((*identities, *members))
        self._apart = all(name.isascii() and _BESIDE_STRINGS.isdisjoint(name) for name in self._names)
        self._memory = Memory(scanner.generation)

    @property
    def memory(self) -> Memory:
        """What was found harmless and still is."""
        memory = self._memory
        if memory.generation != self._scanner.generation:
            memory = self._memory = Memory(self._scanner.generation)
        return memory

    def json(self, text: str, known: Known, ours: frozenset[str] = frozenset()) -> str | None:
        """JSON without the identifiers that its names tell of, where there is nothing else to go; None: look thoroughly.

        `ours` are references that already stand for secrets in it.
        Each quotation mark that is not escaped begins or ends a string, and nothing that is looked for holds one.
        """
        if not self._apart or _is_hard(text) or not well_formed(text):
            return None
        parts = _parts(text)
        clean = self._members(parts, text.lower(), ours) if parts is not None else None
        if parts is None or clean is None:
            return None
        values = {at: parts[at] for at in clean}
        for at in clean:
            parts[at] = ""
        memory = self.memory
        plain = memory.parts
        new = [part for part in parts if part not in plain and part not in ours]
        for at, value in clean.items():
            parts[at] = value
        looked = [*new, *_unescaped(new)] if "\\" in text else new
        if self._scanner.find("\n".join((*looked, *values.values())), known):
            return None
        named = ['"'.join((*parts[at - 2 : at], value)) for at, value in clean.items()]
        if self._people.finds("\n".join((*looked, *named, *ours))):
            return None
        memory.keep_parts(new)
        return _whole(parts) if clean else text

    def _members(self, parts: list[str], text: str, ours: frozenset[str]) -> dict[int, str] | None:
        """What stands for the values under names that matter, by their place; None where one is more than a plain text."""
        found: dict[int, str] = {}
        names, last = self._names, len(parts) - 1
        lower = text.split('"') if "\\" not in text else [part.lower() for part in parts]
        for at in [at for at, part in enumerate(lower) if part in names]:
            colon = parts[at + 1].strip(_SPACE) if at < last else ""
            if colon == ":":
                value, kind = parts[at + 2], self._identities.get(lower[at])
                if value in ours:
                    continue
                if kind is None or _ESCAPED.search(value):
                    return None
                found[at + 2] = self._identity(kind, value)
            elif colon.startswith(":") and colon[1:].lstrip(_SPACE)[:1] not in {"t", "f", "n"}:
                return None
        return found

    def words(self, words: Sequence[str], known: Known) -> bool:
        """Whether nothing is to be found in any of these words; what was found harmless is remembered."""
        memory = self.memory
        new = [word for word in words if word not in memory.parts]
        if not new:
            return True
        text = "\n".join(new)
        if _is_hard(text) or "\\" in text or self._scanner.find(text, known) or self._people.finds(text):
            return False
        memory.keep_parts(new)
        return True

    def url(self, url: str) -> bool:
        """Whether a URL was found harmless before, perhaps with another UUID as its last segment."""
        urls = self.memory.urls
        if url in urls:
            return True
        base, last = _last_uuid(url)
        return bool(last) and base in urls and self._scanner.looked_up(last)

    @staticmethod
    def keep_url(memory: Memory, url: str) -> None:
        """A URL was gone through thoroughly, and nothing was in it; remembered if it has no query and no fragment."""
        if len(url) <= _LONGEST_HEADER and not ("?" in url or "#" in url or _is_hard(url)):
            if len(memory.urls) >= _MOST_HEADERS:
                memory.urls = set()
            memory.urls.add(_last_uuid(url)[0])

    @staticmethod
    def keep_field(memory: Memory, part: str, pair: NameValue) -> None:
        """A field of a form was gone through thoroughly, and nothing was in it; `pair` is what it says."""
        if len(part) <= _LONGEST_HEADER and not _is_hard(part):
            if len(memory.fields) >= _MOST_HEADERS:
                memory.fields = {}
            memory.fields[part] = pair

    @staticmethod
    def keep_text(memory: Memory, text: str) -> None:
        """A text of ours, of which few differ, was gone through thoroughly, and nothing was in it."""
        if len(text) <= _LONGEST_TEXT and not _is_hard(text):
            if len(memory.texts) >= _MOST_TEXTS:
                memory.texts = set()
            memory.texts.add(text)

    @staticmethod
    def keep_header(kept: KeptHeaders, pair: NameValue) -> None:
        """A header field was gone through thoroughly, and nothing was in it; URLs are remembered elsewhere."""
        short = len(pair.name) + len(pair.value) <= _LONGEST_HEADER and "/" not in pair.value[:1] and "://" not in pair.value
        if short and not _is_hard(pair.value):
            if len(kept) >= _MOST_HEADERS:
                kept.clear()
            kept[pair.name, pair.value] = pair


class Memory:
    """What was found harmless until a secret was learnt; short texts only, and a bounded number of them."""

    __slots__ = ("answered", "fields", "generation", "parts", "sent", "texts", "urls")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.parts: set[str] = {""}
        self.urls: set[str] = set()
        self.texts: set[str] = set()
        self.fields: dict[str, NameValue] = {}
        """Fields of forms that stay as they are, by how they were sent."""
        self.sent: KeptHeaders = {}
        """Header fields of requests that stay as they are."""
        self.answered: KeptHeaders = {}
        """Header fields of answers that stay as they are."""

    def keep_parts(self, parts: Iterable[str]) -> None:
        """Remember pieces of JSON between quotation marks."""
        short = [part for part in parts if len(part) <= _LONGEST_PART]
        if not short:
            return
        if len(self.parts) + len(short) > _MOST_PARTS:
            self.parts = {""}
        self.parts.update(short[:_MOST_PARTS])


def _is_hard(text: str) -> bool:
    """Whether a text may hold more than its letters say: escapes of any character, percent-encoding, a JWT."""
    return "%" in text or "\\u" in text or "eyJ" in text


def _last_uuid(url: str) -> tuple[str, str]:
    """A URL up to a UUID that is its last segment, and that UUID; the whole URL and nothing where there is none.

    In a UUID there is no identifier of a person, and what its first group could add to base64 is too short for a secret.
    """
    last = url[-UUID_LENGTH:]
    return (url[:-UUID_LENGTH], last) if url[-UUID_LENGTH - 1 : -UUID_LENGTH] == "/" and UUID.fullmatch(last) else (url, "")


def _parts(text: str) -> list[str] | None:
    """JSON parted at the quotation marks of its strings; None where a name is not ASCII or has escapes."""
    escaped = "\\" in text
    if not escaped and text.isascii():
        return text.split('"')
    if escaped:
        text = text.replace("\\\\", _BACKSLASH).replace('\\"', _QUOTE)
    return None if _HARD_NAME.search(text) else text.split('"')


def _whole(parts: list[str]) -> str:
    """What `_parts` took apart."""
    return '"'.join(parts).replace(_QUOTE, '\\"').replace(_BACKSLASH, "\\\\")


def _unescaped(parts: list[str]) -> list[str]:
    """Those that have escapes, as they were and as what they stand for."""
    raw = [_whole([part]) for part in parts if _ESCAPED.search(part)]
    return [*raw, *(msgspec.json.decode(f'"{part}"', type=str) for part in raw)]
