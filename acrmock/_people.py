"""Finding identifiers of people that no name marks: in a path, a query, a header, an identifier of a client's own, free text.

Found are values that are well formed and could be somebody's: Social Security numbers, Medicare Beneficiary Identifiers,
National Provider Identifiers, telephone numbers, e-mail addresses, and dates on which a grown person can have been born. What
lies in a synthetic range (`acrmock.identity`, RFC 2606 for host names) is left alone, and so is a value that a name explains.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote

from acrmock._pseudonym import Stream, pseudonym
from acrmock._scan import UUID, UUID_LENGTH
from acrmock.identity import classify_mbi, classify_npi, classify_phone, classify_ssn

_SHAPES = bytes(48 if 48 <= code < 58 else 65 if 65 <= code < 91 else 45 if chr(code) in " ." else code for code in range(256))
"""Digits become 0, capitals A, the separators of a telephone number a hyphen: where to look closely is told by the shape."""
_BEFORE, _AFTER = r"(?<![\w%+])(?<!\d[.-])", r"(?!\w|[.-]\d)"
_ALONE, _END = r"(?<![\w.+-])", r"(?![\w-]|\.\d)"
_SSN = re.compile(rf"{_BEFORE}\d{{3}}([- ])\d{{2}}\1\d{{4}}{_AFTER}")
_DIGITS = re.compile(rf"{_ALONE}\d{{9,10}}{_END}")
_MBI = re.compile(r"(?<![\w-])[1-9][A-Z][A-Z0-9][0-9]-?[A-Z][A-Z0-9][0-9]-?[A-Z]{2}[0-9]{2}(?![\w-])")
_PHONE = re.compile(rf"(?:{_BEFORE}|(?<=\+))(?:1[-. ]?)?\(?[2-9]\d{{2}}\)?[-. ]?[2-9]\d{{2}}[-. ]\d{{4}}{_AFTER}")
_ABROAD = re.compile(r"(?<![\w+])\+[1-9](?:[ .()-]{0,2}\d){7,14}(?!\w)")
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w-])")
_HOST = re.compile(r"[\w.+%-]@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2}")
_ISO = re.compile(r"(?<![\w.-])(?:19\d\d|200\d)-[01]\d-[0-3]\d(?![\w-])")
_MONTH_FIRST = re.compile(r"(?<![\w.-])(?<!\d/)[01]?\d/[0-3]?\d/(?:19\d\d|200\d)(?![\w-]|/\d)")
_QUOTES, _NAME_LETTERS = " \"'", string.ascii_letters + string.digits + "_-"
_AUTHORITY = re.compile(r"//[^/\s\"'<>]*\Z")
_NUMBER_BEFORE, _NUMBER_AFTER = re.compile(r'(?:"\s*:|[\[,])\s*\Z'), re.compile(r"\s*(?:[,}\]]|\Z)")
_TIMES = frozenset({"exp", "iat", "nbf", "auth_time", "updated_at", "expires_at", "issued_at", "content-length"})
_NOBODYS = re.compile(r"(?i)(?:\A|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|local)\Z")
_FICTION = re.compile(r"55501\d\d\Z")
_SHORTEST = 7
_LOOK_BACK = 100
_WINDOWS = {"ssn": (0, 13), "mbi": (10, 6), "phone": (10, 40), "email": (66, 350), "birth-date": (0, 12), "day": (6, 7)}
"""How far before and behind a hit a value of that kind can reach, with one character to see where it ends."""
_BETWEEN_NUMBERS = re.compile("[-/]")
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """One value that must go: where it stands, and of which kind it is."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class People:
    """Finds and replaces. `dated` are names (in lower case) whose dates are nobody's birthday, e.g. an exam's date."""

    stream: Stream
    dated: frozenset[str] = frozenset()

    def clean(self, text: str, *, numbers: bool = True) -> str:
        """`text` with a pseudonym of the same shape for each identifier; JSON numbers stay unless `numbers`."""
        if len(text) < _SHORTEST or (len(text) == UUID_LENGTH and UUID.fullmatch(text)):
            return text  # in a UUID's groups of 8, 4 and 12 nothing of the kind fits
        clean = self._clean(text, numbers=numbers)
        decoded = text
        for _ in range(_ROUNDS):
            if clean != text or "%" not in decoded:
                return clean
            before, decoded = decoded, unquote(decoded, errors="replace")
            hidden = self._clean(decoded, numbers=numbers) if decoded != before else decoded
            if hidden != decoded:
                return hidden
        return clean

    def finds(self, text: str) -> bool:
        """Whether there is an identifier in `text`, which holds no percent."""
        return any(True for _ in self._find(text))

    def pieces(self, text: str) -> set[str]:
        """The identifiers in `text`, as they stand in it or in what percent-decoding makes of it."""
        found: set[str] = set()
        for _ in range(_ROUNDS + 1):
            found |= {text[one.start : one.end] for one in self._find(text)}
            before, text = text, unquote(text, errors="replace") if "%" in text else text
            if text == before:
                break
        return found

    def _clean(self, text: str, *, numbers: bool) -> str:
        end, parts = 0, []
        for found in sorted(self._find(text), key=lambda one: (one.start, -one.end)):
            if found.start < end or (not numbers and _is_number(text, found)):
                continue
            parts += [text[end : found.start], _replacement(self.stream, found.kind, text[found.start : found.end])]
            end = found.end
        return "".join([*parts, text[end:]]) if parts else text

    def _find(self, text: str) -> Iterator[_Found]:
        shape = text.encode("ascii", "replace").translate(_SHAPES)
        if b"000-00-0000" in shape:
            yield from _of(_SSN, text, _hits(shape, b"000-00-0000"), "ssn", _is_ssn)
        if b"000000000" in shape:
            yield from self._bare(text, _hits(shape, b"000000000"))
        if b"AA00" in shape:
            yield from _of(_MBI, text, _hits(shape, b"AA00"), "mbi", _is_mbi)
        if b"000-0000" in shape:
            yield from _of(_PHONE, text, _hits(shape, b"000-0000"), "phone", _is_phone)
        if b"+" in shape:
            yield from _of(_ABROAD, text, _hits(shape, b"+"), "phone", _is_abroad)
        if b"@" in shape:
            signs = (at for at in _hits(shape, b"@") if at and _HOST.match(text, at - 1))
            mails = _of(_EMAIL, text, signs, "email", _is_somebodys)
            yield from (found for found in mails if _is_mailbox(text, found))
        if b"0000-00-00" in shape:
            years = (at for at in _hits(shape, b"0000-00-00") if text.startswith(("19", "200"), at))
            yield from self._unexplained(_of(_ISO, text, years, "birth-date", _is_day), text)
        if b"/0000" in shape:
            yield from self._unexplained(_of(_MONTH_FIRST, text, _hits(shape, b"/0000"), "day", _is_day), text)

    def _bare(self, text: str, hits: Iterable[int]) -> Iterator[_Found]:
        """Runs of nine or ten digits that stand alone: a Social Security number, a provider, a telephone."""
        for at in hits:
            match = _DIGITS.match(text, at)
            kind = _kind_of_digits(match.group()) if match else ""
            if match and kind and _name_before(text, match.start()) not in _TIMES:
                yield _Found(match.start(), match.end(), kind)

    def _unexplained(self, found: Iterator[_Found], text: str) -> Iterator[_Found]:
        """Those dates that no name explains."""
        for one in found:
            if _name_before(text, one.start) not in self.dated:
                yield one


