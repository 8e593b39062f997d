"""The server: TLS without blocking, malformed requests, raw headers, keep-alive."""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import ssl
import threading
from typing import Any

import pytest

from acrmock.record import HttpEntry, TlsEntry
from acrmock.tls import client_context
from mockserver import Engine, serve

Start = Any


def connect(run: Any, *, tls: bool = True, **options: Any) -> socket.socket:
    """A connection to the engine, under TLS unless told otherwise."""
    plain = socket.create_connection(("127.0.0.1", run.engine.ready.port), timeout=10)
    if not tls:
        return plain
    context = client_context(run.engine.core.ca_pem)
    for name, value in options.items():
        setattr(context, name, value)
    return context.wrap_socket(plain, server_hostname="localhost")


def talk(sock: socket.socket, data: bytes) -> bytes:
    """Send `data` and read until the other side closes."""
    sock.sendall(data)
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except (ssl.SSLEOFError, ConnectionResetError):
        pass
    return b"".join(parts)


def wait_for(run: Any, kind: type) -> Any:
    """The last entry of a kind, once there is one."""
    store = run.engine.core.store
    while True:
        with store.read() as snapshot:
            seq = snapshot.last_seq()  # before the entries are looked at, or one that comes in between is missed
        found = [entry for entry in run.entries() if isinstance(entry, kind)]
        if found:
            return found[-1]
        assert store.wait_beyond(seq, 20)


def test_untrusting_client_is_seen(start: Start) -> None:
    """A client that does not trust the CA breaks off the handshake, which is recorded with its reason."""
    run = start()
    plain = socket.create_connection(("127.0.0.1", run.engine.ready.port), timeout=10)
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    plain.close()
    entry = wait_for(run, TlsEntry)
    assert entry.tls.error
    assert entry.tls.server_name == "localhost"
    assert entry.peer == "127.0.0.1"


def test_old_tls_is_refused(start: Start) -> None:
    """TLS 1.1 is refused, and the refusal is recorded."""
    run = start()
    context = client_context(run.engine.core.ca_pem)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection(("127.0.0.1", run.engine.ready.port), timeout=10)
    with pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(plain, server_hostname="localhost")
    plain.close()


