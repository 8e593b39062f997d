"""A plan's steps written out as one Python function, which is how a record is made when nothing is wished of it.

A loop over steps asks of each step what kind it is; the function has that decided. What is known beforehand is in its text:
which share comes from which part of a word, what an element depends on, where it stands in the record. Its text holds
numbers only: names and values of the tables and the hints stand in the constants that it is given. It draws what `Step.wanted`
and `Step.make` draw, in the same order: a property test holds it to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from synthetic.makers import Listed, Occasion, Record, Spread, practitioner
from synthetic.randomness import LOW, Draws

if TYPE_CHECKING:
    from synthetic.plan import Conditions, Step

Program = Callable[[Draws, Occasion, Record], bool]
"""Fills a record; whether one of each group is there of which one is demanded, as far as that is told quickly."""

CERTAIN = 1 << 16
_LOTS = 4
"""So many shares of 16 bits are drawn from one word."""

_HEAD = """def fill(draws, occasion, record):
 words = draws.words; refill = draws.refill; again = draws.again
"""


def program(steps: Sequence[Step], order: Sequence[str], groups: Sequence[frozenset[str]]) -> Program:
    """The function that fills a record by `steps`, its elements standing in `order`; of each of `groups` one is demanded."""
    writer = _Writer(steps, order, groups)
    source = _HEAD + "\n".join(f" {line}" for line in writer.lines())
    exec(_compiled(source), writer.constants)  # noqa: S102 - nothing of tables and hints is in the source
    found: Program = writer.constants["fill"]
    return found


@lru_cache(maxsize=64)
def _compiled(source: str) -> CodeType:
    """The code of a text: plans of one mapping version have one."""
    return compile(source, "<acrmock plan>", "exec")


class _Writer:
    """Writes the lines; `constants` are what they name."""

    def __init__(self, steps: Sequence[Step], order: Sequence[str], groups: Sequence[frozenset[str]]) -> None:
        self._steps = steps
        self._places = {name: place for place, name in enumerate(order)}
        self._order = order
        self._groups = groups
        asked = {name for names in (*groups, *(step.asks for step in steps)) for name in names}
        self._kept = [step.name for step in steps if step.name in asked]
        self._lists = {step.name for step in steps if step.multiple}
        self.constants: dict[str, Any] = {"LOW": LOW}

    def lines(self) -> Iterator[str]:
        """All lines of the body."""
        for name in self._kept:
            yield f"{self._value(name)} = None"
        shares = reached = 0
        reserved: set[str] = set()
        for step in self._steps:
            for name in self._order[reached : self._places[step.name]]:  # what is made later has its place in the record
                reserved.add(name)
                yield f"record[{self._named(name)}] = None"
            reached = max(reached, self._places[step.name] + 1)
            *before, asked = [*self._asked(step, shares)] or ["True"]
            shares += step.gate is None and step.plain and step.parts < CERTAIN
            yield from before
            yield f"if {asked or 'False'}:"
            yield from (f" {line}" for line in self._made(step))
            if step.name in reserved:
                yield f"else: del record[{self._named(step.name)}]"
        met = (" or ".join(f"{self._value(name)} is not None" for name in sorted(names)) for names in self._groups)
        yield f"return {' and '.join(f'({one})' for one in met) or True}"

    # whether it is made

    def _asked(self, step: Step, shares: int) -> Iterator[str]:
        """The lines before the question whether an element is made, and the question; nothing where it always is."""
        gate = step.gate
        if gate is not None:
            yield self._met((gate,))
        elif not step.plain:
            yield from self._wanted(step)
        elif step.parts < CERTAIN:
            if shares % _LOTS == 0:
                yield from _WORD
                yield "bits = words.pop()"
            yield f"bits >> {shares % _LOTS * 16} & 65535 < {int(step.parts)}"

    def _wanted(self, step: Step) -> Iterator[str]:
        """As `Step.wanted` decides."""
        barred = self._met(step.forbidding)
        allowed = f"not ({barred})" if barred else "True"
        if step.always:
            yield allowed
        elif step.conditional:
            yield f"{allowed} and ({self._met(step.requiring) or 'False'})"
        else:
            needed = [f"{self._value(name)} is not None" if name in self._kept else "False" for name in step.needs]
            unlikely = self._met(tuple((when.element, frozenset(when.values)) for when in step.unless))
            yield f"made = {' and '.join([allowed, *needed, *([f'not ({unlikely})'] if unlikely else [])])}"
            yield "if made:"
            yield from (f" {line}" for line in _WORD)
            yield " drawn = words.pop() * 1000"
            yield f" made = (drawn >> 64 if drawn & LOW >= 1000 else again(drawn, 1000)) < {int(step.share)}"
            yield "made"

    def _met(self, conditions: Conditions) -> str:
        """Whether any of the conditions holds; empty where none can."""
        return " or ".join(self._holds(name, values) for name, values in conditions if name in self._kept)

    def _holds(self, name: str, values: frozenset[str]) -> str:
        value = self._value(name)
        if not values:
            return f"{value} is not None"
        among = self._named(values)
        if name in self._lists:
            return f"({value} is not None and not {among}.isdisjoint({value} if type({value}) is list else ({value},)))"
        return f"{value} in {among}"

    # what is made

    def _made(self, step: Step) -> Iterator[str]:
        """The lines that make an element."""
        kept = f"{self._value(step.name)} = " if step.name in self._kept else ""
        target = f"{kept}record[{self._named(step.name)}] = "
        make = step.make
        if isinstance(make, Listed):
            yield from _below(f"{target}{self._named(make.table)}[{{}}]", str(len(make.table)))
        elif isinstance(make, Spread):
            first, scale = self._named(make.span.first), self._named(make.span.scale)
            number = f"{first} + {{}}" if make.span.places == 0 else f"({first} + {{}}) / {scale}"
            yield from _below(target + number, str(len(make.span)))
        elif make is practitioner:
            yield "people = occasion.practitioners; many = len(people)"
            yield from _below(f"{target}people[{{}}]", "many")
        else:
            yield f"{target}{self._named(make)}(draws, occasion, record)"

    # names

    def _value(self, name: str) -> str:
        """The variable that keeps an element's value, as others ask for it."""
        return f"v{self._places[name]}"

    def _named(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name


_WORD = ("if not words: refill()",)


def _below(line: str, bound: str) -> Iterator[str]:
    """A line with a whole number below `bound` in its place, drawn as `Draws.below` does."""
    yield from _WORD
    yield f"drawn = words.pop() * {bound}"
    yield line.format(f"(drawn >> 64 if drawn & LOW >= {bound} else again(drawn, {bound}))")
