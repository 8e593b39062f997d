"""Evidence made findable: RFC 6901 pointers resolved in an entry, and entries named in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from acrmock.pointer import PointerError, parse_pointer
from acrmock.record import AnyEntry, AssociationEntry, DimseEntry, EventEntry, Footer, Header, HttpEntry, TlsEntry
from conformance.reports.dicomwords import status_words
from conformance.reports.text import cut, one_line
from conformance.result import Evidence

_INDEX = re.compile(r"0|[1-9][0-9]*")
_TOLD = 10


class RecordingLike(Protocol):
    """A recording as far as reports read it: its header, its entries in the order of `seq`, its footer."""

    @property
    def header(self) -> Header | None:
        """What makes the recording self-contained."""

    @property
    def entries(self) -> Sequence[AnyEntry]:
        """What went over the wires, in order."""

    @property
    def footer(self) -> Footer | None:
        """Absent where the recording was cut off."""


def step(value: Any, token: str) -> Any:
    """The child of `value` that `token` names; raises `PointerError` when there is none (RFC 6901 section 4)."""
    if isinstance(value, Mapping) and token in value:
        return value[token]
    if isinstance(value, list | tuple) and _INDEX.fullmatch(token) and len(token) < 10 and int(token) < len(value):
        return value[int(token)]
    raise PointerError(f"nothing at {token!r}")


def resolve(document: Any, pointer: str) -> Any:
    """The value at `pointer`; raises `PointerError` when the pointer is malformed or leads nowhere."""
    for token in parse_pointer(pointer):
        document = step(document, token)
    return document


def entry_document(entry: AnyEntry) -> Any:
    """An entry as plain JSON values, which is what evidence points into."""
    return msgspec.to_builtins(entry)


def path_of(url: str) -> str:
    """The path and query of a URL; the URL itself where it cannot be parsed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def title_of(entry: AnyEntry, limit: int = 100) -> str:
    """What an entry is, on one line.

    Method, path and status of an exchange; the AE titles of an association and its end; an operation, its object and status; a
    failed handshake; an event's name.
    """
    if isinstance(entry, HttpEntry):
        path = path_of(entry.request.url).partition("?")[0]
        return one_line(cut(f"{entry.request.method} {path}", limit)) + f" → {entry.response.status}" + on_purpose(entry)
    if isinstance(entry, TlsEntry):
        return one_line(cut(f"failed TLS handshake: {entry.tls.error or 'no reason known'}", limit))
    if isinstance(entry, AssociationEntry):
        return one_line(cut(f"association {entry.facts.calling_ae or '(no AE title)'} → {entry.facts.called_ae}", limit)) + (
            f", {entry.facts.end.value}"
        )
    if isinstance(entry, DimseEntry):
        told = f"{entry.facts.service} {entry.facts.sop_instance}".rstrip()
        return one_line(cut(told, limit)) + f" → {status_words(entry.facts.status)}"
    return one_line(cut(f"event {entry.name}", limit))


def on_purpose(entry: HttpEntry) -> str:
    """That a fault rule had a hand in the answer, in brackets; nothing where none had."""
    fault = entry.facts.fault
    if fault is None:
        return ""
    told = "injected" if fault.instead else "lost" if fault.lost else "touched"
    return f" ({told} on purpose by the fault {one_line(cut(fault.name, 80))})"


@dataclass(frozen=True, slots=True)
class Place:
    """Evidence in words: the entry's number and title, and the pointer; `found` tells whether the entry is recorded."""

    entry: int
    title: str
    pointer: str
    found: bool

    def __str__(self) -> str:
        at = f" at {one_line(self.pointer)}" if self.pointer else ""
        return f"entry {self.entry}: {self.title}{at}"


class Places:
    """Looks up the entries that evidence points to; holds only those that `wanted` names."""

    def __init__(self, recording: RecordingLike | None, wanted: Iterable[Evidence]) -> None:
        numbers = {evidence.entry for evidence in wanted}
        entries = recording.entries if recording is not None else ()
        self.entries: dict[int, AnyEntry] = {entry.seq: entry for entry in entries if entry.seq in numbers}

    def describe(self, evidence: Evidence) -> Place:
        """The evidence in words; an entry that is not in the recording is said to be absent."""
        entry = self.entries.get(evidence.entry)
        if entry is None:
            return Place(evidence.entry, "not in this recording", evidence.pointer, found=False)
        return Place(evidence.entry, title_of(entry), evidence.pointer, found=True)


def event_step(entry: AnyEntry) -> str | None:
    """The step that begins with this entry, else None."""
    if isinstance(entry, EventEntry) and entry.name == "step-began":
        return str(entry.data.get("step") or entry.data.get("name") or "unnamed")
    return None


def told_places(document: Any, pointer: str) -> list[str]:
    """The places that the fact at `pointer` tells of, ten at most: its own, that of what it is part of, or its parts'."""
    tokens = parse_pointer(pointer)
    if not tokens or tokens[0] not in {"facts", "refusal", "data"}:
        return []
    path = [document]
    for token in tokens:
        try:
            path.append(step(path[-1], token))
        except PointerError:
            break
    for value in reversed(path[2:]):
        if isinstance(value, dict) and isinstance(value.get("pointer"), str):
            return [value["pointer"]]
    return list(dict.fromkeys(_pointers_in(path[-1])))[:_TOLD] if len(path) > len(tokens) else []


def _pointers_in(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pointer"), str):
            yield value["pointer"]
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _pointers_in(item)
