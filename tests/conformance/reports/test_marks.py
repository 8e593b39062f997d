"""Marked text as HTML."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from conformance.reports.marks import Mark, render
from conformance.reports.text import visible

_TEXT = "GET /authorize?state=<b>&nonce=1 HTTP/1.1"


def _bare(shown: str) -> str:
    return html.unescape(re.sub(r'<span class="gap">[^<]*</span>|</?(?:mark|b)(?: [^>]*)?>', "", shown))


def test_a_mark_has_its_anchor_and_its_text() -> None:
    """The marked characters stand in a mark with the id; all is escaped."""
    shown = render(_TEXT, [Mark(15, 24, "e1-m1")], 1000)
    assert '<mark id="e1-m1" tabindex="-1">state=&lt;b&gt;</mark>' in shown
    assert _bare(shown) == _TEXT


def test_marks_nest() -> None:
    """A parameter marked within a marked query keeps both anchors."""
    shown = render(_TEXT, [Mark(15, 32, "outer"), Mark(25, 32, "inner"), Mark(15, 20)], 1000)
    assert re.search(r'<mark id="outer"[^>]*><b>state</b>=.*<mark id="inner"[^>]*>nonce=1</mark></mark>', shown)


def test_a_mark_beyond_the_limit_is_still_shown() -> None:
    """Of a megabyte only the beginning and the surroundings of marks stay; the rest is counted."""
    text = "x" * 1_000_000 + "HERE" + "y" * 1_000_000
    shown = render(text, [Mark(1_000_000, 1_000_004, "m")], 100)
    assert "HERE</mark>" in shown
    assert len(shown) < 2_000
    assert "characters left out" in shown


def test_a_mark_over_everything_is_cut_and_closed_once() -> None:
    """A mark longer than what is shown has one id, and as many ends as beginnings."""
    shown = render("z" * 50_000, [Mark(0, 50_000, "all"), Mark(40_000, 40_010, "deep")], 100)
    assert shown.count('id="all"') == shown.count('id="deep"') == 1
    assert shown.count("<mark") == shown.count("</mark>")


def test_an_empty_place_is_shown() -> None:
    """A header without a value can be pointed at, also at the very end."""
    for text, at in (("X-Empty: \nHost: a", 9), ("X-Empty: ", 9), ("", 0)):
        assert '<mark id="m" tabindex="-1"><span class="gap">(empty)</span></mark>' in render(text, [Mark(at, at, "m")], 100)


@given(
    st.text(max_size=200),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=6),
    st.integers(0, 250),
)
def test_no_text_is_lost_and_every_mark_is_there(text: str, spots: list[tuple[int, int]], limit: int) -> None:
    """Whatever is marked, every anchor occurs once, tags are balanced, and the text in view is whole."""
    spans = [(min(start, len(text)), min(start + length, len(text))) for start, length in spots]
    shown = render(text, [Mark(start, end, f"m{number}") for number, (start, end) in enumerate(spans)], limit)
    assert shown.count("<mark") == shown.count("</mark>")
    assert all(shown.count(f'id="m{number}"') == 1 for number in range(len(spans)))
    if limit >= len(text):
        assert _bare(shown) == visible(text)
