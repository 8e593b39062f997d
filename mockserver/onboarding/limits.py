"""The limits that a registration is held to, as data from the facts layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acrmock.facts import Facts

WIDEST_SOURCE = {4: 8, 6: 7}
"""The shortest prefix of a local source by IP version: an allowlist that lets everybody in is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a registration may hold (settings `onboarding.*`): characters, counts, prefix lengths in bits, pixels, bytes.

    The bounds of local sources are not facts about ACR but this server's own safety: the widest are `127.0.0.0/8` and
    `fc00::/7`. Documentation ranges can belong to nobody and may stand for a public address in examples and tests.
    """

    name_length: int
    url_length: int
    redirect_urls: int
    addresses: int
    prefix_v4: int
    prefix_v6: int
    logo_width: int
    logo_height: int
    logo_bytes: int
    facilities: int
    facilities_default: int
    users: int
    local_sources: tuple[str, ...]
    environments: tuple[str, ...]
    source_prefix_v4: int = WIDEST_SOURCE[4]
    source_prefix_v6: int = WIDEST_SOURCE[6]
    documentation_addresses: bool = True

    @classmethod
    def of(cls, facts: Facts) -> Limits:
        """The limits as the layers state them; raises `FactsError` where a setting is missing."""
        return cls(
            name_length=facts.integer("onboarding.limit.name_length"),
            url_length=facts.integer("onboarding.limit.redirect_url_length"),
            redirect_urls=facts.integer("onboarding.limit.redirect_urls"),
            addresses=facts.integer("onboarding.limit.addresses"),
            prefix_v4=facts.integer("onboarding.limit.prefix_ipv4"),
            prefix_v6=facts.integer("onboarding.limit.prefix_ipv6"),
            logo_width=facts.integer("onboarding.logo.width"),
            logo_height=facts.integer("onboarding.logo.height"),
            logo_bytes=facts.integer("onboarding.limit.logo_bytes"),
            facilities=facts.integer("onboarding.limit.facilities"),
            facilities_default=facts.integer("onboarding.default.facilities"),
            users=facts.integer("onboarding.limit.users"),
            local_sources=facts.texts("onboarding.default.local_sources"),
            environments=facts.texts("gate.environments"),
        )
