"""A document: one object of a header and a payload, read leniently and told what is missing (facts N5.2 to N5.6).

An element is missing where it is absent, null or empty. Its value may be text or a number, for ACR's own sample writes
numbers as text. What the payload holds is nobody's business but that it is there: any JSON value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from acrmock.record import FieldProblem
from mockserver.cdsr.names import Names

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}t\d{2}:\d{2}:\d{2}(\.\d+)?(z|[+-]\d{2}:\d{2})", re.ASCII | re.IGNORECASE)
_SHOWN = 64
_MOST_DIGITS = 9


class Ambiguous(ValueError):  # noqa: N818 - says what the document is
    """Two members whose names differ by nothing but case; it holds the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as far as it could be read. `problems` stand in the order of the names; places are RFC 6901 pointers.

    `whole`: header and payload are there. `known`: the header type is one that a layer describes. `content` is all that it says
    but its id and the header's times, in one form: two documents of one content differ in nothing else.
    """

    id: str = ""
    header_type: str = ""
    version: int | None = None
    whole: bool = False
    known: bool = True
    problems: tuple[FieldProblem, ...] = ()
    present: tuple[str, ...] = ()
    missing: tuple[FieldProblem, ...] = ()
    dates: tuple[FieldProblem, ...] = ()
    content: str = ""

    @property
    def id_is_uuid(self) -> bool:
        """Whether its id is a UUID as RFC 9562 section 4 writes it."""
        try:
            return str(UUID(self.id)) == self.id.lower()
        except ValueError:
            return False


def read_document(value: Any, names: Names) -> Document:
    """The document in `value`; raises `Ambiguous`."""
    members = _lowered(value)
    parts = {name: members.get(name.lower()) for name in (names.header, names.payload)}
    problems = tuple(_wrong_parts(value, parts, names))
    held = parts[names.header]
    if held is None or not isinstance(held[1], Mapping):
        return Document(problems=problems)
    at, header = f"/{held[0]}", _lowered(held[1])
    word = _text(header.get(names.type.lower()))
    kind = names.types.get(word.lower())
    own = header.get(names.specific.lower())
    own_members = _lowered(own[1]) if own is not None and isinstance(own[1], Mapping) else {}
    present = [name for name in names.elements if name.lower() in header]
    missing = [*_missing(header, names.elements, at, names)]
    dates = [*_unreadable(header, names.dates, at)]
    if kind is not None and own is not None and isinstance(own[1], Mapping):
        inside = f"{at}/{own[0]}"
        own_missing = [*_missing(own_members, kind.elements, inside, names)]
        missing += (msgspec.structs.replace(one, element=f"{names.specific}.{one.element}") for one in own_missing)
        present += [f"{names.specific}.{name}" for name in kind.elements if name.lower() in own_members]
        dates += _unreadable(own_members, kind.dates, inside)
    return Document(
        id=_text(header.get(names.id.lower())),
        header_type=word,
        version=_count(_text(header.get(names.version.lower()))),
        whole=not problems,
        known=kind is not None or not word,
        problems=problems,
        present=tuple(present),
        missing=tuple(missing),
        dates=tuple(dates),
        content=_content(header, parts[names.payload], names) if not problems else "",
    )


def _content(header: Mapping[str, tuple[str, Any]], payload: tuple[str, Any] | None, names: Names) -> str:
    besides = {names.id.lower(), *(name.lower() for name in names.dates)}
    said = {name: value for name, (_, value) in header.items() if name not in besides}
    return json.dumps([said, payload[1] if payload is not None else None], sort_keys=True)


def _wrong_parts(value: Any, parts: Mapping[str, tuple[str, Any] | None], names: Names) -> Iterator[FieldProblem]:
    if not isinstance(value, Mapping):
        yield FieldProblem(pointer="", expected="one object", actual=type(value).__name__, reason="not an object")
        return
    for name, held in parts.items():
        if held is None:
            yield FieldProblem(pointer=f"/{name}", element=name, expected="to be there", actual="absent", reason="missing")
    held = parts[names.header]
    if held is not None and not isinstance(held[1], Mapping):
        yield FieldProblem(
            pointer=f"/{held[0]}", element=names.header, expected="an object", actual=type(held[1]).__name__, reason="no object"
        )


def _missing(members: Mapping[str, tuple[str, Any]], wanted: tuple[str, ...], at: str, names: Names) -> Iterator[FieldProblem]:
    for name in wanted:
        held = members.get(name.lower())
        place = f"{at}/{held[0] if held is not None else name}"
        if held is None:
            yield FieldProblem(pointer=place, element=name, expected="to be there", actual="absent", reason="missing")
        elif name == names.specific:
            if not isinstance(held[1], Mapping):
                actual = "null" if held[1] is None else type(held[1]).__name__
                yield FieldProblem(pointer=place, element=name, expected="an object", actual=actual, reason="no object")
        elif not 0 < len(_text(held)) <= names.longest:
            actual = "null" if held[1] is None else "nothing" if held[1] == "" else type(held[1]).__name__
            expected = f"text of 1 to {names.longest} characters"
            yield FieldProblem(pointer=place, element=name, expected=expected, actual=actual, reason="empty or no text")


def _unreadable(members: Mapping[str, tuple[str, Any]], dates: tuple[str, ...], at: str) -> Iterator[FieldProblem]:
    for name in dates:
        held = members.get(name.lower())
        text = _text(held)
        if held is not None and text and not _is_instant(text):
            place = f"{at}/{held[0]}"
            yield FieldProblem(
                pointer=place, element=name, expected="RFC 3339", actual=text[:_SHOWN], reason="not an instant with its zone"
            )


def _lowered(value: Any) -> dict[str, tuple[str, Any]]:
    """Members by their lower-case names, with the names as they came; raises `Ambiguous`."""
    found: dict[str, tuple[str, Any]] = {}
    for name, held in value.items() if isinstance(value, Mapping) else ():
        if name.lower() in found:
            raise Ambiguous(name[:_SHOWN])
        found[name.lower()] = (name, held)
    return found


def _text(held: tuple[str, Any] | None) -> str:
    """The value as text, a number as it is written; empty for anything else."""
    if held is None or isinstance(held[1], bool):
        return ""
    return str(held[1]) if isinstance(held[1], str | int | float) else ""


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _is_instant(text: str) -> bool:
    """RFC 3339 section 5.6, whose `T` and `Z` may be lower case (fact N5.6)."""
    if _INSTANT.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", text).upper())
    except ValueError:
        return False
    return True
