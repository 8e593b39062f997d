"""Associations and DIMSE operations in the reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from catalogue import FACTS
from dose_builder import CAPTURE, RUNS, DoseStory, store

from acrmock.pointer import pointer_of
from acrmock.record import AssociationEnd, AssociationEntry, DimseEntry, Refusal, encode_line
from conformance.judge import judge
from conformance.recording import Recording, read
from conformance.reports import har, html, junit, markdown, terminal
from conformance.reports.dicomwords import name_of_uid, rejection_words, result_words, status_words
from conformance.reports.evidence import entry_document
from conformance.reports.schemas import schemas
from conformance.reports.wire import blocks_of, nearest
from conformance.result import Result


def bad_run() -> DoseStory:
    """A run with a capture forced through, an abort and a rejection."""
    story = RUNS["dir-rdim"]()
    end = story.entries.pop()
    story.associate(store(70, sop_class=CAPTURE, dose=False, status=0x0122, comment="not a dose report"), store(71, status=None))
    story.put(story.ends()[-1], "/facts/end", AssociationEnd.ABORTED)
    story.associate(end=AssociationEnd.REJECTED, rejection=(1, 1, 7), contexts=(), called_ae="DIR_LINK", called_state="unknown")
    refusal = Refusal(code="dicom-called-ae", message="no application has this AE title")
    story.put(story.ends()[-1], "/refusal", refusal)
    story.entries.append(end)
    return story


def judged(story: DoseStory) -> tuple[Result, Recording]:
    """The story and its result."""
    recording = read(story.lines())
    return judge(recording, FACTS, FACTS.profile("dir-rdim")), recording


def _pointers(value: Any, tokens: tuple[str, ...] = ()) -> Iterator[str]:
    if tokens:
        yield pointer_of(tokens)
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in items:
        yield from _pointers(item, (*tokens, str(key)))


def test_every_pointer_into_dicom_has_a_place() -> None:
    """Whatever a finding points at in an association, an operation or an event has a place of its own in the page."""
    for entry in bad_run().closed():
        blocks = blocks_of(entry)
        for pointer in _pointers(entry_document(entry)):
            found = nearest(blocks, pointer)
            assert pointer in {"/seq", "/kind"} or (found is not None and found[2] == pointer), pointer


def test_an_association_is_told_in_words() -> None:
    """The page shows the contexts as proposed and as answered, statuses with their meaning, and why it was refused."""
    result, recording = judged(bad_run())
    page = html.render(result, recording, FACTS)
    text = page.decode() if isinstance(page, bytes) else page
    for words in (
        "X-Ray Radiation Dose SR Storage (1.2.840.10008.5.1.4.1.1.88.67)",
        "Explicit VR Little Endian (1.2.840.10008.1.2.1)",
        "[dose reports]",
        "0122H SOP class not supported",
        "no answer",
        "permanent: called AE title not recognized",
        "no application has this AE title",
        "34,000 bytes",
        "2 of 2 contexts accepted",
        "ACR prefers",
    ):
        assert words in text, words


def test_every_form_names_the_association_or_operation() -> None:
    """Terminal, Markdown and JUnit say which association or operation is meant, and what ACR prefers."""
    result, recording = judged(bad_run())
    shown = terminal.render(result, recording) if hasattr(terminal, "render") else ""
    for text in (shown, markdown.render(result, recording), str(junit.render(result, recording))):
        assert "dir-association" in text
        assert "SCANNER" in text
    assert "ACR prefers" in markdown.render(result, recording)


def test_har_leaves_dicom_out_and_counts_it() -> None:
    """HAR has no words for associations; what is left out is counted."""
    recording = read(bad_run().lines())
    known = json.loads(har.render(recording))["log"]["_acrmock"]
    assert known["left_out"] == {"associations": 6, "operations": 6}
    assert {entry["kind"] for entry in known["other"]} == {"event"}


def test_lines_of_dicom_meet_the_published_schema() -> None:
    """Associations, operations and their facts are valid against the schema of a recording's line."""
    validator = jsonschema.Draft202012Validator(schemas()["record-1.json"])
    kinds = set()
    for entry in bad_run().closed():
        validator.validate(json.loads(encode_line(entry)))
        kinds.add(type(entry))
    assert {AssociationEntry, DimseEntry} <= kinds


def test_hostile_titles_are_harmless(hostile: str) -> None:
    """AE titles, comments and UIDs with markup, escapes or control characters stay text."""
    story = bad_run()
    for place in story.ends():
        for name in ("calling_ae", "called_ae", "implementation_version", "error"):
            story.put(place, f"/facts/{name}", hostile.replace("\ud800", ""))
    for place in story.stores():
        for name in ("sop_instance", "sop_class", "comment", "transfer_syntax"):
            story.put(place, f"/facts/{name}", hostile.replace("\ud800", ""))
    result, recording = judged(story)
    page = html.render(result, recording, FACTS)
    text = page.decode() if isinstance(page, bytes) else page
    assert "<script>alert(1)" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text + markdown.render(result, recording)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "0000H success"),
        (0x0122, "0122H SOP class not supported"),
        (0xA700, "A700H refused: out of resources"),
        (0xB123, "B123H stored, with a warning"),
        (0xC001, "C001H cannot be understood or taken"),
        (0x7777, "7777H failure"),
        (None, "no answer"),
    ],
)
def test_a_status_has_a_meaning(status: int | None, words: str) -> None:
    """Each status is told as DICOM writes it, with its meaning; an unknown one is a failure."""
    assert status_words(status) == words


def test_what_has_no_name_is_shown_as_it_is() -> None:
    """Unknown UIDs, results and reasons are shown, not guessed."""
    assert name_of_uid("1.2.3") == "1.2.3"
    assert result_words(9) == "result 9"
    assert result_words(None) == "not answered"
    assert rejection_words((2, 3, 9)) == "transient: source 3, reason 9"
