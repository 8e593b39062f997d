"""The OpenAPI document is true: Schemathesis sends what it allows and what it forbids, and every route stands in it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from clients.server import Served
from clients.vendor import tokens
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from acrmock.facts import load_facts
from mockserver import guides, openapi
from mockserver.app import make_app
from mockserver.engine import shipped_house, shipped_wires

FACTS = load_facts()
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
CONFIGURATION = Path(__file__).parent / "openapi" / "schemathesis.toml"
HOOKS = CONFIGURATION.with_name("hooks.py")
PHASES = "examples,coverage,fuzzing,stateful"
SEED = "20260102"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server of the test's own, which it may reset."""
    served = Served(tmp_path / "data")
    yield served
    served.stop()


def schemathesis(server: Served, folder: Path, issued: dict[str, Any], bearer: str, *options: str) -> str:
    """What `schemathesis run` prints about the server's document; fails unless it finds nothing."""
    given = folder / "issued.json"
    given.write_text(json.dumps(issued))
    client = base64.b64encode(f"{issued['client_id']}:{issued['client_secret']}".encode()).decode()
    environment = {name: value for name, value in os.environ.items() if name not in {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}}
    command = [
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
        *("--config-file", str(CONFIGURATION), "run", server.ready["url"] + "/openapi.json"),
        *("--tls-verify", server.ready["ca_file"]),
        *("--phases", PHASES, "--seed", SEED, "--workers", "1", "--generation-database", "none", "--no-color"),
        *("--continue-on-failure", *options),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=folder,
        env={
            **environment,
            "ACRMOCK_ISSUED": str(given),
            "ACRMOCK_BEARER": f"Bearer {bearer}",
            "ACRMOCK_CLIENT": f"Basic {client}",
            "SCHEMATHESIS_HOOKS": str(HOOKS),
            "PYTHONHASHSEED": "0",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def generated(said: str) -> int:
    """How many cases Schemathesis says that it made."""
    found = re.search(r"^\s*(\d+) generated", said, re.MULTILINE)
    assert found is not None, said
    return int(found[1])


def counted(server: Served) -> Counter[tuple[str, str]]:
    """How many requests the server answered, by operation and status."""
    text = requests.get(server.ready["url"] + "/metrics", verify=server.ready["ca_file"], timeout=10).text
    found = re.findall(r'^acrmock_requests_total\{operation="([^"]+)",status="(\d+)"\} (\d+)$', text, re.MULTILINE)
    return Counter({(operation, status): int(count) for operation, status, count in found})


@pytest.mark.timeout(300)
def test_the_wires_are_as_described(server: Served, tmp_path: Path) -> None:
    """Sign-in, NRDR and health answer valid and invalid requests only as the document says."""
    registration = server.register("Described")
    signed_in = tokens(registration)
    issued = {**registration, "refresh_token": signed_in["refresh_token"]}
    said = schemathesis(server, tmp_path, issued, signed_in["access_token"], "--exclude-tag", "control", "--max-examples", "10")
    assert generated(said) > 400, said
    done = counted(server)
    assert done["nrdr.post", "202"] > 10, "valid transactions are accepted"
    assert done["auth.token", "200"] > 5, "live codes and refresh tokens are redeemed"
    assert done["auth.sign-in", "303"] > 5, "people sign in"


@pytest.mark.timeout(300)
def test_the_control_api_is_as_described(server: Served, tmp_path: Path) -> None:
    """The control API answers valid and invalid requests only as the document says."""
    registration = server.register("Controlled")
    token = server.ready["control_token"]
    said = schemathesis(server, tmp_path, registration, token, "--include-tag", "control", "--max-examples", "20")
    assert generated(said) > 400, said


def document() -> dict[str, Any]:
    """The document for some server."""
    return openapi.document(FACTS, base_url="https://localhost:1/test", public_url="https://localhost:1")


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of everything that the document describes."""
    for path, item in described["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def test_every_route_stands_in_the_document_and_nothing_else() -> None:
    """What the two applications route is described, at the same methods, and what is described is routed."""
    app = make_app("all", FACTS, [*shipped_wires(FACTS), *shipped_house(FACTS)])
    routed = {
        (described_path(rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if "stray" not in rule.endpoint and not rule.endpoint.startswith("welcome.")  # a page for people
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routed == {(path, method) for path, method, _ in operations(document())}


def described_path(rule: str) -> str:
    """A route as the document names it: the first guide's, under its first segment, the metadata at the host's root."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)
    for guide in guides.names(FACTS):
        path = path.replace(str(guides.overrides(FACTS, guide).get("auth.base_path", "\0")), FACTS.text("auth.base_path"))
    base, metadata = FACTS.text("auth.base_path"), FACTS.text("auth.metadata_path")
    first, moved = (f"{base}/{FACTS.text(key)}/" for key in ("auth.version_segment", "auth.moved_segment"))
    if path.startswith(moved):
        path = first + path.removeprefix(moved)
    return f"{metadata}/{{environment}}{base}" if path == metadata + base else path


def test_the_document_has_the_structure_of_openapi() -> None:
    """The document is one of OpenAPI 3.1 as far as Schemathesis checks, and each schema in it is one of JSON Schema 2020-12."""
    described = document()
    faults = [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(described)]
    assert faults == []
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_answer_says_what_it_holds() -> None:
    """Each answer with a body has a schema, and each operation an ID of its own, a summary and a tag."""
    found = list(operations(document()))
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)
    for path, method, operation in found:
        assert operation["summary"], (path, method)
        assert operation["tags"], (path, method)
        for status, answer in operation["responses"].items():
            assert answer["description"], (path, method, status)
            assert all("schema" in content for content in answer.get("content", {}).values()), (path, method, status)


def test_examples_fit_their_schemas() -> None:
    """Every example of a body or parameter is valid, and every operation that takes a body has one."""
    described = document()
    for path, method, operation in operations(described):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            examples = [item["value"] for item in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            assert examples, (path, method)
            for example in examples:
                valid(described, content["schema"], example)
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                valid(described, parameter["schema"], parameter["example"])


def test_the_examples_of_transactions_hold_values_of_their_types() -> None:
    """A number by pattern is digits and an instant is one; no label of an element is cut to its length."""
    (content,) = document()["paths"]["/nrdr/{registry}/v{mapping}/transactions"]["post"]["requestBody"]["content"].values()
    (mips,), (grid,) = (content["examples"][slug]["value"]["Exams"] for slug in ("mips", "grid"))
    assert (mips["TIN"], mips["Procedure_Code"]) == ("123456789", "12345")
    assert datetime.fromisoformat(grid["Exam_Completed_Date_Time"]).year == 2026


def valid(described: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    """Fail unless `value` is valid against `schema`, a part of the document."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": described["components"], **schema}
    assert [error.message for error in Draft202012Validator(whole).iter_errors(value)] == []
