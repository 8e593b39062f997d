"""What the tests of the engine share: a stand-in for the facts, tiny wires, and a registered application.

The fixtures for the tests of the real wires stand here too; their harness is `wires_support.py`.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flask
import msgspec
import pytest
import requests

from acrmock.clock import SystemClock
from acrmock.record import Channel, Operation, SecretKind, decode_line
from mockserver.context import current_call, wire
from mockserver.engine import Engine
from mockserver.onboarding.model import Application, Registration
from mockserver.problem import Problem
from mockserver.sqlite import SqliteStore


def _beside(stem: str) -> Any:
    """The module beside this file, loaded once: the tests are no package."""
    name = f"acrmock_tests_{stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{stem}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def support() -> Any:
    """The module of the wires' harness."""
    return _beside("wires_support")


@pytest.fixture
def dose() -> Any:
    """The module of small dose reports."""
    return _beside("dose_support")


@pytest.fixture
def site(dose: Any) -> Iterator[Callable[..., Any]]:
    """Makes engines with a registered application that is fed with dose reports; they are stopped in the end."""
    made: list[Any] = []

    def make(data: Path | None = None, **options: Any) -> Any:
        made.append(dose.Site(data, **options))
        made[-1].register()
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def house(support: Any) -> Iterator[Any]:
    """The real wires of an engine in memory."""
    yield from support.house()


@dataclass
class TinyFacts:
    """Only what the engine itself asks of the facts."""

    values: dict[str, Any] = field(
        default_factory=lambda: {
            "gate.environments": ("test", "production"),
            "gate.refusal_status": 403,
            "onboarding.default.local_sources": ("127.0.0.0/8", "::1/128"),
            "nrdr.limit.body_bytes": 100_000,
            "auth.form.password": "password",
            "journal.limit.entries": 1_000_000,
            "journal.limit.bytes": 10**10,
        }
    )
    errors: dict[str, Any] = field(default_factory=dict)
    registries: tuple[Any, ...] = ()
    digest: str = "0" * 64

    def text(self, key: str) -> str:
        """A text."""
        return str(self.values[key])

    def integer(self, key: str) -> int:
        """A number."""
        return int(self.values[key])

    def texts(self, key: str) -> tuple[str, ...]:
        """Texts."""
        return tuple(self.values[key])


@pytest.fixture
def tiny_facts() -> TinyFacts:
    """The stand-in for the facts, to be changed before an engine starts."""
    return TinyFacts()


class Note(msgspec.Struct, frozen=True):
    """Something stored by the tiny wires."""

    text: str


def tiny_wires(_facts: Any) -> tuple[flask.Blueprint, ...]:
    """Back-channel and front-channel handlers that store, mint, refuse and fail."""
    blueprint = flask.Blueprint("tiny", __name__)

    @blueprint.post("/nrdr/notes/<key>")
    @wire(Operation.NRDR_POST, Channel.BACK)
    def keep(key: str) -> Any:
        call = current_call()
        body = flask.request.get_data()
        call.unit.put("note", call.scope, key, Note(body.decode("utf-8", "replace")[:1000]))
        return {"kept": key, "bytes": len(body)}, 202

    @blueprint.get("/nrdr/notes/<key>")
    @wire(Operation.NRDR_STATUS, Channel.BACK)
    def show(key: str) -> Any:
        call = current_call()
        with call.engine.store.read() as snapshot:
            found = snapshot.get("note", call.scope, key, Note)
        if found is None:
            raise Problem("path-unknown", "no such note")
        return {"text": found.text}

    @blueprint.get("/slow")
    @wire(Operation.OTHER, Channel.BACK)
    def slow() -> Any:
        store = current_call().engine.store
        with store.read() as snapshot:
            last = snapshot.last_seq()
        return {"came": store.wait_beyond(last, 60)}

    @blueprint.get("/oauth2/default/page")
    @wire(Operation.AUTHORIZE, Channel.FRONT)
    def page() -> Any:
        return "<p>hello</p>", 200, {"Content-Type": "text/html"}

    @blueprint.post("/oauth2/default/v1/token")
    @wire(Operation.TOKEN, Channel.BACK)
    def token() -> Any:
        call = current_call()
        value = "A" * 20 + "b_-7" * 5 + "xyz"
        call.issue(SecretKind.ACCESS_TOKEN, value)
        return {"access_token": value, "token_type": "Bearer"}

    @blueprint.get("/.well-known/oauth-authorization-server/oauth2/default")
    @wire(Operation.DISCOVERY, Channel.BACK)
    def metadata() -> Any:
        return {"issuer": current_call().base_url + "/oauth2/default"}

    @blueprint.post("/boom")
    @wire(Operation.OTHER, Channel.BACK)
    def boom() -> Any:
        current_call().unit.put("note", current_call().scope, "boom", Note("half done"))
        raise RuntimeError("secret detail of the program")

    return (blueprint,)


def tiny_house(_facts: Any) -> tuple[flask.Blueprint, ...]:
    """A health page."""
    blueprint = flask.Blueprint("house", __name__)
    blueprint.get("/healthz")(lambda: {"status": "ok"})
    return (blueprint,)


def registration(environment: str = "test", **more: Any) -> Registration:
    """A registration with nothing secret in it."""
    values = {
        "environment": environment,
        "client_id": f"client-{environment}",
        "client_secret_digest": "",
        "partner_id": "P1",
        "app_id": "A1",
        "facilities": ("100001",),
        "users": (),
        "redirect_urls": ("https://localhost/cb",),
        "registries": {"lcsr": "1.8"},
        "scopes": ("openid",),
        "local_sources": ("127.0.0.0/8", "::1/128"),
    }
    return Registration(**(values | more))


@dataclass
class Running:
    """A started engine and what a test asks of it."""

    engine: Engine
    url: str
    session: requests.Session

    def register(self, application: Application) -> None:
        """Store an application."""
        core = self.engine.core
        assert core is not None
        with core.store.write() as unit:
            core.applications.save(unit, application)

    def entries(self) -> list[Any]:
        """All journal entries, decoded."""
        core = self.engine.core
        assert core is not None
        with core.store.read() as snapshot:
            return [decode_line(line) for _, line in snapshot.entries()]


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts engines with the tiny wires and the application `default`; stops them at the end."""
    running: list[Running] = []

    def begin(data: Path | None = None, *, register: bool = True, **options: Any) -> Running:
        values: dict[str, Any] = {"facts": TinyFacts(), "wires": tiny_wires, "house": tiny_house, "clock": SystemClock()}
        engine = Engine(data, **(values | options))
        ready = engine.start()
        session = requests.Session()
        session.trust_env = False
        session.verify = str(ready.ca_file) if ready.ca_file else True
        run = Running(engine, ready.url, session)
        running.append(run)
        if register:
            both = {"test": registration(), "production": registration("production", local_sources=("192.0.2.0/24",))}
            run.register(Application(id="default", name="Tiny", environments=both))
        return run

    yield begin
    for run in running:
        run.session.close()
        run.engine.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("acrmock") and running]


@pytest.fixture
def open_(tmp_path: Path) -> Iterator[Callable[..., SqliteStore]]:
    """Opens stores in one place and closes them at the end."""
    stores: list[SqliteStore] = []

    def make(**options: object) -> SqliteStore:
        stores.append(SqliteStore(tmp_path / "store.sqlite3", SystemClock(), **options))  # type: ignore[arg-type]
        return stores[-1]

    yield make
    for store in stores:
        store.close()
