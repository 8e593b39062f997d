"""Documents as a vendor makes them, and what an answer names in them: all names come from the facts (facts N5.1 to N5.6)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from acrmock.clock import rfc3339
from acrmock.facts import Facts

Document = dict[str, Any]

_TYPES, _ELEMENTS, _SAMPLE, _DATES = "cdsr.header_type.", ".elements", ".sample", ".dates"
_ANYTHING = "1"
"""A value for an element of which nothing but its name is known; the published sample writes numbers as text (fact N5.6)."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The names that stand in a document, and values that are known of them, as the interface's page gives them."""

    media_type: str
    header: str
    payload: str
    elements: tuple[str, ...]
    dates: tuple[str, ...]
    id: str
    version: str
    type: str
    specific: str
    sample: Mapping[str, str]
    word: str
    own: tuple[str, ...]
    own_dates: tuple[str, ...]
    own_sample: Mapping[str, str]


def shape_of(facts: Facts) -> Shape:
    """The shape of the first header type that the facts describe; raises the facts' own error where a name is missing."""
    word = next(
        key[len(_TYPES) : -len(_ELEMENTS)] for key in facts.settings if key.startswith(_TYPES) and key.endswith(_ELEMENTS)
    )
    own = f"{_TYPES}{word}"
    known = facts.settings
    return Shape(
        media_type=facts.text("cdsr.media_type"),
        header=facts.text("cdsr.envelope.header"),
        payload=facts.text("cdsr.envelope.payload"),
        elements=facts.texts("cdsr.header.elements"),
        dates=facts.texts("cdsr.header.dates"),
        id=facts.text("cdsr.header.id"),
        version=facts.text("cdsr.header.version"),
        type=facts.text("cdsr.header.type"),
        specific=facts.text("cdsr.header.specific"),
        sample=facts.mapping("cdsr.header.sample"),
        word=word,
        own=facts.texts(own + _ELEMENTS),
        own_dates=facts.texts(own + _DATES) if own + _DATES in known else (),
        own_sample=facts.mapping(own + _SAMPLE) if own + _SAMPLE in known else {},
    )


def new_document(shape: Shape, now: datetime, payload: Any) -> Document:
    """A document of its own, version 1, under a new id (RFC 9562), its times in RFC 3339."""
    header: Document = {name: shape.sample.get(name, _ANYTHING) for name in shape.elements}
    header |= dict.fromkeys(shape.dates, rfc3339(now))
    header |= {shape.type: shape.word, shape.id: str(uuid.uuid4()), shape.version: "1"}
    header[shape.specific] = {name: shape.own_sample.get(name, _ANYTHING) for name in shape.own}
    header[shape.specific] |= dict.fromkeys(shape.own_dates, rfc3339(now))
    return {shape.header: header, shape.payload: payload}


def changed(shape: Shape, document: Document, now: datetime, payload: Any) -> Document:
    """The next version of a document: the same id, a higher version number, a later modification, another payload."""
    header = document[shape.header]
    version = {shape.version: str(int(header[shape.version]) + 1)}
    modified = {name: rfc3339(now) for name in shape.dates[-1:]}
    return {**document, shape.header: {**header, **version, **modified}, shape.payload: payload}


def identifier(shape: Shape, document: Document) -> str:
    """The id of a document."""
    return str(document[shape.header].get(shape.id, ""))


def without(document: Document, *place: str) -> Document:
    """The document without the member at a place, told by the names on the way there."""
    first, *rest = place
    if rest:
        return {**document, first: without(document[first], *rest)}
    return {name: value for name, value in document.items() if name != first}


def with_value(document: Document, value: Any, *place: str) -> Document:
    """The document with another value at a place."""
    first, *rest = place
    return {**document, first: with_value(document.get(first) or {}, value, *rest) if rest else value}


def named(body: Any) -> tuple[tuple[str, ...], ...]:
    """The places that a refusal names (choice U34): the RFC 6901 pointers of its errors, as names; none where it names none."""
    errors = body.get("errors") if isinstance(body, dict) else None
    pointers = [error.get("pointer") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    texts = [pointer for pointer in pointers if isinstance(pointer, str) and pointer.startswith("/")]
    return tuple(tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")) for text in texts)


def corrected(document: Document, good: Document, places: tuple[tuple[str, ...], ...]) -> Document:
    """The document with the named places as a good one has them; a place that the good one lacks is left alone."""
    for place in places:
        value: Any = good
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            document = with_value(document, value, *place)
    return document
