"""Redaction at the edge, with facts: the one place where secrets leave a record and what must be known of them stays.

Values issued by acrmock are found wherever they stand; values under names that are always sensitive go whatever they are;
identifiers of persons in bodies become pseudonyms of the same shape unless they lie in a synthetic range.

Here it is known where things stand in a request or an answer; how a value is cleaned, and JSON, is known below.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

import msgspec

from acrmock import _secretnames
from acrmock._cleaning import Noted, Seen, Spot, may_hold, without_parts
from acrmock._cleanjson import JsonCleaner
from acrmock._digest import Digester
from acrmock._quickly import KeptHeaders, Memory, Quick
from acrmock._scan import Known
from acrmock.record import Content, Exposure, HttpRequest, HttpResponse, NameValue, PostData
from acrmock.strictjson import well_formed

__all__ = ["BODY_LIMIT", "Digester", "Headers", "Noted", "Redactor"]

BODY_LIMIT = 1024 * 1024
"""Characters of a body that an entry keeps; the rest is cut after its facts were computed."""

_PAIRED = frozenset({"query", "body"})
_UNQUOTED = re.compile(r"[A-Za-z0-9_.~:-]*")
_URL_HEADERS = frozenset({"referer", "location", "content-location", "origin"})

Headers = Sequence[tuple[str, str]]
NOTHING: Mapping[str, str] = {}


class Redactor(JsonCleaner):
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
        super().__init__(digester, identities=identities or {}, synthetic=synthetic, sensitive=sensitive or {}, dated=dated)
        self._parameters = {**_secretnames.PARAMETERS, **(sensitive or {})}
        self._body_limit = body_limit
        self.quick = Quick(self.scanner, self.people, self._identities, self._members, self._identity)

    def learn(self, value: str) -> None:
        """A secret was issued; raises `ValueError` when it could not be recognised later."""
        self.scanner.learn(value)

    def text(
        self, text: str, known: Known, *, ours: frozenset[str] = frozenset(), pieces: Mapping[str, str] | None = None
    ) -> str:
        """Free text or JSON without issued secrets, JWTs and identifiers of people.

        `ours` are marks in it that were just made, which need no look; `pieces` (of `Noted`) what may stand in it in part.
        """
        if not ours or "eyJ" in text or "%" in text or self.scanner.finds(text, known, ours):
            text = self._secrets(text, Seen(known), Spot("", "", ""))
        text = self.people.clean(text, numbers=False)
        return without_parts(text, pieces) if pieces else text

    def secrets(self, text: str, known: Known) -> str:
        """Text without issued secrets and JWTs; identifiers of people stay."""
        return self._secrets(text, Seen(known), Spot("", "", ""))

    def document(
        self, text: str, known: Known, pieces: Mapping[str, str] = NOTHING, *, ours: frozenset[str] = frozenset()
    ) -> str:
        """JSON as `text` cleans it, and in its strings (values, never names) no part of `pieces` either. It stays JSON.

        What `text` does to the whole (it may decode percents, or hide what is full of secrets) would harm JSON, so where there is
        anything to find each string is cleaned alone.
        """
        clean = self.text(text, known, ours=ours)
        if clean != text and ("%" in text or not well_formed(clean)):
            clean = _written(_strings(msgspec.json.decode(text), lambda name, value: self._alone(name, value, known)))
        if pieces and may_hold(clean, pieces):
            clean = _written(
                _strings(
                    msgspec.json.decode(clean), lambda name, value: without_parts(value, pieces) if name is not None else value
                )
            )
        return clean

    def _alone(self, name: str | None, value: str, known: Known) -> str:
        """A string of JSON as `text` has it, where a name explains a date; `name` None: it is a name itself."""
        value = self._secrets(value, Seen(known), Spot("", "", ""))
        before = f'"{name}":"' if name else '"'
        clean = self.people.clean(before + value, numbers=False)
        return clean[len(before) :] if clean.startswith(before) else self.people.clean(value, numbers=False)

    def pieces(self, text: str, known: Known) -> Mapping[str, str]:
        """The secrets and identifiers of people in `text`, each with what stands for it."""
        noted = Noted()
        self._text(text, Seen(known, noted=noted), Spot("", "", ""))
        return noted.pieces

    def is_nothing_new(self, text: str, pieces: Mapping[str, str]) -> bool:
        """Whether `text` was told to `keep_nothing` before, and nothing of `pieces` can stand in it."""
        return text in self.quick.memory.texts and not may_hold(text, pieces)

    def keep_nothing(self, memory: Memory, text: str) -> None:
        """Nothing was found in `text`, one of few that come again; remembered until a secret is learnt.

        `memory` is that of before the look (`quick.memory`): what was learnt since was not looked for.
        """
        self.quick.keep_text(memory, text)

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
        references: Mapping[str, str] = NOTHING,
    ) -> tuple[HttpRequest, tuple[Exposure, ...]]:
        """The record of a request without its secrets, and where it held any that was issued here.

        `references` are secrets that `known` knows, with the reference of each, which need not be looked up again.
        """
        seen = Seen(known, noted=noted, references=references)
        clean_url, query = self._url(url, seen, path=Spot("path", "", "/request/url"), query="query")
        clean_headers = self._sent_headers(headers, seen)
        post = self._post(_header(headers, "content-type"), body, seen) if body else None
        request = HttpRequest(
            method=self._text(method, seen, Spot("", "", ""))[:64],
            url=clean_url,
            httpVersion=version,
            headers=clean_headers,
            queryString=query,
            postData=post,
            bodySize=len(body),
        )
        return request, tuple(seen.exposures)

    def response(
        self,
        status: int,
        reason: str,
        headers: Headers,
        body: bytes,
        known: Known,
        *,
        foreign: bool = False,
        pieces: Mapping[str, str] | None = None,
        references: Mapping[str, str] = NOTHING,
    ) -> tuple[HttpResponse, tuple[Exposure, ...]]:
        """The record of an answer without its secrets, and those issued here that stood in a page; `references` as for a request.

        A `foreign` answer is not acrmock's own but one of a vendor's pages: its headers are told of too. `pieces` were found in
        the request (`Noted`): an answer may quote a part of one.
        """
        seen = Seen(known, references=references)
        media = _header(headers, "content-type")
        place = ("/response/headers", "header") if foreign else ("", "")
        memory = self.quick.memory
        clean = self._headers(headers, seen, *place, memory.answered)
        for pair, (name, value) in zip(clean, headers, strict=True):
            if pair.value == value and (name, value) not in memory.answered:
                self.quick.keep_header(memory.answered, pair)
        page = "page" if "html" in media.lower() else ""
        text, truncated = self._body(media, body, seen, Spot(page, "", "/response/content/text"))
        if pieces and may_hold("\n".join((text, *[pair.value for pair in clean])), pieces):
            text = without_parts(text, pieces)
            clean = tuple([_without_parts(pair, pieces) for pair in clean])
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

    def _url(self, url: str, seen: Seen, *, path: Spot, query: str) -> tuple[str, tuple[NameValue, ...]]:
        if self.quick.url(url):
            return url, ()
        memory = self.quick.memory
        head, mark, rest = url.partition("?")
        rest, *fragments = rest.split("#")
        head = self._path(self._secrets(head, seen, path), seen)
        pairs, parts = self._pairs(rest, seen, path, query)
        clean = head + mark + parts
        for fragment in fragments:
            clean += "#" + self._pairs(fragment, seen, path, query if query != "query" else "fragment")[1]
        if clean == url:
            self.quick.keep_url(memory, url)
        return clean, tuple(pairs)

    def _pairs(self, text: str, seen: Seen, path: Spot, query: str) -> tuple[list[NameValue], str]:
        """The parameters of a query or fragment, and how it is sent, both cleaned."""
        pairs: list[NameValue] = []
        parts: list[str] = []
        for part in text.split("&"):
            if not part:
                continue
            pointer = f"{path.pointer.rpartition('/')[0]}/queryString/{len(pairs)}/value" if query == "query" else path.pointer
            name, value, sent = self._pair(part, seen, query, path, pointer)
            pairs.append(NameValue(name=name, value=value))
            parts.append(sent)
        return pairs, "&".join(parts)

    def _path(self, head: str, seen: Seen) -> str:
        """A URL up to its query, with a reference for each segment that holds an identifier of a person."""
        if self._persons(head, seen) == head:
            return head
        kept = "/".join(part if (kept := self.kept(once := unquote(part))) == once else kept for part in head.split("/"))
        return self._persons(kept, seen)

    def _pair(self, part: str, seen: Seen, place: str, path: Spot, pointer: str) -> tuple[str, str, str]:
        """One `name=value` of a query or form: the decoded name and value, and the part as sent, all cleaned."""
        raw_name, equals, raw_value = part.partition("=")
        name, value = _unquote(raw_name), _unquote(raw_value)
        if path.name or not place:
            spot = Spot(path.place, path.name, pointer)
        else:
            spot = Spot(place if place in _PAIRED else path.place, name, pointer)
        clean_name = self._text(name, seen, spot)
        person = self._identities.get(name.lower())
        clean = self._value(name, value, self._parameters, seen, spot) if person is None else self._identity(person, value)
        sent_name = raw_name if clean_name == name else _quote(clean_name)
        sent_value = raw_value if clean == value else _quote(clean)
        if clean == value and equals:
            sent_value = self._text(raw_value, seen, spot)
        return clean_name, clean, sent_name + equals + sent_value

    def _sent_headers(self, headers: Headers, seen: Seen) -> tuple[NameValue, ...]:
        """The header fields of a request, their names cleaned too; a field that came before and is harmless stays as it was."""
        memory = self.quick.memory
        cleaned = []
        for index, pair in enumerate(self._headers(headers, seen, "/request/headers", "header", memory.sent)):
            name = pair.name
            if (name, pair.value) not in memory.sent:
                clean = self._text(name, seen, Spot("header", name, f"/request/headers/{index}/name"))
                if clean != name:
                    pair = NameValue(name=clean, value=pair.value)  # noqa: PLW2901
                elif pair.value == headers[index][1]:
                    self.quick.keep_header(memory.sent, pair)
            cleaned.append(pair)
        return tuple(cleaned)

    def _headers(self, headers: Headers, seen: Seen, base: str, place: str, kept: KeptHeaders) -> tuple[NameValue, ...]:
        cleaned = []
        for index, (name, value) in enumerate(headers):
            pair = kept.get((name, value))
            if pair is None:
                spot = Spot(place, name, f"{base}/{index}/value")
                pair = NameValue(name=name, value=self._header(name.lower(), value, seen, spot))
            cleaned.append(pair)
        return tuple(cleaned)

    def _header(self, name: str, value: str, seen: Seen, spot: Spot) -> str:
        if name in {"authorization", "proxy-authorization"}:
            return self._authorization(value, seen, spot)
        if name == "cookie":
            return "; ".join(self._cookie(part.strip(), seen, spot) for part in value.split(";") if part.strip())
        if name == "set-cookie":
            first, semicolon, attributes = value.partition(";")
            return self._cookie(first, seen, spot) + semicolon + self._text(attributes, seen, spot)
        if name in _URL_HEADERS:
            return self._url(value, seen, path=spot, query="")[0]
        if name in _secretnames.HEADERS and value:
            return self._value(name, value, _secretnames.HEADERS, seen, spot)
        return self._text(value, seen, spot)

    def _authorization(self, value: str, seen: Seen, spot: Spot) -> str:
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

    def _cookie(self, part: str, seen: Seen, spot: Spot) -> str:
        name, equals, value = part.partition("=")
        if not equals:
            return self._value("session", part, self._members, seen, spot)
        clean = self._value("session", value.strip('"'), self._members, seen, spot)
        return f"{self._text(name, seen, spot)}={clean}"

    # bodies

    def _post(self, media: str, body: bytes, seen: Seen) -> PostData:
        spot = Spot("body", "", "/request/postData/text")
        if "x-www-form-urlencoded" not in media.lower():
            text, truncated = self._body(media, body, seen, spot)
            return PostData(mimeType=self._text(media, seen, spot), text=text, truncated=truncated)
        raw, memory = body.decode("utf-8", "replace"), self.quick.memory
        pairs: list[NameValue] = []
        parts: list[str] = []
        size = 0
        for part in raw.split("&"):
            if not part:
                continue
            pair, sent = memory.fields.get(part), part
            if pair is None:
                pointer = f"/request/postData/params/{len(pairs)}/value"
                name, value, sent = self._pair(part, seen, "body", Spot("body", "", pointer), pointer)
                pair = NameValue(name=name, value=value)
                if sent == part:
                    self.quick.keep_field(memory, part, pair)
            size += len(sent) + 1
            if size <= self._body_limit:
                pairs.append(pair)
                parts.append(sent)
        return PostData(mimeType=media, text="&".join(parts), params=tuple(pairs), truncated=size > self._body_limit)

    def _body(self, media: str, body: bytes, seen: Seen, spot: Spot) -> tuple[str, bool]:
        """A body as text, cleaned and cut, and whether it was cut."""
        if not body:
            return "", False
        if b"\0" in body:
            return self._digester.ref("binary", body), False
        text, limit = body.decode("utf-8", "replace"), self._body_limit
        if len(text) <= limit and (quick := self._quick_body(media, text, seen, spot)) is not None:
            return quick, False
        if ("\\" in text or "%" in text) and _is_json(media, text) and well_formed(text):
            text = self._encoded_strings(text, seen, spot)
        text = self._secrets(text, seen, spot)
        truncated = len(text) > limit
        if _is_json(media, text):
            text = self._json(text[: limit + 8192] if truncated else text, seen, spot)
        text = self._persons(text, seen)
        return (text[:limit] if truncated else text), truncated

    def _quick_body(self, media: str, text: str, seen: Seen, spot: Spot) -> str | None:
        """A body that is easily told, cleaned; None: look thoroughly."""
        if not _is_json(media, text):
            return None
        if spot.place:  # there it is told where a secret stood
            return self.quick.json(text, seen.known)
        for value, reference in seen.references.items():
            text = text.replace(f'"{value}"', f'"{reference}"')
        return self.quick.json(text, seen.known, frozenset(seen.references.values()))


def _strings(value: Any, clean: Callable[[str | None, str], str], name: str = "") -> Any:
    """A JSON value with each string in it cleaned, given the name under which it stands (None for a name itself)."""
    if isinstance(value, str):
        return clean(name, value)
    if isinstance(value, list):
        return [_strings(item, clean, name) for item in value]
    if isinstance(value, dict):
        return {clean(None, key): _strings(item, clean, key) for key, item in value.items()}
    return value


def _written(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _without_parts(pair: NameValue, pieces: Mapping[str, str]) -> NameValue:
    value = without_parts(pair.value, pieces)
    return pair if value == pair.value else NameValue(name=pair.name, value=value)


def _unquote(text: str) -> str:
    return unquote_plus(text, errors="replace") if "%" in text or "+" in text else text


def _quote(text: str) -> str:
    """`text` percent-encoded but for the colons of references."""
    return text if _UNQUOTED.fullmatch(text) else quote(text, safe=":")


def _is_json(media: str, text: str) -> bool:
    return "json" in media.lower() or text.lstrip()[:1] in {"{", "["}


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
