"""The lane: short requests of open connections on one thread; what may wait goes back to the workers; the same answers."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flask
import msgspec
import pytest
from cheroot.wsgi import Gateway_10
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock.record import Channel, HttpEntry, Operation
from acrmock.tls import client_context
from mockserver._request import Gateway
from mockserver.context import current_call, wire
from mockserver.faults import Delay, Every, Rule
from mockserver.gate import Gate
from mockserver.lane import BATCH_SECONDS, LARGEST, Lane
from mockserver.serve import Server

Start = Any
LANE = "acrmock-lane"


class Note(msgspec.Struct, frozen=True):
    """Something stored by the lean wire."""

    text: str


class Panic(BaseException):
    """As a library written in Rust ends when it meets what it takes for impossible."""


class Lean:
    """An engine with a lean view and one that is not, and which thread answered what."""

    def __init__(self, start: Start, data: Path | None = None, **options: Any) -> None:
        self.threads: dict[str, str] = {}
        self.run = start(data, wires=lambda _facts: (self._wires(),), **options)

    def _wires(self) -> flask.Blueprint:
        blueprint = flask.Blueprint("lean", __name__)

        def answer(call: Any, key: str) -> flask.Response:
            self.threads[key] = threading.current_thread().name
            call.unit.put("note", call.scope, key, Note(call.body.decode("utf-8", "replace")[:1000]))
            if key == "boom":
                raise RuntimeError("secret detail of the program")
            if key == "panic":
                raise Panic
            more = int(call.request.args.get("more", 0))
            return flask.Response(f"kept {key} " + "x" * more, 202)

        @blueprint.post("/lean/<key>")
        @wire(Operation.NRDR_POST, Channel.BACK, lean=answer)
        def lean(key: str) -> flask.Response:
            return answer(current_call(), key)

        @blueprint.post("/full/<key>")
        @wire(Operation.OTHER, Channel.BACK)
        def full(key: str) -> str:
            self.threads[key] = threading.current_thread().name
            if key == "panic":
                current_call().unit.put("note", current_call().scope, key, Note("x"))
                raise Panic
            return f"full {key}"

        return blueprint

    def client(self) -> Client:
        """A connection whose next request the lane answers."""
        made = Client(self.run)
        assert made.ask(note("first"))[0] == 202
        return made

    def kept(self, key: str) -> str | None:
        """What is stored."""
        with self.run.engine.core.store.read() as snapshot:
            found = snapshot.get("note", ("default", "test"), key, Note)
        return found.text if found is not None else None

    def exchanges(self) -> list[HttpEntry]:
        """What was recorded."""
        return [entry for entry in self.run.entries() if isinstance(entry, HttpEntry)]


@pytest.fixture
def lean(start: Start) -> Lean:
    """An engine in memory."""
    return Lean(start)


class Client:
    """A connection that stays open, over which raw requests go."""

    def __init__(self, run: Any) -> None:
        plain = socket.create_connection(("127.0.0.1", run.engine.ready.port), timeout=20)
        secure = run.url.startswith("https")
        context = client_context(run.engine.core.ca_pem) if secure else None
        self.socket = context.wrap_socket(plain, server_hostname="localhost") if context is not None else plain
        self._left = b""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def answer(self) -> tuple[int, bytes]:
        """The next answer's status and body; 0 where the server has closed."""
        while b"\r\n\r\n" not in self._left:
            if not self._more():
                return 0, self._left
        head, _, self._left = self._left.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(length[1]) if length else 0
        while len(self._left) < size and self._more():
            pass
        body, self._left = self._left[:size], self._left[size:]
        return int(head.split()[1]), body

    def ask(self, data: bytes) -> tuple[int, bytes]:
        """Send a request and read its answer."""
        self.send(data)
        return self.answer()

    def _more(self) -> bool:
        try:
            piece = self.socket.recv(65536)
        except (ssl.SSLEOFError, ConnectionResetError):
            piece = b""
        self._left += piece
        return bool(piece)

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


