"""That an answer was injected on purpose stands beside the exchange in every report."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from acrmock.facts import load_facts
from acrmock.record import FaultFacts, HttpEntry
from conformance.reports import har, html, markdown, terminal
from conformance.reports.evidence import on_purpose
from conformance.result import Evidence, Finding, Outcome, Result

TOLD = "injected on purpose by the fault two-busy"


@pytest.fixture
def struck(recording: Any) -> Any:
    """The recording, each of its exchanges answered by a fault rule."""
    fault = FaultFacts(name="two-busy", instead=True)
    entries = tuple(
        msgspec.structs.replace(entry, facts=msgspec.structs.replace(entry.facts, fault=fault))
        if isinstance(entry, HttpEntry)
        else entry
        for entry in recording.entries
    )
    return dataclasses.replace(recording, entries=entries)


def test_every_report_says_so(struck: Any, make_result: Callable[..., Result], finding: Callable[..., Finding]) -> None:
    """The page, the terminal, the table and the HAR name the rule beside the exchange that a finding points at."""
    seq = next(entry.seq for entry in struck.entries if isinstance(entry, HttpEntry))
    failed = finding("auth-state-present", outcome=Outcome.FAILED, evidence=(Evidence(entry=seq, pointer="/request/url"),))
    result = make_result((failed,))
    assert TOLD in terminal.render(result, struck, 400)
    assert TOLD in markdown.render(result, struck)
    assert html.render(result, struck, load_facts()).count(TOLD) > 1
    entries = json.loads(har.render(struck))["log"]["entries"]
    assert {entry["comment"] for entry in entries} == {TOLD}


def test_how_it_had_a_hand(http: Callable[..., HttpEntry]) -> None:
    """An answer that was lost or only touched is told apart from one that was injected, and none says nothing."""
    entry = http(1, "GET", "/x", 503)
    assert on_purpose(entry) == ""
    for fault, word in ((FaultFacts(name="x", lost=True), "lost"), (FaultFacts(name="x"), "touched")):
        facts = msgspec.structs.replace(entry.facts, fault=fault)
        assert on_purpose(msgspec.structs.replace(entry, facts=facts)) == f" ({word} on purpose by the fault x)"
