"""Value makers: one small function per element, chosen once when a mapping version is planned.

A maker takes the draws, the occasion and the record so far, and gives a JSON value that the element's own table admits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts.registry import Element, ElementType
from synthetic.hints import DateHint, ElementHint, PersonPart
from synthetic.patterns import CannotDrawError, sampler
from synthetic.people import Person
from synthetic.randomness import LOW, DecimalRange, Draws, Weighted

Record = dict[str, Any]


@dataclass(slots=True)
class Occasion:
    """One exam in the making: who, when, as of when; `listed_day` and `number` are of the record in hand of a list of it."""

    index: int
    person: Person
    exam_day: date
    as_of: date
    age: int
    practitioners: Sequence[str]
    listed_day: date = field(default=date.min)
    number: int = 0


_OLDEST = 130
_LONGEST_TABLE = 4096
_EARLIER = 400
_TEN_DIGITS = "^[0-9]{10}$"
_LONGEST = 50
"""Texts that are somebody's (names, numbers) have at most so many characters."""

Maker = Callable[[Draws, Occasion, Record], Any]

_BY_IDENTITY = {
    "ssn": PersonPart.SSN,
    "mbi": PersonPart.MBI,
    "hicn": PersonPart.HEALTH_INSURANCE_CLAIM,
    "id": PersonPart.MRN,
    "birth-date": PersonPart.BIRTH_DATE,
    "name": PersonPart.FAMILY,
}


def maker(element: Element, hint: ElementHint, phrases: Sequence[str]) -> Maker:
    """The maker of an element; raises `SetupError` when a pattern or length leaves it nothing to make."""
    part = hint.person or (_BY_IDENTITY.get(element.identity) if element.type is not ElementType.CODE else None)
    text = element.type is ElementType.TEXT
    if text and (element.identity == "npi" or hint.practitioner):
        return _short_enough(practitioner, element, hint, phrases)
    if hint.date in _PARTS and (text or (element.type is ElementType.CODE and _PART_CODES[hint.date] <= element.code_set)):
        return _PARTS[hint.date]
    if element.type is ElementType.CODE:
        return _codes(element, hint) if element.multiple else _code(element, hint)
    if part is not None and (element.type is ElementType.DATE if part is PersonPart.BIRTH_DATE else text):
        return _short_enough(_person(part, hint), element, hint, phrases)
    return _plain(element, hint, phrases)


def _short_enough(make: Maker, element: Element, hint: ElementHint, phrases: Sequence[str]) -> Maker:
    """The maker, unless a layer made the element's bounds so narrow that what it makes might not fit: then any text does."""
    if not element.pattern and (element.max_length or _LONGEST) >= _LONGEST and not element.min_length:
        return make
    least, most = element.min_length or 0, element.max_length or _LONGEST
    if make is practitioner and element.pattern in {"", _TEN_DIGITS} and least <= 10 <= most:
        return make
    shape = re.compile(element.pattern)
    other = _text(element, hint, phrases)

    def fitting(draws: Draws, occasion: Occasion, record: Record) -> Any:
        value = make(draws, occasion, record)
        return value if least <= len(value) <= most and shape.search(value) else other(draws, occasion, record)

    return fitting


def _plain(element: Element, hint: ElementHint, phrases: Sequence[str]) -> Maker:
    """The maker of an element that is nobody's and no code: by its type."""
    if element.type is ElementType.DATE:
        return _DAYS.get(hint.date or DateHint.EXAM, _exam_day)
    if element.type is ElementType.INSTANT:
        return _later(hint) if hint.after else _instant(_DAYS.get(hint.date or DateHint.EXAM, _exam_day))
    if element.type is ElementType.NUMBER:
        return _product(hint) if hint.product_of else _number(element, hint)
    return _text(element, hint, phrases)


class Listed:
    """The maker of a value that nothing else bears on: one of `table`, each place as likely as the others.

    A plan draws from the table itself, without calling.
    """

    __slots__ = ("table",)

    def __init__(self, table: Sequence[Any]) -> None:
        self.table = table

    def __call__(self, draws: Draws, _occasion: Occasion, _record: Record) -> Any:
        """One of the table."""
        return draws.choice(self.table)


def _drawn(weighted: Weighted[Any]) -> Maker:
    """The maker of a value drawn by weight."""
    if weighted.total > _LONGEST_TABLE:
        return lambda draws, _occasion, _record: draws.weighted(weighted)
    return Listed(tuple(weighted.at(point) for point in range(weighted.total)))


class Spread:
    """The maker of a number of a range that is too wide for a table. A plan draws from the range itself, without calling."""

    __slots__ = ("span",)

    def __init__(self, span: DecimalRange) -> None:
        self.span = span

    def __call__(self, draws: Draws, _occasion: Occasion, _record: Record) -> int | float:
        """One of the range."""
        return self.span.number(draws)


