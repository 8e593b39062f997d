"""Profiles that are joined, and profiles that judge single checks of a group."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from acrmock.facts import Weight, load_facts
from acrmock.facts.errors import FactsError
from acrmock.facts.joining import join
from acrmock.facts.model import Role

FACTS = load_facts()


def test_a_joined_profile_asks_for_all_that_its_parts_ask_for() -> None:
    """Groups, registries, checks, steps, settings and remarks are united, in order; each part's steps keep theirs."""
    parts = [FACTS.profile("lcsr"), FACTS.profile("dir-rdim"), FACTS.profile("cdsr")]
    found = FACTS.profile("lcsr+dir-rdim+cdsr")
    assert (found.name, found.revision) == ("lcsr+dir-rdim+cdsr", "1+1+1")
    assert found.registries == ("lcsr",)
    assert found.groups == ("apply", "allow", "auth", "tx", "status", "dir", "cdsr")
    assert set(found.weights) == {check for part in parts for check in part.weights}
    assert found.role is Role.RDIM
    assert found.remarks == parts[1].remarks != ()
    assert found.settings == parts[0].settings
    names = [step.name for step in found.steps]
    assert len(names) == len(set(names))
    for part in parts:
        own = [step.name for step in part.steps]
        assert [name for name in names if name in own] == own
    assert FACTS.profile("lcsr+dir-rdim", "1+1").name == "lcsr+dir-rdim"


def test_the_stricter_weight_counts_and_the_weaker_word() -> None:
    """Of two weights the stricter is taken, of two bars the higher; local addresses pass only where each part allows them."""
    one = FACTS.profile("lcsr")
    other = msgspec.structs.replace(
        one, name="x", weights={**one.weights, "tx-coverage": Weight.MUST}, coverage_bar=0.9, local=True
    )
    for pair in ([one, other], [other, one]):
        found = join(pair)
        assert found.weights["tx-coverage"] is Weight.MUST
        assert (found.coverage_bar, found.local) == (0.9, False)
        assert [step.name for step in found.steps] == [step.name for step in one.steps]
        assert [step.text for step in found.steps] == [step.text for step in one.steps]


def test_what_contradicts_itself_is_not_joined() -> None:
    """A sender cannot be two things, a setting cannot have two values; both are said by name."""
    with pytest.raises(FactsError, match="rdim and pacs"):
        FACTS.profile("dir-rdim+dir-pacs")
    one = FACTS.profile("lcsr")
    other = msgspec.structs.replace(one, name="x", settings={"auth.access_token_lifetime": 9})
    with pytest.raises(FactsError, match=r"auth\.access_token_lifetime"):
        join([one, other])


@pytest.mark.parametrize("name", ["lcsr+", "+", "lcsr+lcsr", "lcsr+cdsr@1", "a+b"])
def test_a_join_that_names_nothing_is_refused(name: str) -> None:
    """An empty, doubled or unknown name, or too few revisions (after the sign @), is an error in words."""
    name, _, revision = name.partition("@")
    with pytest.raises(FactsError, match="there is no profile"):
        FACTS.profile(name, revision or None)


def test_a_profile_may_only_list_others(tmp_path: Path) -> None:
    """A layer can give a name to several profiles together."""
    layer = tmp_path / "both.yaml"
    layer.write_text(
        "schema: acrmock/layer/1\nkind: profile\nprofile: both\nrevision: '3'\ntitle: Both\nprovenance: mock-choice\n"
        "sources: [MOCK]\njoins: [lcsr, cdsr]\n",
        encoding="utf-8",
    )
    facts = load_facts([layer])
    found, joined = facts.profile("both"), facts.profile("lcsr+cdsr")
    assert (found.name, found.revision, found.title) == ("both", "3", "Both")
    assert found.weights == joined.weights
    assert found.steps == joined.steps


def test_a_profile_may_judge_single_checks_of_a_group(tmp_path: Path) -> None:
    """The profiles of dose reports judge two checks of applying; a check that is named and unknown is refused with its line."""
    for name in ("dir-direct", "dir-rdim", "dir-pacs"):
        profile = FACTS.profile(name)
        assert [check for check in profile.weights if check.startswith("apply-")] == ["apply-addresses", "apply-name"]
        assert profile.registries == ()
        assert profile.prefers
        assert profile.topology
    layer = tmp_path / "wrong.yaml"
    text = "schema: acrmock/layer/1\nkind: profile\nprofile: dir-rdim\nrevision: '1'\nprovenance: mock-choice\nsources: [MOCK]\n"
    layer.write_text(text + "checks: [apply-nothing]\n", encoding="utf-8")
    with pytest.raises(FactsError, match="apply-nothing"):
        load_facts([layer])
