"""On whose word a fact rests."""

from __future__ import annotations

from enum import StrEnum


class Provenance(StrEnum):
    """On whose word a fact rests, strongest first."""

    ACR = "acr"
    ACR_MIRROR = "acr-mirror"
    STANDARD = "standard"
    THIRD_PARTY = "third-party"
    MOCK_CHOICE = "mock-choice"


_STRENGTH = {provenance: rank for rank, provenance in enumerate(Provenance)}


def weakest(*provenances: Provenance) -> Provenance:
    """The weakest of `provenances`: what rests on several words counts as its weakest; nothing rests on our choice."""
    return max(provenances, key=_STRENGTH.__getitem__, default=Provenance.MOCK_CHOICE)
