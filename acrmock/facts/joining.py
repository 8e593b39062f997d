"""Profiles joined into one: what several together judge, ask for and say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from acrmock.facts.errors import FactsError
from acrmock.facts.model import Profile, Role, Step, Weight
from acrmock.facts.provenance import Provenance

SIGN = "+"
"""What stands between the names, and the revisions, of profiles that are joined."""
_STRICTNESS = (Weight.MUST, Weight.SHOULD, Weight.MAY, Weight.NOT_SCORED)
_WEAKNESS = tuple(Provenance)


def join(profiles: Sequence[Profile]) -> Profile:
    """The profile that asks for all that `profiles` ask for, in their order.

    Groups, registries, claims and remarks are united; of two weights the stricter counts; settings are united; steps follow
    each other, one of the same name being shared (there is one sign-in). Raises `FactsError` where two contradict each other:
    a setting with two values, or a sender that is to be two things.
    """
    first = profiles[0]
    groups = tuple(dict.fromkeys(group for one in profiles for group in one.groups))
    weights = _weights(profiles)
    return msgspec.structs.replace(
        first,
        name=SIGN.join(one.name for one in profiles),
        revision=SIGN.join(one.revision for one in profiles),
        title=" and ".join(dict.fromkeys(one.title for one in profiles)),
        registries=_united(one.registries for one in profiles),
        groups=groups,
        weights=weights,
        claims=_united(one.claims for one in profiles),
        default_claims=_united(one.default_claims for one in profiles),
        steps=_steps(profiles),
        settings=_settings(profiles),
        provenance=max((one.provenance for one in profiles), key=_WEAKNESS.index),
        sources=_united(one.sources for one in profiles),
        coverage_bar=max(one.coverage_bar for one in profiles),
        local=all(one.local for one in profiles),
        checks=(),
        role=_role(profiles),
        topology=_united(one.topology for one in profiles),
        prefers=" ".join(dict.fromkeys(one.prefers for one in profiles if one.prefers)),
        note=" ".join(dict.fromkeys(one.note for one in profiles if one.note)),
    )


def _united(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))


def _weights(profiles: Sequence[Profile]) -> Mapping[str, Weight]:
    weights: dict[str, Weight] = {}
    for one in profiles:
        for check, weight in one.weights.items():
            weights[check] = min(weights.get(check, weight), weight, key=_STRICTNESS.index)
    return weights


def _settings(profiles: Sequence[Profile]) -> Mapping[str, Any]:
    settings: dict[str, Any] = {}
    for one in profiles:
        for key, value in one.settings.items():
            if settings.setdefault(key, value) != value:
                raise _contradiction(profiles, f"the setting {key} is {settings[key]!r} in one and {value!r} in {one.name}")
    return settings


def _role(profiles: Sequence[Profile]) -> Role:
    roles = list(dict.fromkeys(one.role for one in profiles if one.role))
    if len(roles) > 1:
        raise _contradiction(profiles, f"the sender cannot be {' and '.join(roles)} at once")
    return roles[0] if roles else Role.NONE


def _steps(profiles: Sequence[Profile]) -> tuple[Step, ...]:
    """The steps of all; a new one stands after the one before it in its own profile, else before the first that is shared."""
    steps: list[Step] = []
    for one in profiles:
        own = {step.name for step in one.steps}
        place = next((number for number, step in enumerate(steps) if step.name in own), len(steps))
        for step in one.steps:
            known = next((number for number, other in enumerate(steps) if other.name == step.name), None)
            if known is None:
                steps.insert(place, step)
                place += 1
            else:
                steps[known] = _shared(steps[known], step)
                place = known + 1
    return tuple(steps)


def _shared(first: Step, second: Step) -> Step:
    """One step for two of the same name."""
    return Step(
        name=first.name,
        text=" ".join(dict.fromkeys((first.text, second.text))),
        timeout=max(first.timeout, second.timeout),
        directives={**first.directives, **second.directives},
    )


def _contradiction(profiles: Sequence[Profile], reason: str) -> FactsError:
    names = SIGN.join(one.name for one in profiles)
    return FactsError(f"{names} cannot be joined: {reason}", file="profiles", fix="judge them one after the other")