def test_plain_http_on_the_tls_port(start: Start) -> None:
    """Plain HTTP on the TLS port gets a readable 400 and is recorded."""
    run = start()
    with connect(run, tls=False) as sock:
        answer = talk(sock, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert f"Content-Length: {len(body)}".encode() in head
    assert "plain HTTP" in wait_for(run, TlsEntry).tls.error


def test_noise_on_the_tls_port(start: Start) -> None:
    """Bytes that are no TLS end the connection and are recorded; the next client is served."""
    run = start()
    with connect(run, tls=False) as sock:
        talk(sock, b"\x00\x01\x02\x03" * 20)
    assert wait_for(run, TlsEntry).tls.error
    assert run.session.get(f"{run.url}/healthz").status_code == 200


def test_stalled_clients_block_nobody(start: Start) -> None:
    """A hundred clients that say nothing, or half of a handshake, hold up nobody."""
    run = start()
    stalled = [connect(run, tls=False) for _ in range(100)]
    for sock in stalled[:50]:
        sock.sendall(b"\x16\x03\x01\x02")
    try:
        assert run.session.get(f"{run.url}/healthz", timeout=20).status_code == 200
    finally:
        for sock in stalled:
            sock.close()


def test_raw_headers_keep_order_case_and_repetition(start: Start) -> None:
    """Headers are recorded as they were sent: order, case and repetition."""
    run = start()
    with connect(run) as sock:
        talk(
            sock,
            b"GET /test/oauth2/default/page HTTP/1.1\r\nzz-Last: 1\r\nhOsT: localhost\r\nX-Same: a\r\nx-same: b\r\n"
            b"X-Under_Score: c\r\nConnection: close\r\n\r\n",
        )
    headers = [(pair.name, pair.value) for pair in wait_for(run, HttpEntry).request.headers]
    assert headers == [
        ("zz-Last", "1"),
        ("hOsT", "localhost"),
        ("X-Same", "a"),
        ("x-same", "b"),
        ("X-Under_Score", "c"),
        ("Connection", "close"),
    ]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET /test/x\r\n\r\n", 400),
        (b"GET /test/x HTTP/9.9\r\n\r\n", 505),
        (b"get /test/x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://[bad/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /test/x HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /test/x HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        (b"GET /test/x HTTP/1.1\r\nBad Name: x\r\n\r\n", 400),
        (b"GET /test/x HTTP/1.1\nHost: x\n\n", 400),
        (b"POST /test/x HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /test/x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST /test/x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST /test/x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET /test/x HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /test/x HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /test/x HTTP/1.1\r\n" + b"X: 1\r\n" * 300 + b"\r\n", 400),
    ],
)
def test_malformed_requests(start: Start, request_bytes: bytes, status: int) -> None:
    """Each malformed request gets a problem document, its connection is closed, and it is recorded as unmatched."""
    run = start()
    with connect(run) as sock:
        answer = talk(sock, request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(body)["status"] == status
    entry = wait_for(run, HttpEntry)
    assert (entry.response.status, entry.matched) == (status, "unmatched")
    assert run.session.get(f"{run.url}/healthz").status_code == 200


def test_broken_chunks(start: Start) -> None:
    """A body whose chunks are broken is a 400, recorded under its application."""
    run = start()
    with connect(run) as sock:
        answer = talk(
            sock, b"POST /test/nrdr/notes/n HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n"
        )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert wait_for(run, HttpEntry).application == "default"


def test_pipelined_and_kept_alive(start: Start) -> None:
    """Requests that come together on one connection are answered in order."""
    run = start()
    one = b"POST /test/nrdr/notes/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    last = b"GET /test/nrdr/notes/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect(run) as sock:
        answer = talk(sock, one % 1 + one % 2 + last)
    assert answer.count(b"HTTP/1.1 202 ") == 2
    assert answer.endswith(b'{"text":"abc"}\n')


def test_expect_continue(start: Start) -> None:
    """`Expect: 100-continue` is answered before the body is sent."""
    run = start()
    with connect(run) as sock:
        sock.sendall(
            b"POST /test/nrdr/notes/n HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
        assert b"HTTP/1.1 202 " in talk(sock, b"abc")


def test_waiting_handlers_block_nobody(start: Start) -> None:
    """Twenty requests that wait for an entry hold up nobody: the one that makes the entry is served."""
    run = start()
    waiting = [connect(run) for _ in range(20)]
    for sock in waiting:
        sock.sendall(b"GET /test/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x", timeout=30).status_code == 202
    for sock in waiting:
        run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x", timeout=30)
        assert b"came" in talk(sock, b"")
        sock.close()


def test_stop_lets_waiting_handlers_go(start: Start) -> None:
    """Stopping answers those who wait instead of waiting for them."""
    run = start()
    sock = connect(run)
    sock.sendall(b"GET /test/slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    run.session.get(f"{run.url}/healthz")
    run.engine.stop()
    answer = talk(sock, b"")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    sock.close()


def test_slow_clients_block_nobody(start: Start) -> None:
    """Two hundred clients that stop within the head, and two hundred within the body, hold up nobody."""
    run = start()
    body = b"POST /test/nrdr/notes/n HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"
    for begun in (b"GET /healthz HTTP/1.1\r\nX: ", body):
        slow = [connect(run) for _ in range(200)]
        for sock in slow:
            sock.sendall(begun)
        try:
            assert run.session.get(f"{run.url}/healthz", timeout=20).status_code == 200
        finally:
            for sock in slow:
                sock.close()


def test_head_that_comes_in_pieces(start: Start) -> None:
    """A head that comes byte by byte is answered like any other, and what comes after it on the connection too."""
    run = start()
    with connect(run) as sock:
        for byte in b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert talk(sock, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").count(b"HTTP/1.1 200 ") == 2


CHUNKED = b"POST /test/nrdr/notes/n HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSING = b"GET /test/nrdr/notes/n HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_chunks_and_trailers(start: Start) -> None:
    """Chunks with extensions are joined, trailers are dropped, and the next request on the connection is read."""
    run = start()
    with connect(run) as sock:
        answer = talk(sock, CHUNKED + b"2;a=b\r\nab\r\n1 \r\nc\r\n0\r\nX-Trailer: y\r\n\r\n" + CLOSING)
    assert answer.count(b"HTTP/1.1 202 ") == 1
    assert answer.endswith(b'{"text":"abc"}\n')


@pytest.mark.parametrize(
    "chunks",
    [
        b"-5\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"1;" + b"x" * 10_000 + b"\r\na\r\n0\r\n\r\n",
        b"f" * 400 + b"\r\nabc",
        b"0\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
    ],
)
def test_what_follows_broken_chunks_is_no_request(start: Start, chunks: bytes) -> None:
    """Broken chunks are a 400, and nothing that follows them is taken for a request."""
    run = start()
    with connect(run) as sock:
        answer = talk(sock, CHUNKED + chunks + CLOSING)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_one_chunk_larger_than_the_limit(start: Start) -> None:
    """A chunk that says it is a terabyte is refused once the limit is passed, not taken into memory."""
    run = start(tls=False)
    with connect(run, tls=False) as sock:
        sock.sendall(CHUNKED + b"10000000000\r\n" + b"x" * 200_000)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100).startswith(b"HTTP/1.1 413 ")


def test_without_room_for_a_connection_the_others_are_served(start: Start, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """The system has no descriptor left: said once, no traceback, and whoever was there goes on; then connections come again."""
    run = start(tls=False)
    there = connect(run, tls=False)
    ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    there.sendall(ask)
    assert there.recv(65536).startswith(b"HTTP/1.1 200")
    refused = threading.Semaphore(0)
    whole = socket.socket.accept

    def none_left(_: socket.socket) -> Any:
        refused.release()
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket.socket, "accept", none_left)
    late = connect(run, tls=False)
    for _ in range(3):
        assert refused.acquire(timeout=20)
    there.sendall(ask)
    assert there.recv(65536).startswith(b"HTTP/1.1 200")
    monkeypatch.setattr(socket.socket, "accept", whole)
    late.sendall(ask)
    assert late.recv(65536).startswith(b"HTTP/1.1 200")
    assert [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == [
        "no more connections can be accepted for now (Too many open files): raise the limit of open files"
    ]


def test_a_client_that_never_reads_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine stops although a worker is sending to somebody who reads nothing, and would go on as long as it may."""
    monkeypatch.setattr(serve, "REQUEST_SECONDS", 3600)
    engine = Engine()
    ready = engine.start()
    core = engine.core
    assert core is not None
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            plain = stack.enter_context(socket.socket())
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            plain.connect(("127.0.0.1", ready.port))
            sock = stack.enter_context(client_context(core.ca_pem).wrap_socket(plain, server_hostname="localhost"))
            sock.settimeout(0.2)
            with contextlib.suppress(TimeoutError, ssl.SSLError):
                for _ in range(300):
                    sock.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5)
        stopping = threading.Thread(target=engine.stop, daemon=True)
        stopping.start()
        stopping.join(90)
        assert not stopping.is_alive()
