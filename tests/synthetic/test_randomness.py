"""Tests of the counter-based randomness: equal everywhere, in any order, without bias."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.errors import SetupError
from synthetic.randomness import DecimalRange, Stream, Weighted, decimal_text

SEEDS = st.integers(0, 2**64 - 1)
GOLDEN_WORDS = (660356811868165231, 14696870833053776135)


def test_words_are_the_same_on_any_machine() -> None:
    """The first words of known streams never change: a change here changes everybody's synthetic data."""
    assert Stream(0, "people").item(0).word() == GOLDEN_WORDS[0]
    assert Stream(2**64 - 1, "é").item(2**64 - 1).word() == GOLDEN_WORDS[1]


@given(seed=SEEDS, indices=st.lists(SEEDS, min_size=1, max_size=20))
def test_items_do_not_depend_on_order(seed: int, indices: list[int]) -> None:
    """An item is the same whichever items were drawn before it."""
    stream = Stream(seed, "order")
    forward = {index: [stream.item(index).word() for _ in range(3)] for index in indices}
    backward = {index: [Stream(seed, "order").item(index).word() for _ in range(3)] for index in reversed(indices)}
    assert forward == backward


def test_items_streams_and_seeds_differ() -> None:
    """Neighbouring items, names that share a prefix and neighbouring seeds have different draws."""
    firsts = [Stream(seed, name).item(index).word() for seed in range(5) for name in ("a", "ab", "b") for index in range(5)]
    assert len(set(firsts)) == len(firsts)


def test_an_item_goes_on_past_one_block() -> None:
    """Draws do not repeat when a block of eight words is used up."""
    draws = Stream(1, "long").item(0)
    taken = [draws.word() for _ in range(100)]
    assert len(set(taken)) == 100


@given(seed=SEEDS, bound=st.integers(1, 2**64))
def test_below_stays_below(seed: int, bound: int) -> None:
    """A draw below a bound is from 0 to the bound less one."""
    assert 0 <= Stream(seed, "below").item(0).below(bound) < bound


@pytest.mark.parametrize("bound", [0, -1, 2**64 + 1])
def test_a_bound_out_of_range_is_refused(bound: int) -> None:
    """A bound that cannot be drawn below is a programming error, not a silent zero."""
    with pytest.raises(ValueError, match="bound"):
        Stream(0, "below").item(0).below(bound)


def test_below_rejects_what_would_bias() -> None:
    """With a bound of 3 * 2**62 a plain remainder would prefer the low third two to one; the draw does not."""
    bound = 3 * 2**62
    thirds = Counter(Stream(0, "bias").item(index).below(bound) // 2**62 for index in range(3000))
    assert all(900 < thirds[third] < 1100 for third in range(3))


def test_small_draws_are_level() -> None:
    """Each of seven values comes about as often as the others."""
    counts = Counter(Stream(3, "level").item(index).below(7) for index in range(7000))
    assert all(880 < counts[value] < 1120 for value in range(7))


@given(seed=SEEDS, places=st.integers(0, 4), low=st.integers(-5000, 5000), width=st.integers(0, 5000))
def test_decimals_are_exact_text_in_range(seed: int, places: int, low: int, width: int) -> None:
    """A decimal has its places, lies in its range, and the number of the same draw prints as the same value."""
    bounds = (decimal_text(low, places), decimal_text(low + width, places))
    text = Stream(seed, "decimal").item(0).decimal(*bounds, places)
    number = DecimalRange(*bounds, places).number(Stream(seed, "decimal").item(0))
    assert Decimal(bounds[0]) <= Decimal(text) <= Decimal(bounds[1])
    assert len(text.partition(".")[2]) == places
    assert Decimal(repr(number)) == Decimal(text)


def test_an_empty_decimal_range_is_refused() -> None:
    """No decimal with one place lies between 0.01 and 0.09."""
    with pytest.raises(ValueError, match="no decimal"):
        DecimalRange("0.01", "0.09", 1)


@given(seed=SEEDS, values=st.lists(st.integers(), max_size=12), count=st.integers(0, 14))
def test_shuffles_and_samples_keep_what_they_are_given(seed: int, values: list[int], count: int) -> None:
    """A shuffle is a permutation; a sample has its size and keeps the order."""
    assert sorted(Stream(seed, "s").item(0).shuffled(values)) == sorted(values)
    places = Stream(seed, "s").item(1).sample(range(len(values)), count)
    assert len(places) == min(count, len(values))
    assert places == sorted(set(places))


@given(seed=SEEDS, first=st.dates(), second=st.dates())
def test_days_lie_between_their_ends(seed: int, first: date, second: date) -> None:
    """A day lies between the first and the last, both included."""
    first, second = sorted((first, second))
    assert first <= Stream(seed, "d").item(0).day(first, second) <= second


def test_weights_are_kept() -> None:
    """A value of weight 0 never comes, one of weight 9 about nine times as often as one of weight 1."""
    table = Weighted([("often", 9), ("never", 0), ("seldom", 1)])
    counts = Counter(Stream(0, "w").item(index).weighted(table) for index in range(5000))
    assert set(counts) == {"often", "seldom"}
    assert 4350 < counts["often"] < 4650


def test_weights_without_any_weight_are_refused() -> None:
    """A table of nothing cannot be drawn from."""
    with pytest.raises(ValueError, match="positive"):
        Weighted([("a", 0)])


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    """A seed out of range is the user's to mend, and is told so."""
    with pytest.raises(SetupError, match="seed"):
        Stream(seed, "x")
    with pytest.raises(SetupError, match="index"):
        Stream(0, "x").item(seed)


def test_the_hash_seed_changes_nothing() -> None:
    """Two processes with different hash seeds draw the same."""
    program = (
        "from datetime import date; from synthetic.people import Crowd; from synthetic.randomness import Stream;"
        "print(Stream(7, 'h').item(3).shuffled('abcdefgh'), Crowd(7).person(9, born=(date(1950, 1, 1), date(1970, 1, 1))))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
