"""The registries and mapping versions that a vendor claims (requirement apply-registries, fact group N3)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import shown, wrong

if TYPE_CHECKING:
    from acrmock.facts import Facts, Registry


def claims_documents(texts: tuple[str, ...], facts: Facts) -> bool:
    """Whether the registry of documents, which has no mapping versions, is among what is claimed (facts N5.1, U33)."""
    return any(_is_documents(text, facts) for text in texts)


def claims_exams(texts: tuple[str, ...], facts: Facts) -> bool:
    """Whether anything is claimed beside the registry of documents."""
    return not all(_is_documents(text, facts) for text in texts)


def check_registries(
    texts: tuple[str, ...], facts: Facts, day: date, *, needed: bool = True
) -> tuple[dict[str, str], list[FieldProblem]]:
    """The claimed registries by slug with their mapping version on business date `day`, and every reason against one.

    That of documents has no mapping version and is not among them (`claims_documents`); naming it is enough where one is needed.
    """
    if not texts and not needed:
        return {}, []
    if not texts:
        return {}, [wrong("registry", "a registry is needed", expected=_known(facts))]
    if len(texts) > most_registries(facts):
        return {}, [wrong("registry", "more registries than there are", expected=_known(facts), actual=f"{len(texts)}")]
    claimed: dict[str, str] = {}
    found: list[FieldProblem] = []
    for index, text in enumerate(texts):
        if _is_documents(text, facts):
            found += _against_documents(texts, index, facts)
            continue
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


def most_registries(facts: Facts) -> int:
    """How many registries one registration may name, those named twice included."""
    return 4 * len(facts.registries) + 8


def _is_documents(text: str, facts: Facts) -> bool:
    return text.partition(":")[0].strip().lower() == facts.text("cdsr.registry")


def _against_documents(texts: tuple[str, ...], index: int, facts: Facts) -> list[FieldProblem]:
    word, text = facts.text("cdsr.registry"), texts[index]
    if ":" in text:
        return [wrong("registry", "this registry has no mapping versions", expected=word, actual=text, index=index)]
    if claims_documents(texts[:index], facts):
        return [wrong("registry", "the registry is named twice", expected="each registry once", actual=text, index=index)]
    return []


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


def scopes_of(slugs: tuple[str, ...], facts: Facts, *, documents: bool = False) -> tuple[str, ...]:
    """The scopes that an application of these registries may ask for (facts N1.15 and N1.16, choice U7).

    `documents`: with that of the registry of documents, which matters only where a layer asks for a token there (U33).
    """
    first = (*facts.texts("auth.scopes.required"), facts.text("auth.scope.offline"))
    own = (registry.scope for registry in facts.registries if registry.slug in slugs and registry.scope)
    beside = (facts.text("cdsr.scope"),) if documents else ()
    return tuple(dict.fromkeys((*first, *own, *beside, *facts.texts("auth.scopes.identity"))))


def check_environment(environment: str, limits: Limits) -> list[FieldProblem]:
    """Why `environment` is not one."""
    if environment in limits.environments:
        return []
    return [wrong("environment", "there is no such environment", expected=" or ".join(limits.environments), actual=environment)]


def _known(facts: Facts) -> str:
    return "one of " + ", ".join((*(registry.slug for registry in facts.registries), facts.text("cdsr.registry")))


def _in_force(registry: Registry, day: date) -> str:
    versions = ", ".join(version.version for version in registry.in_force(day))
    return f"a mapping version in force: {versions}" if versions else "a mapping version in force"
