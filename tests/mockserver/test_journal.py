"""The journal: export with header and footer, waiting, events and exchanges seen elsewhere."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock.clock import ManualClock, SystemClock
from acrmock.record import (
    Content,
    EventEntry,
    FieldProblem,
    Footer,
    Header,
    HttpEntry,
    HttpFacts,
    HttpRequest,
    HttpResponse,
    NameValue,
    Operation,
    PostData,
    Refusal,
    SecretKind,
    StatusFacts,
    TlsFacts,
    TransactionFacts,
    decode_line,
)
from acrmock.redaction import Digester, Redactor
from mockserver.journal import SECRET, Awaited, Exchange, IssuedSecret, Journal, Whose, secrets_in
from mockserver.sqlite import SqliteStore
from mockserver.store import GLOBAL

TOKEN = "s3cret-Token_value-0123456789abcdef"


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    """A store in memory."""
    made = SqliteStore(None, SystemClock())
    yield made
    made.close()


@pytest.fixture
def journal(store: SqliteStore) -> Journal:
    """A journal whose store knows one issued token."""
    digester = Digester(b"k" * 32)
    redactor = Redactor(digester)
    redactor.learn(TOKEN)
    with store.write() as unit:
        unit.put(SECRET, GLOBAL, digester.mark(TOKEN), IssuedSecret(kind=SecretKind.ACCESS_TOKEN, application="a"))
    return Journal(
        store,
        ManualClock(datetime(2026, 1, 2, tzinfo=UTC)),
        redactor,
        digester,
        facts_digest="f",
        version="9",
        business=lambda application, wall: wall.replace(year=2030) if application == "later" else wall,
    )


def test_export(store: SqliteStore, journal: Journal) -> None:
    """An export is a header, the entries of the application in order, and a footer with their digest."""
    with store.write() as unit:
        for number in range(600):
            journal.event(unit, f"e{number}", {"n": number}, application="a" if number % 2 else "b", run="r")
    lines = list(journal.export(application="a", run="r"))
    header, *entries, footer = [decode_line(line) for line in lines]
    assert isinstance(header, Header)
    assert (header.created, header.acrmock, header.facts_digest, header.application) == (
        "2026-01-02T00:00:00.000000Z",
        "9",
        "f",
        "a",
    )
    assert [entry.data["n"] for entry in entries if isinstance(entry, EventEntry)] == list(range(1, 600, 2))
    assert isinstance(footer, Footer)
    assert footer == Footer(entries=300, sha256=hashlib.sha256(b"".join(lines[1:-1])).hexdigest())


def test_events_have_business_time_and_no_secret(store: SqliteStore, journal: Journal) -> None:
    """An event stands at its application's business time; an issued secret that slipped in becomes a reference."""
    with store.write() as unit:
        seq = journal.event(unit, "note", {"deep": [{"token": TOKEN}]}, application="later")
    with store.read() as snapshot:
        entry = decode_line(next(line for number, line in snapshot.entries() if number == seq))
        assert isinstance(entry, EventEntry)
        assert entry.at.startswith("2030-")
        assert entry.t.startswith("2026-")
        assert TOKEN not in str(entry)
        assert str(entry.data["deep"][0]["token"]).startswith("d:access_token:")
        assert snapshot.get(SECRET, GLOBAL, Digester(b"k" * 32).mark(TOKEN), IssuedSecret) == IssuedSecret(
            kind=SecretKind.ACCESS_TOKEN, application="a"
        )
        assert snapshot.get(SECRET, GLOBAL, "x", IssuedSecret) is None


def test_exchange_seen_elsewhere(store: SqliteStore, journal: Journal) -> None:
    """An exchange that the robot user saw is redacted like any other, with its exposures."""
    request = HttpRequest(
        method="POST",
        url=f"https://localhost:1/callback?token={TOKEN}",
        headers=(NameValue(name="Content-Type", value="text/plain"),),
        postData=PostData(text="hello"),
    )
    page = HttpResponse(
        status=200,
        headers=(NameValue(name="Content-Type", value="text/html"),),
        content=Content(mimeType="text/html", text=f"<p>{TOKEN}</p>"),
    )
    with store.write() as unit:
        journal.exchange(
            unit, request, page, HttpFacts(operation=Operation.BROWSER), application="a", environment="test", run="r"
        )
    with store.read() as snapshot:
        entry = decode_line(next(line for _, line in snapshot.entries()))
    assert isinstance(entry, HttpEntry)
    assert TOKEN not in str(entry)
    assert [(seen.place, seen.pointer) for seen in entry.facts.exposures] == [
        ("query", "/request/queryString/0/value"),
        ("page", "/response/content/text"),
    ]