def _hits(shape: bytes, needle: bytes) -> Iterator[int]:
    """Where `needle` begins in the shape of a text."""
    at = shape.find(needle)
    while at >= 0:
        yield at
        at = shape.find(needle, at + 1)


def _of(pattern: re.Pattern[str], text: str, hits: Iterable[int], kind: str, holds: Callable[[str], bool]) -> Iterator[_Found]:
    """What `pattern` finds around the hits and `holds` takes for somebody's."""
    end = 0
    for at in hits:
        before, after = _WINDOWS[kind]
        for match in pattern.finditer(text, max(end, at - before), at + after):
            end = match.end()
            if holds(match.group()):
                yield _Found(match.start(), match.end(), kind)


def _kind_of_digits(value: str) -> str:
    """What nine or ten digits are that could be somebody's; empty for nothing."""
    if len(value) == 9:
        return "ssn" if classify_ssn(value) == "issuable" else ""
    provider = classify_npi(value)
    if provider != "malformed":
        return "npi" if provider == "issuable" else ""
    return "phone" if value[0] > "1" < value[3] and _is_phone(value) else ""


def _is_ssn(text: str) -> bool:
    return classify_ssn(text.replace(" ", "-")) == "issuable"


def _is_mbi(text: str) -> bool:
    return classify_mbi(text.replace("-", "")) == "issuable"


def _is_phone(text: str) -> bool:
    return classify_phone(text) == "issuable"


def _name_before(text: str, start: int) -> str:
    """The name under which a value stands, in JSON, a form or a query, in lower case; empty for none."""
    before = text[max(0, start - _LOOK_BACK) : start].rstrip(_QUOTES)
    if not before.endswith((":", "=")):
        return ""
    before = before[:-1].rstrip(_QUOTES)
    return before[len(before.rstrip(_NAME_LETTERS)) :].lower()


def _is_mailbox(text: str, found: _Found) -> bool:
    """Whether an `@` is that of a mailbox: not of the user in a URL (RFC 3986 section 3.2.1), nor of who signs for a finding."""
    authority = _AUTHORITY.search(text[max(0, found.start - _LOOK_BACK) : found.start])
    return authority is None and _name_before(text, found.start) != "who"


def _is_number(text: str, found: _Found) -> bool:
    before = text[max(0, found.start - 8) : found.start]
    return bool(_NUMBER_BEFORE.search(before) and _NUMBER_AFTER.match(text, found.end))


def _is_abroad(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return not _FICTION.search(digits)


def _is_somebodys(text: str) -> bool:
    return not _NOBODYS.search(text.rpartition("@")[2])


def _is_day(text: str) -> bool:
    parts = [int(part) for part in _BETWEEN_NUMBERS.split(text)]
    year, month, day = parts if "-" in text else (parts[2], parts[0], parts[1])
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _replacement(stream: Stream, kind: str, value: str) -> str:
    """A value of the same shape that is nobody's."""
    if kind == "email":
        local = value.rpartition("@")[0].replace("%", "x")
        return f"{pseudonym(stream, kind, local)}@example.org"
    if kind == "day":
        return f"{value[:-4]}{1930 + stream(value)[0] % 40}"
    made = pseudonym(stream, kind, value)
    if kind == "ssn":
        return _with_digits(made, "666", first=True)
    if kind == "phone":
        country = "1" if value.startswith(("1", "+1")) else ""
        return _with_digits(_with_digits(made, country + "2", first=True), "55501", first=False)
    return made


def _with_digits(text: str, digits: str, *, first: bool) -> str:
    """`text` with its first digits replaced, or those that begin at the seventh from the end."""
    places = [at for at, character in enumerate(text) if character.isdigit()]
    chosen = places[: len(digits)] if first else places[-7 : len(places) - 7 + len(digits)]
    letters = list(text)
    for at, digit in zip(chosen, digits, strict=False):
        letters[at] = digit
    return "".join(letters)
