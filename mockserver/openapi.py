"""The OpenAPI 3.1 document of the whole server, put together from what each part says of itself.

The wires stand below the application's environment, so the document's servers are the base URL of the default application's
test environment; what stands at the host's root (health, control) names the host as its own server.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import flask
import msgspec

from acrmock import __version__
from mockserver._describe import PROBLEM_SCHEMA
from mockserver.context import current_core

if TYPE_CHECKING:
    from acrmock.facts import Facts

WIRES = ("mockserver.auth", "mockserver.nrdr", "mockserver.cdsr", "mockserver.central.openapi")
HOUSE = ("mockserver.health", "mockserver.recordschemas", "mockserver.control")
_ITSELF: dict[str, Any] = {
    "paths": {
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document",
                "tags": ["health"],
                "security": [],
                "responses": {
                    "200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}
                },
            }
        }
    }
}
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def blueprint(facts: Facts) -> flask.Blueprint:
    """`/openapi.json` as a Flask blueprint; the document is made at the first request and kept."""
    pages = flask.Blueprint("openapi", __name__)
    made: dict[tuple[str, str], bytes] = {}

    def openapi_json() -> flask.Response:
        core = current_core()
        servers = (core.base_url("default", "test"), core.public_url)
        if servers not in made:
            made[servers] = msgspec.json.encode(document(facts, base_url=servers[0], public_url=servers[1]))
        return flask.Response(made[servers], mimetype="application/json")

    pages.add_url_rule("/openapi.json", view_func=openapi_json, methods=["GET"])
    return pages


def document(facts: Facts, *, base_url: str, public_url: str) -> dict[str, Any]:
    """The OpenAPI document; `base_url` is that of an application's environment, `public_url` the server's own."""
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "acrmock",
            "version": __version__,
            "summary": "A simulated American College of Radiology test environment",
            "description": "Not the American College of Radiology's and not certified by it. "
            "Paths and names come from the facts layers; what rests on acrmock's own choice is marked so there.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url, "description": "the default application's test environment"}],
        "tags": [],
        "paths": {},
        "components": {"schemas": {"Problem": PROBLEM_SCHEMA}},
    }
    for name in WIRES:
        _merge(made, _part(name, facts))
    # RFC 8414 section 3.1: the well-known segment stands between the host and the issuer's path
    root = facts.text("auth.metadata_path")
    for path, item in made["paths"].items():
        if path.startswith(root):
            item["servers"] = [{"url": public_url}]
    for name in HOUSE:
        _merge(made, _rooted(_part(name, facts), public_url))
    _merge(made, _rooted(_ITSELF, public_url))
    made["tags"] = [{"name": tag} for tag in _tags(made["paths"])]
    return made


def _part(name: str, facts: Facts) -> dict[str, Any]:
    part: dict[str, Any] = import_module(name).openapi(facts)
    return part


def _rooted(part: dict[str, Any], public_url: str) -> dict[str, Any]:
    """The part with the host itself as the server of its paths."""
    paths = {path: {"servers": [{"url": public_url}], **item} for path, item in part.get("paths", {}).items()}
    return {**part, "paths": paths}


def _merge(made: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Put a part's paths and components into the document; two parts may not say different things of one name."""
    for path, item in part.get("paths", {}).items():
        made["paths"].setdefault(path, {}).update(item)
    for section, entries in part.get("components", {}).items():
        target = made["components"].setdefault(section, {})
        for name, entry in entries.items():
            if target.setdefault(name, entry) != entry:
                raise ValueError(f"two parts describe {section}/{name} differently")


def _tags(paths: Mapping[str, Mapping[str, Any]]) -> list[str]:
    operations = [entry for item in paths.values() for method, entry in item.items() if method in _METHODS]
    return list(dict.fromkeys(tag for entry in operations for tag in entry.get("tags", ())))
