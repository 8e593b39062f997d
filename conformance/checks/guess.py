"""Whether values that must be unguessable look it (RFC 6749 section 10.10): a judgement of form, lenient in doubt.

The standard asks for a chance of 2^-128 at most. From a few values one can only see an upper bound of what was put into
them, so the thresholds lie lower: a UUID of version 4 passes, a counter, a time or a constant with a short tail does not.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence

LEAST_BITS = 90
"""The least size in bits of a value, by its length and the kinds of its characters."""
LEAST_VARYING_BITS = 60
"""The least size in bits of what differs between two values: their common beginning and end put nothing in."""
LEAST_SHANNON_BITS = 45
"""The least information in bits by the frequency of the value's own characters."""
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?|^\d{10}(\d{3}|\d{6}|\d{9})?(\.\d+)?$", re.ASCII
)


def repeated(values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The index of each value that stood before, with the index of its first appearance."""
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value in first:
            yield index, first[value]
        else:
            first[value] = index


def guessable(values: Sequence[str]) -> list[str]:
    """For each value why it is guessable, in words; empty when it looks unguessable. Later values are held against the first."""
    return [alone(value) or (index > 0 and _beside(values[index - 1], value)) or "" for index, value in enumerate(values)]


def alone(value: str) -> str:
    """Why a value is guessable by itself, or empty."""
    rest = _TIME.sub("", value)
    if rest != value and size(rest) < LEAST_BITS:
        return "it is a time"
    if size(value) < LEAST_BITS:
        return f"it is short ({len(value)} characters)"
    if _shannon(value) < LEAST_SHANNON_BITS:
        return "it has few different characters"
    return ""


def _beside(before: str, value: str) -> str:
    head = _common(before, value)
    tail = _common(before[head:][::-1], value[head:][::-1])
    varying = value[head : len(value) - tail]
    if len(varying) * _bits_per_character(value) < LEAST_VARYING_BITS:
        return f"it differs from the one before in {len(varying)} characters only"
    return ""


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def size(value: str) -> float:
    """An upper bound in bits: length times the bits that a character of these kinds can hold."""
    return len(value) * _bits_per_character(value)


def _bits_per_character(value: str) -> float:
    kinds = set(value)
    if kinds <= set(string.digits + "-:.TZ+ "):
        return math.log2(10)
    if kinds <= set(string.hexdigits + "-{}"):
        return 4.0
    alphabet = sum(len(group) for group in (string.digits, string.ascii_lowercase, string.ascii_uppercase) if kinds & set(group))
    return math.log2(max(2, alphabet + (2 if kinds - set(string.ascii_letters + string.digits) else 0)))


def _shannon(value: str) -> float:
    total = len(value)
    return -sum(count * math.log2(count / total) for count in Counter(value).values())