def practitioner(draws: Draws, occasion: Occasion, _: Record) -> str:
    """The maker of a provider's identifier."""
    return draws.choice(occasion.practitioners)


def _person(part: PersonPart, hint: ElementHint) -> Maker:
    read = attrgetter(f"person.{part.value}")
    if hint.plain:
        return lambda _draws, occasion, _record: plain_letters(read(occasion))
    if part is PersonPart.BIRTH_DATE:
        return lambda _draws, occasion, _record: occasion.person.birth_date.isoformat()
    if hint.numbered:
        return lambda _draws, occasion, _record: f"{hint.prefix}{read(occasion)}-{occasion.number + 1}"
    if hint.prefix:
        return lambda _draws, occasion, _record: hint.prefix + read(occasion)
    return lambda _draws, occasion, _record: read(occasion)


def _code(element: Element, hint: ElementHint) -> Maker:
    table = _weights(element, hint)
    if hint.person is not None:
        read = attrgetter(f"person.{hint.person.value}")
        own = hint.weigh_person
        total = own + table.total

        def of_person(draws: Draws, occasion: Occasion, _: Record) -> Any:
            value = read(occasion)
            if value in element.code_set and draws.below(total) < own:
                return value
            return draws.weighted(table)

        return of_person
    return _drawn(table)


def _codes(element: Element, hint: ElementHint) -> Maker:
    table = _weights(element, hint)
    codes = [code.code for code in element.codes]
    places = {code: place for place, code in enumerate(codes)}
    alone = frozenset(places[code] for code in hint.alone if code in places)
    most = max(1, min(hint.most, len(table.values)))
    total = table.total
    if total <= _LONGEST_TABLE:
        placed_at: Callable[[int], int] = tuple(places[table.at(point)] for point in range(total)).__getitem__
    else:
        placed_at = lambda point: places[table.at(point)]  # noqa: E731 - one of two

    def several(draws: Draws, _: Occasion, __: Record) -> list[str]:
        words = draws.words
        if not words:
            draws.refill()
        product = words.pop() * total  # as `Draws.below` does
        first = placed_at(product >> 64 if product & LOW >= total else draws.again(product, total))
        if first in alone:
            return [codes[first]]
        if not words:
            draws.refill()
        product = words.pop() * most
        more = product >> 64 if product & LOW >= most else draws.again(product, most)
        if not more:
            return [codes[first]]
        if more == 1:
            other = placed_at(draws.below(total))
            if other == first or other in alone:
                return [codes[first]]
            return [codes[first], codes[other]] if first < other else [codes[other], codes[first]]
        others = map(placed_at, draws.each_below((total,) * more))
        return [codes[place] for place in sorted({first, *others} - alone)]

    return several


def _weights(element: Element, hint: ElementHint) -> Weighted[str]:
    named = [(code.code, hint.weights.get(code.code, hint.other)) for code in element.codes]
    if not any(weight > 0 for _, weight in named):
        named = [(code.code, 1) for code in element.codes]
    if not named:
        raise SetupError(f"the element {element.name} has no codes to draw from", where=element.layer)
    return Weighted(named)


def _number(element: Element, hint: ElementHint) -> Maker:
    if hint.weights:
        return _one_number(element, hint)
    low, high = hint.range or ("0", "100")
    least = Decimal(low) if element.minimum is None else max(Decimal(low), Decimal(repr(element.minimum)))
    most = Decimal(high) if element.maximum is None else min(Decimal(high), Decimal(repr(element.maximum)))
    if least > most:  # a layer moved the bounds away from the hint: the layer wins
        least, most = _bounds(element)
    try:
        span = DecimalRange(least, most, hint.places)
    except ValueError as error:
        raise SetupError(f"the bounds of {element.name} leave no number to draw: {error}", where=element.layer) from error
    if hint.years_from_age is None:
        return Listed(span.all()) if len(span) <= _LONGEST_TABLE else Spread(span)
    years, per_year = hint.years_from_age, Decimal(hint.per_year)
    caps = tuple(max(least, (age - years) * per_year) for age in range(_OLDEST))
    numbers = tuple(int(cap) if hint.places == 0 else round(float(cap), hint.places) for cap in caps)
    return lambda draws, occasion, _record: min(span.number(draws), numbers[min(occasion.age, _OLDEST - 1)])


def _one_number(element: Element, hint: ElementHint) -> Maker:
    least, most = _bounds(element)
    named = [(Decimal(text), weight) for text, weight in hint.weights.items() if least <= Decimal(text) <= most]
    if not named:  # a layer moved the bounds away from the hint: the layer wins
        return _number(element, ElementHint())
    return _drawn(Weighted([(int(value) if value == int(value) else float(value), weight) for value, weight in named]))


