"""The OpenAPI 3.1 description of NRDR's operations, true to what the views answer.

The body of a post is the envelope, its exams being plain objects: an exam that breaks its mapping is no HTTP error but a
record's verdict (fact U19). The record schemas are published apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from acrmock.schema import envelope_schema
from mockserver._describe import COMPONENTS, Json, answers, contents, parameter
from mockserver.nrdr.names import Names, read_names
from mockserver.nrdr.status import AFTER, COUNTS, DAY, FACILITY, UPLOADED
from mockserver.plans import StatusKey

if TYPE_CHECKING:
    from acrmock.facts import Facts, Registry
    from acrmock.facts.registry import Element

BEARER = ("bearer-missing", "bearer-invalid-token", "bearer-insufficient-scope")
REGISTRY = ("registry-unknown", "registry-not-registered")
NOT_OF_POST = frozenset({"transaction-unknown", "list-query-invalid", "rate-limited", "delete-not-offered"})
EXAMPLE: Json = {
    "transaction_id": "5f0c3c1e-2f3b-4f5a-9c57-0c6a3f2f9b11",
    "transaction_date": "2026-01-02T03:04:05Z",
    "partner_id": "3141592",
    "app_id": "27182818",
    "facility_id": "161803",
    "registry": "",
    "data_version": "",
    "number_of_exams": 1,
}
INTEGER: Json = {"type": "integer", "minimum": 0}
TEXT: Json = {"type": "string"}


def openapi(facts: Facts) -> Json:
    """Paths below an application's environment, and components."""
    names = read_names(facts)
    status = {
        "get": _status(facts, names),
        "parameters": [_registry(facts), parameter("path", "transaction_id", "its ID", _id(facts))],
    }
    return {
        "paths": {
            names.post_path: {
                "post": _post(facts, names),
                "parameters": [_registry(facts), parameter("path", "mapping", "the mapping version", _mapping(facts))],
            },
            names.status_path: status,
            names.list_path: {"get": _list(facts, names), "parameters": [_registry(facts)]},
        },
        "components": {
            "schemas": COMPONENTS["schemas"]
            | {f"Transaction_{registry.header_word}": _envelope(facts, registry) for registry in facts.registries}
            | {"Accepted": _accepted(names), "TransactionStatus": _body(names), "TransactionList": _listed(names)},
        },
    }


def _registry(facts: Facts) -> Json:
    slugs = [word for registry in facts.registries for word in (registry.slug, *registry.aliases)]
    return parameter("path", "registry", "a registry's slug", {"type": "string", "enum": slugs})


def _mapping(facts: Facts) -> Json:
    versions = {version.version for registry in facts.registries for version in registry.versions}
    return {"type": "string", "enum": sorted(versions)}


def _id(facts: Facts) -> Json:
    return {"type": "string", "pattern": f"^(?:{facts.text('nrdr.transaction_id_pattern')})$"}


def _envelope(facts: Facts, registry: Registry) -> Json:
    schema = envelope_schema(facts, registry)
    return {name: value for name, value in schema.items() if name not in {"$schema", "$id"}}


def _example(facts: Facts, registry: Registry) -> Json:
    """A transaction of one exam in the shape of the newest mapping, holding what must be there to be accepted."""
    name = {key: facts.text(f"nrdr.header.{key}") for key in EXAMPLE}
    version = registry.versions[-1]
    exam = {
        element.name: _value(element)
        for element in version.elements
        if element.record == "exam" and element.level == "submit" and not element.identity
    }
    header = {name[key]: value for key, value in EXAMPLE.items()}
    header[name["registry"]], header[name["data_version"]] = registry.header_word, version.version
    return {facts.text("nrdr.envelope.header"): header, facts.text("nrdr.envelope.exams"): [exam]}


def _value(element: Element) -> str:
    if element.codes:
        return element.codes[0].code
    if element.type == "date":
        return "2026-01-02"
    if element.type == "number":
        return f"{element.minimum or 1:g}"
    if element.type == "date-time":
        return "2026-01-02T03:04:05"
    if element.pattern:
        digits = "123456789"[: element.max_length]
        return digits if re.fullmatch(element.pattern, digits) else element.label[: element.max_length]
    return element.label[: element.max_length]


