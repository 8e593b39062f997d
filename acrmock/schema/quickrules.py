"""What a record's type does not say, as one Python function per kind of record, written out rule by rule and compiled.

A closure for each rule costs more in calls than in work; a function with one `if` for each rule costs a third. Its source
holds nothing of the facts but numbers of attributes: element names become attributes of `quickshape`, and values stand in
the constants that the function is given. A rule that is not known here is asked of its own evaluator.

A function's answer is True only where nothing is to be said; it may raise `TypeError` or `ValueError` instead of a no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from acrmock.facts import EXAM, Condition, Element, ElementType, MappingVersion, Rule, RuleKind
from acrmock.identity import luhn_npi
from acrmock.schema.quickshape import Shape
from acrmock.schema.record import DATE_LENGTH
from acrmock.schema.rules import Scene, evaluator, texts

Test = Callable[[Any, Any, Mapping[str, Any], Mapping[str, Any], str, str], bool]
"""Whether a converted record breaks nothing, given its converted exam, both as they came, the business date and the facility."""

_ALWAYS = "True"
_HEAD = "def test(r, e, record, exam, today, facility):"
_TIMES = (ElementType.DATE, ElementType.INSTANT)
_MINUTES = frozenset(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))
_SECONDS = frozenset(f":{second:02d}" for second in range(60))


def quick_test(version: MappingVersion, kind: str, shape: Shape, exam: Shape) -> Test:
    """The test of one kind of record; `exam` is the shape of the exam that it stands in (its own, for an exam)."""
    writer = _Writer(version, kind, shape, exam)
    lines = [f"    {line}" for line in (*writer.days(), *(f"if {wrong}: return False" for wrong in writer.wrongs()))]
    source = "\n".join([_HEAD, *lines, "    return True"])
    exec(compile(source, "<acrmock quick test>", "exec"), writer.constants)  # noqa: S102 - nothing of the facts is in the source
    test: Test = writer.constants["test"]
    return test


@lru_cache(maxsize=1 << 14)
def day_number(text: str) -> int:
    """The ordinal of a day that the tables take, `1800-01-01` to `2199-12-31`; raises `ValueError` for any other text."""
    if len(text) != DATE_LENGTH or text[5] == "W" or not "1800" <= text < "2200":
        raise ValueError(text)
    return date.fromisoformat(text).toordinal()


@lru_cache(maxsize=64)
def _days_before(today: str, days: int) -> str:
    return (date.fromisoformat(today) - timedelta(days=days)).isoformat()


@lru_cache(maxsize=64)
def _month(today: str) -> tuple[float, float]:
    return float(today[:4]), float(today[5:7])


class _Writer:
    """Writes each thing that may be wrong as an expression; `constants` are what the expressions name."""

    def __init__(self, version: MappingVersion, kind: str, shape: Shape, exam: Shape) -> None:
        self._version = version
        self._kind = kind
        self._shape = shape
        self._exam = exam
        self._elements = {element.name: element for element in shape.elements}
        self.constants: dict[str, Any] = {
            "day": day_number,
            "before": _days_before,
            "month": _month,
            "luhn": luhn_npi,
            "texts": texts,
            "MINUTES": _MINUTES,
            "SECONDS": _SECONDS,
        }

    def days(self) -> Iterator[str]:
        """The days of instants, under names of their own."""
        for element in self._shape.elements:
            if element.type is ElementType.INSTANT:
                yield f"{self._day(element, self._at(element.name))} = {self._at(element.name)} and {self._at(element.name)}[:10]"

    def wrongs(self) -> Iterator[str]:
        """All that may be wrong: of each value first, then of rules."""
        for element in self._shape.elements:
            wrong = self._value(element)
            if wrong:
                yield f"{self._at(element.name)} is not None and ({wrong})"
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
        if element.type is ElementType.DATE:
            return f"not day({value})"
        if element.type is ElementType.INSTANT:
            day = f"not day({self._day(element, value)})"
            return f"{day} or {value}[10] not in 'Tt' or {value}[11:16] not in MINUTES or {value}[16:] not in SECONDS"
        if element.type is ElementType.NUMBER:
            return ""
        if element.pattern:
            fits = _fits(element.pattern)
            return f"not {self._constant(_remembering(fits) if element.identity == 'npi' else fits)}({value})"
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
            yield f"not {self._constant(_silent(self._version, rule))}(record, exam, today, facility)"
            return
        for name, wrong in zip(names, told, strict=True):
            yield f"{self._at(name)} is not None and ({wrong})"

    def _of_value(self, rule: Rule, name: str) -> str | None:
        """What is wrong with a value by a rule; None where the rule's evaluator must tell."""
        element, value = self._elements.get(name), self._at(name)
        if element is None:
            return None
        if rule.kind is RuleKind.LUHN_NPI and element.type is ElementType.TEXT:
            return f"not luhn({value})"
        if rule.kind is RuleKind.EQUALS_HEADER:
            return f"{value} != facility"
        if rule.kind is RuleKind.NOT_FUTURE and element.type in _TIMES:
            day = self._day(element, value)
            return f"{day} > before(today, {int(rule.days)})" if rule.days else f"{day} > today"
        if rule.kind is RuleKind.MEAN_IN_BANDS:
            return self._mean(rule, element)
        if rule.other and rule.kind in _COMPARING:
            return _COMPARING[rule.kind](self, rule, element)
        return None

    def _beside(self, rule: Rule) -> tuple[str, Element] | None:
        """Where the other value of a rule is (in the record, else in its exam), and its element, if that is one place."""
        own = self._elements.get(rule.other)
        if own is not None and (self._kind == EXAM or rule.other not in self._exam.attributes):
            return self._at(rule.other), own
        of_exam = next((element for element in self._exam.elements if element.name == rule.other), None)
        if of_exam is not None and own is None:
            return f"e.{self._exam.attributes[rule.other]}", of_exam
        return None

    def _not_before(self, rule: Rule, element: Element) -> str | None:
        """Texts of one length stand in the order of time, once their separators are the same."""
        found, value = self._beside(rule), self._at(element.name)
        if found is None or element.type not in _TIMES or found[1].type not in _TIMES:
            return None
        other = found[0]
        if element.type is not found[1].type:
            wrong = f"{self._day(element, value)} < {self._day(found[1], other)}"
        elif element.type is ElementType.DATE:
            wrong = f"{value} < {other}"
        else:
            wrong = f"{value} < {other} or {value}[10] != {other}[10]"
        return f"{other} is not None and ({wrong})"

    def _within(self, rule: Rule, element: Element) -> str | None:
        found, value = self._beside(rule), self._at(element.name)
        if found is None or element.type not in _TIMES or found[1].type not in _TIMES:
            return None
        days = f"day({self._day(element, value)}) - day({self._day(found[1], found[0])})"
        return f"{found[0]} is not None and {days} > {int(rule.days)}"

    def _percent(self, rule: Rule, element: Element) -> str | None:
        found, value = self._beside(rule), self._at(element.name)
        if found is None or {element.type, found[1].type} != {ElementType.NUMBER}:
            return None
        other = found[0]
        share = self._constant(rule.percent)
        return f"{other} is not None and not abs({value} - {other}) <= abs({other}) * {share} / 100"

    def _month_past(self, rule: Rule, element: Element) -> str | None:
        found, value = self._beside(rule), self._at(element.name)
        if found is None or element.multiple or found[1].multiple:
            return None
        return f"{found[0]} is not None and not (float({found[0]}), float({value})) < month(today)"

    def _pairs(self, rule: Rule, element: Element) -> str | None:
        found, value = self._beside(rule), self._at(element.name)
        if found is None or ElementType.NUMBER in (element.type, found[1].type):
            return None
        pairs = self._constant({other: frozenset(allowed) for other, allowed in rule.pairs.items()})
        fits = f"{pairs}[one].issuperset({value})" if element.multiple else f"{value} in {pairs}[one]"
        others = found[0] if found[1].multiple else f"({found[0]},)"
        if found[1].multiple:
            return f"{found[0]} is not None and not all({fits} for one in {others} if one in {pairs})"
        return f"{found[0]} in {pairs} and not {fits.replace('[one]', f'[{found[0]}]')}"

    def _among(self, rule: Rule, element: Element) -> str | None:
        found, value = self._beside(rule), self._at(element.name)
        if found is None or ElementType.NUMBER in (element.type, found[1].type):
            return None
        return f"{found[0]} is not None and not set(texts({value})).issubset(texts({found[0]}))"

    def _mean(self, rule: Rule, element: Element) -> str | None:
        """A mean between what its counts allow, all of them multiplied by their sum; a band without an end allows anything."""
        bands = [(self._elements.get(band.element), band) for band in rule.bands]
        counted = [band for band, _ in bands if band is not None and band.type is ElementType.NUMBER]
        if len(counted) < len(bands) or any((count.minimum or 0) < 0 or count.minimum is None for count in counted):
            return None
        if element.type is not ElementType.NUMBER:
            return None
        counts = [self._at(count.name) for count in counted]
        there = " and ".join(f"{count} is not None" for count in counts)
        total = " + ".join(counts)
        least = " + ".join(f"{self._constant(band.least)} * {count}" for count, (_, band) in zip(counts, bands, strict=True))
        ended = [(count, band.most) for count, (_, band) in zip(counts, bands, strict=True) if band.most is not None]
        open_ = [count for count, (_, band) in zip(counts, bands, strict=True) if band.most is None]
        most = " + ".join(f"{self._constant(most)} * {count}" for count, most in ended) or "0"
        value = f"{self._at(element.name)} * ({total})"
        above = " and ".join([*(f"{count} == 0" for count in open_), f"{value} > {most}"])
        return f"{there} and ({value} < {least} or ({above}))"

    # names

    def _day(self, element: Element, value: str) -> str:
        """Where the day of a date or an instant is, `value` being where it is itself."""
        if element.type is ElementType.DATE:
            return value
        return f"d{value[3:]}" if value.startswith("r.") else f"{value}[:10]"

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
        values = self._constant(frozenset(when.values))
        if element is None or element.multiple:
            return f"{value} is not None and not {values}.isdisjoint({value})"
        return f"{value} in {values}"

    def _constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name


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
    """The same, remembering some: the numbers of providers come again and again."""
    return lru_cache(maxsize=1024)(lambda text: bool(fits(text)))


def _silent(version: MappingVersion, rule: Rule) -> Callable[[Mapping[str, Any], Mapping[str, Any], str, str], bool]:
    """The rule's own evaluator, of which nothing is to be heard."""
    evaluate = evaluator(version, rule)

    def test(record: Mapping[str, Any], exam: Mapping[str, Any], today: str, facility: str) -> bool:
        scene = Scene(record, exam, "", date.fromisoformat(today), facility)
        return evaluate is not None and next(evaluate(scene), None) is None

    return test


_OF_OTHERS = frozenset({RuleKind.UNIQUE_EXAM, RuleKind.NEEDS_FORM})
"""What no record says alone: it is held against the other records of the transaction, or against what was loaded before."""
_COMPARING: dict[RuleKind, Callable[[_Writer, Rule, Element], str | None]] = {
    RuleKind.NOT_BEFORE: _Writer._not_before,
    RuleKind.WITHIN_DAYS: _Writer._within,
    RuleKind.WITHIN_PERCENT: _Writer._percent,
    RuleKind.MONTH_PAST: _Writer._month_past,
    RuleKind.PAIRS: _Writer._pairs,
    RuleKind.AMONG: _Writer._among,
}
