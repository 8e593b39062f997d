"""The envelope builder: a transaction header and exams, under the names that the facts give, as JSON bytes.

Names come from the settings `nrdr.envelope.*` and `nrdr.header.*` (facts U13 and U15); nothing of ACR's stands here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from acrmock.errors import SetupError
from acrmock.facts import Facts, MappingVersion, Registry

_NAMESPACE = uuid.UUID("6f0f4d0e-6a0b-5c57-9d43-6163726d6f63")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends: the values issued at registration."""

    partner_id: str
    app_id: str
    facility_id: str


def transaction_id(seed: int, index: int, *, name: str = "") -> str:
    """Transaction `index` of a seed as a name-based UUID (RFC 9562 section 5.5); `name` keeps two series apart."""
    return str(uuid.uuid5(_NAMESPACE, f"{name}/{seed}/{index}"))


def transaction(
    facts: Facts,
    registry: Registry,
    version: MappingVersion,
    exams: Sequence[Mapping[str, Any]],
    *,
    sender: Sender,
    at: datetime,
    identifier: str,
    previous: str | None = None,
) -> dict[str, Any]:
    """One transaction as an object: the header and `exams`; `at` is its instant (made UTC), `previous` the one it replaces.

    Raises `SetupError` when `at` has no zone.
    """
    if at.tzinfo is None:
        raise SetupError("a transaction's instant needs a zone", expected="e.g. 2026-04-30T12:00:00+00:00", actual=at.isoformat())
    values: dict[str, Any] = {
        "transaction_id": identifier,
        "transaction_date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "partner_id": sender.partner_id,
        "app_id": sender.app_id,
        "facility_id": sender.facility_id,
        "registry": registry.header_word,
        "data_version": version.version,
        "number_of_exams": len(exams),
    }
    if previous is not None:
        values["previous_transaction_id"] = previous
    header = {facts.text(f"nrdr.header.{part}"): value for part, value in values.items()}
    return {facts.text("nrdr.envelope.header"): header, facts.text("nrdr.envelope.exams"): list(exams)}


def body(envelope: Mapping[str, Any]) -> bytes:
    """The envelope as compact UTF-8 JSON; the same envelope gives the same bytes."""
    return _encode(envelope)
