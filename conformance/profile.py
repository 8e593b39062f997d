"""What the judge needs to know of the facts and the profile, looked up once: so that checks hold no fact of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Protocol

from acrmock.errors import SetupError
from acrmock.facts.model import Profile, Requirement, Role
from acrmock.facts.registry import EXAM, MappingVersion, Registry, RuleKind
from acrmock.record import Struct
from acrmock.schema import without_updates


class FactsView(Protocol):
    """The part of the facts that judging needs; `acrmock.facts.Facts` is one."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the effective facts."""
        ...

    @property
    def requirements(self) -> Mapping[str, Requirement]:
        """The catalogue of requirements by id."""
        ...

    def text(self, key: str) -> str:
        """A setting that is text."""
        ...

    def integer(self, key: str) -> int:
        """A setting that is a whole number."""
        ...

    def texts(self, key: str) -> tuple[str, ...]:
        """A setting that is a list of texts."""
        ...

    def mapping(self, key: str) -> Mapping[str, str]:
        """A setting that is a mapping of texts."""
        ...

    @property
    def registries(self) -> tuple[Registry, ...]:
        """All registries."""
        ...


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of registration: widest prefixes, longest name and redirect URL, the logo's form."""

    prefix_ipv4: int
    prefix_ipv6: int
    name_length: int
    url_length: int
    logo_width: int
    logo_height: int
    logo_format: str


class Words(Struct, frozen=True, kw_only=True):
    """Names and words of ACR's as the layers give them."""

    auth_base: str
    required_scopes: tuple[str, ...]
    offline_scope: str
    response_types: tuple[str, ...]
    grant_types: tuple[str, ...]
    code_lifetime: int
    media_type: str
    body_bytes: int
    exams: str
    complete: str
    rejected: str


class DoseRules(Struct, frozen=True, kw_only=True):
    """What the checks of dose reports hold senders to; times in seconds, statuses as numbers."""

    role: Role
    soon: float
    unzoned: float
    old: float
    batch_reports: int
    batch_spread: float
    resends: int
    retry_pause: float
    transient: frozenset[int]
    not_understood: frozenset[int]
    not_storage: frozenset[str]
    keywords: Mapping[str, str]

    @property
    def forwards(self) -> bool:
        """Whether the sender forwards what others made."""
        return self.role in {Role.RDIM, Role.PACS}

    def stores(self, sop_class: str) -> bool:
        """Whether a SOP class is for storing objects; `not_storage` names the others, a root of UIDs by a dot at its end."""
        return not any(sop_class == one or (one.endswith(".") and sop_class.startswith(one)) for one in self.not_storage)


class Rules(Struct, frozen=True, kw_only=True):
    """The facts and the profile as checks see them."""

    limits: Limits
    words: Words
    registries: Mapping[str, Registry]
    claimed: tuple[str, ...]
    claims: frozenset[str]
    coverage_bar: float
    local: bool
    dose: DoseRules
    document_retries: int
    documents: str

    def registry(self, slug: str) -> Registry | None:
        """The registry with that slug or alias, or None when the facts do not know it."""
        return self.registries.get(slug)

    def scopes(self) -> tuple[str, ...]:
        """The scopes of the registries claimed."""
        found = (self.registries[slug].scope for slug in self.claimed)
        return tuple(scope for scope in found if scope)

    def version(self, slug: str, mapping: str) -> MappingVersion | None:
        """A mapping version by registry and text, or None."""
        registry = self.registry(slug)
        return registry.version(mapping) if registry else None

    def without_follow_ups(self, slug: str, mappings: Iterable[str] = ()) -> str:
        """Why there is nothing to follow up: the registry takes none, or none of these mapping versions has elements for it.

        Empty where there is. Versions that nobody knows say nothing.
        """
        registry = self.registry(slug)
        if not any(version.follow_ups is not None for version in (registry.versions if registry else ())):
            return "the registry takes no follow-ups"
        used = [version for version in (self.version(slug, text) for text in mappings) if version is not None]
        if not used or any(version.follow_ups is not None for version in used):
            return ""
        names = ", ".join(dict.fromkeys(version.version for version in used))
        return f"mapping version {names} has no elements of follow-ups"

    def without_updates(self, slug: str, mappings: Iterable[str]) -> str:
        """Why no record of these mapping versions can be sent again with a change; empty where one can."""
        used = {version.version: version for version in (self.version(slug, text) for text in mappings) if version is not None}
        reasons = {name: without_updates(version) for name, version in used.items()}
        return "; ".join(f"mapping version {name} {why}" for name, why in reasons.items()) if all(reasons.values()) else ""

    def follow_up_days(self, slug: str, mapping: str) -> int | None:
        """Days after an exam within which work-up is a follow-up of it (fact N2.16); None where the mapping has no such rule."""
        version = self.version(slug, mapping)
        days = [rule.days for rule in (version.rules if version else ()) if _is_window(rule.kind, rule.record)]
        return min((day for day in days if day > 0), default=None)