def test_handshake(store: SqliteStore, journal: Journal) -> None:
    """A failed handshake is an entry of its own, waited for as `tls`."""
    with store.write() as unit:
        seq = journal.handshake(unit, TlsFacts(error="unknown ca"), peer="127.0.0.1")
    assert journal.await_entries(labels=["tls"], timeout=0) == Awaited(seq=seq, matched=1)


def test_awaiting(store: SqliteStore, journal: Journal) -> None:
    """Waiting returns at once when enough stands there, wakes on commit, and gives up when time is up."""
    with store.write() as unit:
        first = journal.event(unit, "x", application="a")
    assert journal.await_entries(application="a", labels=["x"]) == Awaited(seq=first, matched=1)
    assert journal.await_entries(application="a", labels=["x"], after=first, timeout=0) == Awaited(seq=0, matched=0)
    came: list[Awaited] = []
    waiter = threading.Thread(target=lambda: came.append(journal.await_entries(labels=["x"], after=first, count=2)))
    waiter.start()
    for name in ("x", "y", "x"):
        with store.write() as unit:
            last = journal.event(unit, name)
    waiter.join(30)
    assert came == [Awaited(seq=last, matched=2)]


def test_facts_and_trace_quote_no_secret(store: SqliteStore, journal: Journal) -> None:
    """A secret sent as a transaction ID or in `traceparent` is in no fact and in no other field of the entry."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    whose = Whose(application="a", environment="test", run=None, peer=None, at=now, t=now, traceparent=f"00-{TOKEN}")
    exchange = Exchange(
        method="GET", url=f"https://x/{TOKEN}", headers=(), body=b"", status=404, reason="", answer_headers=(), answer_body=b""
    )
    facts = HttpFacts(operation=Operation.NRDR_STATUS, status=StatusFacts(registry="lcsr", transaction_id=TOKEN))
    with store.write() as unit:
        journal.http(unit, exchange, facts, whose)
    with store.read() as snapshot:
        ((_, line),) = snapshot.entries()
    assert TOKEN.encode() not in bytes(line)
    entry = decode_line(bytes(line))
    assert isinstance(entry, HttpEntry)
    assert entry.facts.status is not None
    assert entry.facts.status.registry == "lcsr"


_WORD = st.sampled_from(["Smoking_Status", "Smoking_Status=1", "1950-02-03", "123-45-6789", TOKEN, f"x={TOKEN}", "50%"])
_WORDS = st.lists(_WORD, max_size=4)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(elements=_WORDS, values=_WORDS, branches=_WORDS, identifier=st.sampled_from(["T1", TOKEN, "123-45-6789"]))
def test_facts_are_cleaned_alike_whatever_was_remembered(
    store: SqliteStore, journal: Journal, *, elements: list[str], values: list[str], branches: list[str], identifier: str
) -> None:
    """What facts say in the words of a registry's tables is looked at as if it were new each time."""
    told = TransactionFacts(
        registry="lcsr", mapping="1", transaction_id=identifier,
        elements=tuple(elements), values=tuple(values), branches=tuple(branches),
    )  # fmt: skip
    facts = HttpFacts(operation=Operation.NRDR_POST, transaction=told)
    thorough = Redactor(Digester(b"k" * 32))
    thorough.learn(TOKEN)
    with store.write() as unit:
        quoted = msgspec.json.encode(facts).decode()
        wanted = msgspec.json.decode(thorough.text(quoted, secrets_in(unit)), type=HttpFacts)
        assert journal._clean_facts(facts, secrets_in(unit)) == wanted


LATER = "issued-Later-0123456789"
_SAID = st.tuples(
    st.sampled_from(["T1", TOKEN, LATER, LATER[:12], "joe@hospital.org", "50%"]),
    st.sampled_from([b"", b"a", b"b"]),
    st.sampled_from([(), (LATER,)]),
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(_SAID, min_size=4, max_size=10), issued=st.integers(0, 10))
def test_facts_that_come_again_are_cleaned_alike(
    store: SqliteStore, *, said: list[tuple[str, bytes, tuple[str, ...]]], issued: int
) -> None:
    """Facts that were harmless before are looked at again for other parts, and once a secret was issued that they quote."""
    digester, marks = Digester(b"k" * 32), dict[str, SecretKind]()

    def known(asked: Sequence[str]) -> dict[str, SecretKind]:
        return {mark: marks[mark] for mark in asked if mark in marks}

    def learn(redactor: Redactor, *values: str) -> Redactor:
        for value in values:
            redactor.learn(value)
            marks[digester.mark(value)] = SecretKind.CODE
        return redactor

    def journal(redactor: Redactor) -> Journal:
        return Journal(store, SystemClock(), redactor, digester)

    learnt = learn(Redactor(digester), TOKEN)
    remembering = journal(learnt)
    for number, (identifier, body, parts) in enumerate(said):
        if number == issued:
            learn(learnt, LATER)
        digest = digester.ref("body", body) if body else ""
        facts = HttpFacts(body_digest=digest, status=StatusFacts(registry="lcsr", transaction_id=identifier))
        pieces = {part: digester.ref("code", part) for part in parts}
        fresh = learn(Redactor(digester), TOKEN, *([LATER] if number >= issued else []))
        assert remembering._clean_facts(facts, known, pieces) == journal(fresh)._clean_facts(facts, known, pieces)


