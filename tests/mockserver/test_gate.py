"""The gate: whose a request is, whether its address may, how big it is, and what is recorded of it."""

from __future__ import annotations

import http.client
import socket
import sqlite3
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import requests

from acrmock.record import Channel, EventEntry, HttpEntry, Operation
from mockserver._addresses import Addresses
from mockserver.app import make_apps
from mockserver.control.runs import RUN, Run
from mockserver.gate import Gate
from mockserver.onboarding.model import Application
from mockserver.store import GLOBAL

Start = Any


def test_exchange_is_recorded(start: Start) -> None:
    """An exchange is recorded with its operation, channel, whose it is, TLS, headers in wire order and body facts."""
    run = start()
    answer = run.session.post(
        f"{run.url}/test/nrdr/notes/n1?x=1", data=b'{"a": 1}', headers={"X-Second": "2", "Content-Type": "application/json"}
    )
    assert answer.status_code == 202
    entry = run.entries()[-1]
    assert isinstance(entry, HttpEntry)
    assert (entry.application, entry.environment, entry.peer, entry.matched) == ("default", "test", "127.0.0.1", "path")
    assert (entry.facts.operation, entry.facts.channel, entry.facts.allowed) == (Operation.NRDR_POST, Channel.BACK, True)
    assert (entry.facts.body_bytes, entry.facts.body_json, entry.facts.body_utf8) == (8, True, True)
    assert entry.facts.body_digest.startswith("d:body:")
    assert entry.request.url == f"{run.url}/test/nrdr/notes/n1?x=1"
    assert entry.request.headers[0].name == "Host"
    assert {header.name for header in entry.request.headers} >= {"X-Second", "User-Agent"}
    assert entry.response.status == 202
    assert entry.tls is not None
    assert entry.tls.version in {"TLSv1.2", "TLSv1.3"}
    assert entry.tls.server_name == "localhost"


def test_other_application_and_environment(start: Start) -> None:
    """`/a/{id}/{environment}` leads to that application; what one stored the other does not see."""
    run = start()
    run.register(
        Application(
            id="other", name="Other", environments={"test": run.engine.core.applications.get("default").environments["test"]}
        )
    )
    assert run.session.post(f"{run.url}/a/other/test/nrdr/notes/n", data=b"o").status_code == 202
    assert run.session.get(f"{run.url}/a/other/test/nrdr/notes/n").json() == {"text": "o"}
    assert run.session.get(f"{run.url}/test/nrdr/notes/n").status_code == 404
    metadata = run.session.get(f"{run.url}/.well-known/oauth-authorization-server/a/other/test/oauth2/default").json()
    assert metadata == {"issuer": f"{run.url}/a/other/test/oauth2/default"}
    assert run.entries()[-1].application == "other"


@pytest.mark.parametrize(
    "path", ["/a/nobody/test/x", "/a/default/nowhere/x", "/nowhere/x", "/a", "/a/", "/", "//", "/.well-known/x", "/.well-known/"]
)
def test_unmatched(start: Start, path: str) -> None:
    """What names no application and environment is a 404 and an unmatched entry."""
    run = start()
    answer = run.session.post(run.url + path, data=b"body")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    entry = run.entries()[-1]
    assert (entry.application, entry.matched, entry.response.status) == (None, "unmatched", 404)
    assert entry.refusal.code == "acrmock:application-unknown"


def test_wires_do_not_lead_into_the_house(start: Start) -> None:
    """The house's paths are not reached through an application's path, and its traffic is not recorded."""
    run = start()
    assert run.session.get(f"{run.url}/test/healthz").status_code == 404
    count = len(run.entries())
    assert run.session.get(f"{run.url}/healthz").status_code == 200
    assert run.session.post(f"{run.url}/healthz").status_code == 405
    assert len(run.entries()) == count


def test_address_not_allowed(start: Start) -> None:
    """A back-channel request from another address is refused before its body is read; the front channel is open."""
    run = start()
    refused = run.session.post(f"{run.url}/production/nrdr/notes/n", data=b"x" * 50)
    assert refused.status_code == 403
    assert refused.json()["code"] == "acrmock:address-not-allowed"
    entry = run.entries()[-1]
    assert entry.facts.allowed is False
    assert entry.facts.body_bytes == 0
    assert entry.refusal.hint
    assert run.session.get(f"{run.url}/production/oauth2/default/page").status_code == 200
    assert run.entries()[-1].facts.allowed is None


