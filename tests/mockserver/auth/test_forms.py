"""Forms that have nothing encoded are read at once, as the standard library reads them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from mockserver.auth.forms import MOST_FIELDS, form_pairs

PIECES = st.sampled_from(
    ["a", "grant_type", "=", "&", "==", "&&", "+", "%", "%41", "%zz", "%c3%bc", ";", "\u00fc", " ", "\0", "x=1"]
)


def slowly(body: bytes) -> list[tuple[str, str]] | None:
    """The fields by the library alone; None where there are too many."""
    try:
        text = body.decode("utf-8", "replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError:
        return None


def found(body: bytes) -> list[tuple[str, str]] | None:
    """The fields as they are read; None where there are too many."""
    try:
        return form_pairs(body)
    except ValueError:
        return None


@given(st.lists(PIECES, max_size=12).map("".join).map(str.encode) | st.binary(max_size=40))
def test_forms_are_read_alike(body: bytes) -> None:
    """Names, values, their order, empty ones and broken encodings are those of the library."""
    assert found(body) == slowly(body)


@given(st.integers(MOST_FIELDS - 3, MOST_FIELDS + 3), st.sampled_from(["", "a", "a=%41"]))
def test_too_many_fields(number: int, last: str) -> None:
    """The bound is the same in both ways, empty fields counted."""
    body = ("&".join(["x=1"] * number) + "&" + last).encode()
    assert found(body) == slowly(body)
