"""Marked text as HTML: a block of text, cut to a length, in which places are marked and can be linked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from conformance.reports.text import visible

_AROUND = 160
_LONGEST_MARK = 800


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to mark: its characters in the text and the id it is linked by; without an id it is a name to set off."""

    start: int
    end: int
    anchor: str = ""

    def opening(self, *, again: bool) -> Markup:
        """The start tag; the id only where the mark begins, so that it stays unique."""
        if not self.anchor:
            return Markup("<b>")
        return Markup("<mark>") if again else Markup('<mark id="{}" tabindex="-1">').format(self.anchor)

    @property
    def closing(self) -> Markup:
        """The end tag."""
        return Markup("</mark>") if self.anchor else Markup("</b>")


def render(text: str, marks: Sequence[Mark], limit: int) -> Markup:
    """`text` as HTML with its marks; at most its first `limit` characters and, beyond them, the surroundings of marks.

    What is left out is counted in its place. Everything is escaped, and hidden characters are made visible.
    """
    pieces: list[Markup] = []
    at = 0
    for start, end in _windows(len(text), marks, limit):
        pieces.append(_gap(start - at))
        pieces.append(_window(text, start, end, marks))
        at = end
    pieces.append(_gap(len(text) - at))
    return Markup("").join(pieces)


def _windows(length: int, marks: Sequence[Mark], limit: int) -> list[tuple[int, int]]:
    wanted = [(0, min(length, limit))]
    for mark in marks:
        if mark.anchor:
            shown = min(mark.end, mark.start + _LONGEST_MARK)
            wanted.append((max(0, mark.start - _AROUND), min(length, shown + _AROUND)))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(wanted):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _gap(characters: int) -> Markup:
    if characters <= 0:
        return Markup("")
    return Markup('<span class="gap">[{} characters left out]</span>').format(f"{characters:,}")


def _window(text: str, first: int, last: int, marks: Sequence[Mark]) -> Markup:
    """The characters from `first` to `last`; marks are nested as they lie, each within the one around it."""
    pieces: list[Markup] = []
    opened: list[tuple[int, Mark]] = []
    at = first

    def advance(to: int) -> None:
        nonlocal at
        pieces.append(escape(visible(text[at:to])))
        at = max(at, to)

    def close(until: int) -> None:
        while opened and opened[-1][0] <= until:
            end, mark = opened.pop()
            advance(end)
            if mark.start == mark.end:
                pieces.append(Markup('<span class="gap">(empty)</span>'))
            pieces.append(mark.closing)

    for mark in sorted(marks, key=lambda one: (one.start, -one.end, not one.anchor)):
        begins_here = first <= mark.start < last or mark.start == mark.end == last == len(text)
        start, end = max(first, mark.start), min(last, mark.end)
        if not begins_here and start >= end:
            continue
        if not mark.anchor and start >= end:
            continue
        close(start)
        advance(start)
        pieces.append(mark.opening(again=not begins_here))
        opened.append((min(end, opened[-1][0]) if opened else end, mark))
    close(last)
    advance(last)
    return Markup("").join(pieces)
