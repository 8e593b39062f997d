"""Tokens signed at once are those that joserfc makes, octet by octet."""

from __future__ import annotations

import base64
from functools import cache

import pytest
from authlib.oidc.core.util import create_half_hash
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt

from mockserver.auth.signing import SigningKey, half_hash, segment
from mockserver.keys import passing_keys

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NUMBERS = st.integers(-(2**53), 2**53)
CLAIMS = st.dictionaries(TEXTS, TEXTS | NUMBERS | st.booleans() | st.none() | st.lists(TEXTS, max_size=3), max_size=6)


@cache
def key() -> SigningKey:
    """The key that signs here."""
    return SigningKey(passing_keys("localhost"))


def slowly(kind: str, claims: dict[str, object], kid: str | None) -> str:
    """The same token from joserfc, which checks header and key with each."""
    return jwt.encode({"alg": "RS256", "kid": kid or key().kid, "typ": kind}, dict(claims), key().jwk, ["RS256"])


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(["at+jwt", "JWT"]), claims=CLAIMS, kid=st.none() | TEXTS)
def test_a_token_is_that_of_the_library(kind: str, claims: dict[str, object], kid: str | None) -> None:
    """RS256 gives one signature for one text, so any difference in header, claims or signature shows."""
    assert key().jwt("RS256", kind, dict(claims), kid=kid) == slowly(kind, claims, kid)


def test_any_number_of_key_ids_can_be_named() -> None:
    """The headers that are kept are bounded, and each is the right one after they were let go."""
    for number in range(200):
        head = key().jwt("RS256", "JWT", {}, kid=str(number)).partition(".")[0]
        assert head.encode() == segment(b'{"typ":"JWT","alg":"RS256","kid":"%d"}' % number)


@pytest.mark.parametrize("algorithm", ["RS384", "PS256"])
def test_another_algorithm_is_the_librarys(algorithm: str) -> None:
    """A token of an algorithm that is not RS256 is one that joserfc reads with that algorithm alone."""
    token = key().jwt(algorithm, "JWT", {"sub": "1"})
    assert jwt.decode(token, key().jwk, [algorithm]).claims == {"sub": "1"}


@given(st.text(st.characters(codec="ascii"), max_size=100), st.sampled_from(["RS256", "RS384"]))
def test_the_half_of_a_hash_is_that_of_the_library(value: str, algorithm: str) -> None:
    """`at_hash` is what Authlib makes of the same token."""
    assert half_hash(algorithm, value) == create_half_hash(value, algorithm).decode()


@given(st.binary(max_size=200))
def test_a_segment_is_base64url_without_padding(data: bytes) -> None:
    """What stands between the dots is RFC 7515's base64url."""
    assert segment(data) == base64.urlsafe_b64encode(data).rstrip(b"=")
