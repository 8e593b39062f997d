"""Building blocks for the wires' OpenAPI 3.1 descriptions: answers of the error catalogue, parameters, contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mockserver.problem import PROBLEM_JSON

if TYPE_CHECKING:
    from acrmock.facts import Facts

Json = dict[str, Any]

_FIELD = ("pointer", "element", "expected", "actual", "reason")
PROBLEM_SCHEMA: Json = {
    "type": "object",
    "description": "A problem document (RFC 9457); `code` is acrmock's own, never ACR's. The wires name only places "
    "(`errors`); the control API also says what was wrong there (`fields`) and how to mend it (`hint`).",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "pattern": "^acrmock:"},
        "hint": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "required": ["pointer"], "properties": {"pointer": {"type": "string"}}},
        },
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer"],
                "properties": {name: {"type": "string"} for name in _FIELD},
            },
        },
    },
}
OAUTH_ERROR_SCHEMA: Json = {
    "type": "object",
    "description": "An error of RFC 6749 section 5.2 or RFC 6750 section 3.",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
COMPONENTS: Json = {
    "schemas": {"Problem": PROBLEM_SCHEMA, "OAuthError": OAUTH_ERROR_SCHEMA},
}
HOUSE = {
    400: "The request cannot be read",
    404: "No such application, environment or path",
    413: "The body is too large",
    503: "Not stored; try again",
    507: "There is no room to store this",
}
"""What the gate can answer wherever it stands."""


def contents(*kinds: tuple[str, Json]) -> Json:
    """The contents of an answer or body, by media type."""
    return {kind: {"schema": schema} for kind, schema in kinds}


def answers(facts: Facts, own: Mapping[int, Json], codes: Iterable[str], *, back_channel: bool) -> Json:
    """The answers of one operation: its own, those of the catalogue's `codes`, and what the gate can say."""
    found: dict[int, list[str]] = {status: [title] for status, title in HOUSE.items()}
    if back_channel:
        found.setdefault(facts.integer("gate.refusal_status"), []).append("The address is not on the allowlist")
    for code in codes:
        spec = facts.errors[code]
        found.setdefault(spec.status, []).append(spec.title)
    made = {str(status): problem_answer(titles) for status, titles in sorted(found.items())}
    return made | {str(status): answer for status, answer in own.items()}


def problem_answer(titles: Iterable[str]) -> Json:
    """An answer that is a problem document or, where the protocol has one, an OAuth error."""
    return {
        "description": "; ".join(dict.fromkeys(titles)),
        "content": contents(
            (PROBLEM_JSON, {"$ref": "#/components/schemas/Problem"}),
            ("application/json", {"$ref": "#/components/schemas/OAuthError"}),
        ),
    }


def parameter(place: str, name: str, text: str, schema: Json | None = None, *, required: bool = False) -> Json:
    """One parameter."""
    return {
        "name": name,
        "in": place,
        "description": text,
        "required": required or place == "path",
        "schema": schema or {"type": "string"},
    }
