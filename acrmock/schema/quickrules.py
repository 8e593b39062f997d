"""What a record's type does not say, as one Python function per kind of record, written out rule by rule and compiled.

A closure for each rule costs more in calls than in work; a function with one `if` for each rule costs a third. Its source
holds nothing of the facts but numbers of attributes: element names become attributes of `quickshape`, and values stand in
the constants that the function is given. A rule that is not known here is asked of its own evaluator.

A function's answer is True only where nothing is to be said; it may raise `TypeError` or `ValueError` instead of a no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from types import CodeType
from typing import Any

from acrmock.facts import EXAM, Condition, Element, ElementType, MappingVersion, Rule, RuleKind
from acrmock.identity import luhn_npi
from acrmock.schema.quickcompare import ALONE, COMPARING, Constants, Place, mean_in_bands
from acrmock.schema.quickshape import NEEDED, Shape
from acrmock.schema.record import DATE_LENGTH
from acrmock.schema.rules import Scene, evaluator

Test = Callable[[Any, Any, Mapping[str, Any], Mapping[str, Any], int, str], bool]
"""Whether a converted record breaks nothing, given its converted exam, both as they came, the business date's ordinal, and the
facility."""

_ALWAYS = "True"
_HEAD = "def test(r, e, record, exam, today, facility):"
_OFTEN = "npi"
"""The kind of identifier that comes again and again: of providers there are few."""
_MINUTES = frozenset(f"{mark}{hour:02d}:{minute:02d}" for mark in "Tt" for hour in range(24) for minute in range(60))
_SECONDS = frozenset(f":{second:02d}" for second in range(60))


def quick_test(version: MappingVersion, kind: str, shape: Shape, exam: Shape) -> Test:
    """The test of one kind of record; `exam` is the shape of the exam that it stands in (its own, for an exam)."""
    writer = _Writer(version, kind, shape, exam)
    lines = [f"    {line}" for line in (*writer.days(), *(f"if {wrong}: return False" for wrong in writer.wrongs()))]
    source = "\n".join([_HEAD, *lines, "    return True"])
    exec(_compiled(source), writer.constants)  # noqa: S102 - nothing of the facts is in the source
    test: Test = writer.constants["test"]
    return test


@lru_cache(maxsize=64)
def _compiled(source: str) -> CodeType:
    """The code of a text: validators of one mapping version have one."""
    return compile(source, "<acrmock quick test>", "exec")


@lru_cache(maxsize=1 << 14)
def day_number(text: str) -> int:
    """The ordinal of a day that the tables take, `1800-01-01` to `2199-12-31`; raises `ValueError` for any other text."""
    if len(text) != DATE_LENGTH or text[5] == "W" or not "1800" <= text < "2200":
        raise ValueError(text)
    return date.fromisoformat(text).toordinal()


@lru_cache(maxsize=64)
def _month(today: int) -> tuple[int, int]:
    found = date.fromordinal(today)
    return found.year, found.month


class _Writer:
    """Writes each thing that may be wrong as an expression; `constants` are what the expressions name."""

    def __init__(self, version: MappingVersion, kind: str, shape: Shape, exam: Shape) -> None:
        self._version = version
        self._kind = kind
        self._shape = shape
        self._exam = exam
        self._elements = {element.name: element for element in shape.elements}
        self._needed = {element.name for element in shape.elements if element.level in NEEDED}
        self.constants = Constants(day=day_number, month=_month, luhn=luhn_npi, MINUTES=_MINUTES, SECONDS=_SECONDS)

    def days(self) -> Iterator[str]:
        """The days of dates and instants, under names of their own; what is no day raises `ValueError`."""
        for place in map(self._place, self._elements):
            if place is not None and place.timed:
                yield f"{place.day} = {place.at} and day({place.at}[:10])"

    def wrongs(self) -> Iterator[str]:
        """All that may be wrong: of each value first, then of rules."""
        for element in self._shape.elements:
            wrong = self._value(element)
            if wrong:
                yield self._where_there(element.name, wrong)
        for rule in self._version.rules:
            if rule.record == self._kind and rule.kind not in _OF_OTHERS:
                held = self._held(rule.when)
                for wrong in self._rule(rule) if held else ():
                    yield wrong if held == _ALWAYS or rule.kind is RuleKind.ANY_OF else f"{held} and ({wrong})"

    # of one element

    def _value(self, element: Element) -> str:
        """What may be wrong with a value that has the element's type; empty where nothing is left to ask."""
        value = self._at(element.name)
        if element.type is ElementType.CODE:
            return f"len({value}) > 1 and len(set({value})) != len({value})" if element.multiple else ""
        if element.type is ElementType.INSTANT:
            return f"{value}[10:16] not in MINUTES or {value}[16:] not in SECONDS"
        if element.type in (ElementType.NUMBER, ElementType.DATE):
            return ""
        if element.pattern:
            fits = _fits(element.pattern)
            return f"not {self.constants.named(_remembering(fits) if element.identity == _OFTEN else fits)}({value})"
        return f"not {value}.isascii() and not {value}.encode()"  # half of a surrogate pair raises ValueError

    # of rules

    def _rule(self, rule: Rule) -> Iterator[str]:
        """What breaks a rule whose condition holds."""
        known = [name for name in rule.elements if name in self._shape.attributes]
        if rule.kind is RuleKind.REQUIRES:
            yield " or ".join(["True"] if len(known) < len(rule.elements) else [f"{self._at(n)} is None" for n in known])
        elif rule.kind is RuleKind.ANY_OF:
            yield " and ".join([f"{self._at(name)} is None" for name in known] or ["True"])
        elif known and rule.kind in (RuleKind.FORBIDS, RuleKind.EXCLUDED):
            yield " or ".join(f"{self._at(name)} is not None" for name in known)
        elif known:
            yield from self._told(rule, known)

    def _told(self, rule: Rule, names: list[str]) -> Iterator[str]:
        """What breaks a rule about values, for each of its elements that a record can have."""
        told = [self._of_value(rule, name) for name in names]
        if None in told:
            yield f"not {self.constants.named(_silent(self._version, rule))}(record, exam, today, facility)"
            return
        for name, wrong in zip(names, told, strict=True):
            yield self._where_there(name, str(wrong))

    def _of_value(self, rule: Rule, name: str) -> str | None:
        """What is wrong with a value by a rule; None where the rule's evaluator must tell."""
        own = self._place(name)
        if own is None:
            return None
        if rule.kind in ALONE:
            return ALONE[rule.kind](rule, own)
        if rule.kind is RuleKind.MEAN_IN_BANDS:
            counts = [place for band in rule.bands if (place := self._place(band.element)) is not None]
            return mean_in_bands(self.constants, rule, own, counts) if len(counts) == len(rule.bands) else None
        other = self._beside(rule)
        wrong = COMPARING[rule.kind](self.constants, rule, own, other) if rule.kind in COMPARING and other is not None else None
        return wrong and f"{other.at} is not None and ({wrong})" if other is not None else None

    def _beside(self, rule: Rule) -> Place | None:
        """Where the other value of a rule is (in the record, else in its exam), if that is one place."""
        own = self._place(rule.other)
        if self._kind == EXAM or (own is not None and rule.other not in self._exam.attributes):
            return own
        of_exam = next((element for element in self._exam.elements if element.name == rule.other), None)
        return Place(f"e.{self._exam.attributes[rule.other]}", of_exam) if of_exam is not None and own is None else None

    # names

    def _where_there(self, name: str, wrong: str) -> str:
        """What is wrong, where the element is there: one that is needed is."""
        return wrong if name in self._needed else f"{self._at(name)} is not None and ({wrong})"

    def _place(self, name: str) -> Place | None:
        """Where an element of the record is; None for what is none."""
        return Place(self._at(name), self._elements[name]) if name in self._elements else None

    def _at(self, name: str) -> str:
        return f"r.{self._shape.attributes[name]}"

    def _held(self, when: Condition | None) -> str:
        """When a rule speaks, as an expression; empty for never: no record without a problem has that element."""
        if when is None:
            return _ALWAYS
        if when.element not in self._shape.attributes:
            return ""
        value = self._at(when.element)
        if not when.values:
            return f"{value} is not None"
        element = self._elements.get(when.element)
        values = self.constants.named(frozenset(when.values))
        if element is None or element.multiple:
            return f"{value} is not None and not {values}.isdisjoint({value})"
        return f"{value} in {values}"


