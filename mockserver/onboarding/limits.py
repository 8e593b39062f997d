"""The limits that a registration is held to, as data from the facts layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acrmock.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a registration may hold (settings `onboarding.*`): characters, counts, prefix lengths in bits, pixels, bytes."""

    name_length: int
    url_length: int
    redirect_urls: int
    addresses: int
    prefix_v4: int
    prefix_v6: int
    source_prefix_v4: int
    source_prefix_v6: int
    logo_width: int
    logo_height: int
    logo_bytes: int
    facilities: int
    facilities_default: int
    users: int
    documentation_addresses: bool
    local_sources: tuple[str, ...]
    environments: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts) -> Limits:
        """The limits as the layers state them; raises `FactsError` where a setting is missing."""
        return cls(
            name_length=facts.integer("onboarding.name_length"),
            url_length=facts.integer("onboarding.redirect_url_length"),
            redirect_urls=facts.integer("onboarding.redirect_urls"),
            addresses=facts.integer("onboarding.addresses"),
            prefix_v4=facts.integer("onboarding.prefix_v4"),
            prefix_v6=facts.integer("onboarding.prefix_v6"),
            source_prefix_v4=facts.integer("onboarding.source_prefix_v4"),
            source_prefix_v6=facts.integer("onboarding.source_prefix_v6"),
            logo_width=facts.integer("onboarding.logo_width"),
            logo_height=facts.integer("onboarding.logo_height"),
            logo_bytes=facts.integer("onboarding.logo_bytes"),
            facilities=facts.integer("onboarding.facilities"),
            facilities_default=facts.integer("onboarding.facilities_default"),
            users=facts.integer("onboarding.users"),
            documentation_addresses=facts.flag("onboarding.documentation_addresses"),
            local_sources=facts.texts("onboarding.local_sources"),
            environments=facts.texts("gate.environments"),
        )
