"""Redaction at the edge, with facts: the one place where secrets leave a record and what must be known of them stays.

Values issued by acrmock are found wherever they stand; values under names that are always sensitive go whatever they are;
identifiers of persons in bodies become pseudonyms of the same shape unless they lie in a synthetic range.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_plus

import msgspec

from acrmock._people import People
from acrmock._pseudonym import pseudonym
from acrmock._quickly import KeptHeaders, Quick
from acrmock._scan import Known, Scanner
from acrmock.pointer import printable
from acrmock.record import Content, Exposure, HttpRequest, HttpResponse, NameValue, PostData, SecretKind

MARK_LENGTH = 22
_BLOCK = 64
BODY_LIMIT = 1024 * 1024
"""Characters of a body that an entry keeps; the rest is cut after its facts were computed."""

_MOST_PATTERNS = 64
_REMEMBERED = 200
_MOST_REMEMBERED = 1024
_HALF = re.compile("[\ud800-\udfff]")
_NAMES = re.compile(r'"([^"\\]*+)"\s*+:')

Headers = Sequence[tuple[str, str]]

SENSITIVE: Mapping[str, str] = {
    "password": "password",
    "client_secret": "client_secret",
    "code_verifier": "code_verifier",
    "refresh_token": "refresh_token",
    "access_token": "access_token",
    "id_token": "id_token",
    "id_token_hint": "id_token",
    "client_assertion": "client_assertion",
    "assertion": "client_assertion",
    "token": "token",
    "api_key": "api_key",
    "apikey": "api_key",
    "x-api-key": "api_key",
    "secret": "secret",
    "session": "cookie",
}
"""Parameters and JSON members whose value always goes, with the kind that the reference names (RFC 6749, RFC 7636)."""

_SENSITIVE_PARAMETERS: Mapping[str, str] = {**SENSITIVE, "code": "code"}
_SENSITIVE_HEADERS: Mapping[str, str] = {"x-api-key": "api_key", "api-key": "api_key", "x-auth-token": "token"}
_URL_HEADERS = frozenset({"referer", "location", "content-location", "origin"})
_REFERENCE = re.compile(r"d:[a-z_0-9]{1,20}:[A-Za-z0-9_-]{22}")
_ESCAPED_MEMBER = r'"([^"\\]*+)"(\s*+:\s*+)"([^"\\]*+(?:\\.[^"\\]*+)++)"'
_ESCAPED_ELSEWHERE = r'"[^"\\]*+(\\)'
_JSON_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)("(\s*+:)?|\Z)|(-?\d[\d.eE+-]*+)|([\[\]{},])', re.DOTALL)


class Digester:
    """Keyed digests (HMAC-SHA256, 132 bits shown): the same value gives the same mark, and nothing can be read back."""

    def __init__(self, key: bytes) -> None:
        block = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
        block = block.ljust(_BLOCK, b"\0")
        # RFC 2104, the two keyed halves made once; unlike `hmac.digest` a short text does not let go of the interpreter's lock
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def mark(self, value: str | bytes) -> str:
        """The mark of a value: 22 characters of base64url."""
        return base64.urlsafe_b64encode(self.stream(value))[:MARK_LENGTH].decode("ascii")

    def stream(self, value: str | bytes) -> bytes:
        """The 32 bytes of a value's keyed digest."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.digest()

    def ref(self, kind: SecretKind | str, value: str | bytes) -> str:
        """The reference that stands for a value in a record: `d:KIND:MARK`."""
        return f"d:{kind}:{self.mark(value)}"

    def same(self, mark: str, value: str) -> bool:
        """Whether `value` has that mark (or reference), compared in constant time."""
        return hmac.compare_digest(mark.rpartition(":")[2], self.mark(value))


@dataclass(slots=True)
class Noted:
    """What a caller wants to know beyond the exposures: whether an identifier of a person was found that no name marked."""

    person: bool = False