def test_a_local_source_of_its_own(start: Start) -> None:
    """Two clients of one machine are told apart by their loopback addresses, where the system lets them have several."""
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.5", 0))
    except OSError:
        pytest.skip("this system has no 127.0.0.5")
    run = start(tls=False)
    both = run.engine.core.applications.get("default").environments
    only = msgspec.structs.replace(both["test"], local_sources=("127.0.0.5",))
    run.register(Application(id="default", name="Tiny", environments={"test": only}))
    answers = {}
    for source in ("127.0.0.5", "127.0.0.1"):
        port = urlsplit(run.url).port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
        connection.request("POST", "/test/nrdr/notes/n", body=b"x", headers={"Host": f"localhost:{port}"})
        answers[source] = connection.getresponse().status
        connection.close()
    assert answers == {"127.0.0.5": 202, "127.0.0.1": 403}
    assert [entry.peer for entry in run.entries()[-2:]] == ["127.0.0.5", "127.0.0.1"]


@pytest.mark.parametrize(
    ("peer", "sources", "expected"),
    [
        ("::ffff:127.0.0.1", ("127.0.0.0/8",), True),
        ("127.9.9.9", ("127.0.0.0/8", "::1"), True),
        ("::1", ("127.0.0.0/8", "::1"), True),
        ("fe80::1%eth0", ("fe80::/10",), True),
        ("192.0.2.1", ("127.0.0.0/8", "::1/128"), False),
        ("192.0.2.1", (), False),
        ("nonsense", ("0.0.0.0/0",), False),
        ("10.0.0.1", ("nonsense", "10.0.0.5/8"), True),
    ],
)
def test_addresses(peer: str, sources: tuple[str, ...], *, expected: bool) -> None:
    """Peers are normalised and matched family by family; what is no address never matches."""
    assert Addresses().within(peer, sources) is expected


def test_body_limit(start: Start) -> None:
    """A body over the limit, with a length or in chunks, is a 413 that the client can read; one at the limit passes."""
    run = start()
    url = f"{run.url}/test/nrdr/notes/n"
    assert run.session.post(url, data=b"x" * 100_000).status_code == 202
    assert run.session.post(url, data=b"x" * 100_001).status_code == 413
    assert run.session.post(url, data=b"x" * 20_000_000).status_code == 413
    assert run.session.post(url, data=iter([b"x" * 60_000, b"y" * 60_000])).status_code == 413
    answer = run.session.post(url, data=iter([b"x" * 50, b"y" * 50]))
    assert (answer.status_code, answer.json()["bytes"]) == (202, 100)
    assert run.entries()[-1].facts.body_bytes == 100
    assert run.entries()[-2].refusal.code == "acrmock:body-too-large"


def test_program_error(start: Start) -> None:
    """A failing handler gives a terse 500, undoes its state, and is recorded as a harness fault."""
    run = start()
    answer = run.session.post(f"{run.url}/test/boom", data=b"x")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    entry, event = run.entries()[-2:]
    assert (entry.response.status, entry.refusal.code) == (500, "acrmock:internal")
    assert event.name == "harness-fault"
    assert event.data == {"entry": entry.seq, "error": "RuntimeError"}
    assert run.session.get(f"{run.url}/test/nrdr/notes/boom").status_code == 404


def test_method_and_path_unknown(start: Start) -> None:
    """A path without a handler is a 404, a wrong method a 405 with `Allow`, both recorded as nobody's operation."""
    run = start()
    assert run.session.get(f"{run.url}/test/nothing").status_code == 404
    answer = run.session.delete(f"{run.url}/test/nrdr/notes/n")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert {(entry.facts.operation, entry.facts.channel) for entry in run.entries()[-2:]} == {(Operation.OTHER, Channel.EXEMPT)}


