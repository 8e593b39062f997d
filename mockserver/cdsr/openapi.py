"""The OpenAPI 3.1 description of the endpoint, true to what the view answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver._describe import COMPONENTS, Json, answers
from mockserver.cdsr.names import Names, read_names

if TYPE_CHECKING:
    from acrmock.facts import Facts

_INSTANT = "2026-01-02t03:04:05.678z"


def openapi(facts: Facts) -> Json:
    """The path below an application's environment, and components."""
    names = read_names(facts)
    codes = [code for code, spec in facts.errors.items() if spec.surface == "cdsr"]
    own: dict[int, Json] = {201: {"description": "Created"}, 200: {"description": "Updated"}}
    if facts.flag("cdsr.bearer_required"):
        codes += ["bearer-missing", "bearer-invalid-token", "bearer-insufficient-scope"]
    operation = {
        "operationId": "postDocument",
        "tags": ["cdsr"],
        "summary": "Post a document to the clinical decision support registry",
        "security": [{"bearer": []}] if facts.flag("cdsr.bearer_required") else [],
        "requestBody": {
            "required": True,
            "content": {
                names.media_type: {
                    "schema": {"$ref": "#/components/schemas/Document"},
                    "examples": {"document": {"value": _example(names)}},
                }
            },
        },
        "responses": answers(facts, own, codes, back_channel=True),
    }
    return {
        "paths": {names.path: {"post": operation}},
        "components": {"schemas": COMPONENTS["schemas"] | {"Document": _schema(names)}},
    }


def _schema(names: Names) -> Json:
    """A document in the spelling of the layers; other spellings are accepted too, which a schema cannot say."""
    value: Json = {"type": ["string", "number"], "minLength": 1, "maxLength": names.longest}
    elements = {name: dict(value) for name in names.elements if name not in {names.specific, names.type}}
    elements[names.type] = {"type": "string", "enum": sorted(names.types)}
    parts = [_object(kind.elements, value) for kind in names.types.values()]
    elements[names.specific] = parts[0] if len(parts) == 1 else {"anyOf": parts}
    header = {"type": "object", "required": list(names.elements), "properties": elements}
    description = "Member names may be written in upper or lower case. The payload is any JSON value."
    return {
        "type": "object",
        "description": description,
        "required": [names.header, names.payload],
        "properties": {names.header: header, names.payload: {}},
    }


def _object(names: tuple[str, ...], value: Json) -> Json:
    return {"type": "object", "required": list(names), "properties": {name: dict(value) for name in names}}


def _example(names: Names) -> Json:
    word, kind = next(iter(names.types.items()))
    header: Json = dict.fromkeys(names.elements, "1")
    header |= dict.fromkeys(names.dates, _INSTANT) | {names.type: word, names.id: "5f0c3c1e-2f3b-4f5a-9c57-0c6a3f2f9b11"}
    header[names.specific] = {name: _INSTANT if name in kind.dates else "1" for name in kind.elements}
    return {names.header: header, names.payload: {}}
