"""Where the bytes of a data set are in the file of received bytes, as their row says it; pure."""

from __future__ import annotations

BLOCK = 4096
"""Bytes of a block, which belongs to one data set or to none."""

Place = tuple[tuple[int, int], ...]
"""Where the bytes of a data set are: pieces of the file (offset and length in bytes) in order."""


def place_text(place: Place) -> str:
    """A place as its row says it: `offset+length`, separated by spaces."""
    return " ".join(f"{offset}+{length}" for offset, length in place)


def place_of(text: str) -> Place:
    """The place that a row says; raises `ValueError`."""
    pieces = (piece.split("+") for piece in text.split())
    return tuple((int(offset), int(length)) for offset, length in pieces)


def blocks(length: int) -> int:
    """How many blocks so many bytes fill."""
    return -(-length // BLOCK)
