"""The JSON Schema of a transaction: header and list of exams, the exams themselves being any objects."""

from __future__ import annotations

from typing import Any

from acrmock.facts import Facts, Registry
from acrmock.schema.record import DIALECT

HEADER_PARTS = (
    "transaction_id",
    "transaction_date",
    "partner_id",
    "app_id",
    "facility_id",
    "registry",
    "data_version",
    "number_of_exams",
)
"""The keys of what a header must have, in its order; the facts' `nrdr.header.<key>` gives the name of each (fact U13)."""
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    f"|{_LEAP_YEAR}-02-29)"
)
_HOUR_AND_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
INSTANT_PATTERN = rf"^{_DAY}(?:[Tt]{_HOUR_AND_MINUTE}:[0-5][0-9](?:\.[0-9]{{1,9}})?(?:[Zz]|[+-]{_HOUR_AND_MINUTE}))?$"
"""A day of the calendar, alone or with a time of day and its zone (fact U23)."""
_COUNT_PATTERN = "^(?:0|[1-9][0-9]{0,8})$"


def envelope_schema(facts: Facts, registry: Registry) -> dict[str, Any]:
    """The JSON Schema 2020-12 of a transaction's envelope (facts N2.5, U13, U15); every name comes from the facts."""
    header, exams = facts.text("nrdr.envelope.header"), facts.text("nrdr.envelope.exams")
    return {
        "$schema": DIALECT,
        "$id": f"urn:acrmock:schema:transaction:{registry.slug}",
        "title": f"{registry.header_word}: one transaction",
        "description": "acrmock's own choice where ACR publishes nothing; not an ACR document.",
        "type": "object",
        "properties": {
            header: header_schema(facts, registry),
            exams: {
                "type": "array",
                "minItems": 1,
                "maxItems": facts.integer("nrdr.limit.exams"),
                "items": {"type": "object"},
            },
        },
        "required": [header, exams],
        "additionalProperties": False,
    }


def header_schema(facts: Facts, registry: Registry) -> dict[str, Any]:
    """The JSON Schema of the transaction header."""
    name = {key: facts.text(f"nrdr.header.{key}") for key in HEADER_PARTS}
    identifier = {"type": "string", "minLength": 1, "maxLength": 100}
    pattern = {"type": "string", "maxLength": 128, "pattern": f"^(?:{facts.text('nrdr.transaction_id_pattern')})$"}
    versions = [version.version for version in registry.versions]
    properties = {
        name["transaction_id"]: pattern,
        name["transaction_date"]: {"type": "string", "maxLength": 40, "pattern": INSTANT_PATTERN},
        name["partner_id"]: identifier,
        name["app_id"]: identifier,
        name["facility_id"]: identifier,
        name["registry"]: {"type": "string", "enum": [registry.header_word]},
        name["data_version"]: {"type": "string", "enum": versions},
        name["number_of_exams"]: {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 999_999_999},
                {"type": "string", "maxLength": 9, "pattern": _COUNT_PATTERN},
            ],
        },
    }
    optional = {facts.text("nrdr.header.previous_transaction_id"): pattern}
    return {
        "type": "object",
        "properties": {**properties, **optional},
        "required": list(properties),
        "additionalProperties": False,
    }