def rules(facts: FactsView, profile: Profile, claims: frozenset[str]) -> Rules:
    """The facts and `profile` compiled for the checks; raises `SetupError` when the profile names an unknown registry."""
    registries = {name: registry for registry in facts.registries for name in (*registry.aliases, registry.slug)}
    overrides = profile.settings
    return Rules(
        limits=_limits(facts),
        words=_words(facts, overrides),
        registries=registries,
        claimed=tuple(_claimed(registries, slug) for slug in profile.registries),
        claims=claims,
        coverage_bar=profile.coverage_bar,
        local=profile.local,
        dose=_dose(facts, profile),
        document_retries=int(overrides.get("judge.cdsr.retries", facts.integer("judge.cdsr.retries"))),
        documents=facts.text("cdsr.registry"),
    )


def business_day(at: str) -> date | None:
    """The date of an entry's business time, or None when it cannot be read."""
    try:
        return date.fromisoformat(at[:10])
    except ValueError:
        return None


def _is_window(kind: RuleKind, record: str) -> bool:
    return kind is RuleKind.WITHIN_DAYS and record != EXAM


def _claimed(registries: Mapping[str, Registry], name: str) -> str:
    """The slug of a registry that the profile names."""
    found = registries.get(name)
    if found is None:
        raise SetupError(
            f"the profile names a registry that the facts do not know: {name}",
            fix="name a registry that `acrmock facts show` lists",
        )
    return found.slug


def _limits(facts: FactsView) -> Limits:
    return Limits(
        prefix_ipv4=facts.integer("onboarding.limit.prefix_ipv4"),
        prefix_ipv6=facts.integer("onboarding.limit.prefix_ipv6"),
        name_length=facts.integer("onboarding.limit.name_length"),
        url_length=facts.integer("onboarding.limit.redirect_url_length"),
        logo_width=facts.integer("onboarding.logo.width"),
        logo_height=facts.integer("onboarding.logo.height"),
        logo_format=facts.text("onboarding.logo.format"),
    )


def _dose(facts: FactsView, profile: Profile) -> DoseRules:
    def number(name: str) -> float:
        return float(profile.settings.get(f"judge.dir.{name}", facts.integer(f"judge.dir.{name}")))

    return DoseRules(
        role=profile.role,
        soon=number("soon"),
        unzoned=number("unzoned"),
        old=number("old"),
        batch_reports=int(number("batch_reports")),
        batch_spread=number("batch_spread"),
        resends=int(number("resends")),
        retry_pause=number("retry_pause"),
        transient=frozenset(int(text, 16) for text in facts.texts("judge.dir.transient")),
        not_understood=frozenset(int(text, 16) for text in facts.texts("judge.dir.not_understood")),
        not_storage=frozenset(facts.texts("judge.dir.not_storage")),
        keywords=facts.mapping("judge.dicom.keywords"),
    )


def _words(facts: FactsView, overrides: Mapping[str, Any]) -> Words:
    return Words(
        auth_base=facts.text("auth.base_path"),
        required_scopes=facts.texts("auth.scopes.required"),
        offline_scope=facts.text("auth.scope.offline"),
        response_types=facts.texts("auth.response_types"),
        grant_types=facts.texts("auth.grant_types"),
        code_lifetime=int(overrides.get("auth.code_lifetime", facts.integer("auth.code_lifetime"))),
        media_type=facts.text("nrdr.media_type"),
        body_bytes=facts.integer("nrdr.limit.body_bytes"),
        exams=facts.text("nrdr.envelope.exams"),
        complete=facts.text("nrdr.record.word.complete"),
        rejected=facts.text("nrdr.record.word.rejected"),
    )
