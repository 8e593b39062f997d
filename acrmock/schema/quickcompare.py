"""What breaks a rule about a value, as a Python expression over places where values are: for `quickrules`.

None stands for a rule that is not told quickly, as its elements have other types than it is meant for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from acrmock.facts import Element, ElementType, Rule, RuleKind
from acrmock.schema.rules import ROUNDING

_SURE = ROUNDING * 0.9
"""So far a mean may certainly lie outside of its bands, whatever the last digits of what is computed are."""
_TIMES = (ElementType.DATE, ElementType.INSTANT)


class Constants(dict[str, Any]):
    """What expressions name instead of holding it: nothing of the facts is ever source."""

    def named(self, value: Any) -> str:
        """The name of a new constant."""
        name = f"c{len(self)}"
        self[name] = value
        return name


class Place(NamedTuple):
    """Where a value is: the expression that gives it (None where it is absent), and its element."""

    at: str
    element: Element

    @property
    def timed(self) -> bool:
        """Whether it is a date or an instant."""
        return self.element.type in _TIMES

    @property
    def day(self) -> str:
        """Its day as a number, if it is timed; that of a value of the record has a name of its own."""
        return f"day_{self.at[2:]}" if self.at.startswith("r.") else f"day({self.at}[:10])"


def _not_before(_constants: Constants, _rule: Rule, own: Place, other: Place) -> str | None:
    """Texts of one length stand in the order of time, once their separators are the same."""
    if not own.timed or not other.timed:
        return None
    if own.element.type is not other.element.type or own.element.type is ElementType.DATE:
        return f"{own.day} < {other.day}"
    return f"{own.at} < {other.at} or {own.at}[10] != {other.at}[10]"


def _within(_constants: Constants, rule: Rule, own: Place, other: Place) -> str | None:
    if not own.timed or not other.timed:
        return None
    return f"{own.day} - {other.day} > {int(rule.days)}"


def _percent(constants: Constants, rule: Rule, own: Place, other: Place) -> str | None:
    if {own.element.type, other.element.type} != {ElementType.NUMBER}:
        return None
    return f"not abs({own.at} - {other.at}) <= abs({other.at}) * {constants.named(rule.percent)} / 100"


def _month_past(_constants: Constants, _rule: Rule, own: Place, other: Place) -> str | None:
    if own.element.multiple or other.element.multiple:
        return None
    return f"not (float({other.at}), float({own.at})) < month(today)"


def _pairs(constants: Constants, rule: Rule, own: Place, other: Place) -> str | None:
    """Values beside those that go with them; all are of their lists, since they were converted."""
    if ElementType.NUMBER in (own.element.type, other.element.type):
        return None
    pairs = constants.named({value: frozenset(allowed) for value, allowed in rule.pairs.items()})
    fits = "{0}[{1}].issuperset({2})" if own.element.multiple else "{2} in {0}[{1}]"
    if other.element.multiple:
        return f"not all({fits.format(pairs, 'one', own.at)} for one in {other.at} if one in {pairs})"
    return f"{other.at} in {pairs} and not {fits.format(pairs, other.at, own.at)}"


def _among(_constants: Constants, _rule: Rule, own: Place, other: Place) -> str | None:
    if ElementType.NUMBER in (own.element.type, other.element.type):
        return None
    each = [place.at if place.element.multiple else f"({place.at},)" for place in (own, other)]
    return f"not set({each[0]}).issubset({each[1]})"


COMPARING: dict[RuleKind, Callable[[Constants, Rule, Place, Place], str | None]] = {
    RuleKind.NOT_BEFORE: _not_before,
    RuleKind.WITHIN_DAYS: _within,
    RuleKind.WITHIN_PERCENT: _percent,
    RuleKind.MONTH_PAST: _month_past,
    RuleKind.PAIRS: _pairs,
    RuleKind.AMONG: _among,
}
"""The rules that compare a value with another, which is there."""


def luhn(_rule: Rule, own: Place) -> str | None:
    """Of a check digit."""
    return f"not luhn({own.at})" if own.element.type is ElementType.TEXT else None


def equals_header(_rule: Rule, own: Place) -> str | None:
    """Of the header's facility."""
    return f"{own.at} != facility"


def not_future(rule: Rule, own: Place) -> str | None:
    """Of a day that must have come."""
    return f"{own.day} > today - {int(rule.days)}" if own.timed else None


ALONE: dict[RuleKind, Callable[[Rule, Place], str | None]] = {
    RuleKind.LUHN_NPI: luhn,
    RuleKind.EQUALS_HEADER: equals_header,
    RuleKind.NOT_FUTURE: not_future,
}
"""The rules that look at a value alone."""


def mean_in_bands(constants: Constants, rule: Rule, own: Place, counts: Sequence[Place]) -> str | None:
    """Of a mean outside of what its counts allow, all of them multiplied by their sum; a band without an end allows anything."""
    numbers = all(place.element.type is ElementType.NUMBER for place in (own, *counts))
    if not numbers or any(place.element.minimum is None or place.element.minimum < 0 for place in counts):
        return None
    banded = list(zip((place.at for place in counts), rule.bands, strict=True))
    there = " and ".join(f"{count} is not None" for count, _ in banded)
    total = f"({' + '.join(count for count, _ in banded)})"
    least = " + ".join(f"{constants.named(band.least)} * {count}" for count, band in banded)
    most = " + ".join(f"{constants.named(band.most)} * {count}" for count, band in banded if band.most is not None)
    above = " and ".join(
        [*(f"{count} == 0" for count, band in banded if band.most is None), f"({own.at} - {_SURE}) * {total} > {most or '0'}"]
    )
    return f"{there} and (({own.at} + {_SURE}) * {total} < {least} or ({above}))"