PERCENT = "".join(f"%{ord(character):02X}" for character in TOKEN)
SHAPED = [f"eyJhbGciOiJ{number:04}.eyJzdWI{number:04}.sig{number}" for number in range(300)]


def recorded(store: SqliteStore, journal: Journal, *, headers: tuple[tuple[str, str], ...], **more: Any) -> HttpEntry:
    """The entry of a post with these headers; `answer` is the answer's JSON, `refusal` why it was refused."""
    answer_headers = more.get("answer_headers", (("Content-Type", "application/json"),))
    exchange = Exchange(
        method="POST",
        url="/x",
        headers=headers,
        body=b"",
        status=200,
        reason="OK",
        answer_headers=answer_headers,
        answer_body=more.get("answer", b"{}"),
    )
    now = datetime(2026, 1, 2, tzinfo=UTC)
    whose = Whose(application="a", environment="test", run=None, peer=None, at=now, t=now)
    facts = more.get("facts", HttpFacts(operation=Operation.NRDR_POST))
    with store.write() as unit:
        journal.http(unit, exchange, facts, whose, refusal=more.get("refusal"))
    with store.read() as snapshot:
        entry = decode_line(list(snapshot.entries())[-1][1])
    assert isinstance(entry, HttpEntry)
    return entry


@pytest.mark.parametrize("user", ["nrdr.post", "transaction", "authorization_code", "client_secret", "Registry"])
def test_a_mailbox_named_like_a_word_of_the_wire(store: SqliteStore, journal: Journal, user: str) -> None:
    """Who writes from such an address is recorded: neither facts nor an answer's members and words are taken for a part of it."""
    answer = b'{"transaction_id": "1", "Registry": "transaction", "grant": "authorization_code client_secret"}'
    headers = (("From", f"{user}@hospital.org"), ("X-Token", TOKEN))
    entry = recorded(store, journal, headers=headers, answer=answer)
    assert entry.facts.operation is Operation.NRDR_POST
    assert entry.response.content.text == answer.decode()
    assert user not in entry.request.headers[0].value


def test_facts_and_refusals_stay_json_however_they_are_cleaned(store: SqliteStore, journal: Journal) -> None:
    """Neither percents beside an encoded secret nor hundreds of tokens harm an entry; nobody writes a member of it so."""
    odd = Refusal(code="acrmock:x", message=f"%22 and {PERCENT}", hint=f"%22,%22code%22:%22changed {PERCENT}")
    entry = recorded(store, journal, headers=(("X", TOKEN),), refusal=odd)
    assert entry.refusal is not None
    assert entry.refusal.code == "acrmock:x"
    assert entry.refusal.message.startswith('" and d:access_token:')
    fields = tuple(FieldProblem(pointer="/a", element=token, reason="unknown") for token in SHAPED)
    full = recorded(store, journal, headers=(("X", TOKEN),), refusal=Refusal(code="acrmock:x", message="m", fields=fields))
    assert full.refusal is not None
    assert len({field.element for field in full.refusal.fields}) == len(SHAPED)
    assert "eyJ" not in str(full.refusal)
    with store.write() as unit:
        journal.event(unit, "said", {"output": f"%22 {PERCENT}", "born": "%22 1950-02-03", "all": SHAPED})
    with store.read() as snapshot:
        event = decode_line(list(snapshot.entries())[-1][1])
    assert isinstance(event, EventEntry)
    assert str(event.data["output"]).startswith('" d:access_token:')
    assert "1950-02-03" not in str(event)
    assert "eyJ" not in str(event)


def test_parts_in_an_answers_headers_go_too(store: SqliteStore, journal: Journal) -> None:
    """An answer that quotes the beginning of what was sent in a header field does not keep it, percent-encoded or not."""
    for told in (TOKEN[:12], PERCENT[:40]):
        quoted = (("WWW-Authenticate", f'Bearer error_description="{told}"'),)
        entry = recorded(store, journal, headers=(("X", TOKEN),), answer_headers=quoted)
        assert entry.response.headers[0].value.startswith('Bearer error_description="d:access_token:')
