"""Tests of the synthetic people: each is recognisably synthetic and no identifier could have been issued."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.errors import HarnessError, SetupError
from synthetic.people import Crowd, Person, provider_identifier, social_security_number
from synthetic.randomness import Stream
from synthetic.wordlists import words

BORN = (date(1945, 1, 1), date(1975, 12, 31))
SEEDS = st.integers(0, 2**64 - 1)
INDICES = st.integers(0, 10**9)


def person_of(seed: int, index: int) -> Person:
    """Person `index` of `seed`, born between 1945 and 1975."""
    return Crowd(seed).person(index, born=BORN)


@given(seed=SEEDS, index=INDICES)
def test_no_identifier_could_be_issued(seed: int, index: int) -> None:
    """Every identifier lies in a range that is never issued, and has the shape of its kind."""
    person = person_of(seed, index)
    assert re.fullmatch(r"(000|666)-(?!00)\d\d-(?!0000)\d{4}", person.ssn)
    assert re.fullmatch(r"[1-9]S[0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d[AC-HJKMNP-RT-Y]{2}\d\d", person.mbi)
    assert re.fullmatch(r"[2-9]\d\d-555-01\d\d", person.telephone)
    assert person.family.endswith("-Zztest")
    assert person.mrn.startswith("SYN")
    assert len(person.health_insurance_claim) <= 12
    assert BORN[0] <= person.birth_date <= BORN[1]


@given(seed=SEEDS, index=INDICES)
def test_provider_identifiers_check_and_lead_with_nine(seed: int, index: int) -> None:
    """An NPI leads with 9 and its check digit is right by the plain Luhn sum over 80840 and its digits."""
    npi = provider_identifier(Stream(seed, "npi").item(index))
    assert re.fullmatch(r"9\d{9}", npi)
    total = 0
    for place, digit in enumerate(reversed("80840" + npi)):
        total += sum(divmod(int(digit) * (1 + place % 2), 10))
    assert total % 10 == 0


@given(seed=SEEDS, index=INDICES)
def test_a_person_does_not_depend_on_who_came_before(seed: int, index: int) -> None:
    """The same person comes from a fresh crowd and from one that has made others."""
    crowd = Crowd(seed)
    crowd.person(0, born=BORN)
    assert crowd.person(index, born=BORN) == person_of(seed, index)


def test_people_of_a_seed_do_not_share_identifiers() -> None:
    """Social Security, record and Medicare numbers are unique among the first 5,000."""
    crowd = Crowd(11)
    people = [crowd.person(index, born=BORN) for index in range(5000)]
    for numbers in ([p.ssn for p in people], [p.mrn for p in people], [p.mbi for p in people]):
        assert len(set(numbers)) == 5000


def test_social_security_slots_repeat_only_after_all() -> None:
    """Neighbouring slots and the first after a full round are as stated."""
    assert social_security_number(0) != social_security_number(1)
    assert social_security_number(0) == social_security_number(1_979_802)


def test_both_sexes_and_letters_beyond_ascii_occur() -> None:
    """Clients meet names with accents, and women and men about equally often."""
    crowd = Crowd(5)
    people = [crowd.person(index, born=BORN) for index in range(600)]
    assert any(not p.family.isascii() for p in people)
    assert 220 < Counter(p.sex for p in people)["F"] < 380


def test_ages_count_whole_years() -> None:
    """The day before a birthday is still the year before."""
    person = person_of(0, 0)
    birthday = person.birth_date.replace(year=2025)
    assert person.age_on(birthday) == 2025 - person.birth_date.year
    assert person.age_on(date.fromordinal(birthday.toordinal() - 1)) == 2024 - person.birth_date.year


@pytest.mark.parametrize("name", ["family", "given-female", "given-male"])
def test_word_lists_are_frozen_in_order(name: str) -> None:
    """Each list is sorted, without repetition, in composed letters, and long enough."""
    listed = words(name)
    assert list(listed) == sorted(set(listed))
    assert all(unicodedata.normalize("NFC", word) == word for word in listed)
    assert len(listed) > 300


def test_a_missing_list_is_said() -> None:
    """A word list that is not shipped is a fault of the installation, with a way to mend it."""
    with pytest.raises(HarnessError, match="missing"):
        words("no-such-list")


def test_a_negative_person_is_refused() -> None:
    """There is no person before the first."""
    with pytest.raises(SetupError, match="index"):
        person_of(0, -1)
