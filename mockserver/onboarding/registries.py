"""The registries and mapping versions that a vendor claims (requirement apply-registries, fact group N3)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import shown, wrong

if TYPE_CHECKING:
    from acrmock.facts import Facts, Registry


def check_registries(
    texts: tuple[str, ...], facts: Facts, day: date, *, needed: bool = True
) -> tuple[dict[str, str], list[FieldProblem]]:
    """The claimed registries by slug with their mapping version on business date `day`, and every reason against one."""
    if not texts and not needed:
        return {}, []
    if not texts:
        return {}, [wrong("registry", "a registry is needed", expected=_known(facts))]
    if len(texts) > 4 * len(facts.registries) + 4:
        return {}, [wrong("registry", "more registries than there are", expected=_known(facts), actual=f"{len(texts)}")]
    claimed: dict[str, str] = {}
    found: list[FieldProblem] = []
    for index, text in enumerate(texts):
        slug, colon, version = text.partition(":")
        registry = facts.registry(slug.strip().lower())
        if registry is None:
            found.append(wrong("registry", "there is no such registry", expected=_known(facts), actual=text, index=index))
            continue
        if registry.slug in claimed:
            found.append(
                wrong("registry", "the registry is named twice", expected="each registry once", actual=text, index=index)
            )
            continue
        chosen, reason = _version(registry, version if colon else None, day)
        claimed[registry.slug] = chosen
        if reason:
            found.append(wrong("registry", reason, expected=_in_force(registry, day), actual=text, index=index))
    return claimed, found


def _version(registry: Registry, text: str | None, day: date) -> tuple[str, str]:
    """(version, why it cannot be claimed); without a text the newest in force."""
    if text is None:
        newest = registry.default(day)
        return (newest.version, "") if newest else ("", f"no mapping version is in force on {day}")
    version = registry.version(text)
    if version is None:
        return "", f"there is no mapping version {shown(text, 20)}"
    state = version.state(day).value
    if state == "obsolete":
        return text, f"mapping version {text} is obsolete since {version.in_force_until} (today is {day})"
    if state == "not-yet":
        return text, f"mapping version {text} comes into force on {version.in_force_from} (today is {day})"
    return version.version, ""


def scopes_of(slugs: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    """The scopes that an application of these registries may ask for (facts N1.15 and N1.16, choice U7)."""
    first = (*facts.texts("auth.scopes.required"), facts.text("auth.scope.offline"))
    own = (registry.scope for registry in facts.registries if registry.slug in slugs and registry.scope)
    return tuple(dict.fromkeys((*first, *own, *facts.texts("auth.scopes.identity"))))


def check_environment(environment: str, limits: Limits) -> list[FieldProblem]:
    """Why `environment` is not one."""
    if environment in limits.environments:
        return []
    return [wrong("environment", "there is no such environment", expected=" or ".join(limits.environments), actual=environment)]


def _known(facts: Facts) -> str:
    return "one of " + ", ".join(registry.slug for registry in facts.registries)


def _in_force(registry: Registry, day: date) -> str:
    versions = ", ".join(version.version for version in registry.in_force(day))
    return f"a mapping version in force: {versions}" if versions else "a mapping version in force"
