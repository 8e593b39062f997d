"""The engine as an object: it starts, answers, keeps its keys, stops clean, and two stand side by side."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import requests

import mockserver
from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.record import HttpEntry
from mockserver import Engine
from mockserver.sqlite import SqliteStore

Start = Any


def test_answers_over_tls_and_tells_where(start: Start, tmp_path: Path) -> None:
    """A started engine answers over TLS under its own CA and writes where into ready.json, for its owner only."""
    run = start(tmp_path / "data")
    assert run.session.get(f"{run.url}/healthz").json() == {"status": "ok"}
    file = tmp_path / "data" / "ready.json"
    ready = json.loads(file.read_bytes())
    schema = Path(__file__).parents[2] / "docs" / "schemas" / "ready-1.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_bytes())).validate(ready)
    assert ready["url"] == run.url
    assert ready["pid"] == os.getpid()
    assert Path(ready["ca_file"]).is_file()
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0
        assert (tmp_path / "data" / "keys").stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "data" / "keys").iterdir())
    run.engine.stop()
    assert not file.exists()


def test_restart_keeps_keys_state_and_journal(start: Start, tmp_path: Path) -> None:
    """After a restart the keys, the stored state and the journal are what they were, and start and stop are recorded."""
    first = start(tmp_path)
    keys = first.engine.core.keys
    assert first.session.post(f"{first.url}/test/nrdr/notes/n1", data=b"hello").status_code == 202
    seqs = [entry.seq for entry in first.entries()]
    first.engine.stop()
    second = start(tmp_path, register=False)
    again = second.engine.core.keys
    assert (again.authority, again.server, again.cookie, again.digest, again.control_token, again.signing_kid) == (
        keys.authority,
        keys.server,
        keys.cookie,
        keys.digest,
        keys.control_token,
        keys.signing_kid,
    )
    assert second.session.get(f"{second.url}/test/nrdr/notes/n1").json() == {"text": "hello"}
    entries = second.entries()
    assert [entry.seq for entry in entries][: len(seqs)] == seqs
    names = [getattr(entry, "name", "") for entry in entries]
    assert names.count("server-started") == 2
    assert names.count("server-stopped") == 1


def test_secrets_issued_before_a_restart_are_known_after_it(start: Start, tmp_path: Path) -> None:
    """A token that was issued before the restart is recognised in a URL after it."""
    first = start(tmp_path)
    token = first.session.post(f"{first.url}/test/oauth2/default/v1/token").json()["access_token"]
    first.engine.stop()
    second = start(tmp_path, register=False)
    second.session.get(f"{second.url}/test/nrdr/notes/x?odd={token}")
    entry = second.entries()[-1]
    assert [(seen.secret, seen.place) for seen in entry.facts.exposures] == [("access_token", "query")]
    assert token not in entry.request.url


def test_two_engines_side_by_side(start: Start) -> None:
    """Two engines in one process share no state, port or token."""
    one, two = start(), start()
    assert one.url != two.url
    assert one.engine.ready.control_token != two.engine.ready.control_token
    one.session.post(f"{one.url}/test/nrdr/notes/n", data=b"1")
    assert one.session.get(f"{one.url}/test/nrdr/notes/n").status_code == 200
    assert two.session.get(f"{two.url}/test/nrdr/notes/n").status_code == 404


def test_engines_on_the_shipped_facts_share_what_knows_no_engine() -> None:
    """The applications and the passing TLS context are made once; what each engine tells is its own, also after one stopped."""
    with Engine() as one:
        assert one.ready is not None
        with Engine() as two:
            assert two.ready is not None
            told = [_openapi(engine)["servers"][0]["url"] for engine in (one, two, one)]
            assert told == [f"{url}/test" for url in (one.ready.url, two.ready.url, one.ready.url)]
            told_token = two.ready.control_token
        assert _openapi(one)["servers"][0]["url"] == told[0]
        statuses = []
        for token in (one.ready.control_token, told_token):
            headers = {"Authorization": f"Bearer {token}"}
            answer = requests.get(f"{one.ready.url}/_acrmock/jobs", headers=headers, verify=str(one.ready.ca_file), timeout=30)
            statuses.append(answer.status_code)
        assert statuses == [200, 403]


def _openapi(engine: Engine) -> dict[str, Any]:
    assert engine.ready is not None
    answer = requests.get(f"{engine.ready.url}/openapi.json", verify=str(engine.ready.ca_file), timeout=30)
    return dict(answer.json())


def test_stop_leaves_no_thread(start: Start) -> None:
    """Stopping ends every thread that starting began, though a client still holds its connection open."""
    before = set(threading.enumerate())
    run = start()
    run.session.get(f"{run.url}/healthz")
    run.engine.stop()
    run.engine.stop()
    assert set(threading.enumerate()) <= before
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{run.url}/healthz", timeout=5)


def test_port_in_use(start: Start) -> None:
    """A port that is taken is a setup error that names the port and the way out."""
    run = start()
    with pytest.raises(SetupError) as caught:
        start(port=run.engine.ready.port)
    assert str(run.engine.ready.port) in caught.value.where
    assert "--port" in caught.value.fix


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 70000}, "no such port"),
        ({"public_url": "localhost:8443"}, "public URL"),
        ({"public_url": "https://[broken"}, "public URL"),
        ({"public_url": "https://two\nlines"}, "public URL"),
        ({"public_url": "https://ümlaut.example"}, "public URL"),
        ({"public_url": 'https://x/"<b>'}, "public URL"),
        ({"bind": ""}, "cannot listen"),
        ({"bind": "203.0.113.77"}, "cannot listen"),
        ({"bind": "no such host.invalid"}, "cannot listen"),
    ],
)
def test_options_that_cannot_be_used(start: Start, options: dict[str, Any], words: str) -> None:
    """Each option that cannot be used is a setup error of its own."""
    with pytest.raises(SetupError, match=words):
        start(**options)


def test_data_directory_that_is_a_file(start: Start, tmp_path: Path) -> None:
    """A data directory that is a file is a setup error that names it."""
    path = tmp_path / "file"
    path.write_text("x")
    with pytest.raises(SetupError) as caught:
        start(path)
    assert str(path) in caught.value.where


@pytest.mark.parametrize("name", ["signing.pem", "digest.key", "control.token", "ca-key.pem"])
def test_damaged_key(start: Start, tmp_path: Path, name: str) -> None:
    """A damaged or missing key file is a setup error with its way out, and nothing stays locked."""
    start(tmp_path).engine.stop()
    path = tmp_path / "keys" / name
    original = path.read_bytes()
    if name == "ca-key.pem":
        path.unlink()
    else:
        path.write_bytes(b"junk")
    with pytest.raises(SetupError) as caught:
        start(tmp_path)
    assert caught.value.fix
    path.write_bytes(original)
    assert start(tmp_path, register=False).engine.ready is not None


def test_second_engine_on_the_same_data(start: Start, tmp_path: Path) -> None:
    """A data directory in use by another engine is refused, and the first goes on."""
    run = start(tmp_path)
    with pytest.raises(SetupError, match="in use"):
        start(tmp_path)
    assert run.session.get(f"{run.url}/healthz").status_code == 200


def test_ipv6(start: Start) -> None:
    """An engine listens on the IPv6 loopback, and its certificate is good for it."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    run = start(bind="::1")
    port = run.engine.ready.port
    assert run.session.get(f"https://[::1]:{port}/test/nrdr/notes/x").status_code == 404
    assert run.entries()[-1].peer == "::1"


