"""The OpenAPI document: put together from the parts, and true."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from acrmock.facts import load_facts
from mockserver import openapi
from mockserver.app import make_app
from mockserver.engine import shipped_house


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The document, the wires given by a small part of the same shape."""
    operation = {"operationId": "x", "tags": ["auth"], "responses": {"200": {"description": "ok"}}}
    part = SimpleNamespace(openapi=lambda _facts: {"paths": {"/x": {"get": operation}}, "components": {"schemas": {}}})
    monkeypatch.setattr(openapi, "import_module", lambda name: part if name in openapi.WIRES else import_module(name))
    return openapi.document(load_facts(), base_url="https://localhost:1/test", public_url="https://localhost:1")


def references(value: Any) -> set[str]:
    """Every `$ref` in a document."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_servers_and_parts(document: dict[str, Any]) -> None:
    """The wires hang below the default application's test environment, the house below the host."""
    assert document["openapi"] == "3.1.0"
    assert document["servers"][0]["url"] == "https://localhost:1/test"
    assert "servers" not in document["paths"]["/x"]
    assert document["paths"]["/_acrmock/runs"]["servers"] == [{"url": "https://localhost:1"}]
    assert {tag["name"] for tag in document["tags"]} == {"auth", "health", "control"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No `$ref` points at nothing."""
    for reference in references(document):
        target: Any = document
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
        assert target


def test_every_operation_says_how_it_refuses(document: dict[str, Any]) -> None:
    """Control calls list problem documents for the missing token, and operation ids are unique."""
    operations = [op for item in document["paths"].values() for name, op in item.items() if name in {"get", "post"}]
    assert len({op["operationId"] for op in operations}) == len(operations)
    for operation in operations:
        if operation["tags"] == ["control"] and operation["security"]:
            assert "application/problem+json" in operation["responses"]["401"]["content"]


def test_the_document_names_every_route_of_the_house(document: dict[str, Any]) -> None:
    """What is routed is described, and what is described is routed."""
    facts = load_facts()
    app = make_app("house", facts, shipped_house(facts))
    routed = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if "stray" not in rule.endpoint
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, name) for path, item in document["paths"].items() for name in item if name in {"get", "post", "delete"}
    } - {("/x", "get")}
    assert routed == described


def test_parts_may_not_contradict_each_other() -> None:
    """Two parts that give one name two meanings are a defect that shows at once."""
    made: dict[str, Any] = {"paths": {}, "components": {"schemas": {"A": {"type": "string"}}}}
    with pytest.raises(ValueError, match="A"):
        openapi._merge(made, {"components": {"schemas": {"A": {"type": "integer"}}}})
