"""Tests of the envelope builder: names from the facts, true counts, the same bytes every time."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from synthetic.exams import exams
from synthetic.transactions import Sender, body, transaction, transaction_id

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SENDER = Sender(partner_id="P1", app_id="A1", facility_id="F1")
LAYER = """schema: acrmock/layer/1
kind: settings
settings:
  nrdr.envelope.exams: {value: Records, provenance: mock-choice, sources: [MOCK]}
"""


def envelope(at: datetime = AT, previous: str | None = None) -> dict[str, object]:
    """A transaction of two exams."""
    facts = load_facts()
    registry = facts.registry("lcsr")
    assert registry is not None
    version = registry.default(at.date())
    assert version is not None
    two = list(exams(facts, "lcsr", seed=1, count=2, as_of=date(2026, 3, 1)))
    return transaction(facts, registry, version, two, sender=SENDER, at=at, identifier=transaction_id(1, 0), previous=previous)


def test_a_header_tells_the_truth() -> None:
    """The header has every part under the name that the facts give, and counts its exams."""
    built = envelope(previous="before")
    assert built["Transaction_Header"] == {
        "Transaction_ID": transaction_id(1, 0),
        "Transaction_Date": "2026-03-01T12:30:00Z",
        "Partner_ID": "P1",
        "App_ID": "A1",
        "Facility_ID": "F1",
        "Registry": "LCSR",
        "Data_Version": "1.8",
        "Number_Of_Exams": 2,
        "Previous_Transaction_ID": "before",
    }
    assert isinstance(built["Exams"], list)
    assert len(built["Exams"]) == 2


def test_instants_are_sent_in_utc() -> None:
    """An instant of another zone names the same moment in UTC; one without a zone is refused."""
    local = AT.astimezone(timezone(timedelta(hours=-5)))
    assert envelope(local) == envelope(AT)
    with pytest.raises(SetupError, match="zone"):
        envelope(AT.replace(tzinfo=None))


def test_the_bytes_are_compact_utf8_json() -> None:
    """The body reads back as the envelope, and twice gives the same bytes."""
    assert json.loads(body(envelope())) == envelope()
    assert body(envelope()) == body(envelope())
    assert b": " not in body({"a": "b"})


def test_identifiers_are_uuids_of_their_seed() -> None:
    """Transaction ids are UUIDs, the same for the same seed, different for another index, seed or series."""
    identifiers = [transaction_id(1, 0), transaction_id(1, 1), transaction_id(2, 0), transaction_id(1, 0, name="b")]
    assert len(set(identifiers)) == 4
    assert all(str(uuid.UUID(text)) == text for text in identifiers)
    assert transaction_id(1, 0) == identifiers[0]


def test_an_overlay_renames(tmp_path: Path) -> None:
    """A user's layer changes the names without code."""
    layer = tmp_path / "mine.yaml"
    layer.write_text(LAYER, encoding="utf-8")
    facts = load_facts([layer])
    registry = facts.registry("lcsr")
    assert registry is not None
    version = registry.version("1.7")
    assert version is not None
    built = transaction(facts, registry, version, [], sender=SENDER, at=AT, identifier="x")
    assert built["Records"] == []
