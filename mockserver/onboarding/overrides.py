"""Overrides of layer settings for one environment of an application: known keys, the layer's type, within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from acrmock.record import FieldProblem
from mockserver.onboarding.reasons import shown

if TYPE_CHECKING:
    from acrmock.facts import Fact, Facts

MOST = 100
_SERVER_WIDE = ("gate.", "onboarding.")
_TYPES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def check_settings(settings: Mapping[str, Any], facts: Facts, *, field: str = "settings") -> list[FieldProblem]:
    """Every reason why `settings` cannot override the layer's."""
    if len(settings) > MOST:
        return [FieldProblem(pointer=f"/{field}", element=field, expected=f"at most {MOST}", reason="too many settings")]
    found = ((key, _fault(key, value, facts)) for key, value in settings.items())
    return [
        FieldProblem(
            pointer=f"/{field}/{shown(key, 80).replace('~', '~0').replace('/', '~1')}",
            element=field,
            reason=fault[0],
            expected=fault[1],
            actual=shown(repr(settings[key]), 80),
        )
        for key, fault in found
        if fault is not None
    ]


def server_wide(key: str) -> bool:
    """Whether a setting holds for the whole server: paths are routed and limits applied before an application is known."""
    return key.startswith(_SERVER_WIDE) or ".path." in key or key.endswith("_path")


def _fault(key: str, value: Any, facts: Facts) -> tuple[str, str] | None:
    fact = facts.settings.get(key)
    if fact is None:
        return "no layer has such a setting", "a key of `acrmock facts show`"
    if server_wide(key):
        return "this setting holds for the whole server", "an overlay of the layer"
    if not _same_type(value, fact.value):
        return "the value has another type than the layer's", _type_name(fact.value)
    if fact.choices and any(item not in fact.choices for item in (value if isinstance(value, list) else [value])):
        return "the value is not one of the choices", ", ".join(map(str, fact.choices))
    return _out_of_bounds(value, fact)


def _out_of_bounds(value: Any, fact: Fact) -> tuple[str, str] | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ("the text is too long", "at most 2000 characters") if len(str(value)) > 2000 else None
    low, high = fact.minimum, fact.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return "the value is out of bounds", f"{_bound(low)} to {_bound(high)}"
    return None


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _same_type(value: Any, like: Any) -> bool:
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(like, bool) and isinstance(value, bool)
    if isinstance(like, (int, float)):
        return isinstance(value, (int, float)) and (isinstance(like, float) or float(value).is_integer())
    if isinstance(like, str):
        return isinstance(value, str)
    if isinstance(like, Mapping):
        return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _type_name(like: Any) -> str:
    names = [name for kind, name in _TYPES.items() if type(like) is kind]
    if names:
        return names[0]
    return "an object of texts" if isinstance(like, Mapping) else "a list of texts"
