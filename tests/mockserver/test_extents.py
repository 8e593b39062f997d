"""Free blocks of a file: no block is had by two, none is lost, neighbours grow together."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver._extents import FreeBlocks


def taken(blocks: FreeBlocks, held: dict[int, int]) -> set[int]:
    """Every block that is held or free, once."""
    parts = [*held.items(), *blocks.pieces()]
    every = [block for first, count in parts for block in range(first, first + count)]
    assert len(every) == len(set(every)), "a block is in two pieces"
    return set(every)


@given(st.data())
def test_every_block_is_free_or_held_once(data: st.DataObject) -> None:
    """Whatever is taken, given back and cut off: each block below the end is in one piece, and free pieces do not touch."""
    blocks, held = FreeBlocks(), dict[int, int]()
    for _ in range(data.draw(st.integers(0, 40))):
        step = data.draw(st.sampled_from(["take", "take", "give", "extend", "trim"]))
        if step in {"take", "extend"}:
            count = data.draw(st.integers(1, 300))
            held[blocks.take(count) if step == "take" else blocks.extend(count)] = count
        elif step == "give" and held:
            first = data.draw(st.sampled_from(sorted(held)))
            blocks.give(first, held.pop(first))
        elif step == "trim":
            assert blocks.trim() == blocks.end == max((first + count for first, count in held.items()), default=0)
        assert taken(blocks, held) == set(range(blocks.end))
        pieces = blocks.pieces()
        assert blocks.free == sum(count for _, count in pieces)
        assert all(first + count < after for (first, count), (after, _) in pairwise(pieces))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=12))
def test_begun_beside_what_is_used(parts: list[tuple[int, int]]) -> None:
    """What is not used at first is free, up to the end of the last used piece; pieces that overlap are refused."""
    used = [block for first, count in parts for block in range(first, first + count)]
    if len(used) != len(set(used)):
        with pytest.raises(ValueError, match="two pieces hold block"):
            FreeBlocks(parts)
        return
    blocks = FreeBlocks(parts)
    assert blocks.end == max(used, default=-1) + 1
    assert taken(blocks, dict(parts)) == set(range(blocks.end))


def test_a_free_piece_that_is_long_enough_is_used_again() -> None:
    """Room that was given back is taken before the end is moved, its beginning first."""
    blocks = FreeBlocks([(0, 2), (10, 1)])
    assert [blocks.take(3), blocks.take(5), blocks.take(1)] == [2, 5, 11]


def test_few_pieces_are_looked_at() -> None:
    """With very many short pieces, long ones go to the end at once, and each short one is used in its turn."""
    blocks = FreeBlocks((2 * number, 1) for number in range(10_000))
    assert blocks.take(5) == blocks.end - 5
    assert len({blocks.take(1) for _ in range(9_999)}) == 9_999
    assert blocks.free == 0


def test_long_pieces_are_found_among_very_many_short_ones() -> None:
    """Beside very many short pieces a file in which as much is given back as taken does not grow much."""
    blocks, held = FreeBlocks((2 * number, 1) for number in range(20_000)), list[tuple[int, int]]()
    begun = blocks.end
    for number in range(3_000):
        count = 17 + number * 37 % 200
        held.append((blocks.take(count), count))
        if len(held) > 50:
            blocks.give(*held.pop(0))
    assert blocks.end - begun < 2 * 50 * 217
