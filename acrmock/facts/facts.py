"""The facts of acrmock: shipped layers with a user's overlays on top, compiled when first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from acrmock.facts import joining, shipped
from acrmock.facts.catalogue import (
    ProfileKey,
    compile_errors,
    compile_profiles,
    compile_requirements,
)
from acrmock.facts.dose import Dictionary
from acrmock.facts.errors import FactsError
from acrmock.facts.layer import Kind, Layer, read_overlay
from acrmock.facts.model import ErrorSpec, Fact, Profile, Requirement, Source
from acrmock.facts.registries import Lists, compile_registries
from acrmock.facts.registry import Registry
from acrmock.facts.settings import compile_settings, compile_sources, problem_with
from acrmock.facts.yamlfile import read_text

_T = TypeVar("_T")
_ENVELOPE = "nrdr.envelope."


def load_facts(overlays: Sequence[Path] = ()) -> Facts:
    """The effective facts: what acrmock ships, then `overlays` in order.

    A bad overlay raises `FactsError` with file, line and reason, before anything uses it. Without overlays the facts are
    made once per process and compiled when first asked for.
    """
    if not overlays:
        return _shipped()
    facts = Facts([read_overlay(Path(path)) for path in overlays], _digest(overlays))
    facts.compile_all()
    return facts


@cache
def _shipped() -> Facts:
    return Facts([], shipped.digest().hex())


def _digest(overlays: Sequence[Path]) -> str:
    total = hashlib.sha256(shipped.digest())
    for path in overlays:
        total.update(hashlib.sha256(read_text(Path(path)).encode()).digest())
    return total.hexdigest()


class Facts:
    """What is known of ACR, with provenance. `digest` is the SHA-256 (hex) of the layers in effect.

    Settings are read by type (`text`, `number`, `integer`, `flag`, `texts`, `mapping`); a setting that is missing or of
    another type raises `FactsError`.
    """

    def __init__(self, overlays: Sequence[Layer], digest: str) -> None:
        self._overlays = tuple(overlays)
        self.digest = digest

    def compile_all(self) -> None:
        """Compile everything now, so that whatever is wrong is said at once."""
        _ = self.sources, self.settings, self.registries, self.requirements, self.errors, self.profiles, self.dose

    def _layers(self, kind: Kind) -> list[Layer]:
        return [*shipped.layers(kind), *(layer for layer in self._overlays if layer.kind is kind)]

    def overlaid(self, *kinds: str) -> tuple[Layer, ...]:
        """The layers of these kinds that are not shipped, in the order in which they merge."""
        return tuple(layer for layer in self._overlays if layer.kind in kinds)

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The documents that facts cite, by key."""
        return compile_sources(self._layers(Kind.SOURCES))

    @cached_property
    def settings(self) -> Mapping[str, Fact]:
        """The settings by key."""
        return compile_settings(self._layers(Kind.SETTINGS), self.sources)

    @cached_property
    def registries(self) -> tuple[Registry, ...]:
        """The registries."""
        named = {key.removeprefix(_ENVELOPE): key for key in self.settings if key.startswith(_ENVELOPE) and key.endswith("s")}
        kinds = {name.removesuffix("s"): self.text(key) for name, key in named.items()}
        lists = Lists(exams=self.text(f"{_ENVELOPE}exams"), kinds=kinds)
        return compile_registries(self._layers(Kind.REGISTRY), self.sources, lists)

    @cached_property
    def requirements(self) -> Mapping[str, Requirement]:
        """The requirement catalogue by id."""
        return compile_requirements(self._layers(Kind.REQUIREMENTS), self.sources)

    @cached_property
    def errors(self) -> Mapping[str, ErrorSpec]:
        """The error catalogue by code (without the prefix `acrmock:`)."""
        return compile_errors(self._layers(Kind.ERRORS), self.sources)

    @cached_property
    def profiles(self) -> Mapping[ProfileKey, Profile]:
        """The profiles by name and revision."""
        slugs = [registry.slug for registry in self.registries]
        return compile_profiles(self._layers(Kind.PROFILE), self.sources, self.requirements, self.settings, slugs)

    @cached_property
    def dose(self) -> Dictionary:
        """The dictionary of dose reports."""
        return Dictionary(self._layers(Kind.DOSE), self.sources)

    @cached_property
    def _by_word(self) -> dict[str, Registry]:
        return {word: registry for registry in self.registries for word in (*registry.aliases, registry.slug)}

    def registry(self, slug_or_alias: str) -> Registry | None:
        """The registry of that slug or alias, or None."""
        return self._by_word.get(slug_or_alias)

    def profile(self, name: str, revision: str | None = None) -> Profile:
        """The profile of that name, in its newest revision unless one is named; raises `FactsError` when there is none.

        `a+b` joins profiles (`acrmock.facts.joining`), of which `revision` then names each, `1+1`. One that only lists others
        joins those. A registry that no profile is made for, as one of the user's own, has the one that a setting names.
        """
        names = name.split(joining.SIGN)
        if len(names) > 1:
            revisions = revision.split(joining.SIGN) if revision is not None else [None] * len(names)
            if len(revisions) != len(names) or len(set(names)) != len(names):
                raise FactsError(
                    f"there is no profile {name} in revision {revision}",
                    file="profiles",
                    fix="name each profile once, each revision",
                )
            return joining.join([self.profile(*pair) for pair in zip(names, revisions, strict=True)])
        found = self._single(name, revision)
        if not found.joins:
            return found
        joined = joining.join([self.profile(one) for one in found.joins])
        return msgspec.structs.replace(joined, name=found.name, revision=found.revision, title=found.title, note=found.note)

    def _single(self, name: str, revision: str | None) -> Profile:
        found = [profile for profile in self.profiles.values() if profile.name == name] or self._borrowed(name)
        if revision is not None:
            found = [profile for profile in found if profile.revision == revision]
        if not found:
            known = ", ".join(sorted(f"{profile.name} (revision {profile.revision})" for profile in self.profiles.values()))
            wanted = name if revision is None else f"{name} in revision {revision}"
            raise FactsError(f"there is no profile {wanted}", file="profiles", fix=f"known: {known}")
        return max(found, key=lambda profile: (len(profile.revision), profile.revision))

    def _borrowed(self, slug: str) -> list[Profile]:
        """The profile of another registry as that of the registry `slug`, if there is such a registry."""
        registry = next((registry for registry in self.registries if registry.slug == slug), None)
        if registry is None:
            return []
        like = self.text("judge.profile.other_registries")
        return [
            msgspec.structs.replace(profile, name=slug, title=registry.title, registries=(slug,), note="", like=like)
            for profile in self.profiles.values()
            if profile.name == like
        ]

    def fact(self, key: str) -> Fact:
        """One setting with its provenance."""
        try:
            return self.settings[key]
        except KeyError:
            raise FactsError(f"no layer has the setting {key}", file="settings") from None

    def text(self, key: str) -> str:
        """A setting that is text."""
        return self._typed(key, str)

    def integer(self, key: str) -> int:
        """A setting that is a whole number."""
        value = self.fact(key).value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return self._typed(key, int)

    def number(self, key: str) -> float:
        """A setting that is a number."""
        value = self.fact(key).value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(self.fact(key), "a number")
        return float(value)

    def flag(self, key: str) -> bool:
        """A setting that is true or false."""
        return self._typed(key, bool)

    def texts(self, key: str) -> tuple[str, ...]:
        """A setting that is a list of texts."""
        return self._typed(key, tuple)

    def mapping(self, key: str) -> Mapping[str, str]:
        """A setting that is a mapping of texts."""
        return self._typed(key, dict)

    def _typed(self, key: str, kind: type[_T]) -> _T:
        fact = self.fact(key)
        if not isinstance(fact.value, kind) or (kind is int and isinstance(fact.value, bool)):
            raise _wrong(fact, kind.__name__)
        value: _T = fact.value
        return value

    def problem_with(self, key: str, value: Any) -> str:
        """Why `value` cannot stand for the setting `key` (for an override by application or run), or an empty string."""
        fact = self.settings.get(key)
        return problem_with(fact, value) if fact is not None else "there is no such setting"


def _wrong(fact: Fact, wanted: str) -> FactsError:
    return FactsError(f"the setting {fact.key} is {fact.value!r}, not {wanted}", file=fact.layer or "settings")