@dataclass(slots=True)
class _Seen:
    """What was seen while one request or answer was cleaned."""

    known: Known
    exposures: list[Exposure] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    """The references that stand for what went: they hold nothing that is to be found."""
    noted: Noted | None = None

    def note(self, kind: SecretKind | None, place: str, name: str, pointer: str) -> None:
        if kind is not None and place:
            seen = Exposure(secret=kind, place=place, name=printable(name), pointer=pointer)
            if seen not in self.exposures:
                self.exposures.append(seen)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a piece of text stands: `place` empty means that a secret there is no exposure."""

    place: str
    name: str
    pointer: str


class Redactor:
    """Takes what is sensitive out of requests and answers.

    `identities` maps an element's name to its kind (`ssn`, `mbi`, `npi`, `name`, `birth-date`, `id`), `synthetic` says whether
    a value of a kind lies in a synthetic range and may stay; `sensitive` adds parameter names; `dated` are names whose
    dates are nobody's birthday.
    """

    def __init__(
        self,
        digester: Digester,
        *,
        identities: Mapping[str, str] | None = None,
        synthetic: Callable[[str, str], bool] = lambda _kind, _value: False,
        sensitive: Mapping[str, str] | None = None,
        dated: Iterable[str] = (),
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._digester = digester
        self.people = People(digester.stream, frozenset(map(str.lower, (*dated, *(identities or {})))))
        self._nobodys: set[str] = set()
        self._identities = {name.lower(): kind for name, kind in (identities or {}).items()}
        self._synthetic = synthetic
        self._members = {**SENSITIVE, **(sensitive or {})}
        self._parameters = {**_SENSITIVE_PARAMETERS, **(sensitive or {})}
        self._body_limit = body_limit
        self._marked = _marked({*self._members, *self._identities})
        self._marked_or_escaped = re.compile(rf"{self._marked.pattern}|{_ESCAPED_MEMBER}|{_ESCAPED_ELSEWHERE}", re.DOTALL)
        self._patterns: dict[frozenset[str], re.Pattern[str]] = {}
        self.scanner = Scanner(digester.mark)
        self.quick = Quick(self.scanner, self.people, self._identities, self._members, self._identity)

    def learn(self, value: str) -> None:
        """A secret was issued; raises `ValueError` when it could not be recognised later."""
        self.scanner.learn(value)

    def text(self, text: str, known: Known, *, ours: frozenset[str] = frozenset()) -> str:
        """Free text or JSON without issued secrets, JWTs and identifiers of people.

        `ours` are marks in it that were just made, which need no look.
        """
        if not ours or "eyJ" in text or "%" in text or self.scanner.finds(text, known, ours):
            text = self._secrets(text, _Seen(known), _Spot("", "", ""))
        return self.people.clean(text, numbers=False)

    def holds_nothing(self, words: Sequence[str], known: Known) -> bool:
        """Whether there is nothing to redact in any of these words; what was found harmless is remembered."""
        return self.quick.words(words, known)

    def kept(self, identifier: str) -> str:
        """A client's own identifier as it is kept: a reference where it holds an identifier of a person, else as it came.

        A reference and no pseudonym, because two identifiers must stay two; as a segment of a path it has the same one.
        """
        return identifier if self.people.clean(identifier) == identifier else self._digester.ref("id", identifier)

    # whole messages

    def request(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: bytes,
        known: Known,
        *,
        version: str = "HTTP/1.1",
        noted: Noted | None = None,
    ) -> tuple[HttpRequest, tuple[Exposure, ...]]:
        """The record of a request without its secrets, and where it held any that was issued here."""
        seen = _Seen(known, noted=noted)
        clean_url, query = self._url(url, seen, path=_Spot("path", "", "/request/url"), query="query")
        clean_headers = self._sent_headers(headers, seen)
        post = self._post(_header(headers, "content-type"), body, seen) if body else None
        request = HttpRequest(
            method=self._text(method, seen, _Spot("", "", ""))[:64],
            url=clean_url,
            httpVersion=version,
            headers=clean_headers,
            queryString=query,
            postData=post,
            bodySize=len(body),
        )
        return request, tuple(seen.exposures)

    def response(
        self, status: int, reason: str, headers: Headers, body: bytes, known: Known, *, foreign: bool = False
    ) -> tuple[HttpResponse, tuple[Exposure, ...]]:
        """The record of an answer without its secrets, and those issued here that stood in a page.

        A `foreign` answer is not acrmock's own but one of a vendor's pages: its headers are told of too.
        """
        seen = _Seen(known)
        media = _header(headers, "content-type")
        place = ("/response/headers", "header") if foreign else ("", "")
        memory = self.quick.memory
        clean = self._headers(headers, seen, *place, memory.answered)
        for pair, (name, value) in zip(clean, headers, strict=True):
            if pair.value == value and (name, value) not in memory.answered:
                self.quick.keep_header(memory.answered, pair)
        page = "page" if "html" in media.lower() else ""
        text, truncated = self._body(media, body, seen, _Spot(page, "", "/response/content/text"))
        location = next((pair.value for pair in clean if pair.name.lower() == "location"), "")
        response = HttpResponse(
            status=status,
            statusText=reason,
            headers=clean,
            content=Content(size=len(body), mimeType=media, text=text, truncated=truncated),
            redirectURL=location,
            bodySize=len(body),
        )
        return response, tuple(seen.exposures)

    # places

    def _text(self, text: str, seen: _Seen, spot: _Spot) -> str:
        """`text` without issued secrets, JWTs and identifiers of people, in whichever encoding they stand."""
        return self._persons(self._secrets(text, seen, spot), seen)

    def _persons(self, text: str, seen: _Seen) -> str:
        """`text` without identifiers of people; short texts without any are remembered, because headers repeat."""
        if text in self._nobodys:
            return text
        clean = self.people.clean(text)
        if clean != text:
            if seen.noted is not None:
                seen.noted.person = True
        elif len(text) <= _REMEMBERED:
            if len(self._nobodys) >= _MOST_REMEMBERED:
                self._nobodys = set()
            self._nobodys.add(text)
        return clean

    def _secrets(self, text: str, seen: _Seen, spot: _Spot) -> str:
        """`text` without issued secrets and JWTs, in whichever encoding they stand."""
        if self.scanner.is_clean(text):
            return text
        whole = text
        for _ in range(4):
            for piece, kind in self.scanner.find(text, seen.known).items():
                seen.note(kind, spot.place, spot.name, spot.pointer)
                reference = self._digester.ref(kind or "token", piece)
                seen.made.add(reference)
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

    def _value(self, name: str, value: str, kinds: Mapping[str, str], seen: _Seen, spot: _Spot) -> str:
        """A parameter's value as sent (`value` decoded): a reference where the name is sensitive, else cleaned."""
        if value in seen.made:
            return value
        kind = kinds.get(name.lower())
        if kind is None or not value or _REFERENCE.fullmatch(value):
            return self._text(value, seen, spot)
        mark = self._digester.mark(value)
        ours = seen.known((mark,)).get(mark)
        if ours is None:
            self._text(value, seen, spot)  # for its exposures: the whole value goes anyway
        seen.note(ours, spot.place, spot.name, spot.pointer)
        return f"d:{ours or kind}:{mark}"

    def _url(self, url: str, seen: _Seen, *, path: _Spot, query: str) -> tuple[str, tuple[NameValue, ...]]:
        if self.quick.url(url):
            return url, ()
        memory = self.quick.memory
        head, mark, rest = url.partition("?")
        rest, hash_, fragment = rest.partition("#")
        head = self._path(self._secrets(head, seen, path), seen)
        pairs: list[NameValue] = []
        parts: list[str] = []
        for part in rest.split("&") if mark else ():
            if not part:
                continue
            pointer = f"{path.pointer.rpartition('/')[0]}/queryString/{len(pairs)}/value" if query == "query" else path.pointer
            name, value, sent = self._pair(part, seen, query, path, pointer)
            pairs.append(NameValue(name=name, value=value))
            parts.append(sent)
        clean = head + mark + "&".join(parts)
        if hash_:
            inner, _ = self._url("?" + fragment, seen, path=path, query=query if query != "query" else "fragment")
            clean += hash_ + inner[1:]
        if clean == url:
            self.quick.keep_url(memory, url)
        return clean, tuple(pairs)

    def _path(self, head: str, seen: _Seen) -> str:
        """A URL up to its query, with a reference for each segment that holds an identifier of a person."""
        if self._persons(head, seen) == head:
            return head
        kept = "/".join(part if (kept := self.kept(once := unquote(part))) == once else kept for part in head.split("/"))
        return self._persons(kept, seen)

    def _pair(self, part: str, seen: _Seen, place: str, path: _Spot, pointer: str) -> tuple[str, str, str]:
        """One `name=value` of a query or form: the decoded name and value, and the part as sent, all cleaned."""
        raw_name, equals, raw_value = part.partition("=")
        name, value = _unquote(raw_name), _unquote(raw_value)
        spot = _Spot({"query": "query", "body": "body"}.get(place, path.place), name if place else path.name, pointer)
        if path.name:
            spot = _Spot(path.place, path.name, pointer)
        clean_name = self._text(name, seen, spot)
        person = self._identities.get(name.lower())
        clean = self._value(name, value, self._parameters, seen, spot) if person is None else self._identity(person, value)
        sent_name = raw_name if clean_name == name else quote(clean_name, safe=":")
        sent_value = raw_value if clean == value else quote(clean, safe=":")
        if clean == value and equals:
            sent_value = self._text(raw_value, seen, spot)
        return clean_name, clean, sent_name + equals + sent_value

    def _sent_headers(self, headers: Headers, seen: _Seen) -> tuple[NameValue, ...]:
        """The header fields of a request, their names cleaned too; a field that came before and is harmless stays as it was."""
        memory = self.quick.memory
        cleaned = []
        for index, pair in enumerate(self._headers(headers, seen, "/request/headers", "header", memory.sent)):
            name = pair.name
            if (name, pair.value) not in memory.sent:
                clean = self._text(name, seen, _Spot("header", name, f"/request/headers/{index}/name"))
                if clean != name:
                    pair = NameValue(name=clean, value=pair.value)  # noqa: PLW2901
                elif pair.value == headers[index][1]:
                    self.quick.keep_header(memory.sent, pair)
            cleaned.append(pair)
        return tuple(cleaned)

    def _headers(self, headers: Headers, seen: _Seen, base: str, place: str, kept: KeptHeaders) -> tuple[NameValue, ...]:
        cleaned = []
        for index, (name, value) in enumerate(headers):
            pair = kept.get((name, value))
            if pair is None:
                spot = _Spot(place, name, f"{base}/{index}/value")
                pair = NameValue(name=name, value=self._header(name.lower(), value, seen, spot))
            cleaned.append(pair)
        return tuple(cleaned)

    def _header(self, name: str, value: str, seen: _Seen, spot: _Spot) -> str:
        if name in {"authorization", "proxy-authorization"}:
            return self._authorization(value, seen, spot)
        if name == "cookie":
            return "; ".join(self._cookie(part.strip(), seen, spot) for part in value.split(";") if part.strip())
        if name == "set-cookie":
            first, semicolon, attributes = value.partition(";")
            return self._cookie(first, seen, spot) + semicolon + self._text(attributes, seen, spot)
        if name in _URL_HEADERS:
            return self._url(value, seen, path=spot, query="")[0]
        if name in _SENSITIVE_HEADERS and value:
            return self._value(name, value, _SENSITIVE_HEADERS, seen, spot)
        return self._text(value, seen, spot)

    def _authorization(self, value: str, seen: _Seen, spot: _Spot) -> str:
        scheme, space, credentials = value.strip().partition(" ")
        if not space:
            return self._value("token", value, self._members, seen, spot)
        credentials = credentials.strip()
        if scheme.lower() != "basic":
            return f"{self._text(scheme, seen, spot)} {self._value('token', credentials, self._members, seen, spot)}"
        try:
            plain = base64.b64decode(credentials + "=" * (-len(credentials) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return f"{scheme} {self._value('secret', credentials, self._members, seen, spot)}"
        user, colon, password = plain.partition(":")
        clean_user = self._text(unquote_plus(user), seen, spot)
        return f"{scheme} {clean_user}{colon}{self._value('client_secret', unquote_plus(password), self._members, seen, spot)}"

    def _cookie(self, part: str, seen: _Seen, spot: _Spot) -> str:
        name, equals, value = part.partition("=")
        if not equals:
            return self._value("session", part, self._members, seen, spot)
        clean = self._value("session", value.strip('"'), self._members, seen, spot)
        return f"{self._text(name, seen, spot)}={clean}"

    # bodies

    def _post(self, media: str, body: bytes, seen: _Seen) -> PostData:
        spot = _Spot("body", "", "/request/postData/text")
        if "x-www-form-urlencoded" not in media.lower():
            text, truncated = self._body(media, body, seen, spot)
            return PostData(mimeType=self._text(media, seen, spot), text=text, truncated=truncated)
        raw = body.decode("utf-8", "replace")
        pairs: list[NameValue] = []
        parts: list[str] = []
        size = 0
        for part in raw.split("&"):
            if not part:
                continue
            pointer = f"/request/postData/params/{len(pairs)}/value"
            name, value, sent = self._pair(part, seen, "body", _Spot("body", "", pointer), pointer)
            size += len(sent) + 1
            if size <= self._body_limit:
                pairs.append(NameValue(name=name, value=value))
                parts.append(sent)
        return PostData(mimeType=media, text="&".join(parts), params=tuple(pairs), truncated=size > self._body_limit)

    def _body(self, media: str, body: bytes, seen: _Seen, spot: _Spot) -> tuple[str, bool]:
        """A body as text, cleaned and cut, and whether it was cut."""
        if not body:
            return "", False
        if b"\0" in body:
            return self._digester.ref("binary", body), False
        text, limit = body.decode("utf-8", "replace"), self._body_limit
        if len(text) <= limit and (quick := self._quick_body(media, text, seen)) is not None:
            return quick, False
        text = self._secrets(text, seen, spot)
        truncated = len(text) > limit
        if _is_json(media, text):
            text = self._json(text[: limit + 8192] if truncated else text, seen, spot)
        text = self._persons(text, seen)
        return (text[:limit] if truncated else text), truncated

    def _quick_body(self, media: str, text: str, seen: _Seen) -> str | None:
        """A body that is easily told, cleaned; None: look thoroughly."""
        return self.quick.json(text, seen.known) if _is_json(media, text) else None

    def _json(self, text: str, seen: _Seen, spot: _Spot) -> str:
        """JSON text with sensitive members and identifiers replaced, all else as it was; it need not be well-formed.

        Only the members that matter are looked at, unless that could miss one: lists under a sensitive name, names written with
        escapes, and escapes in what is no JSON are gone through token by token.
        """
        escaped = "\\" in text
        if escaped and not _well_formed(text):
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

    def _marked_for(self, text: str) -> re.Pattern[str] | None:
        """What finds the members that matter in `text`, which holds no escape: as few names as stand in it; None for none."""
        names = set(_NAMES.findall(text))
        if not all(map(str.isascii, names)):
            return self._marked  # letters beyond ASCII may stand for others where case does not count
        there = frozenset([name for name in map(str.lower, names) if name in self._members or name in self._identities])
        if not there:
            return None
        known = self._patterns.get(there)
        if known is None:
            known = _marked(there)
            if len(self._patterns) < _MOST_PATTERNS:
                self._patterns[there] = known
        return known

    def _tokens(self, text: str, seen: _Seen, spot: _Spot) -> str:
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

    def _number(self, name: str, number: str, seen: _Seen, spot: _Spot) -> str:
        """A JSON number under `name`: an identifier stays a number, a secret becomes a reference."""
        kind = self._identities.get(name.lower())
        if kind is not None:
            return self._identity(kind, number)
        if name.lower() not in self._members:
            return number
        return f'"{self._value(name, number, self._members, seen, _Spot(spot.place, name, spot.pointer))}"'

    def _member(self, name: str, value: str, *, escaped: bool, seen: _Seen, spot: _Spot) -> str:
        kind = self._identities.get(name.lower())
        if kind is not None:
            return self._identity(kind, value)
        if name.lower() in self._members:
            return self._value(name, value, self._members, seen, _Spot(spot.place, name, spot.pointer))
        return self._text(value, seen, _Spot(spot.place, name, spot.pointer)) if escaped else value

    def _identity(self, kind: str, value: str) -> str:
        if not value or (value.startswith("d:") and _REFERENCE.fullmatch(value)) or self._synthetic(kind, value):
            return value
        return pseudonym(self._digester.stream, kind, value)


def _marked(names: Iterable[str]) -> re.Pattern[str]:
    """What finds a member of one of these names in JSON text, whatever the case of its letters."""
    either = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    member = rf'"((?i:{either}))"(\s*+:\s*+)(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)("|\Z)|(-?\d[\d.eE+-]*+)|([\[{{]))'
    return re.compile(member, re.DOTALL)


def _rounds(text: str) -> list[str]:
    """`text` and what further percent-decoding makes of it, three rounds at most."""
    rounds = [text]
    while "%" in rounds[-1] and len(rounds) < 3:
        decoded = unquote(rounds[-1], encoding="latin-1")
        if decoded == rounds[-1]:
            break
        rounds.append(decoded)
    return rounds


def _unquote(text: str) -> str:
    return unquote_plus(text, errors="replace") if "%" in text or "+" in text else text


def _is_json(media: str, text: str) -> bool:
    return "json" in media.lower() or text.lstrip()[:1] in {"{", "["}


def _well_formed(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


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


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
