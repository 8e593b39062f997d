"""Paths that an overlay has stripped of registry or mapping: the transaction header says them instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from mockserver.nrdr.names import read_names
from mockserver.plans import StatusKey

OVERLAY = """
schema: acrmock/layer/1
kind: settings
settings:
  nrdr.path.post: {value: "/submissions", provenance: mock-choice, sources: [S2]}
  nrdr.path.status: {value: "/submissions/{transaction_id}", provenance: mock-choice, sources: [S2]}
  nrdr.path.list: {value: "/all", provenance: mock-choice, sources: [S2]}
"""


@pytest.fixture
def bare(support: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The wires under an overlay whose paths name neither registry nor mapping."""
    layer = tmp_path / "bare.yaml"
    layer.write_text(OVERLAY)
    facts = load_facts((layer,))
    monkeypatch.setattr(support, "load_facts", lambda: facts)
    house = support.House()
    yield house
    house.close()


def test_the_header_says_what_the_path_does_not(bare: Any) -> None:
    """A post is accepted by its header's registry and version, its status found at the Location, and the list answers."""
    party = bare.test
    answer = party.submit(party.transaction(), path="/nrdr/submissions")
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].endswith("/nrdr/submissions/T1")
    facts = bare.last().facts.transaction
    assert (facts.registry, facts.mapping, facts.accepted) == ("lcsr", "1.7", True)
    bearer = {"Authorization": f"Bearer {party.bearer()}"}
    assert party.get("/nrdr/submissions/T1", headers=bearer).status_code == 200
    assert party.get("/nrdr/submissions/T2", headers=bearer).status_code == 404
    assert len(party.get("/nrdr/all", headers=bearer).json["transactions"]) == 1


def test_a_body_that_says_nothing_is_refused_cleanly(bare: Any) -> None:
    """Without a readable header the request is refused as unreadable, not failed."""
    assert bare.test.submit(b"{", path="/nrdr/submissions").status_code == 400


def test_a_layer_may_rename_a_terminal_status_and_not_unmake_it(tmp_path: Path) -> None:
    """Words of statuses are a layer's to change; which of them end a transaction is the server's, and says so."""
    layer = tmp_path / "other.yaml"
    head = "schema: acrmock/layer/1\nkind: settings\nsettings:\n"
    layer.write_text(head + '  nrdr.status.word.posted: {value: "Done", provenance: acr, sources: [S2]}\n')
    assert read_names(load_facts((layer,))).status[StatusKey.POSTED] == "Done"
    layer.write_text(head + "  nrdr.status.terminal: {value: [failed], provenance: acr, sources: [S2]}\n")
    with pytest.raises(SetupError, match="cannot change") as caught:
        read_names(load_facts((layer,)))
    assert "nrdr.status.word" in caught.value.fix