def note(key: str, body: bytes = b"text", *, more: int = 0, headers: str = "") -> bytes:
    """A short request."""
    target = f"/test/lean/{key}" + (f"?more={more}" if more else "")
    return f"POST {target} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_the_second_request_of_a_connection_is_answered_in_the_lane(lean: Lean) -> None:
    """The first by a worker, the next by the lane; each is stored and recorded once, with its body."""
    client = lean.client()
    assert client.ask(note("a", b"one")) == (202, b"kept a ")
    assert client.ask(note("b", b"two")) == (202, b"kept b ")
    assert [lean.threads[key] for key in "ab"] == [LANE, LANE]
    assert lean.threads["first"] != LANE
    assert (lean.kept("a"), lean.kept("b")) == ("one", "two")
    assert [entry.request.url.rpartition("/")[2] for entry in lean.exchanges()] == ["first", "a", "b"]


def test_requests_sent_at_once_are_answered_in_their_order(lean: Lean) -> None:
    """Twenty in one go, the twenty answers as they were asked."""
    client = lean.client()
    client.send(b"".join(note(str(number)) for number in range(20)))
    assert [client.answer() for _ in range(20)] == [(202, f"kept {number} ".encode()) for number in range(20)]


def test_many_connections(tmp_path: Path, start: Start) -> None:
    """Thirty connections of a store on disk, three requests each: all answered, all stored, all recorded."""
    kept = Lean(start, tmp_path / "data")
    clients = [kept.client() for _ in range(30)]
    for turn in range(3):
        for number, client in enumerate(clients):
            client.send(note(f"{number}-{turn}", b"x"))
        assert [client.answer()[0] for client in clients] == [202] * 30
    assert all(kept.kept(f"{number}-{turn}") == "x" for number in range(30) for turn in range(3))
    assert len(kept.exchanges()) == 120
    assert LANE in kept.threads.values()


def test_a_request_in_pieces_is_answered(lean: Lean) -> None:
    """Head and body arrive byte by byte, after the lane has the connection."""
    client = lean.client()
    for byte in note("slowly", b"in pieces"):
        client.send(bytes([byte]))
    assert client.answer() == (202, b"kept slowly ")
    assert lean.kept("slowly") == "in pieces"
    assert client.ask(note("next")) == (202, b"kept next ")


def test_what_is_not_for_the_lane_goes_to_a_worker(lean: Lean) -> None:
    """Another view, a large body, chunks, an expectation, a fragment: answered, and not by the lane; the connection lives on."""
    client = lean.client()
    assert client.ask(note("f").replace(b"/lean/", b"/full/"))[1] == b"full f"
    assert client.ask(note("large", b"x" * LARGEST))[0] == 202
    chunked = b"POST /test/lean/chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert client.ask(chunked)[0] == 202
    client.send(note("expects", headers="Expect: 100-continue\r\n"))
    assert [client.answer()[0], client.answer()[0]] == [100, 202]
    assert LANE not in {lean.threads[key] for key in ("f", "large", "chunked", "expects")}
    assert client.ask(note("again"))[0] == 202


def test_a_fault_is_left_to_a_worker_and_struck_once(lean: Lean) -> None:
    """While a rule stands the lane answers nothing of that application; the rule counts one strike for one request."""
    client = lean.client()
    core = lean.run.engine.core
    with core.store.write() as unit:
        rule = Rule(name="second", effect=Delay(seconds=0), trigger=Every(count=2))
        unit.put("fault", ("default", "test"), rule.name, rule)
    core.faults.forget()
    for number in range(6):
        assert client.ask(note(str(number)))[0] == 202
    struck = [entry.facts.fault is not None for entry in lean.exchanges()[1:]]
    assert struck == [False, True] * 3
    assert LANE not in lean.threads.values()


def test_a_failing_view_harms_nobody_else(lean: Lean) -> None:
    """An error in a handler undoes its unit, is answered as an error of the mock, and the others of its batch are kept."""
    clients = [lean.client() for _ in range(3)]
    for client, key in zip(clients, ("before", "boom", "after"), strict=True):
        client.send(note(key))
    assert [client.answer()[0] for client in clients] == [202, 500, 202]
    assert [lean.kept(key) for key in ("before", "boom", "after")] == ["text", None, "text"]


