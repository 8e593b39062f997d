"""An overlay of one's own: begun from what is known, and compared with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml

from acrmock.facts import FactsError, load_facts
from acrmock.facts.own import begin, compare
from acrmock.facts.owntables import begin_tables


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


@pytest.mark.parametrize("slug", ["lcsr", "grid", "mips", "nmd", "ctc", "3dp"])
def test_tables_begun_and_left_as_they_are_change_nothing(slug: str, tmp_path: Path) -> None:
    """Every version's elements and rules, written out, are read back as they were but for whose word they rest on."""
    facts = load_facts()
    for version in (item for item in facts.registry(slug).versions if item.described):
        path = tmp_path / "own.yaml"
        path.write_text(begin_tables(facts, [f"registry.{slug}.{version.version}"]), encoding="utf-8")
        again = load_facts([path]).registry(slug).version(version.version)
        for before, after in zip((*version.elements, *version.rules), (*again.elements, *again.rules), strict=True):
            same = {name: getattr(before, name) for name in ("provenance", "sources", "note", "layer")}
            same |= {"origins": before.origins} if hasattr(before, "origins") else {}
            assert msgspec.structs.replace(after, **same) == before


def test_one_element_and_one_rule_are_begun() -> None:
    """What is named stands in the overlay, nothing else; what is not there, or of another registry, is refused."""
    text = begin_tables(load_facts(), ["registry.ctc.1.3.Polyp_Size", "registry.ctc.1.3.rule.REF-004"])
    version = yaml.safe_load(text)["versions"]["1.3"]
    assert {name: [*table] for name, table in version.items()} == {"polyp_elements": ["Polyp_Size"], "rules": ["REF-004"]}
    assert version["polyp_elements"]["Polyp_Size"]["minimum"] == 10
    for wrong in (["registry.ctc.1.3.None"], ["registry.ctc.9.9"], ["registry.x.1.0.A"], ["registry.ctc"],
                  ["registry.ctc.1.3.C_Score", "registry.nmd.3.4.Other_ID"]):  # fmt: skip
        with pytest.raises(FactsError):
            begin_tables(load_facts(), wrong)
