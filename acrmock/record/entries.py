"""The entries of a recording and their JSON lines."""

from __future__ import annotations

from typing import Any

import msgspec

from acrmock.record.base import FieldProblem, Struct
from acrmock.record.dicomfacts import AssociationFacts, DimseFacts
from acrmock.record.har import HttpRequest, HttpResponse
from acrmock.record.httpfacts import HttpFacts

RECORD_SCHEMA = "acrmock/record/1"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why acrmock refused, field by field: the catalogue's code, a sentence, and what a correct client would have sent."""

    code: str
    message: str
    fields: tuple[FieldProblem, ...] = ()
    hint: str = ""


class TlsFacts(Struct, frozen=True, kw_only=True):
    """The connection's TLS as negotiated, or why it was not: `version`, `cipher`, SNI, and `error` of a failed handshake."""

    version: str = ""
    cipher: str = ""
    server_name: str = ""
    error: str = ""


class Entry(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every entry has: `at` is business time, `t` protocol time, both RFC 3339; `matched` says what decided whose it is."""

    seq: int
    at: str
    t: str
    application: str | None = None
    environment: str | None = None
    run: str | None = None
    peer: str | None = None
    traceparent: str | None = None
    matched: str | None = None


class HttpEntry(Entry, frozen=True, kw_only=True, tag="http"):
    """One HTTP exchange; `time` is its duration in milliseconds."""

    request: HttpRequest
    response: HttpResponse
    time: float = 0.0
    facts: HttpFacts = HttpFacts()
    tls: TlsFacts | None = None
    refusal: Refusal | None = None


class TlsEntry(Entry, frozen=True, kw_only=True, tag="tls"):
    """A TLS handshake that failed, so that no request came of it."""

    tls: TlsFacts


class EventEntry(Entry, frozen=True, kw_only=True, tag="event"):
    """Something beside the wires: a registration, a step, a clock move, a gap; `data` is the event's own, free of secrets."""

    name: str
    data: dict[str, Any] = {}  # noqa: RUF012 - msgspec copies an empty default


class AssociationEntry(Entry, frozen=True, kw_only=True, tag="association"):
    """One association, written when it ended; its operations stand before it."""

    facts: AssociationFacts
    tls: TlsFacts | None = None
    refusal: Refusal | None = None


class DimseEntry(Entry, frozen=True, kw_only=True, tag="dimse"):
    """One DIMSE operation; `time` is its duration in milliseconds, from the command to the answer."""

    facts: DimseFacts
    time: float = 0.0
    refusal: Refusal | None = None


AnyEntry = HttpEntry | TlsEntry | AssociationEntry | DimseEntry | EventEntry


class Header(Struct, frozen=True, kw_only=True, tag_field="kind", tag="header"):
    """The first line of a recording: what makes it self-contained."""

    schema: str
    created: str
    acrmock: str
    facts_digest: str = ""
    application: str | None = None
    run: str | None = None


class Footer(Struct, frozen=True, kw_only=True, tag_field="kind", tag="footer"):
    """The last line: how many entries there are and the SHA-256 of their lines; a recording without one was cut off."""

    entries: int
    sha256: str


Line = Header | HttpEntry | TlsEntry | AssociationEntry | DimseEntry | EventEntry | Footer

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode_line(line: Line) -> bytes:
    """One line of a recording as JSON, without the line feed."""
    return _encoder.encode(line)


def decode_line(data: bytes | str) -> Line:
    """The line written in `data`; raises `msgspec.DecodeError` or `msgspec.ValidationError`, which say where."""
    line: Line = _decoder.decode(data)
    return line