def test_a_lost_batch_is_never_acknowledged(start: Start, tmp_path: Path) -> None:
    """Where the commit fails, who was in the batch hears of it, the connection is closed, and nothing is kept."""
    lean = Lean(start, tmp_path / "data")
    client, store = lean.client(), lean.run.engine.core.store

    def fail() -> None:
        raise OSError(28, "No space left on device")

    store._before_commit = fail
    assert client.ask(note("lost"))[0] in {503, 507}
    assert client.answer() == (0, b"")
    store._before_commit = None
    assert lean.kept("lost") is None
    again = lean.client()
    assert again.ask(note("kept"))[0] == 202
    assert [entry.request.url.rpartition("/")[2] for entry in lean.exchanges()] == ["first", "first", "kept"]


def test_a_client_that_does_not_read_holds_up_nobody(lean: Lean) -> None:
    """One asks for long answers and reads none; another is served meanwhile; in the end the first one reads all of its own."""
    lazy, other = lean.client(), lean.client()
    sender = threading.Thread(target=lambda: lazy.send(b"".join(note(f"l{number}", more=200_000) for number in range(100))))
    sender.start()
    for number in range(20):
        assert other.ask(note(f"o{number}")) == (202, f"kept o{number} ".encode())
    answers = [lazy.answer() for _ in range(100)]
    sender.join()
    assert [(status, len(body)) for status, body in answers] == [(202, len(f"kept l{n} ") + 200_000) for n in range(100)]


def test_a_client_that_hangs_up_leaves_no_trace(lean: Lean) -> None:
    """Closed within a head, within a body and between requests: the others are served, and the lane lets go."""
    for cut in (10, len(note("cut")) - 2, 0):
        client = lean.client()
        client.send(note("cut")[:cut])
        client.close()
    assert lean.client().ask(note("served"))[0] == 202
    assert lean.kept("cut") is None


