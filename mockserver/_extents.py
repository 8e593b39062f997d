"""Which blocks of a file are free: taken in one piece each, given back in any order. Pure: nothing here knows the file."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from itertools import islice

_LOOKED_AT = 8


class FreeBlocks:
    """The free blocks below `end`, in pieces; neighbouring pieces grow together.

    `used` are the pieces (first block, count) that are not free at first; raises `ValueError` where two of them overlap.
    """

    def __init__(self, used: Iterable[tuple[int, int]] = ()) -> None:
        self._counts: dict[int, int] = {}
        self._firsts: dict[int, int] = {}
        self._alike: defaultdict[int, OrderedDict[int, None]] = defaultdict(OrderedDict)
        self.free = 0
        self.end = 0
        for first, count in sorted(used):
            if first < self.end:
                raise ValueError(f"two pieces hold block {first}")
            if first > self.end:
                self._put(self.end, first - self.end)
            self.end = first + count

    def pieces(self) -> list[tuple[int, int]]:
        """The free pieces, first block and count, in order."""
        return sorted(self._counts.items())

    def take(self, count: int) -> int:
        """The first of `count` blocks: of a free piece, or the last of them behind the end.

        Pieces lie by the length of their count in bits: of those alike a few are looked at, of the longer ones the first will do,
        so that it costs the same however many there are.
        """
        for bits in range(count.bit_length(), self.end.bit_length() + 1):
            for first in islice(self._alike[bits], _LOOKED_AT):
                there = self._counts[first]
                if there >= count:
                    self._drop(first, there)
                    if there > count:
                        self._put(first + count, there - count)
                    return first
        first = self._firsts.get(self.end, self.end)
        if first < self.end:
            self._drop(first, self.end - first)
        if first + count < self.end:
            self._put(first + count, self.end - first - count)
        self.end = max(self.end, first + count)
        return first

    def extend(self, count: int) -> int:
        """The first of `count` blocks behind the end."""
        first, self.end = self.end, self.end + count
        return first

    def give(self, first: int, count: int) -> None:
        """Take blocks back."""
        after = self._counts.get(first + count)
        if after is not None:
            self._drop(first + count, after)
            count += after
        before = self._firsts.get(first)
        if before is not None:
            self._drop(before, first - before)
            first, count = before, count + first - before
        self._put(first, count)

    def trim(self) -> int:
        """Let go of the free piece before the end, if there is one; the end."""
        first = self._firsts.get(self.end)
        if first is not None:
            self._drop(first, self.end - first)
            self.end = first
        return self.end

    def _put(self, first: int, count: int) -> None:
        self._counts[first] = count
        self._firsts[first + count] = first
        self._alike[count.bit_length()][first] = None
        self.free += count

    def _drop(self, first: int, count: int) -> None:
        del self._counts[first], self._firsts[first + count], self._alike[count.bit_length()][first]
        self.free -= count
