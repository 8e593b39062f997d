"""An overlay of one's own: begun from what is known, and compared with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from acrmock.facts import FactsError, load_facts
from acrmock.facts.own import begin, compare


def test_what_is_begun_can_be_used(tmp_path: Path) -> None:
    """A new overlay holds the present values, so it changes nothing, not even the word they rest on."""
    path = tmp_path / "mine.yaml"
    path.write_text(begin(load_facts(), ["nrdr.path", "auth.refresh_mode", "faults.magic"]), encoding="utf-8")
    own = load_facts([path])
    for key in ("nrdr.path.post", "auth.refresh_mode", "faults.magic.words"):
        assert own.fact(key).value == load_facts().fact(key).value
        assert own.fact(key).provenance == load_facts().fact(key).provenance
    assert compare(load_facts(), own) == []
    assert compare(load_facts(), own, words=True) == []


def test_a_value_repeated_keeps_its_word_and_one_that_is_changed_does_not(tmp_path: Path) -> None:
    """What a standard says stays the standard's where an overlay repeats it as our choice; a word that is named counts."""
    key = "auth.pkce_methods"
    assert load_facts().fact(key).provenance == "standard"
    path = tmp_path / "mine.yaml"
    begun = begin(load_facts(), [key])
    path.write_text(begun, encoding="utf-8")
    assert load_facts([path]).fact(key).sources == load_facts().fact(key).sources
    path.write_text(begun.replace("mock-choice", "third-party"), encoding="utf-8")
    assert load_facts([path]).fact(key).provenance == "third-party"
    assert [change.key for change in compare(load_facts(), load_facts([path]), words=True)] == [key]
    path.write_text(begun.replace("- S256", "- S512"), encoding="utf-8")
    assert load_facts([path]).fact(key).provenance == "mock-choice"


def test_nothing_begins_so() -> None:
    """A prefix that no setting has is refused."""
    with pytest.raises(FactsError, match="no setting begins with nonsense"):
        begin(load_facts(), ["nonsense"])


def test_changes_are_told(tmp_path: Path) -> None:
    """A changed setting is told with both values, and nothing else is."""
    path = tmp_path / "mine.yaml"
    path.write_text(begin(load_facts(), ["nrdr.base_path"]).replace("value: /nrdr", "value: /api/nrdr"), encoding="utf-8")
    (change,) = compare(load_facts(), load_facts([path]))
    assert change.key == "nrdr.base_path"
    assert change.before.startswith("/nrdr [")
    assert change.after.startswith("/api/nrdr [")
    assert compare(load_facts(), load_facts()) == []
