"""Redirect URLs: absolute, https, nothing hidden in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.facts import load_facts
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.urls import check_url, without_user_info

LIMITS = Limits.of(load_facts())


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost:8765/callback",
        "https://127.0.0.1/cb",
        "https://[::1]:8443/cb",
        "https://vendor.example",
        "https://bücher.example/cb",
        "https://xn--bcher-kva.example/cb",
        "https://a.example:65535/cb?x=1&y=%C3%A9",
        "HTTPS://A.example/",
        "https://a.example./cb",
        "https://a_b.example/cb",
    ],
)
def test_good_urls(url: str) -> None:
    """Loopback, ports, addresses, international names and queries are allowed."""
    assert check_url("redirect_url", url, LIMITS) == []


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "empty"),
        ("/callback", "not absolute"),
        ("//a.example/cb", "not absolute"),
        ("https:///cb", "not absolute"),
        ("https:cb", "not absolute"),
        ("http://a.example/cb", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("myapp://cb", "scheme"),
        ("https://a.example/cb#top", "fragment"),
        ("https://a.example/cb#", "fragment"),
        ("https://*.a.example/cb", "wildcard"),
        ("https://a.example/*", "wildcard"),
        ("https://user:pw@a.example/cb", "password"),
        ("https://a.example@evil.example/", "user name"),
        ("https://a.example:0/cb", "port"),
        ("https://a.example:65536/cb", "port"),
        ("https://a.example:x/cb", "port"),
        ("https://a.example:/cb", "port"),
        ("https://-a.example/cb", "host"),
        ("https://a..example/cb", "host"),
        ("https://1.2.3/cb", "host"),
        ("https://[::1/cb", "host"),
        ("https://[fe80::1%25eth0]/cb", "host"),
        ("https://" + "a" * 64 + ".example/", "host"),
        ("https://:443/cb", "no host"),
        ("https://a.example\\@b.example/", "absolute|character|host"),
        ("https://a.example/c b", "character"),
        ("https://a.example/\u202ecb", "cannot be seen"),
        ("https://a.example/\x00", "cannot be seen"),
        ("https://a.example/é", "ASCII"),
        ("https://a.example/%zz", "percent"),
        ("https://a.example/" + "x" * 1_000_000, "too long"),
        ("\nhttps://a.example/", "cannot be seen"),
    ],
)
def test_bad_urls(url: str, word: str) -> None:
    """Each way to be wrong is refused with its own reason, however large the URL."""
    said = " ".join(problem.reason for problem in check_url("redirect_url", url, LIMITS, index=3))
    assert any(part in said for part in word.split("|"))
    assert all(problem.pointer == "/redirect_url/3" for problem in check_url("redirect_url", url, LIMITS, index=3))


def test_a_password_in_a_url_is_never_written_down() -> None:
    """The reason shows the URL without the user's name and password."""
    problems = check_url("redirect_url", "https://user:geheim@a.example/cb", LIMITS)
    assert problems
    assert all("geheim" not in problem.actual for problem in problems)
    assert without_user_info("https://user:geheim@a.example/cb") == "https://***@a.example/cb"


@given(st.text(max_size=300))
def test_anything_gets_an_answer(text: str) -> None:
    """No text makes it fail, and what is admitted is https and free of traps."""
    if not check_url("redirect_url", text, LIMITS):
        assert text[:8].lower() == "https://"
        assert not set("#*@ \\\n\t") & set(text.partition("?")[0].removeprefix("https://").partition("/")[0])
        assert "#" not in text


LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(lambda label: not label.startswith("xn--"))


@given(
    st.lists(LABEL, min_size=1, max_size=4),
    st.none() | st.integers(1, 65535),
    st.lists(st.from_regex(r"[A-Za-z0-9._~-]{0,12}", fullmatch=True), max_size=4),
)
def test_every_plain_https_url_is_admitted(labels: list[str], port: int | None, segments: list[str]) -> None:
    """Host names, ports and paths of unreserved characters always pass, and never with a fragment or another scheme."""
    host = ".".join(labels) + (f":{port}" if port else "")
    url = f"https://{host}/" + "/".join(segments)
    assert check_url("redirect_url", url, LIMITS) == []
    assert check_url("redirect_url", url + "#x", LIMITS)
    assert check_url("redirect_url", "http" + url[5:], LIMITS)
    assert check_url("redirect_url", url.replace("https://", "https://u@"), LIMITS)