def _post(facts: Facts, names: Names) -> Json:
    bodies = [{"$ref": f"#/components/schemas/Transaction_{registry.header_word}"} for registry in facts.registries]
    accepted = {
        "description": "Accepted; the status tells what becomes of it",
        "headers": {
            "Location": {"required": True, "schema": {"type": "string", "format": "uri"}},
            "Retry-After": {"required": True, "schema": INTEGER},
        },
        "content": contents((names.media_type, {"$ref": "#/components/schemas/Accepted"})),
        "links": {
            "status": {"operationId": "transactionStatus", "parameters": {
                "registry": "$request.path.registry",
                "transaction_id": f"$response.body#/{names.field['transaction_id']}",
            }},
        },
    }  # fmt: skip
    codes = [code for code, spec in facts.errors.items() if spec.surface == "nrdr" and code not in NOT_OF_POST]
    return {
        "operationId": "postTransaction",
        "tags": ["nrdr"],
        "summary": "Post a transaction",
        "security": [{"bearer": []}],
        "requestBody": {
            "required": True,
            "content": {
                names.media_type: {
                    "schema": bodies[0] if len(bodies) == 1 else {"oneOf": bodies},
                    "examples": {registry.slug: {"value": _example(facts, registry)} for registry in facts.registries},
                }
            },
        },
        "responses": answers(facts, {facts.integer("nrdr.accepted_status"): accepted}, (*codes, *BEARER), back_channel=True),
    }


def _status(facts: Facts, names: Names) -> Json:
    ok = {
        "description": "The status; Retry-After while it is not terminal",
        "headers": {"Retry-After": {"required": False, "schema": INTEGER}},
        "content": contents((names.media_type, {"$ref": "#/components/schemas/TransactionStatus"})),
    }
    return {
        "operationId": "transactionStatus",
        "tags": ["nrdr"],
        "summary": "The status of a transaction",
        "security": [{"bearer": []}],
        "responses": answers(facts, {200: ok}, ("transaction-unknown", *REGISTRY, *BEARER), back_channel=True),
    }


def _list(facts: Facts, names: Names) -> Json:
    ok = {
        "description": "Accepted transactions in the order of their IDs",
        "content": contents((names.media_type, {"$ref": "#/components/schemas/TransactionList"})),
    }
    return {
        "operationId": "listTransactions",
        "tags": ["nrdr"],
        "summary": "Transactions by facility and days (an extra of acrmock's)",
        "security": [{"bearer": []}],
        "parameters": [
            parameter("query", FACILITY, "only of this facility"),
            parameter("query", DAY, "only accepted on this day (UTC, business time)", {"type": "string", "format": "date"}),
            parameter("query", UPLOADED, "only loaded on this day (UTC, business time)", {"type": "string", "format": "date"}),
            parameter("query", AFTER, "only IDs after this one"),
        ],
        "responses": answers(facts, {200: ok}, ("list-query-invalid", *REGISTRY, *BEARER), back_channel=True),
    }


def _words(names: Names) -> Json:
    return {"type": "string", "enum": [names.status[key] for key in StatusKey]}


def _accepted(names: Names) -> Json:
    field = names.field
    return _object({field["transaction_id"]: TEXT, field["status"]: _words(names)})


def _row(names: Names) -> Json:
    field = names.field
    return {
        field["transaction_id"]: TEXT,
        field["status"]: _words(names),
        field["submission_date"]: {"type": "string", "format": "date-time"},
        field["registry"]: TEXT,
    }


def _body(names: Names) -> Json:
    field = names.field
    problem = _object({field[name]: TEXT for name in ("code", "severity", "pointer", "element", "text")})
    exam = _object({
        field["index"]: INTEGER,
        field["key"]: TEXT,
        field["record_status"]: {"type": "string", "enum": [names.complete, names.incomplete, names.rejected]},
        field["errors"]: {"type": "array", "items": problem},
        field["exam_warnings"]: {"type": "array", "items": problem},
    })  # fmt: skip
    counts = _counts(names)
    body = _object(
        _row(names) | {field["data_version"]: TEXT, field["records"]: counts, field["exams"]: {"type": "array", "items": exam}}
    )
    body["properties"] |= {field["message"]: TEXT, field["replaced_by"]: TEXT}
    return body


def _counts(names: Names) -> Json:
    return _object({names.field[name]: INTEGER for name in COUNTS})


def _listed(names: Names) -> Json:
    row = _object(_row(names) | {names.field["records"]: _counts(names)})
    row["properties"][names.field["upload_date"]] = {"type": "string", "format": "date-time"}
    listed = _object({"transactions": {"type": "array", "items": row}})
    listed["properties"]["next"] = TEXT
    return listed


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}