def test_a_silent_connection_is_answered_later(lean: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was given back to the selector is served from there, and then by the lane again."""
    monkeypatch.setattr("mockserver.lane.IDLE_SECONDS", 0.0)
    client, other = lean.client(), lean.client()
    for number in range(10):
        assert other.ask(note(f"o{number}"))[0] == 202  # the lane wakes up, and sweeps
    assert client.ask(note("back"))[0] == 202
    assert client.ask(note("lane"))[0] == 202


def test_stopping_closes_what_the_lane_has(lean: Lean) -> None:
    """No thread and no connection is left."""
    client = lean.client()
    assert client.ask(note("a"))[0] == 202
    lean.run.engine.stop()
    assert client.answer() == (0, b"")
    assert LANE not in {thread.name for thread in threading.enumerate()}


def test_a_length_written_with_many_digits_is_read(lean: Lean) -> None:
    """A Content-Length with leading zeros, its body later: a worker waits for it, and nothing of it is taken for a request."""
    client = lean.client()
    head, _, body = note("zeros", b"GET /test/lean/x HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    client.send(head.replace(b"Content-Length: ", b"Content-Length: 00000000000") + b"\r\n\r\n")
    assert lean.client().ask(note("other"))[0] == 202  # the lane has seen the head by now
    client.send(body)
    assert client.answer() == (202, b"kept zeros ")
    assert client.ask(note("next")) == (202, b"kept next ")


def test_what_cannot_be_read_is_recorded_by_a_worker(lean: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record of a malformed request waits for its commit, so the lane leaves the request to others."""
    threads: list[str] = []
    whole = Server.malformed

    def seen(*arguments: Any) -> None:
        threads.append(threading.current_thread().name)
        whole(*arguments)

    monkeypatch.setattr(Server, "malformed", seen)
    assert lean.client().ask(note("bad", headers="no header\r\n"))[0] == 400
    assert len(threads) == 1
    assert LANE not in threads


@pytest.mark.parametrize("kind", ["lean", "full"])
def test_what_is_no_exception_harms_nobody_else(lean: Lean, kind: str) -> None:
    """A library in Rust panics by an exception that is no `Exception`: undone, answered with a 500, and everybody is served."""
    for _ in range(3):
        client = lean.client()
        assert client.ask(note("panic").replace(b"/lean/", f"/{kind}/".encode()))[0] == 500
    assert lean.kept("panic") is None
    client = lean.client()
    assert client.ask(note("alive"))[0] == 202
    assert lean.kept("alive") == "text"


def test_an_answer_whose_commit_is_unknown_is_not_sent(lean: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lane fails between making an answer and its commit, the connection is closed without it."""
    client = lean.client()
    monkeypatch.setattr("mockserver.lane.IDLE_SECONDS", 0.05)
    whole = Gate.end

    def fail(gate: Gate) -> None:
        whole(gate)
        monkeypatch.setattr(Gate, "end", whole)
        raise RuntimeError("nobody knows")

    monkeypatch.setattr(Gate, "end", fail)
    assert client.ask(note("unknown")) == (0, b"")
    assert lean.client().ask(note("served"))[0] == 202


def test_an_answer_whose_commit_is_unknown_is_not_sent_with_the_next(lean: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it leave with the answer to a request that comes right behind."""
    client, whole = lean.client(), Gate.end

    def fail(gate: Gate) -> None:
        whole(gate)
        monkeypatch.setattr(Gate, "end", whole)
        client.send(note("behind"))
        raise RuntimeError("nobody knows")

    monkeypatch.setattr(Gate, "end", fail)
    assert client.ask(note("unknown")) == (0, b"")
    assert lean.kept("behind") is None


class Standing:
    """Connections that have a request each, an application to each letter; making an answer takes `cost` seconds."""

    def __init__(self, letters: str, cost: float = 0.0) -> None:
        self.now, self.cost, self.answered = 0.0, cost, ""
        self.clock = self
        self.lane = Lane(self, self)  # type: ignore[arg-type]
        self.lane._whole = dict.fromkeys(map(Waiting, letters))  # type: ignore[arg-type]
        self.lane._make = self.make  # type: ignore[method-assign,assignment]
        self.lane._send = lambda *_, **__: False  # type: ignore[method-assign,assignment]
        self.lane._is_whole = lambda connection: connection.route != "x"  # type: ignore[method-assign,assignment,comparison-overlap]
        self.lane._selector = self  # type: ignore[assignment]
        self.coming: list[list[Waiting]] = []
        """What has come whenever the lane looks."""
        self.batches = 0

    def select(self, _timeout: float) -> list[tuple[SimpleNamespace, int]]:
        """What has come, the bell among it."""
        return [(SimpleNamespace(data=each), 1) for each in (None, *(self.coming.pop(0) if self.coming else ()))]

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def whose(self, route: str) -> str:
        """The application."""
        return route

    def begin(self) -> None:
        """Another batch."""
        self.batches += 1

    def end(self) -> None:
        """Nothing is to be committed."""

    def make(self, connection: Waiting) -> bool:
        """Take a while."""
        self.now += self.cost
        self.answered += connection.route
        return True


class Waiting:
    """A connection in the eyes of the lane."""

    def __init__(self, route: str) -> None:
        self.route = route


def test_each_application_has_its_turn() -> None:
    """Who has many requests standing is answered no sooner than who has one."""
    standing = Standing("aaaaabbc")
    standing.lane._answer()
    assert standing.answered == "abcabaaa"


def test_a_batch_ends_before_all_are_answered() -> None:
    """After a while what is made is sent, and the rest stands first when it goes on; one at least is answered each time."""
    standing = Standing("abcd", cost=BATCH_SECONDS * 0.6)
    standing.lane._answer()
    assert standing.answered == "ab"
    standing.cost = BATCH_SECONDS * 5
    standing.lane._answer()
    assert standing.answered == "abc"
    standing.lane._answer()
    assert standing.answered == "abcd"
    assert not standing.lane._whole


def test_what_comes_meanwhile_joins_the_batch() -> None:
    """Whoever asks while others are answered is answered with them, once each, and nobody waits for a request in pieces."""
    standing, again = Standing("ab"), Waiting("c")
    standing.coming = [[again, Waiting("x")], [again, Waiting("d")], [Waiting("x")]]
    standing.lane._answer()
    assert standing.answered == "abcd"
    assert standing.batches == 1
    assert not standing.lane._whole


def test_a_batch_in_which_more_and_more_comes_ends() -> None:
    """What comes meanwhile keeps nobody waiting longer than a batch may last."""
    standing = Standing("a", cost=BATCH_SECONDS * 0.3)
    standing.coming = [[Waiting(letter)] for letter in "bcdefgh"]
    standing.lane._answer()
    assert standing.answered == "abcd"


METHODS = st.sampled_from(["POST", "GET", "HEAD", "PUT", "post", "P\0ST"])
VERSIONS = st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP"])
LENGTHS = st.sampled_from(["Content-Length: 4\r\n", "Content-Length: 9\r\n", ""])
HEADS = st.sampled_from(
    [
        "",
        "Connection: close\r\n",
        "Content-Length: 4\r\n",
        "Content-Length: x\r\n",
        "content-length : 4\r\n",
        "Transfer-Encoding: gzip\r\n",
        "X: a\r\n b\r\n",
        "X: \0\r\n",
        "X: " + "y" * 70_000 + "\r\n",
        "Bad Name: x\r\n",
        "Host: y\r\n",
        "Authorization: Bearer x\r\n",
        "\n",
    ]
)
PATHS = [
    "/test/lean/k",
    "/test/lean/%6b",
    "/test/lean/k?more=5",
    "/test/lean/",
    "/test/lean/k#f",
    "/test/lean/\xe4",
    "/test/lean/../k",
]
TARGETS = st.sampled_from(
    [*PATHS, "//test/lean/k", "/a/nobody/test/lean/k", "/test/none", "/nobody", "*", "http://x/test/lean/k"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(METHODS, TARGETS, VERSIONS), LENGTHS, HEADS)
def test_the_lane_answers_as_the_workers_do(both: tuple[Lean, Lean], line: tuple[str, str, str], length: str, extra: str) -> None:
    """Whatever comes second on a connection has the same status and body with the lane and without it."""
    data = f"{' '.join(line)}\r\nHost: x\r\n{length}{extra}\r\nbody".encode("latin-1")
    found = []
    for one in both:
        client = one.client()
        client.send(data)
        client.socket.shutdown(socket.SHUT_WR)
        found.append(client.answer())
        client.close()
    assert found[0] == found[1]


@pytest.fixture
def both(start: Start) -> tuple[Lean, Lean]:
    """An engine with a lane and one without, in clear, so that a client can end its side."""
    return Lean(start, tls=False), Lean(start, tls=False, lane=False)


def test_the_environment_is_what_cheroot_would_make(lean: Lean, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a worker and in the lane: all that cheroot's own gateway has, with the same values, and beyond it only ours."""
    made: list[tuple[dict[str, Any], dict[str, Any]]] = []
    ours = Gateway.get_environ

    def both_ways(gateway: Gateway) -> dict[str, Any]:
        environ = ours(gateway)
        made.append((dict(environ), Gateway_10.get_environ(gateway)))  # type: ignore[no-untyped-call]
        return environ

    monkeypatch.setattr(Gateway, "get_environ", both_ways)
    client = lean.client()
    twice = "X-Two: a\r\nx-two: b\r\nCookie: a=1\r\ncookie: b\r\n"
    for headers in (twice, f"{'X' * 100}: \xe4\r\nUnder_Score: x\r\n", "X: \r\n"):
        assert client.ask(note("k", more=3, headers=headers + "Content-Type: text/plain\r\n"))[0] == 202
    assert lean.threads["k"] == LANE
    assert len(made) == 4
    for environ, theirs in made:
        assert theirs.items() <= environ.items()
        assert all(name.startswith("acrmock.") for name in set(environ) - set(theirs))


def test_the_lane_sends_what_cheroot_would_send(both: tuple[Lean, Lean]) -> None:
    """The same bytes with the lane and without it, `Date` apart, to the last answer of a connection."""
    found = []
    for one in both:
        client = one.client()
        client.send(note("a") + note("b", more=9) + note("c", headers="Connection: close\r\n"))
        sent = b""
        while piece := client.socket.recv(65536):
            sent += piece
        found.append(re.sub(rb"Date: [^\r]*\r\n", b"", sent))
        client.close()
    assert found[0] == found[1]
    assert found[0].count(b"HTTP/1.1 202 ") == 3
    assert found[0].count(b"Connection: close") == 1
