"""The HTTP part of a recording as HAR 1.2, with what acrmock knows beyond HAR in fields named `_acrmock`."""

from __future__ import annotations

from typing import Any

import msgspec

from acrmock import __version__
from acrmock.record import AssociationEntry, DimseEntry, EventEntry, HttpEntry, NameValue, TlsEntry
from conformance.harstream import CUT, OWN, Digest
from conformance.reports.evidence import RecordingLike, on_purpose
from conformance.reports.jsonout import encode, plain


def render(recording: RecordingLike) -> bytes:
    """The recording as HAR 1.2 in UTF-8: every HTTP entry in order; events and failed handshakes in `log._acrmock`.

    Associations and their operations, which HAR has no words for, are left out and counted.
    `conformance.harstream` reads it back.
    """
    entries = [plain(_entry(entry)) for entry in recording.entries if isinstance(entry, HttpEntry)]
    log: dict[str, Any] = {
        "version": "1.2",
        "creator": {"name": "acrmock", "version": __version__},
        "pages": [],
        OWN: _own(recording, entries),
        "entries": entries,
        "comment": "Values that must be guarded are replaced by references; equal values have equal references.",
    }
    return encode({"log": log})


def _own(recording: RecordingLike, entries: list[Any]) -> dict[str, Any]:
    """What HAR has no words for, and what its reader needs to see that nothing is missing."""
    other = [plain(msgspec.to_builtins(entry)) for entry in recording.entries if isinstance(entry, EventEntry | TlsEntry)]
    digest = Digest()
    for value in (*entries, *other):
        digest.take(value)
    return {
        "header": msgspec.to_builtins(recording.header),
        "other": other,
        "left_out": _left_out(recording),
        "footer": msgspec.to_builtins(recording.footer),
        "carried": {"entries": digest.count, "sha256": digest.sha256},
        "problems": msgspec.to_builtins(getattr(recording, "problems", ())),
    }


def _left_out(recording: RecordingLike) -> dict[str, int]:
    """How many entries of DICOM the recording has."""
    return {
        "associations": sum(isinstance(entry, AssociationEntry) for entry in recording.entries),
        "operations": sum(isinstance(entry, DimseEntry) for entry in recording.entries),
    }


def _entry(entry: HttpEntry) -> dict[str, Any]:
    known = msgspec.to_builtins(entry)
    own = {key: value for key, value in known.items() if key not in {"request", "response", "time", "kind"}}
    purpose = on_purpose(entry).strip(" ()")
    return {
        **({"comment": purpose} if purpose else {}),
        "startedDateTime": entry.t,
        "time": entry.time,
        "request": _request(entry),
        "response": _response(entry),
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": entry.time, "receive": 0},
        OWN: own,
    }


def _request(entry: HttpEntry) -> dict[str, Any]:
    request = entry.request
    shown: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": request.httpVersion,
        "cookies": _cookies(request.headers),
        "headers": _pairs(request.headers),
        "queryString": _pairs(request.queryString),
        "headersSize": -1,
        "bodySize": request.bodySize,
    }
    body = request.postData
    if body is not None:
        shown["postData"] = {"mimeType": body.mimeType, "text": body.text, "params": _pairs(body.params)}
        if body.truncated:
            shown["postData"][CUT] = True
            shown["postData"]["comment"] = "The body is cut; bodySize is its whole size."
    return shown


def _response(entry: HttpEntry) -> dict[str, Any]:
    response = entry.response
    content: dict[str, Any] = {
        "size": response.content.size,
        "mimeType": response.content.mimeType,
        "text": response.content.text,
    }
    if response.content.truncated:
        content[CUT] = True
        content["comment"] = "The body is cut; size is its whole size."
    return {
        "status": response.status,
        "statusText": response.statusText,
        "httpVersion": response.httpVersion,
        "cookies": _set_cookies(response.headers),
        "headers": _pairs(response.headers),
        "content": content,
        "redirectURL": response.redirectURL,
        "headersSize": -1,
        "bodySize": response.bodySize,
    }


def _pairs(pairs: tuple[NameValue, ...]) -> list[dict[str, str]]:
    return [{"name": pair.name, "value": pair.value} for pair in pairs]


def _cookies(headers: tuple[NameValue, ...]) -> list[dict[str, str]]:
    """The cookies of a request's `Cookie` headers (RFC 6265 section 4.2)."""
    parts = [part for header in headers if header.name.lower() == "cookie" for part in header.value.split(";")]
    return [{"name": name.strip(), "value": value.strip()} for name, _, value in (part.partition("=") for part in parts) if name]


def _set_cookies(headers: tuple[NameValue, ...]) -> list[dict[str, Any]]:
    """The cookies of an answer's `Set-Cookie` headers (RFC 6265 section 4.1)."""
    cookies = []
    for header in headers:
        if header.name.lower() != "set-cookie":
            continue
        pair, *attributes = header.value.split(";")
        name, _, value = pair.partition("=")
        cookie: dict[str, Any] = {"name": name.strip(), "value": value.strip()}
        for attribute in attributes:
            key, _, text = attribute.strip().partition("=")
            cookie |= _attribute(key.lower(), text)
        cookies.append(cookie)
    return cookies


def _attribute(key: str, text: str) -> dict[str, Any]:
    if key in {"path", "domain"}:
        return {key: text}
    return {"httponly": {"httpOnly": True}, "secure": {"secure": True}}.get(key, {})
