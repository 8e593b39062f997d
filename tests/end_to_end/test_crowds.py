"""Clients in crowds, slow ones and ones that never read: whoever behaves is served all the same."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import drive, exchange, request
from benchmarks.ours import Ours
from benchmarks.submission import JSON, bodies
from synthetic.transactions import Sender

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the server's use is read from /proc")
CROWD = 1000
FLOOD = 8


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """A served process with an application."""
    with Ours(tmp_path_factory.mktemp("crowds")) as served:
        yield served


def healthy(ours: Ours) -> bool:
    """Whether a client that behaves is answered on a new connection."""
    with ours.connect() as sock:
        sock.sendall(request("GET", "/healthz", {}))
        return exchange(sock)[0] == 200


def test_a_client_that_sends_byte_by_byte(ours: Ours) -> None:
    """A request that comes a byte at a time is answered, and others meanwhile."""
    with ours.connect() as slow:
        whole = request("GET", "/healthz", {"X-Slow": "y"})
        for place, byte in enumerate(whole):
            slow.sendall(bytes([byte]))
            if place == len(whole) // 2:
                assert healthy(ours)
        assert exchange(slow)[0] == 200


def test_clients_that_never_read(ours: Ours) -> None:
    """Twenty clients that ask for much and read nothing take nothing from the others."""
    with ExitStack() as stack:
        for _ in range(20):
            sock = stack.enter_context(ours.connect())
            sock.settimeout(0)
            try:
                for _ in range(200):
                    sock.send(request("GET", "/openapi.json", {}))
            except (BlockingIOError, ssl.SSLWantWriteError, OSError):
                pass
        assert healthy(ours)
        assert healthy(ours)


def test_a_thousand_connections(ours: Ours) -> None:
    """A thousand connections stay open, each is answered, twice, and a further one too."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 3 * CROWD:
        pytest.skip("the system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * CROWD), hard))
    with ExitStack() as stack:
        crowd = [stack.enter_context(ours.connect()) for _ in range(CROWD)]
        for _ in range(2):
            for sock in crowd:
                sock.sendall(request("GET", "/healthz", {}))
            assert [exchange(sock)[0] for sock in crowd] == [200] * CROWD
        assert healthy(ours)


def test_a_flood_leaves_another_application_served(ours: Ours) -> None:
    """While one application posts on eight connections without pause, each post of another is answered."""
    quiet, loud = ours.register("Quiet"), ours.register("Loud")
    stop = threading.Event()
    sent = []

    def flood() -> None:
        with ours.connect() as sock:
            while not stop.is_set():
                sock.sendall(flooding())
                sent.append(exchange(sock)[0])

    flooding, calmly = _maker(ours, loud), _maker(ours, quiet)
    threads = [threading.Thread(target=flood) for _ in range(FLOOD)]
    for thread in threads:
        thread.start()
    try:
        assert drive(ours, ours.connect, [[calmly() for _ in range(20)]], 202).rate > 0
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert set(sent) == {202}
    assert len(sent) > FLOOD


def _maker(ours: Ours, document: dict[str, Any]) -> Callable[[], bytes]:
    make, slug, mapping = bodies(document["registries"])
    sender = Sender(
        partner_id=str(document["partner_id"]), app_id=str(document["app_id"]), facility_id=str(document["facility_id"])
    )
    base = "/" + str(document["nrdr"]).split("/", 3)[3]
    headers = {**JSON, "Authorization": f"Bearer {ours.sign_in(document)['access_token']}"}
    return lambda: request("POST", f"{base}/{slug}/v{mapping}/transactions", headers, make(sender, 1))