def _bounds(element: Element) -> tuple[Decimal, Decimal]:
    """The element's own bounds; where one is open, a hundred from the other (or from 0)."""
    least = None if element.minimum is None else Decimal(repr(element.minimum))
    most = None if element.maximum is None else Decimal(repr(element.maximum))
    if least is None:
        least = Decimal(0) if most is None or most >= 0 else most - 100
    return least, least + 100 if most is None else most


def _product(hint: ElementHint) -> Maker:
    low, high = hint.range or ("0", "1000000")
    least, most = float(low), float(high)
    fallback = DecimalRange(low, high, hint.places)
    first_percent, spread = hint.percent[0], hint.percent[1] - hint.percent[0] + 1

    def multiplied(draws: Draws, _: Occasion, record: Record) -> int | float:
        value = (first_percent + draws.below(spread)) / 100
        for name in hint.product_of:
            factor = record.get(name)
            if factor is None:
                return fallback.number(draws)
            value *= float(factor)
        return min(most, max(least, round(value, hint.places)))

    return multiplied


def _exam_day(_: Draws, occasion: Occasion, __: Record) -> str:
    return occasion.exam_day.isoformat()


def _before_exam(draws: Draws, occasion: Occasion, _: Record) -> str:
    first = max(occasion.person.birth_date, occasion.exam_day - timedelta(days=_EARLIER))
    return draws.day(first, occasion.exam_day - timedelta(days=1)).isoformat()


def _after_exam(draws: Draws, occasion: Occasion, _: Record) -> str:
    return draws.day(occasion.exam_day, occasion.as_of).isoformat()


def _listed_day(_: Draws, occasion: Occasion, __: Record) -> str:
    return occasion.listed_day.isoformat()


def _instant(day: Maker) -> Maker:
    def instant(draws: Draws, occasion: Occasion, record: Record) -> str:
        minutes, second = divmod(draws.below(_WORKING_SECONDS), 60)
        return f"{day(draws, occasion, record)}T{_FIRST_HOUR + minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"

    return instant


def _later(hint: ElementHint) -> Maker:
    least, most = hint.minutes
    fallback = _instant(_exam_day)

    def later(draws: Draws, occasion: Occasion, record: Record) -> str:
        before = record.get(hint.after)
        if before is None:
            return str(fallback(draws, occasion, record))
        return (datetime.fromisoformat(before) + timedelta(minutes=draws.integer(least, most))).isoformat()

    return later


_FIRST_HOUR, _WORKING_SECONDS = 6, 14 * 3600
_PARTS: dict[DateHint | None, Maker] = {
    DateHint.YEAR: lambda _draws, occasion, _record: str(occasion.exam_day.year),
    DateHint.MONTH: lambda _draws, occasion, _record: str(occasion.exam_day.month),
}
_PART_CODES: dict[DateHint | None, frozenset[str]] = {
    DateHint.YEAR: frozenset(),
    DateHint.MONTH: frozenset(str(month) for month in range(1, 13)),
}
_DAYS: dict[DateHint, Maker] = {
    DateHint.EXAM: _exam_day,
    DateHint.BEFORE_EXAM: _before_exam,
    DateHint.AFTER_EXAM: _after_exam,
    DateHint.FOLLOW_UP: _listed_day,
}


def _text(element: Element, hint: ElementHint, phrases: Sequence[str]) -> Maker:
    if element.pattern and not hint.words:
        return _shaped(element)
    least, most = element.min_length or 0, element.max_length or 255
    texts = tuple(text[:most].strip().ljust(least, ".") for text in hint.words or phrases)
    return Listed(texts)


def _shaped(element: Element) -> Maker:
    """Texts of the element's pattern."""
    try:
        draw = sampler(element.pattern, element.min_length or 1, element.max_length or 255)
    except CannotDrawError as error:
        raise SetupError(
            f"no synthetic value is known for the patterned element {element.name}",
            expected=f"texts of {element.pattern[:80]}",
            actual=str(error)[:200],
            where=element.layer,
            fix="name `words` for it in the registry's file of fixtures/synthesis, or take the pattern out of your layer",
        ) from error
    return lambda draws, _occasion, _record: draw(draws)


@cache
def plain_letters(text: str) -> str:
    """The text in ASCII: letters lose their marks, what has no such form is left out; memory of the names drawn so far."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


@lru_cache(maxsize=8192)
def years_before(day: date, years: int) -> date:
    """The same calendar day `years` earlier; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return (day - timedelta(days=1)).replace(year=day.year - years)