def test_without_tls_and_behind_a_public_url(start: Start) -> None:
    """Without TLS it speaks HTTP; issuer and links come from the public URL."""
    run = start(tls=False, public_url="https://acr.example:9443/")
    port = run.engine.ready.port
    assert run.engine.ready.ca_file is None
    answer = requests.get(f"http://127.0.0.1:{port}/.well-known/oauth-authorization-server/test/oauth2/default", timeout=10)
    assert answer.json() == {"issuer": "https://acr.example:9443/test/oauth2/default"}


CHILD = """
import sys, threading
sys.path.insert(0, sys.argv[2])
from conftest import Application, Engine, TinyFacts, registration, tiny_house, tiny_wires

engine = Engine(sys.argv[1], facts=TinyFacts(), wires=tiny_wires, house=tiny_house, tls=False)
ready = engine.start()
with engine.core.store.write() as unit:
    engine.core.applications.save(unit, Application(id="default", name="Tiny", environments={"test": registration()}))
print(ready.port, flush=True)
threading.Event().wait()
"""


def test_kill_during_posts_loses_no_answered_one(start: Start, tmp_path: Path) -> None:
    """A server killed while four clients post still has, after a restart, each post that it had answered, and its entry."""
    here = Path(__file__).resolve().parent
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), str(here)],
        stdout=subprocess.PIPE,
        cwd=here.parents[1],
        env={**os.environ, "PYTHONPATH": str(here.parents[1])},
    )
    assert child.stdout is not None
    url = f"http://127.0.0.1:{int(child.stdout.readline())}/test/nrdr/notes"
    answered: list[str] = []
    enough = threading.Event()

    def post(name: str) -> None:
        with requests.Session() as session, contextlib.suppress(requests.RequestException):
            session.trust_env = False
            for number in range(100_000):
                if session.post(f"{url}/{name}{number}", data=b"x", timeout=30).status_code == 202:
                    answered.append(f"{name}{number}")
                if len(answered) >= 100:
                    enough.set()

    clients = [threading.Thread(target=post, args=(name,)) for name in "abcd"]
    for client in clients:
        client.start()
    assert enough.wait(60)
    child.kill()
    for client in clients:
        client.join(60)
    child.wait()
    child.stdout.close()
    run = start(tmp_path, register=False)
    with run.engine.core.store.read() as snapshot:
        kept = {key for key, _ in snapshot.scan("note", ("default", "test"), msgspec.Struct)}
    assert set(answered) <= kept
    recorded = {entry.request.url.rpartition("/")[2] for entry in run.entries() if isinstance(entry, HttpEntry)}
    assert recorded == kept


