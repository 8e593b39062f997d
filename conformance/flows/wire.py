"""Small readers of what stands in an exchange: parameters with their pointers, references, times. Nothing here raises."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from acrmock.record import HttpEntry, HttpResponse, NameValue, Struct
from conformance.flows.forms import parse_forms

FORM = "application/x-www-form-urlencoded"


class Param(Struct, frozen=True, kw_only=True):
    """A parameter's value and the RFC 6901 pointer to it within the entry."""

    value: str
    pointer: str


class Answer(Struct, frozen=True, kw_only=True):
    """What an authorization response carried back (RFC 6749 section 4.1.2): a code's reference or an error, and the state."""

    code: str = ""
    error: str = ""
    state: str = ""


def seconds(text: str) -> float:
    """An RFC 3339 time as seconds since 1970; 0 when it cannot be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parameters(entry: HttpEntry) -> dict[str, Param]:
    """The parameters of query and form; the first of a name counts, the query before the form."""
    found: dict[str, Param] = {}
    _collect(found, entry.request.queryString, "/request/queryString")
    posted = entry.request.postData
    if posted is not None:
        _collect(found, posted.params, "/request/postData/params")
        if not posted.params and posted.mimeType.partition(";")[0].strip().lower() == FORM:
            for name, value in _pairs(posted.text):
                found.setdefault(name, Param(value=value, pointer="/request/postData/text"))
    return found


def _collect(found: dict[str, Param], pairs: Iterable[NameValue], base: str) -> None:
    for index, pair in enumerate(pairs):
        if pair.name not in found:
            found[pair.name] = Param(value=pair.value, pointer=f"{base}/{index}/value")


def header(pairs: Iterable[NameValue], name: str, base: str = "/request/headers") -> Param | None:
    """The first header of that name (in lower case), with its pointer."""
    for index, pair in enumerate(pairs):
        if pair.name.lower() == name:
            return Param(value=pair.value, pointer=f"{base}/{index}/value")
    return None


def bearer(entry: HttpEntry) -> str:
    """The reference of the bearer token in the Authorization header, or empty (RFC 6750 section 2.1)."""
    found = header(entry.request.headers, "authorization")
    if found is None:
        return ""
    scheme, _, value = found.value.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def retry_after(entry: HttpEntry, now: float) -> float | None:
    """Seconds that Retry-After asks to wait (RFC 9110 section 10.2.3), or None when there is none that can be read."""
    found = header(entry.response.headers, "retry-after", "/response/headers")
    if found is None:
        return None
    text = found.value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def place_of(url: str) -> str:
    """A URL without query and fragment."""
    return url.partition("#")[0].partition("?")[0]


def path_of(url: str) -> str:
    """The path of a URL, or empty."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def fields(text: str) -> dict[str, Any]:
    """The members of a JSON object; empty for anything else."""
    if not text.lstrip().startswith("{"):
        return {}
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def answer(response: HttpResponse) -> Answer | None:
    """What an authorization response carried, by redirect (query or fragment) or in a page that posts itself; else None."""
    where = header(response.headers, "location", "/response/headers")
    url = where.value if where else response.redirectURL
    if url:
        return _from_pairs(_url_pairs(url))
    if "<form" in response.content.text:
        return _from_pairs(hidden(response.content.text))
    return None


def hidden(page: str) -> list[tuple[str, str]]:
    """The hidden inputs of a page's forms: name and value; none where the page cannot be read."""
    try:
        forms = parse_forms(page)
    except (ValueError, AssertionError):
        return []
    return [(control.name, control.value) for form in forms for control in form.controls if control.type == "hidden"]


def _from_pairs(pairs: Iterable[tuple[str, str]]) -> Answer | None:
    found = dict(pairs)
    if not found.get("code") and not found.get("error"):
        return None
    return Answer(code=found.get("code", ""), error=found.get("error", ""), state=found.get("state", ""))


def _url_pairs(url: str) -> list[tuple[str, str]]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    return _pairs(parts.query) + _pairs(parts.fragment)


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return []
