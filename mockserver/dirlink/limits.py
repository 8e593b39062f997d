"""What the layer says of the receiver, read once when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from acrmock.errors import SetupError

if TYPE_CHECKING:
    from acrmock.facts import Facts


class Statuses(msgspec.Struct, frozen=True, kw_only=True):
    """Status values of C-STORE-RSP and C-ECHO-RSP (PS3.7 annex C, PS3.4 table B.2-1)."""

    success: int
    sop_class_not_supported: int
    invalid_sop_instance: int
    out_of_resources: int
    cannot_understand: int
    not_synthetic: int
    no_such_service: int


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits in bytes, counts and seconds; the meaning of each is its key's title in the layer."""

    associations: int
    connections: int
    object_bytes: int
    header_bytes: int
    pdu_bytes: int
    association_bytes: int
    command_bytes: int
    copies: int
    request: int
    idle: int


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What the receiver takes: limits, statuses, SOP classes and transfer syntaxes."""

    limits: Limits
    status: Statuses
    verification: str
    classes: tuple[str, ...]
    dose: frozenset[str]
    syntaxes: tuple[str, ...]
    received: str
    expired: str


def offer(facts: Facts) -> Offer:
    """What the layer says; raises `SetupError` where it is no layer for DICOM."""
    _distinct(facts)
    limits = ("associations", "connections", "object_bytes", "header_bytes", "pdu_bytes", "association_bytes", "command_bytes")
    return Offer(
        limits=Limits(
            **{name: facts.integer(f"dirlink.limit.{name}") for name in (*limits, "copies")},
            **{name: facts.integer(f"dirlink.timeout.{name}") for name in ("request", "idle")},
        ),
        status=Statuses(**{name: facts.integer(f"dirlink.status.{name}") for name in Statuses.__struct_fields__}),
        verification=facts.text("dirlink.verification_class"),
        classes=facts.texts("dirlink.sop_classes"),
        dose=frozenset(facts.texts("dirlink.dose_classes")),
        syntaxes=facts.texts("dirlink.transfer_syntaxes"),
        received=facts.text("dirlink.state.received"),
        expired=facts.text("dirlink.state.expired"),
    )


def _distinct(facts: Facts) -> None:
    """Raise `SetupError` where two states have one word: nobody could tell them apart, nor could the receiver."""
    seen: dict[str, str] = {}
    for key in sorted(key for key in facts.settings if key.startswith("dirlink.state.")):
        other = seen.setdefault(facts.text(key), key)
        if other != key:
            where = f"{facts.fact(key).layer or 'facts'}: {key}"
            raise SetupError(f"{other} has the same word", where=where, expected="another word", actual=facts.text(key))