def test_full_disk_at_the_start(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the engine starts is a setup error, and the store is let go."""
    start(tmp_path).engine.stop()

    def full(_store: SqliteStore) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    monkeypatch.setattr(
        SqliteStore, "_before_commit", property(lambda store: lambda: full(store), lambda _store, _hook: None), raising=False
    )
    with pytest.raises(SetupError, match="no room"):
        start(tmp_path)
    monkeypatch.undo()
    assert start(tmp_path, register=False).engine.ready is not None


def test_forgotten_engine_does_not_keep_its_process() -> None:
    """A program that ends, by an error too, without stopping its engine does end."""
    here = Path(__file__).resolve().parent
    child = CHILD.replace("sys.argv[1]", "None").replace("sys.argv[2]", "sys.argv[1]")
    child = child.replace("threading.Event().wait()", "1 / 0")
    done = subprocess.run(
        [sys.executable, "-c", child, str(here)],
        cwd=here.parents[1],
        env={**os.environ, "PYTHONPATH": str(here.parents[1])},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"ZeroDivisionError" in done.stderr


@pytest.mark.parametrize(("given", "expected"), [((), ("192.0.2.7/32",)), (("10.0.0.0/8",), ("10.0.0.0/8",))])
def test_default_local_sources_are_the_layers(
    start: Start, tmp_path: Path, given: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Whoever names no default local sources gets the layer's, which an overlay can replace."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "schema: acrmock/layer/1\nkind: settings\nsettings:\n"
        "  onboarding.default.local_sources: {value: [192.0.2.7/32], provenance: mock-choice, sources: [MOCK]}\n"
    )
    core = start(facts=load_facts([overlay]), local_sources_default=given).engine.core
    assert core.local_sources == expected


def test_engine_is_loaded_lazily() -> None:
    """The package gives the engine by name and nothing else."""
    assert mockserver.Engine is Engine
    with pytest.raises(AttributeError):
        _ = mockserver.Nothing
