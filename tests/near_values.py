"""Values for hypothesis: right or nearly right for an element."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from acrmock.facts import Element, ElementType


def near(element: Element) -> st.SearchStrategy[Any]:
    """Values that are right or nearly right for an element."""
    if element.type is ElementType.CODE:
        code = st.sampled_from([code.code for code in element.codes] + ["zz", ""])
        return st.lists(code, max_size=4) if element.multiple else code
    if element.type is ElementType.DATE:
        return st.dates().map(str) | st.from_regex(r"[12][089][0-9]{2}-[0-9]{2}-[0-9]{2}\n?", fullmatch=True)
    if element.type is ElementType.INSTANT:
        whole = st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds"))
        return whole | whole.map(str.lower) | st.from_regex(r"202[56]-0[1-9]-[0-3][0-9][Tt ][0-2][0-9]:00:00", fullmatch=True)
    if element.type is ElementType.NUMBER:
        return st.integers(-5, 2 * 10**9) | st.decimals(-5, 10**4, places=3).map(str) | st.floats(-5, 1e10)
    if element.pattern:
        return st.from_regex(element.pattern)
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=2 + min(element.max_length or 0, 300))
