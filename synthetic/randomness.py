"""Counter-based randomness: a deterministic stream of draws per (seed, stream name, index).

Each item has its own stream of BLAKE2b blocks (RFC 7693), so that item 7,000,000 costs as much as item 0 and gives the
same bytes on any machine, in any order and in any shard. Nothing here depends on `random`, on the hash seed or on the
release of a library.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from itertools import accumulate
from typing import Generic, TypeVar

from acrmock.errors import SetupError

T = TypeVar("T")

_WORD = 1 << 64
LOW = _WORD - 1
"""The low half of the product of a word and a bound."""
_unpack = struct.Struct(">8Q").unpack
"""The eight words of a block from its bytes turned round, so that the first word comes last."""
_counter = struct.Struct("<Q").pack
_FEW = 256
_COUNTERS = tuple(map(_counter, range(_FEW)))
MAX_SEED = _WORD - 1
MAX_INDEX = _WORD - 1
_RANGE = f"a whole number from 0 to {LOW}"


class Weighted(Generic[T]):
    """Values with whole-number weights, ready to be drawn from; raises `ValueError` when no weight is positive."""

    __slots__ = ("steps", "total", "values")

    def __init__(self, weights: Iterable[tuple[T, int]]) -> None:
        pairs = [(value, weight) for value, weight in weights if weight > 0]
        if not pairs:
            raise ValueError("at least one weight must be positive")
        self.values = tuple(value for value, _ in pairs)
        self.steps = tuple(accumulate(weight for _, weight in pairs))
        self.total = self.steps[-1]

    def at(self, point: int) -> T:
        """The value at `point`, where 0 <= point < total."""
        return self.values[bisect_right(self.steps, point)]


class DecimalRange:
    """The decimals from `low` to `high` (both drawn too) with `places` digits after the point, as exact text or number.

    Raises `ValueError` when the range is empty at that precision.
    """

    __slots__ = ("_count", "first", "places", "scale")

    def __init__(self, low: str | Decimal, high: str | Decimal, places: int) -> None:
        self.scale = 10**places
        first = Decimal(low) * self.scale
        last = Decimal(high) * self.scale
        self.first = int(first.to_integral_value(rounding="ROUND_CEILING"))
        self._count = int(last.to_integral_value(rounding="ROUND_FLOOR")) - self.first + 1
        self.places = places
        if self._count < 1:
            raise ValueError(f"no decimal with {places} places between {low} and {high}")

    def __len__(self) -> int:
        return self._count

    def all(self) -> tuple[int | float, ...]:
        """All of them as `number` gives them, from the least."""
        return tuple(map(self._at, range(self._count)))

    def _at(self, place: int) -> int | float:
        units = self.first + place
        return units if self.places == 0 else units / self.scale  # correctly rounded (IEEE 754): same as float(text)

    def text(self, draws: Draws) -> str:
        """One decimal as text, e.g. `-0.50`."""
        return decimal_text(self.first + draws.below(self._count), self.places)

    def number(self, draws: Draws) -> int | float:
        """One decimal as the JSON number whose shortest form is the exact decimal."""
        return self._at(draws.below(self._count))


def decimal_text(units: int, places: int) -> str:
    """`units` hundredths, thousandths ... as decimal text: `decimal_text(-50, 2) == "-0.50"`."""
    if places == 0:
        return str(units)
    digits = str(abs(units)).rjust(places + 1, "0")
    return f"{'-' if units < 0 else ''}{digits[:-places]}.{digits[-places:]}"


class Stream:
    """A named stream of one seed: `stream.item(index)` gives the draws of one item.

    `seed` and `index` are whole numbers from 0 to 2**64 - 1; raises `SetupError` for any other seed.
    """

    __slots__ = ("_base", "name", "seed")

    def __init__(self, seed: int, name: str) -> None:
        if not 0 <= seed <= MAX_SEED:
            raise SetupError("that seed cannot be used", expected=_RANGE, actual=_short(seed), where="--seed")
        encoded = name.encode("utf-8")
        self.seed = seed
        self.name = name
        self._base = blake2b(_counter(seed) + _counter(len(encoded)) + encoded, digest_size=64, person=b"acrmock/synth/1")

    def item(self, index: int) -> Draws:
        """The draws of item `index`; raises `SetupError` when the index is out of range."""
        if not 0 <= index <= MAX_INDEX:
            raise SetupError("that index cannot be used", expected=_RANGE, actual=_short(index))
        base = self._base.copy()
        base.update(_counter(index))
        return Draws(base)


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**30 else "a number of more than 30 digits"


class Draws:
    """The draws of one item, taken in order; every method gives the same values for the same item and the same calls.

    `words` are those of the block in hand, the next one last, and `refill` puts the next eight there when there are none: the
    fastest way to a word that Python has, for the loops where most of the time goes.
    """

    __slots__ = ("_base", "_block", "words")

    def __init__(self, base: blake2b) -> None:
        self._base = base
        self._block = 0
        self.words: list[int] = []

    def refill(self) -> None:
        """Put the words of the next block in place; only when none is left."""
        block = self._base.copy()
        number = self._block
        block.update(_COUNTERS[number] if number < _FEW else _counter(number))
        self._block = number + 1
        self.words += _unpack(block.digest()[::-1])

    def word(self) -> int:
        """64 uniform bits."""
        words = self.words
        if not words:
            self.refill()
        return words.pop()

    def below(self, bound: int) -> int:
        """A uniform whole number from 0 to `bound` - 1, without modulo bias (Lemire's multiply and reject)."""
        words = self.words
        if not words:
            self.refill()
        product = words.pop() * bound
        if 0 < bound <= product & LOW:
            return product >> 64
        return self.again(product, bound)

    def again(self, product: int, bound: int) -> int:
        """What `below` gives where the product of a word and `bound` may have to be rejected: its low half is below `bound`.

        Raises `ValueError` for a bound that cannot be drawn below.
        """
        if not 0 < bound <= _WORD:
            raise ValueError(f"a bound must be from 1 to 2**64, not {bound}")
        threshold = (_WORD - bound) % bound
        while product & LOW < threshold:
            product = self.word() * bound
        return product >> 64

    def each_below(self, bounds: Iterable[int]) -> list[int]:
        """What `below` gives for each of the bounds."""
        words, found = self.words, []
        for bound in bounds:
            if not words:
                self.refill()
            product = words.pop() * bound
            found.append(product >> 64 if 0 < bound <= product & LOW else self.again(product, bound))
        return found

    def integer(self, low: int, high: int) -> int:
        """A uniform whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, parts: int, of: int = 1000) -> bool:
        """True with probability `parts`/`of`."""
        return self.below(of) < parts

    def choice(self, values: Sequence[T]) -> T:
        """One of `values`, each as likely as the others."""
        return values[self.below(len(values))]

    def weighted(self, values: Weighted[T]) -> T:
        """One of `values`, each as likely as its weight."""
        return values.values[bisect_right(values.steps, self.below(values.total))]

    def decimal(self, low: str, high: str, places: int) -> str:
        """A uniform decimal from `low` to `high` with `places` digits after the point, as exact text."""
        return DecimalRange(low, high, places).text(self)

    def day(self, first: date, last: date) -> date:
        """A uniform day from `first` to `last`, both included."""
        start = first.toordinal()
        return date.fromordinal(start + self.below(last.toordinal() - start + 1))

    def shuffled(self, values: Iterable[T]) -> list[T]:
        """The values in a uniform random order (Fisher and Yates, from the end)."""
        order = list(values)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def sample(self, values: Sequence[T], count: int) -> list[T]:
        """`count` different places of `values`, in their own order; all of them when there are fewer."""
        chosen = sorted(self.shuffled(range(len(values)))[:count])
        return [values[place] for place in chosen]

    def digits(self, count: int) -> str:
        """`count` uniform decimal digits as text; at most 19."""
        return str(self.below(10**count)).rjust(count, "0")
