"""A part of an entry as text, in which the place of every pointer is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from acrmock.pointer import PointerError
from conformance.reports.jsonspans import locate

_BODIES = ("/request/postData/text", "/response/content/text")


@dataclass(slots=True)
class Block:
    """A part of an entry as text: its label, a note on how it is shown, and where each pointer's value stands.

    `noted` tells what acrmock wrote beside the wires from what went over them; `names` are set off from their values.
    """

    label: str
    note: str = ""
    noted: bool = False
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    names: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0
    _pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The whole text so far."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def put(self, text: str, *pointers: str) -> None:
        """Add text, which is what `pointers` point at."""
        start = self.length
        self._pieces.append(text)
        self.length += len(text)
        for pointer in pointers:
            self.spans[pointer] = (start, self.length)

    @contextmanager
    def within(self, *pointers: str) -> Iterator[None]:
        """What is added inside is what `pointers` point at."""
        start = self.length
        yield
        for pointer in pointers:
            self.spans[pointer] = (start, self.length)

    def name(self, text: str, *pointers: str) -> None:
        """Add a name, to be set off from its value."""
        start = self.length
        self.put(text, *pointers)
        self.names.append((start, self.length))

    def find(self, pointer: str) -> tuple[int, int] | None:
        """Where `pointer` leads in this block, also into a JSON body; None when not here."""
        if pointer in self.spans:
            return self.spans[pointer]
        for body in _BODIES:
            if body in self.spans and pointer.startswith(body + "/"):
                start, end = self.spans[body]
                try:
                    first, last = locate(self.text[start:end], pointer.removeprefix(body))
                except PointerError:
                    return None
                return start + first, start + last
        return None