def test_no_byte_before_the_sync(start: Start, tmp_path: Path) -> None:
    """While the commit is held no byte of the answer arrives; once it is done, the answer does."""
    run = start(tmp_path)
    store = run.engine.core.store
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        release.wait(30)

    answers: list[requests.Response] = []
    store._before_commit = hold
    client = threading.Thread(target=lambda: answers.append(run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x")))
    client.start()
    assert held.wait(30)
    with store.read() as snapshot:
        assert not snapshot.count(labels=[Operation.NRDR_POST])
    assert not answers
    client.join(0.1)
    assert client.is_alive()
    store._before_commit = None
    release.set()
    client.join(30)
    assert answers[0].status_code == 202
    assert run.entries()[-1].facts.operation is Operation.NRDR_POST


def test_full_disk(start: Start, tmp_path: Path) -> None:
    """When the disk is full the answer is 507 and nothing is kept; when there is room again, all goes on."""
    run = start(tmp_path)
    store = run.engine.core.store

    def full() -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    store._before_commit = full
    answer = run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x")
    assert answer.status_code == 507
    assert answer.json()["code"] == "acrmock:store-full"
    store._before_commit = None
    assert run.session.get(f"{run.url}/test/nrdr/notes/n").status_code == 404
    assert run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x").status_code == 202


def test_issued_token_does_not_stand_in_the_journal(start: Start) -> None:
    """A minted token reaches the client and is a reference in the journal, equal wherever it is sent again."""
    run = start()
    token = run.session.post(f"{run.url}/test/oauth2/default/v1/token", data={"code": "c"}).json()["access_token"]
    run.session.get(f"{run.url}/test/nrdr/notes/x", headers={"Authorization": f"Bearer {token}"})
    minted, used = run.entries()[-2:]
    reference = f"d:access_token:{run.engine.core.digester.mark(token)}"
    assert reference in minted.response.content.text
    assert f"Bearer {reference}" in [header.value for header in used.request.headers]
    assert token not in str(run.entries())


def test_callable_without_a_server(start: Start) -> None:
    """The gate is a plain WSGI application: it copes with an environment that has no raw headers and no request URI."""
    run = start()
    gate = Gate(run.engine.core, make_apps(run.engine.core.facts, run.engine._wires(None), run.engine._house(None)))
    seen: list[str] = []
    body = gate(
        {
            "PATH_INFO": "/test/oauth2/default/page",
            "REQUEST_METHOD": "GET",
            "SERVER_NAME": "x",
            "SERVER_PORT": "1",
            "wsgi.url_scheme": "http",
            "HTTP_X_ONE": "1",
            "REMOTE_ADDR": "127.0.0.1",
            "QUERY_STRING": "q=1",
        },
        lambda status, _headers: seen.append(status),
    )
    assert (seen, b"".join(body)) == (["200 OK"], b"<p>hello</p>")
    assert [header.name for header in run.entries()[-1].request.headers] == ["X-One"]


def test_nested_well_known_paths(start: Start) -> None:
    """A path of nothing but `/.well-known/` names no application, however long it is."""
    run = start()
    assert run.session.get(run.url + "/.well-known/" * 3000).status_code == 404


def test_full_journal_refuses_posts_and_keeps_the_open_run(start: Start, tiny_facts: Any) -> None:
    """With nothing but an open run far over the bound, posts get 507 and one gap, state stays, and reading goes on."""
    tiny_facts.values["journal.limit.entries"] = 16
    running = start(facts=tiny_facts)
    core = running.engine.core
    assert core is not None
    application = core.applications.get("default")
    assert application is not None
    with core.store.write() as unit:
        unit.put(RUN, GLOBAL, "r", Run(id="r", profile="p", revision="1", application="default"))
    running.register(msgspec.structs.replace(application, run="r"))
    url = f"{running.url}/test/nrdr/notes/"
    answers = [running.session.post(f"{url}{number}", data=b"x").status_code for number in range(60)]
    taken = answers.count(202)
    assert answers == [202] * taken + [507] * (60 - taken)
    assert 32 <= taken < 50
    assert running.session.get(f"{url}0").json() == {"text": "x"}
    mine = [entry for entry in running.entries() if entry.run == "r"]
    assert sum(isinstance(entry, HttpEntry) for entry in mine) == taken + 1
    assert [entry.name for entry in mine if isinstance(entry, EventEntry)] == ["gap"]
