"""RFC 6901 pointers, made and taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.pointer import PointerError, join, parse_pointer, pointer_of


@given(st.lists(st.text()))
def test_tokens_survive_a_pointer(tokens: list[str]) -> None:
    """What is joined to a pointer is parsed back to the same tokens."""
    assert list(parse_pointer(pointer_of(tokens))) == tokens


@pytest.mark.parametrize("pointer", ["a", "/~2", "/~", "/a/~", "/~0~"])
def test_a_malformed_pointer_is_refused(pointer: str) -> None:
    """A pointer begins with a slash and escapes nothing but its two signs."""
    with pytest.raises(PointerError):
        parse_pointer(pointer)


def test_a_strangers_name_is_cut_and_encodable() -> None:
    """Whatever a body names its members, the pointer can be stored and stays short."""
    found = join("/Exams", 0, "a/b~\ud800" + "x" * 1000)
    assert found.startswith("/Exams/0/a~1b~0\ufffd")
    assert len(found.encode()) < 300
