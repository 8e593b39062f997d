"""Pointers and places."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acrmock.pointer import PointerError
from acrmock.record import AnyEntry, HttpEntry
from conformance.reports.evidence import (
    Places,
    RecordingLike,
    entry_document,
    path_of,
    resolve,
    title_of,
)
from conformance.result import Evidence, Result

_DOCUMENT = {"a/b": 1, "m~n": 2, "": 3, "list": [10, {"x": None}]}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", _DOCUMENT), ("/a~1b", 1), ("/m~0n", 2), ("/", 3), ("/list/0", 10), ("/list/1/x", None)],
)
def test_a_pointer_resolves(pointer: str, value: object) -> None:
    """RFC 6901 section 5, by example."""
    assert resolve(_DOCUMENT, pointer) == value


@pytest.mark.parametrize(
    "pointer", ["a", "/~2", "/~", "/list/2", "/list/-", "/list/01", "/list/٣", "/list/0/x", "/list/99999999999999"]
)
def test_a_bad_pointer_is_refused(pointer: str) -> None:
    """A pointer that is malformed or leads nowhere raises one error."""
    with pytest.raises(PointerError):
        resolve(_DOCUMENT, pointer)


def test_a_place_names_method_path_and_status(recording: RecordingLike) -> None:
    """Evidence in words tells of the exchange without its query."""
    place = Places(recording, [Evidence(entry=6)]).describe(Evidence(entry=6, pointer="/request/url"))
    assert str(place) == "entry 6: GET /test/oauth2/default/v1/authorize → 200 at /request/url"


def test_an_absent_entry_is_said_to_be_absent(recording: RecordingLike) -> None:
    """Evidence that is not in the recording, or without any recording, is no error."""
    for given_recording in (recording, None):
        place = Places(given_recording, [Evidence(entry=12345)]).describe(Evidence(entry=12345))
        assert not place.found
        assert "not in this recording" in str(place)


def test_every_kind_of_entry_has_a_title(recording: RecordingLike) -> None:
    """Exchanges, failed handshakes and events are named on one line."""
    titles = [title_of(entry) for entry in recording.entries]
    assert "event server-started" in titles
    assert "failed TLS handshake: unknown ca" in titles
    assert all(title and "\n" not in title for title in titles)


def test_the_path_of_a_broken_url_is_the_url() -> None:
    """A URL that cannot be parsed is shown as it came."""
    assert path_of("http://[broken/x?y") == "http://[broken/x?y"
    assert path_of("https://host") == "/"


def test_the_sample_evidence_resolves_in_its_entries(result: Result, recording: RecordingLike) -> None:
    """The pointers of the sample, as far as they stay outside of bodies, lead to values of the entries."""
    entries: dict[int, AnyEntry] = {entry.seq: entry for entry in recording.entries}
    for evidence in (one for finding in result.findings for one in finding.evidence):
        if evidence.entry in entries and not evidence.pointer.startswith("/request/postData/text/"):
            resolve(entry_document(entries[evidence.entry]), evidence.pointer)


def test_hostile_titles_are_tamed(http: Callable[..., HttpEntry], hostile: str) -> None:
    """A path cannot break a line or steer a terminal."""
    title = title_of(http(1, hostile, "/" + hostile, 200))
    assert "\x1b" not in title
    assert "\u202e" not in title
    assert "\n" not in title
