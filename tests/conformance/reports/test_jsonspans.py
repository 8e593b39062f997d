"""Where a pointer's value stands in a JSON text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.pointer import PointerError, pointer_of
from conformance.reports.jsonspans import locate

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def _leaves(value: Any, tokens: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = [(tokens, value)]
    if isinstance(value, dict):
        found += [leaf for key, item in value.items() for leaf in _leaves(item, (*tokens, key))]
    if isinstance(value, list):
        found += [leaf for number, item in enumerate(value) for leaf in _leaves(item, (*tokens, str(number)))]
    return found


@given(_JSON, st.sampled_from([None, 1, 3]))
def test_every_value_is_located(value: Any, indent: int | None) -> None:
    """For each pointer into a document the located text is that value, after its name in an object."""
    text = "\n" + json.dumps(value, indent=indent) + " "
    for tokens, expected in _leaves(value):
        start, end = locate(text, pointer_of(tokens))
        shown = text[start:end]
        try:
            assert json.loads(shown) == expected
        except json.JSONDecodeError:
            assert json.loads("{" + shown + "}") == {tokens[-1]: expected}


@pytest.mark.parametrize(
    "text", ["", "{", '{"a"', '{"a":', '{"a": 1', "[1, 2", "[", "not json", "[" * 5000, '{"a":' * 5000, "\ud800"]
)
def test_what_is_no_json_raises_one_error(text: str) -> None:
    """Cut, wrong or far too deep text is refused without a traceback of another kind."""
    for pointer in ("/zz", "/7", "/a/a/zz"):
        with pytest.raises(PointerError):
            locate(text, pointer)


def test_of_duplicate_names_the_first_is_taken() -> None:
    """A body with duplicate names is no reason to fail."""
    assert locate('{"a": 1, "a": 2}', "/a") == (1, 7)
