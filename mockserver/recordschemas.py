"""The JSON Schemas of exam records as pages: `/schemas/{registry}/{mapping}/{level}.json`, as the loaded facts say them.

The transaction's envelope stands in the OpenAPI document; what an exam must hold differs by mapping version and stands here,
at the level that is needed to submit it and at the one that completes it (fact N2.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask
import msgspec

from acrmock.facts import Level
from acrmock.schema import record_schema
from mockserver.problem import Problem

if TYPE_CHECKING:
    from acrmock.facts import Facts

LEVELS = (Level.SUBMIT, Level.COMPLETE)
PATH = "/schemas/{registry}/{mapping}/{level}.json"


def blueprint(facts: Facts) -> flask.Blueprint:
    """The schemas as a Flask blueprint; each is made when it is first asked for."""
    pages = flask.Blueprint("recordschemas", __name__)
    made: dict[tuple[str, str, str], bytes] = {}

    def page(registry: str, mapping: str, level: str) -> flask.Response:
        key = (registry, mapping, level)
        if key not in made:
            made[key] = _schema(facts, *key)
        return flask.Response(made[key], mimetype="application/schema+json")

    pages.add_url_rule(PATH.replace("{", "<").replace("}", ">"), "record_schema", page, methods=["GET"])
    return pages


def _schema(facts: Facts, slug: str, mapping: str, level: str) -> bytes:
    registry = facts.registry(slug)
    version = registry.version(mapping) if registry is not None else None
    wanted = next((item for item in LEVELS if item.value == level), None)
    if version is None or not version.described or wanted is None:
        raise Problem("path-unknown", hint="Known: " + ", ".join(sorted(path for path, _ in _known(facts))))
    return msgspec.json.encode(record_schema(version, wanted))


def _known(facts: Facts) -> list[tuple[str, tuple[str, str, str]]]:
    """Each schema's path, and what it is of."""
    return [
        (
            PATH.format(registry=registry.slug, mapping=version.version, level=level.value),
            (registry.slug, version.version, level.value),
        )
        for registry in facts.registries
        for version in registry.versions
        if version.described
        for level in LEVELS
    ]


def openapi(facts: Facts) -> dict[str, Any]:
    """The path of this part for the OpenAPI document, with what is known as its parameters' values."""
    known = [parts for _, parts in _known(facts)]
    names = ("registry", "mapping", "level")
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": list(dict.fromkeys(parts[place] for parts in known))},
        }
        for place, name in enumerate(names)
    ]
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "paths": {
            PATH: {
                "get": {
                    "operationId": "recordSchema",
                    "summary": "The JSON Schema of one exam under a mapping version, to submit it or to complete it",
                    "tags": ["health"],
                    "security": [],
                    "parameters": parameters,
                    "responses": {
                        "200": {
                            "description": "JSON Schema 2020-12",
                            "content": {"application/schema+json": {"schema": {"type": "object"}}},
                        },
                        "404": {"description": "No such registry, version or level", "content": problem},
                    },
                }
            }
        }
    }
