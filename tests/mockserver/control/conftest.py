"""A server's house without a socket: control API, health and OpenAPI over a store in memory."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import flask
import pytest
from werkzeug.test import Client, TestResponse

from acrmock.clock import ManualClock
from acrmock.facts import load_facts
from acrmock.record import decode_line
from acrmock.redaction import Digester, Redactor
from mockserver import control, health
from mockserver.app import make_app
from mockserver.context import CORE_KEY, Applications, EngineCore
from mockserver.journal import Journal
from mockserver.sqlite import SqliteStore

TOKEN = "control-token-of-this-test"
PUBLIC = "https://localhost:8443"


@pytest.fixture
def core() -> Iterator[EngineCore]:
    """An engine's core on a clock that is moved by hand."""
    clock = ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))
    facts = load_facts()
    store = SqliteStore(None, clock)
    digester = Digester(b"k" * 32)
    redactor = Redactor(digester)
    keys: Any = SimpleNamespace(control_token=TOKEN, digest=b"d" * 32)
    applications = Applications(store)
    made = EngineCore(
        facts=facts,
        clock=clock,
        store=store,
        keys=keys,
        digester=digester,
        redactor=redactor,
        journal=Journal(store, clock, redactor, digester, facts_digest=facts.digest, version="0", business=applications.business),
        applications=applications,
        public_url=PUBLIC,
        version="0",
        ca_pem=b"-----BEGIN CERTIFICATE-----\n",
        ca_file="ca.pem",
    )
    yield made
    store.close()


class House:
    """Calls the control API of one core as a client with the token would."""

    def __init__(self, core: EngineCore, *blueprints: flask.Blueprint) -> None:
        self.core = core
        app = make_app("house", core.facts, blueprints)

        def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
            environ[CORE_KEY] = core
            return app(environ, start_response)

        self.client = Client(wsgi)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """One call, `body` as JSON, with the token unless `headers` say otherwise."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": "localhost:8443", **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        if body is not None:
            options["json"] = body
        return self.client.open(path, method=method, headers=headers, **options)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """The JSON that a POST to the control API answers, with that status."""
        answer = self.call("POST", f"/_acrmock{path}", body)
        assert answer.status_code == status, answer.text
        return answer.json

    def get(self, path: str, status: int = 200) -> Any:
        """The JSON that a GET of the control API answers, with that status."""
        answer = self.call("GET", f"/_acrmock{path}")
        assert answer.status_code == status, answer.text
        return answer.json

    def events(self, name: str | None = None) -> list[Any]:
        """The journal's events, by name."""
        lines = [decode_line(line) for line in self.call("GET", "/_acrmock/journal").data.splitlines()]
        return [line for line in lines[1:-1] if name is None or getattr(line, "name", None) == name]


@pytest.fixture
def house(core: EngineCore) -> House:
    """The house of a core."""
    return House(core, control.blueprint(core.facts), health.blueprint(core.facts))


@pytest.fixture
def good() -> dict[str, Any]:
    """A registration request that is admitted."""
    return {
        "name": "Lung Tracker",
        "redirect_url": ["https://localhost:8765/callback"],
        "ip": ["8.8.4.4"],
        "registry": ["lcsr"],
    }


@pytest.fixture
def registered(house: House, good: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Registers an application and gives its document."""

    def register(**changes: Any) -> dict[str, Any]:
        document: dict[str, Any] = house.post("/applications", {**good, **changes}, 201)
        return document

    return register


@pytest.fixture
def logo() -> str:
    """A grey PNG of 150 x 40 pixels in base64."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 150, 40, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(151 * 40)))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")).decode()
