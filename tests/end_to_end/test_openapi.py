"""The OpenAPI document is true: Schemathesis sends what it allows and what it forbids, and every route stands in it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from clients.server import Served
from clients.vendor import tokens

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


@pytest.mark.timeout(300)
def test_the_wires_are_as_described(server: Served, tmp_path: Path) -> None:
    """Sign-in, NRDR and health answer valid and invalid requests only as the document says."""
    registration = server.register("Described")
    signed_in = tokens(registration)
    issued = {**registration, "refresh_token": signed_in["refresh_token"]}
    said = schemathesis(server, tmp_path, issued, signed_in["access_token"], "--exclude-tag", "control", "--max-examples", "15")
    assert generated(said) > 400, said


@pytest.mark.timeout(300)
def test_the_control_api_is_as_described(server: Served, tmp_path: Path) -> None:
    """The control API answers valid and invalid requests only as the document says."""
    registration = server.register("Controlled")
    token = server.ready["control_token"]
    said = schemathesis(server, tmp_path, registration, token, "--include-tag", "control", "--max-examples", "10")
    assert generated(said) > 400, said


def test_the_document_is_served_whole(server: Served) -> None:
    """The document that is served names every part, and its servers are this server."""
    document = requests.get(server.ready["url"] + "/openapi.json", verify=server.ready["ca_file"], timeout=10).json()
    assert {tag["name"] for tag in document["tags"]} == {"auth", "nrdr", "health", "control"}
    assert document["servers"][0]["url"].startswith(server.ready["url"])
