"""Versions of the sign-in guide side by side: what a layer says for the applications of one of them (fact N1.7).

A setting `guide.NAME.KEY` stands in place of the setting KEY for the applications that were registered for guide NAME.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from acrmock.errors import SetupError

if TYPE_CHECKING:
    from acrmock.facts import Facts

NAMES = "auth.guides"


def names(facts: Facts) -> tuple[str, ...]:
    """The guides that an application can be registered for; the first is the one that holds unless another is named."""
    return facts.texts(NAMES)


def overrides(facts: Facts, name: str) -> Mapping[str, Any]:
    """The settings that guide `name` replaces; raises `SetupError` for one that cannot stand in the place it names."""
    prefix = f"guide.{name}."
    found: dict[str, Any] = {}
    for key in facts.settings:
        if key.startswith(prefix):
            target, value = key.removeprefix(prefix), facts.settings[key].value
            fault = facts.problem_with(target, value)
            if fault:
                raise SetupError(f"the setting {key}: {fault}", where=facts.settings[key].layer)
            found[target] = value
    return found
