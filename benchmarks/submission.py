"""Posting transactions of one exam, validated, journalled and durable, beside a plain Flask application doing the same.

Both are driven by the same eight connections that stay open. Ours speaks TLS, checks a token, redacts and computes the facts
that the judge reads; the peer does none of it.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from acrmock.facts import load_facts
from acrmock.schema import record_schema
from benchmarks.measure import CLOCK, ROUNDS, Row
from conformance.control import Control
from synthetic.exams import exams
from synthetic.transactions import Sender, body, transaction

CONNECTIONS = 8
POSTS = 400


def rows() -> list[Row]:
    """Posts per second of both, in turn, and the median."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        with _acrmock(here) as ours, _plain(here) as theirs:
            pairs = [(ours.rate(), theirs.rate()) for _ in range(ROUNDS)]
    mine, peer = (sorted(values)[ROUNDS // 2] for values in zip(*pairs, strict=True))
    return [
        Row(
            what="validated, journalled, durable posts, 8 connections",
            unit="posts/s",
            ours=mine,
            peer="Flask + waitress + jsonschema + SQLite, without TLS, token, facts",
            theirs=peer,
            goal=">= 4 x",
        )
    ]


class Target:
    """A running server and how to post to it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        connect: Callable[[], http.client.HTTPConnection],
        path: str,
        headers: dict[str, str],
        body: Callable[[], bytes],
    ) -> None:
        self.process, self.connect, self.path, self.headers, self.body = process, connect, path, headers, body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def rate(self) -> float:
        """Posts per second over all connections; raises RuntimeError when one is not answered with 202."""
        bodies = [[self.body() for _ in range(POSTS // CONNECTIONS)] for _ in range(CONNECTIONS)]
        connections = [self.connect() for _ in range(CONNECTIONS)]
        for connection in connections:
            connection.connect()

        def post(connection: http.client.HTTPConnection, mine: list[bytes]) -> None:
            for one in mine:
                connection.request("POST", self.path, one, self.headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 202:
                    raise RuntimeError(f"{answer.status}: {text[:300]!r}")

        begun = CLOCK.monotonic()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(post, connections, bodies))
        taken = CLOCK.monotonic() - begun
        for connection in connections:
            connection.close()
        return POSTS / taken


def _acrmock(here: Path) -> Target:
    data = here / "data"
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", "serve", "--port", "0", "--data", str(data), "--auto-consent"],
        stdout=subprocess.DEVNULL,
    )
    while not (data / "ready.json").exists():
        CLOCK.wait(0.05)
    told = json.loads((data / "ready.json").read_text())
    document = Control(told["url"], told["control_token"], told["ca_file"]).register(
        {"name": "Bench", "redirect_url": ["https://localhost:8765/cb"], "ip": ["198.51.100.7"], "registry": ["lcsr"]}
    )
    token = _token(document, told["ca_file"])
    make, slug, mapping = _maker(document["registries"])
    sender = Sender(partner_id=document["partner_id"], app_id=document["app_id"], facility_id=document["facility_id"])
    address = urlsplit(document["nrdr"])
    trust = ssl.create_default_context(cafile=told["ca_file"])
    return Target(
        process,
        lambda: http.client.HTTPSConnection("localhost", address.port, context=trust, timeout=30),
        f"{address.path}/{slug}/v{mapping}/transactions",
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        lambda: make(sender),
    )


def _token(document: dict[str, Any], ca_file: str) -> str:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ca_file
        metadata = session.get(document["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
        asked = {
            "response_type": "code",
            "client_id": document["client_id"],
            "redirect_uri": document["redirect_url"],
            "scope": " ".join(document["scopes"]),
            "state": uuid.uuid4().hex,
        }
        page = session.get(metadata["authorization_endpoint"] + "?" + urlencode(asked), allow_redirects=False, timeout=10)
        given = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(page.headers["Location"]).query)["code"][0],
            "redirect_uri": document["redirect_url"],
            "client_id": document["client_id"],
            "client_secret": document["client_secret"],
        }
        return str(session.post(metadata["token_endpoint"], data=given, timeout=10).json()["access_token"])


def _plain(here: Path) -> Target:
    facts = load_facts()
    registry = facts.registry("lcsr")
    version = registry.default(CLOCK.now().date()) if registry else None
    if registry is None or version is None:
        raise RuntimeError("no mapping version in force")
    make, _, _ = _maker({registry.slug: version.version})
    schema = here / "schema.json"
    schema.write_text(json.dumps(record_schema(version)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.plain", str(port), str(here / "plain.sqlite"), str(schema)])
    while socket.socket().connect_ex(("127.0.0.1", port)):
        CLOCK.wait(0.05)
    return Target(
        process,
        lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=30),
        "/transactions",
        {"Content-Type": "application/json"},
        lambda: make(Sender(partner_id="p", app_id="a", facility_id="f")),
    )


def _maker(registries: Mapping[str, str]) -> tuple[Callable[[Sender], bytes], str, str]:
    """What makes the body of a new transaction of one exam, and the registry and mapping version that it is for."""
    facts = load_facts()
    slug, mapping = next(iter(registries.items()))
    registry = facts.registry(slug)
    version = registry.version(mapping) if registry else None
    if registry is None or version is None:
        raise RuntimeError(f"{slug} {mapping} is not known")
    now = CLOCK.now()
    exam = next(iter(exams(facts, slug, mapping=mapping, seed=3, count=1, as_of=now.date())))

    def make(sender: Sender) -> bytes:
        return body(transaction(facts, registry, version, [exam], sender=sender, at=now, identifier=str(uuid.uuid4())))

    return make, slug, mapping