def _fits(pattern: str) -> Callable[[str], object]:
    """Whether a text has a pattern of the tables; one that is not printable ASCII is not told, nor a pattern that Python has not.

    Of printable ASCII, Python's patterns and those of JSON Schema say the same.
    """
    try:
        if pattern.startswith("^"):
            return re.compile(f"(?=[ -~]*\\Z)(?:{pattern})").match
        search = re.compile(pattern).search
    except re.error:
        return lambda _text: None
    return lambda text: text.isascii() and text.isprintable() and search(text)


def _remembering(fits: Callable[[str], object]) -> Callable[[str], object]:
    """The same, remembering some."""
    return lru_cache(maxsize=1024)(lambda text: bool(fits(text)))


def _silent(version: MappingVersion, rule: Rule) -> Callable[[Mapping[str, Any], Mapping[str, Any], int, str], bool]:
    """The rule's own evaluator, of which nothing is to be heard."""
    evaluate = evaluator(version, rule)

    def silent(record: Mapping[str, Any], exam: Mapping[str, Any], today: int, facility: str) -> bool:
        scene = Scene(record, exam, "", date.fromordinal(today), facility)
        return evaluate is not None and next(evaluate(scene), None) is None

    return silent


_OF_OTHERS = frozenset({RuleKind.UNIQUE_EXAM, RuleKind.NEEDS_FORM})
"""What no record says alone: it is held against the other records of the transaction, or against what was loaded before."""
