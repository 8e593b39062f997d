"""Faults on purpose: which requests they strike, what the client sees, what the record says, and that they survive."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from acrmock.clock import ManualClock
from acrmock.facts import load_facts
from acrmock.record import FaultFacts
from mockserver._sought import Sought
from mockserver.faults import (
    Always,
    Busy,
    ContentType,
    Delay,
    Drop,
    Every,
    First,
    Heal,
    Once,
    Percent,
    ResetConnection,
    Rule,
    Slow,
    Trigger,
    Truncate,
    Value,
    places_of,
    strikes,
    words,
)

Start = Any
SCOPE = ("default", "test")


def setting(core: Any, **rule: Any) -> None:
    """Set a rule as the control API would."""
    made = Rule(**{"name": "r", **rule})
    with core.store.write() as unit:
        unit.put("fault", SCOPE, made.name, made)
    core.faults.forget()


def tried(run: Any, name: str = "n", **options: Any) -> int | str:
    """The status of a post, or the name of what came in its place."""
    try:
        return run.session.post(f"{run.url}/test/nrdr/notes/{name}", timeout=20, **({"data": b"x"} | options)).status_code
    except requests.RequestException as error:
        return type(error).__name__


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (Always(), [1, 2, 3, 4, 5, 6]),
        (Once(), [1]),
        (First(count=3), [1, 2, 3]),
        (Every(count=2), [2, 4, 6]),
        (Heal(after=2), [1, 2]),
        (Percent(percent=0), []),
        (Percent(percent=100), [1, 2, 3, 4, 5, 6]),
    ],
)
def test_triggers(trigger: Trigger, expected: list[int]) -> None:
    """Each trigger strikes the times that it names."""
    assert [ordinal for ordinal in range(1, 7) if strikes(trigger, ordinal)] == expected


@given(st.integers(0, 2**53), st.floats(5, 95))
def test_percent_is_drawn_from_the_seed(seed: int, percent: float) -> None:
    """The same seed strikes the same times, about as many as were asked for."""
    trigger = Percent(percent=percent, seed=seed)
    drawn = [strikes(trigger, ordinal) for ordinal in range(400)]
    assert drawn == [strikes(trigger, ordinal) for ordinal in range(400)]
    assert abs(sum(drawn) / 4 - percent) < 15


def test_error_strikes_and_is_noted(start: Start) -> None:
    """An error is answered in place of the service, and the entry says by which rule; nothing is stored."""
    run = start()
    setting(run.engine.core, name="conflict", error="body-too-large", trigger=Once())
    assert [tried(run), tried(run)] == [413, 202]
    first, second = run.entries()[-2:]
    assert first.facts.fault == FaultFacts(name="conflict", instead=True)
    assert first.refusal.code == "acrmock:body-too-large"
    assert second.facts.fault is None
    assert not [entry for entry in run.entries() if getattr(entry, "name", "") == "harness-fault"]


def test_only_where_it_is_meant(start: Start) -> None:
    """Environment, operation, and a value in the request decide whether a rule is met."""
    run = start()
    setting(run.engine.core, error="path-unknown", operation="nrdr.status")
    assert tried(run) == 202
    assert run.session.get(f"{run.url}/test/nrdr/notes/n").status_code == 404
    setting(run.engine.core, error="path-unknown", value=Value(name="Transaction_ID", prefix="bad-"))
    json = {"Content-Type": "application/json"}
    assert tried(run, data=b'{"a": {"Transaction_ID" : "bad-1"}}', headers=json) == 404
    assert tried(run, data=b'{"a": {"Transaction_ID" : "good"}}', headers=json) == 202
    assert tried(run, data=b'{"Transaction_ID": "bad-1"}', headers={"Content-Type": "text/plain"}) == 202
    assert tried(run, "bad-2") == 404
    assert tried(run, params={"Transaction_ID": "bad-3"}) == 404


def test_reset_changes_nothing(start: Start) -> None:
    """A reset is a TCP RST before the request is looked at."""
    run = start()
    setting(run.engine.core, effect=ResetConnection(), operation="nrdr.post")
    assert tried(run, "reset") == "ConnectionError"
    assert run.session.get(f"{run.url}/test/nrdr/notes/reset").status_code == 404
    entry = run.entries()[-2]
    assert (entry.response.status, entry.facts.fault) == (0, FaultFacts(name="r", instead=True, lost=True))


def test_reset_is_a_reset(start: Start) -> None:
    """On the wire it is a reset, while a dropped answer ends the connection in good order."""
    run = start(tls=False)
    for effect, expected in ((ResetConnection(), ConnectionResetError), (Drop(), b"")):
        setting(run.engine.core, effect=effect)
        sock = socket.create_connection(("127.0.0.1", run.engine.ready.port), timeout=10)
        sock.sendall(b"POST /test/nrdr/notes/n HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")
        if expected == b"":
            assert sock.recv(100) == b""
        else:
            with pytest.raises(expected):
                sock.recv(100)
        sock.close()


def test_dropped_answer_keeps_the_state(start: Start) -> None:
    """The request was done; only its answer never came, which the record shows as it would have been."""
    run = start()
    setting(run.engine.core, effect=Drop(), operation="nrdr.post", trigger=Once())
    assert tried(run, "dropped") == "ConnectionError"
    assert run.session.get(f"{run.url}/test/nrdr/notes/dropped").status_code == 200
    entry = run.entries()[-2]
    assert (entry.response.status, entry.facts.fault) == (202, FaultFacts(name="r", lost=True))


def test_truncated(start: Start) -> None:
    """The answer breaks off where it was told to, with a Content-Length that promises more."""
    run = start()
    setting(run.engine.core, effect=Truncate(keep=5), operation="nrdr.post")
    answer = run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x", stream=True)
    assert int(answer.headers["Content-Length"]) > 5
    assert "Connection" not in answer.headers
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        assert answer.content
    assert run.session.get(f"{run.url}/test/nrdr/notes/n").status_code == 200


def test_slow_delay_and_wrong_type(start: Start) -> None:
    """A slow body comes whole, a delayed request is answered, a mislabelled answer keeps its body."""
    run = start()
    for effect in (Slow(seconds=0.1), Delay(seconds=0.01), ContentType(value="text/html")):
        setting(run.engine.core, effect=effect)
        answer = run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x")
        assert answer.json() == {"kept": "n", "bytes": 1}
        assert answer.headers["Content-Type"] == ("text/html" if isinstance(effect, ContentType) else "application/json")


@pytest.mark.parametrize(("status", "after"), [(429, 7), (503, 0), (503, None)])
def test_busy(start: Start, status: int, after: int | None) -> None:
    """429 and 503 say when to come back, or do not."""
    run = start()
    setting(run.engine.core, effect=Busy(status=status, retry_after=after))
    answer = run.session.post(f"{run.url}/test/nrdr/notes/n", data=b"x")
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == (None if after is None else str(after))


def test_heal_is_for_each_request(start: Start) -> None:
    """With `heal` each request fails on its own, and its retries come through."""
    run = start()
    setting(run.engine.core, error="unavailable", trigger=Heal(after=2))
    assert [tried(run, name) for name in ("a", "b", "a", "b", "a", "b")] == [503, 503, 503, 503, 202, 202]


def test_first_rule_that_strikes_counts(start: Start) -> None:
    """Rules are asked in order; one that does not strike leaves the request to the next."""
    run = start()
    setting(run.engine.core, name="one", order=1, error="path-unknown", trigger=Every(count=2))
    setting(run.engine.core, name="two", order=2, error="unavailable")
    assert [tried(run), tried(run)] == [503, 404]
    assert [(rule.name, count.met, count.struck) for rule, count in run.engine.core.faults.rules(SCOPE)] == [
        ("one", 2, 1), ("two", 1, 1),
    ]  # fmt: skip


def test_rules_and_counts_survive_a_restart(start: Start, tmp_path: Path) -> None:
    """After a restart a rule goes on where it was."""
    run = start(tmp_path / "data")
    setting(run.engine.core, error="unavailable", trigger=First(count=2))
    assert tried(run) == 503
    run.engine.stop()
    again = start(tmp_path / "data", register=False)
    assert [tried(again), tried(again)] == [503, 202]


def test_a_refused_address_meets_no_rule(start: Start) -> None:
    """The allowlist comes before the faults: a stranger learns nothing of them and counts nothing."""
    run = start()
    rule = Rule(name="r", error="unavailable")
    with run.engine.core.store.write() as unit:
        unit.put("fault", ("default", "production"), "r", rule)
    run.engine.core.faults.forget()
    assert run.session.post(f"{run.url}/production/nrdr/notes/n", data=b"x").status_code == 403
    assert run.entries()[-1].facts.fault is None


# the real wires


def test_magic_value(house: Any) -> None:
    """A Transaction_ID that begins as the layer says is answered with the error or effect that it names."""
    party = house.test
    refused = party.submit(party.transaction(transaction_id="acrmock-fault.transaction-conflict.1"))
    assert (refused.status_code, refused.json["code"]) == (409, "acrmock:transaction-conflict")
    assert house.last().facts.fault == FaultFacts(name="magic:transaction-conflict", instead=True)
    body = party.transaction(transaction_id="acrmock-fault.busy-twice.1")
    assert [party.submit(body).status_code for _ in range(4)] == [503, 503, 202, 202]
    assert party.submit(party.transaction(transaction_id="acrmock-fault.token-invalid-grant.1")).status_code == 202
    assert party.submit(party.transaction(transaction_id="acrmock-fault.nonsense.1")).status_code == 202


def test_magic_drop_and_retry(house: Any) -> None:
    """A dropped answer to a transaction is no lost transaction: the retry with the same bytes is the same transaction."""
    party = house.test
    body = party.transaction(transaction_id="acrmock-fault.drop-once.1")
    with pytest.raises(ConnectionResetError):
        party.submit(body)
    assert house.last().facts.transaction.accepted
    assert party.submit(body).status_code == 202
    assert house.last().facts.transaction.repeat


def test_every_word_of_the_layer_is_understood() -> None:
    """Each magic word stands for an effect."""
    assert dict(words(load_facts()))["busy-twice"] == (Busy(status=503, retry_after=1), First(count=2))


def test_places_of_every_error() -> None:
    """Each error of the catalogue has an operation that can answer with it; an unknown one has none."""
    facts = load_facts()
    assert all(places_of(facts, code) for code in facts.errors)
    assert places_of(facts, "nonsense") == ()


@given(
    st.binary(max_size=200), st.text(max_size=50), st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""])
)
def test_searching_survives_anything(body: bytes, query: str, media: str) -> None:
    """No request breaks the search for values."""
    sought = Sought({"PATH_INFO": "/" + query, "QUERY_STRING": query, "CONTENT_TYPE": media}, body)
    assert sought.has("a", "b") in {True, False}
    assert next(iter(sought.values(("x",)))) == ""
    assert len(sought.digest()) == 16
    assert sought.mentions("acrmock") in {True, False}


@given(st.text(max_size=30))
def test_searching_finds_json(value: str) -> None:
    """A JSON member is found by its decoded value, escaped or not."""
    body = msgspec.json.encode({"deep": [{"Transaction_ID": value}]})
    sought = Sought({"CONTENT_TYPE": "application/json; charset=utf-8"}, body)
    assert value in list(sought.values(("Transaction_ID",)))


def test_only_so_many_wait(start: Start) -> None:
    """While many requests wait for a fault's sake, the next one goes on at once: nobody holds the whole server up."""
    faults = start().engine.core.faults
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    faults.wait(clock, 5)
    assert clock.monotonic() == 5

    class Nested:
        """Waits within each wait."""

        depth = 0

        def wait(self, seconds: float) -> None:
            """Wait by asking to wait once more."""
            self.depth += 1
            faults.wait(self, seconds)

    nested = Nested()
    faults.wait(nested, 1)
    assert nested.depth == 16
