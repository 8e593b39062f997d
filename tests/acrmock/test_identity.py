"""Identifiers: what is synthetic, what could be somebody's, what is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock import identity


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("000-12-3456", "synthetic"),
        ("666-12-3456", "synthetic"),
        ("666123456", "synthetic"),
        ("123-00-4567", "synthetic"),
        ("123-45-0000", "synthetic"),
        ("123-45-6789", "issuable"),
        ("123-45-678", "malformed"),
        ("123-45-6789\n", "malformed"),
        ("١٢٣-45-6789", "malformed"),
        ("", "malformed"),
    ],
)
def test_social_security_numbers(text: str, kind: str) -> None:
    """Only areas, groups and serials that were never assigned are synthetic."""
    assert identity.classify_ssn(text) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1S00A00AA00", "synthetic"),
        ("1EG4TE5MK73", "issuable"),
        ("0EG4TE5MK73", "malformed"),
        ("1EG4TE5MK7", "malformed"),
        ("1eg4te5mk73", "malformed"),
        ("1LG4TE5MK73", "malformed"),
    ],
)
def test_medicare_identifiers(text: str, kind: str) -> None:
    """S in the second place makes a Medicare identifier synthetic; other excluded letters make it malformed."""
    assert identity.classify_mbi(text) == kind


def test_provider_identifiers() -> None:
    """CMS's own example passes the check digit and could be somebody's; a leading 9 is synthetic."""
    assert identity.luhn_npi("1234567893")
    assert identity.classify_npi("1234567893") == "issuable"
    assert identity.classify_npi("1234567890") == "malformed"
    nine = "912345678"
    assert identity.classify_npi(nine + identity.npi_check_digit(nine)) == "synthetic"


@given(st.from_regex(r"[0-9]{9}", fullmatch=True).filter(str.isascii))
def test_exactly_one_check_digit_fits(nine: str) -> None:
    """For every nine digits just one tenth digit passes."""
    fitting = [digit for digit in "0123456789" if identity.luhn_npi(nine + digit)]
    assert fitting == [identity.npi_check_digit(nine)]


def test_a_check_digit_needs_nine_digits() -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="nine digits"):
        identity.npi_check_digit("12345678x")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("212-555-0123", "synthetic"),
        ("+1 (212) 555-0199", "synthetic"),
        ("212-555-1234", "issuable"),
        ("703-648-8900", "issuable"),
        ("555-0123", "malformed"),
    ],
)
def test_telephone_numbers(text: str, kind: str) -> None:
    """Only 555-0100 to 555-0199 are synthetic."""
    assert identity.classify_phone(text) == kind


def test_numbers_inside_text() -> None:
    """A number that could be somebody's is found in a sentence, a synthetic one is not."""
    assert identity.ssns_in("see 123-45-6789 and 666-12-3456") == ("123-45-6789",)


@given(st.text(max_size=40))
def test_any_text_is_classified(text: str) -> None:
    """No text makes a classifier raise."""
    for classify in (identity.classify_ssn, identity.classify_mbi, identity.classify_npi, identity.classify_phone):
        assert classify(text) in {"synthetic", "issuable", "malformed"}
