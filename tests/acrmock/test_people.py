"""Identifiers of people that no name marks: found wherever they stand, replaced by nobody's of the same shape."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock._people import People
from acrmock.identity import npi_check_digit
from acrmock.redaction import Digester

PEOPLE = People(Digester(b"k" * 32).stream, frozenset({"exam_date"}))
SOMEBODY = (
    "219-09-8765",
    "219 09 8765",
    "219098765",
    "148765923" + npi_check_digit("148765923"),
    "7QF4RT6WX91",
    "7QF4-RT6-WX91",
    "212-555-1234",
    "(212) 555-1234",
    "212.867.5309",
    "+1 212 867 5309",
    "2128675309",
    "+44 20 7946 1958",
    "quillonia.v@hospital.com",
    "1947-11-23",
    "11/23/1947",
)
NOBODY = (
    "000-12-3456",
    "666-12-3456",
    "1S00A00AA11",
    "9" + "14876592" + npi_check_digit("914876592"),
    "212-555-0123",
    "someone@example.org",
    "someone@mail.test",
    "2026-03-01",
    "2026-03-01T10:00:00.123456789Z",
    "1.2.840.113619.2.55.3.2831164999",
    "192.168.100.100",
    "5f0c3c1e-2f3b-4f5a-9c57-0c6a3f2f9b11",
    "https://user@vendor.com/callback",
    "Mozilla/5.0 (X11) Gecko/20100101 Firefox/128.0",
    '{"exp": 1764000005, "iat":1764000005}',
    '{"Exam_Date": "1999-01-02"}',
    "who=anna@hospital.com",
    "1947-13-41",
)
AROUND = ("{}", "/nrdr/lcsr/transactions/{}", "a client/1.0 ({})", "id={}&x=1", '{{"a": "{}"}}', "tell {}, please", "see {}.")


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("value", SOMEBODY)
def test_somebody_goes(value: str, around: str) -> None:
    """Raw, percent-encoded and twice so, a value that could be somebody's is not left, and all around it stays."""
    before, _, after = around.format("\0").partition("\0")
    clean = PEOPLE.clean(around.format(value))
    assert value not in clean
    assert clean.startswith(before)
    assert clean.endswith(after)
    for once in (quote(value, safe=""), "".join(f"%{ord(one):02x}" for one in value)):
        for encoded in (once, once.replace("%", "%25")):
            if encoded != value:
                assert value not in PEOPLE.clean(around.format(encoded))
                assert encoded not in PEOPLE.clean(around.format(encoded))


@pytest.mark.parametrize("value", NOBODY)
def test_nobody_stays(value: str) -> None:
    """Synthetic ranges, times, versions, UIDs, addresses and what a name explains are left as they are."""
    assert PEOPLE.clean(value) == value
    assert PEOPLE.clean(f"({value})") == f"({value})"


@pytest.mark.parametrize("value", [one for one in SOMEBODY if "1947" not in one])
def test_the_replacement_is_nobody(value: str) -> None:
    """What stands there afterwards is of the same shape and found no more; equal values stay equal, others differ."""
    clean = PEOPLE.clean(value)
    assert PEOPLE.clean(clean) == clean
    assert PEOPLE.clean(f"x {value}") == f"x {clean}"
    if "@" not in value:
        assert re.sub("[A-Z]", "A", re.sub(r"\d", "0", clean)) == re.sub("[A-Z]", "A", re.sub(r"\d", "0", value))
    assert People(Digester(b"other").stream).clean(value) != clean


def test_numbers_of_json() -> None:
    """A JSON number becomes another number, or stays where the text is acrmock's own."""
    text = '{"a": 219098765, "b": [2128675309]}'
    assert re.fullmatch(r'\{"a": 666\d{6}, "b": \[2\d{9}\]\}', PEOPLE.clean(text))
    assert PEOPLE.clean(text, numbers=False) == text


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8") | st.sampled_from("0123456789-+@%./ AZ"), max_size=60))
def test_any_text(text: str) -> None:
    """No text breaks it, and cleaning changes nothing but what it found."""
    clean = PEOPLE.clean(text)
    assert isinstance(clean, str)
    if not any(character.isdigit() for character in text) and "@" not in text and "%" not in text:
        assert clean == text
