"""What a vendor declares: the mock refuses and the judge fails by the same rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.declared import name_faults, url_faults, without_user_info


@pytest.mark.parametrize(
    "url",
    ["https://localhost:8765/callback", "https://vendor.example/cb?tenant=1", "https://[::1]:8443/", "https://bücher.example/"],
)
def test_a_url_that_can_be_registered(url: str) -> None:
    """Absolute, https, loopback or a name, with a port and a query: nothing is wrong."""
    assert url_faults(url, 2048) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "empty"),
        ("http://localhost/cb", "scheme"),
        ("/cb", "not absolute"),
        ("https://h.example/cb#", "fragment"),
        ("https://*.example/cb", "wildcard"),
        ("https://user:secret@h.example/cb", "user name"),
        ("https://h.example:0/cb", "port"),
        ("https:///cb", "not absolute"),
        ("https://h.example/\u202ecb", "cannot be seen"),
        ("https://h.example/" + "x" * 2048, "too long"),
    ],
)
def test_a_url_that_cannot(url: str, reason: str) -> None:
    """Each thing that could send a code elsewhere has its reason."""
    assert any(reason in found for found, _ in url_faults(url, 2048))
    assert "secret" not in without_user_info(url)


@pytest.mark.parametrize(
    ("name", "reason"),
    [(" ", "needed"), ("Lung\u202eTracker", "U+202E"), ("x" * 101, "too long"), (" Lung", "white space"), ("…!", "no letter")],
)
def test_a_name_that_cannot(name: str, reason: str) -> None:
    """A name that nobody could read on the sign-in page has its reason."""
    assert any(reason in found for found, _ in name_faults(name, 100))


@given(st.text(max_size=80))
def test_any_text_gets_an_answer(text: str) -> None:
    """No text breaks the rules, and every reason says what is expected."""
    for reason, expected in (*url_faults(text, 2048), *name_faults(text, 100)):
        assert reason
        assert expected
