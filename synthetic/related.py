"""Values that a rule ties to other values of the record: pairs, tolerances, means; and codes that a rule excludes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil, floor
from typing import Any

from acrmock.facts.registry import Element, Rule, RuleKind
from acrmock.schema.rules import holds, texts
from synthetic.hints import ElementHint
from synthetic.makers import Maker, Occasion, Record
from synthetic.randomness import Draws, Weighted

_FAR = 1.5
_STEPS = 1000
_OPEN = float("inf")


def without_excluded(hint: ElementHint, element: Element, rules: Iterable[Rule]) -> ElementHint:
    """The hint with no weight for codes whose records a rule excludes."""
    found = excluded_codes(element.name, rules)
    if not found or not element.codes:
        return hint
    shared = {code.code: hint.weights.get(code.code, hint.other) for code in element.codes}
    if not any(shared.values()):
        shared = {code.code: 1 for code in element.codes}
    kept = {code: weight for code, weight in shared.items() if code not in found}
    return ElementHint(**{**_fields(hint), "weights": kept, "other": 0})


def _fields(hint: ElementHint) -> dict[str, Any]:
    return {name: getattr(hint, name) for name in hint.__struct_fields__}


def excluded_codes(name: str, rules: Iterable[Rule]) -> frozenset[str]:
    """The values of an element whose records a rule excludes."""
    whens = [rule.when for rule in rules if rule.kind is RuleKind.EXCLUDED and rule.when is not None]
    return frozenset(value for when in whens if when.element == name for value in when.values)


def related(element: Element, hint: ElementHint, rules: Iterable[Rule], make: Maker) -> Maker:
    """The maker of an element whose value rules tie to others, from `make`, which knows of none."""
    own = [rule for rule in rules if element.name in rule.elements]
    for rule in own:
        if rule.kind is RuleKind.WITHIN_PERCENT:
            make = _near(element, hint, rule, make)
        elif rule.kind is RuleKind.MEAN_IN_BANDS:
            make = _mean(hint, rule, make)
    pairs = [rule for rule in own if rule.kind is RuleKind.PAIRS]
    return _paired(element, hint, pairs, make) if pairs else make


def _paired(element: Element, hint: ElementHint, rules: Sequence[Rule], make: Maker) -> Maker:
    codes = [code.code for code in element.codes]
    tables: dict[tuple[str, ...], Weighted[str]] = {}

    def paired(draws: Draws, occasion: Occasion, record: Record) -> Any:
        allowed = allowed_values(rules, record)
        if allowed is None:
            return make(draws, occasion, record)
        if allowed not in tables:
            usable = [value for value in allowed if not codes or value in codes]
            weights = [(value, hint.weights.get(value, hint.other)) for value in usable]
            tables[allowed] = Weighted(weights if any(weight for _, weight in weights) else [(value, 1) for value in usable])
        value = draws.weighted(tables[allowed])
        return [value] if element.multiple else value

    return paired


def allowed_values(rules: Iterable[Rule], record: Record) -> tuple[str, ...] | None:
    """The values that all of the rules of pairs allow in this record; None where none of them speaks."""
    found: tuple[str, ...] | None = None
    for rule in rules:
        if rule.when is not None and not holds(rule.when, record):
            continue
        for other in texts(record.get(rule.other)):
            values = rule.pairs.get(other)
            if values is not None:
                found = values if found is None else tuple(value for value in found if value in values)
    return found


def _near(element: Element, hint: ElementHint, rule: Rule, make: Maker) -> Maker:
    scale = 10**hint.places

    def near(draws: Draws, occasion: Occasion, record: Record) -> Any:
        other = record.get(rule.other)
        if not isinstance(other, (int, float)) or (rule.when is not None and not holds(rule.when, record)):
            return make(draws, occasion, record)
        spread = Decimal(repr(other)) * Decimal(repr(rule.percent)) / 100
        least, most = Decimal(repr(other)) - spread, Decimal(repr(other)) + spread
        least = least if element.minimum is None else max(least, Decimal(repr(element.minimum)))
        most = most if element.maximum is None else min(most, Decimal(repr(element.maximum)))
        units = draws.integer(ceil(least * scale), floor(most * scale))
        return units if scale == 1 else units / scale

    return near


def _mean(hint: ElementHint, rule: Rule, make: Maker) -> Maker:
    bands = tuple((band.element, band.least, _OPEN if band.most is None else band.most) for band in rule.bands)
    places = max(2, hint.places)

    def mean(draws: Draws, occasion: Occasion, record: Record) -> Any:
        bounds = _range(bands, record)
        if bounds is None:
            return make(draws, occasion, record)
        least, most = bounds
        most = most if most != _OPEN else least * _FAR + 1
        return round(least + (most - least) * draws.below(_STEPS) / _STEPS, places)

    return mean


def _range(bands: Iterable[tuple[str, float, float]], record: Record) -> tuple[float, float] | None:
    """What `mean_range` gives for counts that are numbers."""
    total = least = most = 0.0
    for name, low, high in bands:
        count = record.get(name)
        if count is None:
            return None
        if count:
            count = float(count)
            total += count
            least += low * count
            most += high * count
    return (least / total, most / total) if total > 0 else None
