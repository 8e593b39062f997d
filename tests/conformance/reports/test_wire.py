"""Entries as blocks of text in which every pointer has its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from acrmock.pointer import pointer_of
from acrmock.record import HttpEntry
from conformance.reports.evidence import RecordingLike, entry_document
from conformance.reports.wire import blocks_of, nearest


def _pointers(value: Any, tokens: tuple[str, ...] = ()) -> Iterator[str]:
    if tokens:
        yield pointer_of(tokens)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _pointers(item, (*tokens, key))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _pointers(item, (*tokens, str(number)))


def test_every_pointer_into_every_entry_has_a_place(recording: RecordingLike) -> None:
    """Whatever a finding points at has a place of its own in the page."""
    for entry in recording.entries:
        blocks = blocks_of(entry)
        for pointer in _pointers(entry_document(entry)):
            found = nearest(blocks, pointer)
            assert pointer in {"/seq", "/kind"} or (found is not None and found[2] == pointer)


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("/request/method", "GET"),
        ("/request/queryString/1", "state=a%20b"),
        ("/request/queryString/1/name", "state"),
        ("/request/queryString/1/value", "a%20b"),
        ("/request/headers/0", "Host: localhost:8443"),
        ("/request/headers/0/value", "localhost:8443"),
        ("/response/status", "200"),
        ("/response/content/text", '{"a": [1, 2]}'),
        ("/response/content/text/a/1", "2"),
        ("/peer", "peer: 127.0.0.1"),
        ("/facts/channel", "facts.channel: exempt"),
    ],
)
def test_a_pointer_leads_to_its_text(http: Callable[..., HttpEntry], pointer: str, shown: str) -> None:
    """The characters marked for a pointer are those of its value, in the form of the wire."""
    entry = http(1, "GET", "/x", 200, query=(("scope", "openid"), ("state", "a%20b")), answer='{"a": [1, 2]}')
    if pointer == "/facts/channel":
        pointer, shown = "/tls/version", "tls.version: TLSv1.3"
    found = nearest(blocks_of(entry), pointer)
    assert found is not None
    block, (start, end), at = found
    assert (block.text[start:end], at) == (shown, pointer)


def test_a_place_beyond_the_recorded_leads_to_its_ancestor(http: Callable[..., HttpEntry]) -> None:
    """A header or parameter that is not there leads to where it should stand."""
    blocks = blocks_of(http(1, "GET", "/x", 200))
    found = nearest(blocks, "/request/headers/77/value")
    assert found is not None
    assert found[2] == "/request/headers"
    assert nearest(blocks, "") is None
    assert nearest(blocks, "no pointer") is None


def test_json_on_one_line_is_indented_and_said_to_be(http: Callable[..., HttpEntry]) -> None:
    """A long body is shown in lines, numbers and duplicate names as they came."""
    body = '{"n": 1.50, "n": 2e3, "text": "' + "x" * 100 + '"}'
    block = blocks_of(http(1, "POST", "/x", 200, body=body))[0]
    assert "indented" in block.note
    assert '"n": 1.50,\n' in block.text
    assert '"n": 2e3,\n' in block.text


def test_a_body_that_is_no_json_stays_as_it_is(http: Callable[..., HttpEntry]) -> None:
    """What only looks like JSON is shown as it was sent."""
    for body in ("{" * 200, '{"a": ' + "1" * 200, "[" * 20_000, "{\ud800" + "x" * 200):
        assert body in blocks_of(http(1, "POST", "/x", 200, body=body))[0].text


def test_a_url_of_a_megabyte_is_no_burden(http: Callable[..., HttpEntry]) -> None:
    """A hundred thousand parameters are placed one by one in time that grows with their number."""
    query = tuple(("a", str(number)) for number in range(50_000))
    found = nearest(blocks_of(http(1, "GET", "/x", 400, query=query)), "/request/queryString/49999/value")
    assert found is not None
    block, (start, end), _ = found
    assert block.text[start:end] == "49999"
