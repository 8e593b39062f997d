"""An entry in the form of the wire, as blocks of text in which the place of every pointer is known.

A block's `spans` map RFC 6901 pointers into the entry to the characters that show what they point at.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from acrmock.pointer import PointerError, parse_pointer, pointer_of
from acrmock.record import (
    AnyEntry,
    AssociationEntry,
    DimseEntry,
    EventEntry,
    HttpEntry,
    HttpRequest,
    HttpResponse,
    NameValue,
    TlsEntry,
)
from conformance.reports.blocks import Block
from conformance.reports.dicomwire import SHOWN_ABOVE, association, operation
from conformance.reports.evidence import entry_document, path_of

_INDENTED_UP_TO = 2_000_000
_SHORT_JSON = 100
_Shown = Mapping[tuple[str, ...], AbstractSet[str]]
_ON_THE_WIRE: _Shown = {
    ("request",): {"method", "url", "httpVersion", "headers", "queryString"},
    ("request", "postData"): {"text", "params"},
    ("response",): {"status", "statusText", "httpVersion", "headers"},
    ("response", "content"): {"text"},
}


def blocks_of(entry: AnyEntry) -> list[Block]:
    """An entry as blocks: request and answer as on the wire, then what acrmock noted beside them."""
    if isinstance(entry, HttpEntry):
        return [_request(entry.request), _response(entry.response), _noted(entry, _ON_THE_WIRE)]
    if isinstance(entry, AssociationEntry):
        return [*association(entry), _noted(entry, SHOWN_ABOVE)]
    if isinstance(entry, DimseEntry):
        return [*operation(entry), _noted(entry, SHOWN_ABOVE)]
    return [_noted(entry, {})]


def nearest(blocks: list[Block], pointer: str) -> tuple[Block, tuple[int, int], str] | None:
    """The block, span and pointer that show `pointer` best: its own place, else that of its nearest ancestor.

    None where not even the first token is shown: the pointer then means the entry as a whole.
    """
    try:
        tokens = parse_pointer(pointer)
    except PointerError:
        return None
    for count in range(len(tokens), 0, -1):
        shorter = pointer_of(tokens[:count])
        for block in blocks:
            span = block.find(shorter)
            if span is not None:
                return block, span, shorter
    return None


def _request(request: HttpRequest) -> Block:
    block = Block("Request")
    with block.within("/request"):
        block.name(request.method, "/request/method")
        block.put(" ")
        _target(block, request)
        block.put(" ")
        block.put(request.httpVersion, "/request/httpVersion")
        block.put("\n")
        _headers(block, request.headers, "/request/headers")
        if request.postData is not None:
            with block.within("/request/postData"):
                block.put("\n")
                _form_or_text(block, request)
            block.note = _join(block.note, _cut_note(truncated=request.postData.truncated, size=request.bodySize))
    return block


def _target(block: Block, request: HttpRequest) -> None:
    has_host = any(header.name.lower() in {"host", ":authority"} for header in request.headers)
    target = path_of(request.url) if has_host else request.url
    path, mark, query = target.partition("?")
    with block.within("/request/url"):
        block.put(path + mark)
        with block.within("/request/queryString"):
            _pairs(block, query, request.queryString, "/request/queryString")


def _pairs(block: Block, text: str, pairs: tuple[NameValue, ...], pointer: str) -> None:
    """Put `a=b&c=d`, with a pointer to each pair where the parts are as many as the pairs."""
    parts = text.split("&") if text else []
    if len(parts) != len(pairs):
        block.put(text)
        return
    for number, part in enumerate(parts):
        block.put("&" if number else "")
        name, equals, value = part.partition("=")
        with block.within(f"{pointer}/{number}"):
            block.name(name, f"{pointer}/{number}/name")
            block.put(equals)
            block.put(value, f"{pointer}/{number}/value")


def _headers(block: Block, headers: tuple[NameValue, ...], pointer: str) -> None:
    with block.within(pointer):
        for number, header in enumerate(headers):
            with block.within(f"{pointer}/{number}"):
                block.name(header.name, f"{pointer}/{number}/name")
                block.put(": ")
                block.put(header.value, f"{pointer}/{number}/value")
            block.put("\n")


def _form_or_text(block: Block, request: HttpRequest) -> None:
    body = request.postData
    if body is None:
        return
    if body.params:
        with block.within("/request/postData/text", "/request/postData/params"):
            text = body.text or "&".join(f"{pair.name}={pair.value}" for pair in body.params)
            _pairs(block, text, body.params, "/request/postData/params")
        return
    text, block.note = _readable(body.text)
    block.put(text, "/request/postData/text")


def _response(response: HttpResponse) -> Block:
    block = Block("Answer")
    with block.within("/response"):
        block.put(response.httpVersion + " ", "/response/httpVersion")
        block.name(str(response.status), "/response/status")
        block.put(" " if response.statusText else "")
        block.put(response.statusText, "/response/statusText")
        block.put("\n")
        _headers(block, response.headers, "/response/headers")
        if response.content.text:
            with block.within("/response/content"):
                text, block.note = _readable(response.content.text)
                block.put("\n")
                block.put(text, "/response/content/text")
        block.note = _join(block.note, _cut_note(truncated=response.content.truncated, size=response.content.size))
    return block


def _readable(text: str) -> tuple[str, str]:
    """JSON that came on one long line, indented, and a note that says so; any other text as it is."""
    if len(text) < _SHORT_JSON or len(text) > _INDENTED_UP_TO or "\n" in text or text[:1] not in "{[":
        return text, ""
    try:
        indented = msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text, ""
    return indented, "JSON body indented for reading"


def _cut_note(*, truncated: bool, size: int) -> str:
    return f"the recorder kept only the beginning of {size:,} bytes" if truncated else ""


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _noted(entry: AnyEntry, shown: _Shown) -> Block:
    labels = {TlsEntry: "Failed TLS handshake", EventEntry: "Event"}
    block = Block(labels.get(type(entry), "What acrmock noted"), noted=True)
    for key, value in entry_document(entry).items():
        if key not in {"seq", "kind"}:
            _flatten(block, (key,), value, shown)
    return block


def _flatten(block: Block, tokens: tuple[str, ...], value: Any, shown: _Shown) -> None:
    """Put a value as lines `path.to.leaf: value`; a list of plain values stands on one line."""
    pointer = pointer_of(tokens)
    if isinstance(value, dict):
        shown_above = shown.get(tokens, ())
        with block.within(pointer):
            for key, item in value.items():
                if key not in shown_above:
                    _flatten(block, (*tokens, str(key)), item, shown)
    elif isinstance(value, list | tuple) and any(isinstance(item, dict | list | tuple) for item in value):
        with block.within(pointer):
            for number, item in enumerate(value):
                _flatten(block, (*tokens, str(number)), item, shown)
    else:
        with block.within(pointer):
            block.name(".".join(tokens))
            block.put(": ")
            _leaf(block, pointer, value)
        block.put("\n")


def _leaf(block: Block, pointer: str, value: Any) -> None:
    if not isinstance(value, list | tuple):
        block.put(_plain(value))
        return
    for number, item in enumerate(value):
        block.put(", " if number else "")
        block.put(_plain(item), f"{pointer}/{number}")
    block.put("" if value else "(none)")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)
