"""Health and metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import Client

from acrmock.clock import ManualClock
from acrmock.facts import load_facts
from acrmock.redaction import Digester, Redactor
from mockserver import health
from mockserver.app import make_app
from mockserver.context import CORE_KEY, Applications, EngineCore
from mockserver.journal import Journal
from mockserver.sqlite import SqliteStore


def make(clock: ManualClock, store: SqliteStore) -> tuple[EngineCore, Client]:
    """A core with its health pages."""
    facts = load_facts()
    digester = Digester(b"k" * 32)
    redactor = Redactor(digester)
    keys: Any = SimpleNamespace(control_token="t", digest=b"d" * 32)
    core = EngineCore(
        facts=facts,
        clock=clock,
        store=store,
        keys=keys,
        digester=digester,
        redactor=redactor,
        journal=Journal(store, clock, redactor, digester),
        applications=Applications(store),
        version="1.2.3",
    )
    app = make_app("house", facts, [health.blueprint(facts)])

    def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
        environ[CORE_KEY] = core
        return app(environ, start_response)

    return core, Client(wsgi)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that is moved by hand."""
    return ManualClock(datetime(2026, 5, 1, tzinfo=UTC))


def test_health_says_that_the_store_can_be_written(clock: ManualClock) -> None:
    """Status, version and clock, without a token."""
    _, client = make(clock, SqliteStore(None, clock))
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == "ok"
    assert answer.json["version"] == "1.2.3"
    assert answer.json["clock"].startswith("2026-05-01")


def test_a_store_that_failed_is_503_until_it_recovers(clock: ManualClock) -> None:
    """A disk that fails shows, and so does its recovery; probing in between writes nothing."""
    broken = [True]
    writes: list[int] = []

    def disk() -> None:
        writes.append(1)
        if broken[0]:
            raise OSError(28, "No space left on device")

    _, client = make(clock, SqliteStore(None, clock, before_commit=disk))
    assert client.get("/healthz").status_code == 503
    broken[0] = False
    assert client.get("/healthz").status_code == 503
    assert len(writes) == 1
    clock.wait(10)
    assert client.get("/healthz").status_code == 200


def test_engines_that_share_pages_have_health_of_their_own(clock: ManualClock) -> None:
    """Whether a store can be written is remembered by its engine, not by the pages, which engines share."""

    def disk() -> None:
        raise OSError(28, "No space left on device")

    broken, first = make(clock, SqliteStore(None, clock, before_commit=disk))
    sound, _ = make(clock, SqliteStore(None, clock))
    assert first.get("/healthz").status_code == 503
    app = make_app("house", broken.facts, [health.blueprint(broken.facts)])
    told = [Client(app).get("/healthz", environ_overrides={CORE_KEY: core}).status_code for core in (sound, broken, sound)]
    assert told == [200, 503, 200]


def test_no_room_for_large_posts_is_503(clock: ManualClock) -> None:
    """Where a probe's few bytes still fit but a post was refused for want of room, it is 503 until as much fits again."""
    store = SqliteStore(None, clock)
    core, client = make(clock, store)
    assert client.get("/healthz").status_code == 200
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    clock.wait(10)
    assert client.get("/healthz").status_code == 200  # nothing was refused so far
    core.metrics.no_room = True
    for _ in range(2):
        clock.wait(10)
        answer = client.get("/healthz")
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["store"] == "there is no room left on the disk"
    store.connection.execute("PRAGMA max_page_count = 1000000")
    clock.wait(10)
    assert client.get("/healthz").status_code == 200
    assert not core.metrics.no_room


def test_a_full_journal_is_503(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """While posts are refused because the journal is full, health says so."""
    _, client = make(clock, SqliteStore(None, clock))
    monkeypatch.setattr(Journal, "full", True)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "journal is full" in answer.json["store"]


def test_metrics_are_prometheus_text(clock: ManualClock) -> None:
    """Counters by operation and status, journal, uptime, each with its type."""
    core, client = make(clock, SqliteStore(None, clock))
    core.metrics.count("nrdr.post", "202")
    core.metrics.count("nrdr.post", "202")
    clock.wait(5)
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'acrmock_requests_total{operation="nrdr.post",status="202"} 2' in lines
    assert "acrmock_uptime_seconds 5" in lines
    assert "acrmock_journal_entries_total 0" in lines
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert all(line.split("{")[0].split()[0] in named for line in lines if not line.startswith("#"))
