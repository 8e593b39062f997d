"""Hostile text made harmless."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conformance.reports.text import GROUP_ORDER, GROUP_WORDS, cut, in_order, one_line, visible


@given(st.text(st.characters()))
def test_what_is_visible_can_be_written_and_steers_nothing(text: str) -> None:
    """Whatever comes in, what goes out has no control, bidi or surrogate character and can be encoded."""
    shown = visible(text)
    shown.encode("utf-8")
    assert not any(ord(character) < 32 and character not in "\t\n" for character in shown)
    assert visible(shown) == shown


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200b", "\x1b", "\x00", "\r", "\x7f", "\ud800", "\ufffe", "\u2028", "\U000e0041"]
)
def test_a_hidden_character_is_named(hidden: str) -> None:
    """A character that hides or reorders is shown by its number."""
    assert visible(f"a{hidden}b") == f"a[U+{ord(hidden):04X}]b"


def test_plain_text_stays_as_it_is() -> None:
    """Letters of any script, tab and line feed are not touched."""
    assert visible("Überprüfung\t日本語\n한국어") == "Überprüfung\t日本語\n한국어"


def test_one_line_has_no_breaks() -> None:
    """A text of several lines comes to stand on one."""
    assert one_line(" a\n\n b\tc ") == "a b c"


def test_a_cut_says_how_much_is_missing() -> None:
    """What is cut is counted; what fits is not touched."""
    assert cut("abcdef", 4) == "abcd… [2 more characters]"
    assert cut("abcd", 4) == "abcd"


def test_unknown_keys_come_last() -> None:
    """Groups that nobody has ordered follow those that are known."""
    assert in_order({"zeta", "tx", "apply", "alpha"}, ("apply", "tx")) == ["apply", "tx", "alpha", "zeta"]


def test_groups_are_called_as_the_requirements_call_them() -> None:
    """The title of each file of requirements is the group's in every report, and no group lacks its file."""
    files = Path(__file__).parents[3].joinpath("fixtures", "requirements").glob("*.yaml")
    told = {layer["group"]: layer["title"] for layer in (yaml.safe_load(file.read_text("utf-8")) for file in files)}
    assert told == GROUP_WORDS
    assert set(GROUP_ORDER) == set(GROUP_WORDS)
