"""The journal: what went over the wires and beside them, redacted, in the same unit as the state change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from acrmock.clock import Clock, rfc3339
from acrmock.record import (
    RECORD_SCHEMA,
    AnyEntry,
    AssociationEntry,
    AssociationFacts,
    DimseEntry,
    DimseFacts,
    EventEntry,
    Footer,
    Header,
    HttpEntry,
    HttpFacts,
    HttpRequest,
    HttpResponse,
    Operation,
    Refusal,
    SecretKind,
    TlsEntry,
    TlsFacts,
    encode_line,
)
from acrmock.redaction import Digester, Headers, Noted, Redactor
from acrmock.strictjson import well_formed
from acrmock.typed import decode, decoder
from mockserver.retention import GAP, Bound, dropped
from mockserver.store import Reader, Snapshot, Store, Stored, Unit

SECRET = "secret"
"""The kind under which issued secrets are known, in the global scope, keyed by their mark."""


RUN_ENDED = "run-ended"
"""The event with which a run closes."""


class IssuedSecret(Stored, frozen=True, kw_only=True):
    """That a secret was issued: of which kind, to whom. The value itself is nowhere."""

    remembered: ClassVar[bool] = True

    kind: SecretKind
    application: str = ""
    environment: str = ""


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """What waiting came to: the last matching `seq` (0 when none) and how many entries matched."""

    seq: int
    matched: int


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an entry is, when it was (business and protocol time) and how that was decided."""

    application: str | None
    environment: str | None
    run: str | None
    peer: str | None
    at: datetime
    t: datetime
    matched: str | None = None
    traceparent: str | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its answer as they were on the wire, before redaction; `milliseconds` is the duration."""

    method: str
    url: str
    headers: Headers
    body: bytes
    status: int
    reason: str
    answer_headers: Headers
    answer_body: bytes
    version: str = "HTTP/1.1"
    milliseconds: float = 0.0
    references: Mapping[str, str] = {}
    """Secrets issued here that may stand in it and were looked up or minted for it, each with its reference."""


Known = Callable[[Sequence[str]], Mapping[str, SecretKind]]
"""Which of these marks belong to issued secrets, and of which kind."""

_decode_issued = decoder(IssuedSecret).decode


class Journal:
    """Writes, reads and awaits entries."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        redactor: Redactor,
        digester: Digester,
        *,
        facts_digest: str = "",
        version: str = "",
        business: Callable[[str, datetime], datetime] = lambda _application, wall: wall,
        bound: Bound | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._redactor = redactor
        self._digester = digester
        self._facts_digest = facts_digest
        self._version = version
        self._business = business
        self._bound = bound
        if bound is not None:
            bound.write = self._gap

    # writing

    def http(
        self,
        unit: Unit,
        exchange: Exchange,
        facts: HttpFacts,
        whose: Whose,
        *,
        tls: TlsFacts | None = None,
        refusal: Refusal | None = None,
    ) -> int:
        """Append an exchange within `unit`, redacted, its body's facts and exposures added to `facts`. Returns its `seq`."""
        known = secrets_in(unit)
        noted = Noted()
        request, seen = self._redactor.request(
            exchange.method,
            exchange.url,
            exchange.headers,
            exchange.body,
            known,
            version=exchange.version,
            noted=noted,
            references=exchange.references,
        )
        response, shown = self._redactor.response(
            exchange.status,
            exchange.reason,
            exchange.answer_headers,
            exchange.answer_body,
            known,
            foreign=facts.operation is Operation.BROWSER,
            pieces=noted.pieces,
            references=exchange.references,
        )
        complete = msgspec.structs.replace(facts, **self._body_facts(exchange, facts), exposures=(*seen, *shown))
        if complete.exposures or noted.person or noted.pieces:
            complete = self._clean_facts(complete, known, noted.pieces)
        clean = self._clean_refusal(refusal, known, noted.pieces) if refusal is not None else None
        if whose.traceparent is not None:
            whose = msgspec.structs.replace(whose, traceparent=self._redactor.text(whose.traceparent, known))
        return self._append(
            unit,
            HttpEntry(
                **_shared(whose),
                request=request,
                response=response,
                time=round(exchange.milliseconds, 3),
                facts=complete,
                tls=tls,
                refusal=clean,
            ),
        )

    def _clean_facts(self, facts: HttpFacts, known: Known, pieces: Mapping[str, str] | None = None) -> HttpFacts:
        """Facts without what was seen: what they quote (a transaction ID, a client ID) may be the very value, or a part."""
        pieces, memory = pieces or {}, self._redactor.quick.memory
        ours = _references(facts)
        quoted = _quoted(_outspoken(facts))
        common = quoted.replace(facts.body_digest, "") if facts.transaction is None and facts.document is None else ""
        if common and self._redactor.is_nothing_new(common, pieces):
            return facts
        clean = self._redactor.document(quoted, known, pieces, ours=ours)
        if clean == quoted and self._redactor.holds_nothing(_words(facts), known):
            if common:
                self._redactor.keep_nothing(memory, common)
            return facts
        quoted = _quoted(facts)
        cleaned = self._redactor.document(quoted, known, pieces, ours=ours)
        return facts if cleaned == quoted else decode(cleaned, HttpFacts)

    def _clean_refusal(self, refusal: Refusal, known: Known, pieces: Mapping[str, str] | None = None) -> Refusal:
        """A refusal without what was seen, which any of its texts may quote, whole or cut: a value, a name, a pointer."""
        quoted = msgspec.json.encode(refusal).decode("utf-8")
        cleaned = self._redactor.document(quoted, known, pieces or {})
        return refusal if cleaned == quoted else decode(cleaned, Refusal)

    def _append(self, unit: Unit, entry: AnyEntry) -> int:
        """Append, and drop what is now too much in the same unit."""
        seq = unit.append(entry)
        if self._bound is not None:
            self._bound.keep(unit, seq)
        return seq

    def _gap(self, unit: Unit, application: str | None, run: str | None, data: dict[str, object]) -> int:
        now = self._clock.now()
        at = self._at(application, now)
        whose = Whose(application=application, environment=None, run=run, peer=None, at=at, t=now)
        return unit.append(EventEntry(**_shared(whose), name=GAP, data=data))

    @property
    def full(self) -> bool:
        """Whether the journal is far over its bound and holds nothing that may be dropped: posts are refused."""
        return self._bound is not None and self._bound.full(self._store.held)

    def refuse(self, unit: Unit, application: str, run: str | None) -> None:
        """Note (once) that an exchange was refused because the journal is full, and is not recorded."""
        if self._bound is not None:
            self._bound.refuse(unit, application, run)

    def _body_facts(self, exchange: Exchange, facts: HttpFacts) -> dict[str, Any]:
        body = exchange.body
        if not body:
            return {}
        media = next((value for name, value in exchange.headers if name.lower() == "content-type"), "").lower()
        read = facts.transaction is not None and facts.transaction.envelope_valid  # so it was strict JSON
        form = media.startswith("application/x-www-form-urlencoded")
        return {
            "body_digest": self._digester.ref("body", body),
            "body_bytes": len(body),
            "body_utf8": read or _is_utf8(body),
            "body_json": facts.body_json if facts.body_json is not None else None if form else read or well_formed(body),
        }

    def event(
        self,
        unit: Unit,
        name: str,
        data: dict[str, Any] | None = None,
        *,
        application: str | None = None,
        environment: str | None = None,
        run: str | None = None,
        peer: str | None = None,
        at: datetime | None = None,
    ) -> int:
        """Append an event within `unit`, at the application's business time; returns its `seq`.

        `at` is that business time where the unit changes it or makes the application.

        `data` must hold no secret; issued ones that slipped in are replaced all the same.
        """
        known = secrets_in(unit)
        now = self._clock.now()
        text = msgspec.json.encode(data or {}).decode("utf-8")
        clean = self._redactor.document(text, known)
        at = at or self._at(application, now)
        whose = Whose(application=application, environment=environment, run=run, peer=peer, at=at, t=now)
        if name == RUN_ENDED and self._bound is not None:
            self._bound.wake()
        return self._append(unit, EventEntry(**_shared(whose), name=name, data=msgspec.json.decode(clean, type=dict[str, Any])))

    def exchange(
        self,
        unit: Unit,
        request: HttpRequest,
        response: HttpResponse,
        facts: HttpFacts,
        *,
        application: str | None = None,
        environment: str | None = None,
        run: str | None = None,
        peer: str | None = None,
    ) -> int:
        """Append an exchange seen elsewhere (e.g. by the robot user), redacted, with its exposures. Returns its `seq`."""
        now = self._clock.now()
        post = request.postData
        raw = Exchange(
            method=request.method,
            url=request.url,
            headers=tuple((pair.name, pair.value) for pair in request.headers),
            body=post.text.encode("utf-8", "replace") if post is not None else b"",
            status=response.status,
            reason=response.statusText,
            answer_headers=tuple((pair.name, pair.value) for pair in response.headers),
            answer_body=response.content.text.encode("utf-8", "replace"),
            version=request.httpVersion,
        )
        whose = Whose(application=application, environment=environment, run=run, peer=peer, at=self._at(application, now), t=now)
        return self.http(unit, raw, facts, whose)

    def handshake(self, unit: Unit, tls: TlsFacts, *, peer: str | None) -> int:
        """Append a TLS handshake that failed; returns its `seq`."""
        now = self._clock.now()
        whose = Whose(application=None, environment=None, run=None, peer=peer, at=now, t=now, matched="unmatched")
        return self._append(unit, TlsEntry(**_shared(whose), tls=tls))

    def dimse(
        self, unit: Unit, facts: DimseFacts, whose: Whose, *, milliseconds: float = 0.0, refusal: Refusal | None = None
    ) -> int:
        """Append a DIMSE operation with its answer; what was refused is redacted, because it may be anything. Gives its `seq`."""
        if refusal is not None:
            known = secrets_in(unit)
            refusal = self._clean_refusal(refusal, known)
            facts = decode(self._redactor.document(msgspec.json.encode(facts).decode("utf-8"), known), DimseFacts)
        return self._append(unit, DimseEntry(**_shared(whose), facts=facts, time=round(milliseconds, 3), refusal=refusal))

    def association(
        self,
        unit: Unit,
        facts: AssociationFacts,
        whose: Whose,
        *,
        tls: TlsFacts | None = None,
        refusal: Refusal | None = None,
    ) -> int:
        """Append an association that has ended, redacted; returns its `seq`."""
        known = secrets_in(unit)
        facts = decode(self._redactor.document(msgspec.json.encode(facts).decode("utf-8"), known), AssociationFacts)
        if refusal is not None:
            refusal = self._clean_refusal(refusal, known)
        return self._append(unit, AssociationEntry(**_shared(whose), facts=facts, tls=tls, refusal=refusal))

    def _at(self, application: str | None, wall: datetime) -> datetime:
        return wall if application is None else self._business(application, wall)

    # reading

    def export(self, *, application: str | None = None, run: str | None = None, after: int = 0) -> Iterator[bytes]:
        """The NDJSON lines of a recording, each with its line feed: header, entries, footer. Memory stays flat."""
        header = Header(
            schema=RECORD_SCHEMA,
            created=rfc3339(self._clock.now()),
            acrmock=self._version,
            facts_digest=self._facts_digest,
            application=application,
            run=run,
        )
        yield encode_line(header) + b"\n"
        digest, entries = hashlib.sha256(), 0
        with self._store.read() as snapshot:
            for stored in self._lines(snapshot, application, run, after):
                line = bytes(stored) + b"\n"
                digest.update(line)
                entries += 1
                yield line
        yield encode_line(Footer(entries=entries, sha256=digest.hexdigest())) + b"\n"

    def _lines(self, snapshot: Snapshot, application: str | None, run: str | None, after: int) -> Iterator[bytes]:
        """The entries' lines, with the gaps that came while they were read; a run of which nothing is left has a gap too."""
        until, before, seq = snapshot.last_seq(), dropped(snapshot), 0
        for seq, line in snapshot.entries(application=application, run=run, after=after, until=until):  # noqa: B007
            yield line
        lost = dropped(snapshot)
        if lost != before:
            for seq, line in snapshot.entries(application=application, run=run, labels=(GAP,), after=max(after, until)):  # noqa: B007
                yield line
        if run is not None and not seq and not after and lost.entries:
            now = self._clock.now()
            whose = Whose(application=application, environment=None, run=run, peer=None, at=now, t=now)
            data = {"reason": "no entry of this run is left: the journal dropped it to keep within its bound"}
            gap = EventEntry(**_shared(whose), name=GAP, data=data)
            yield encode_line(msgspec.structs.replace(gap, seq=snapshot.last_seq()))

    def await_entries(
        self,
        *,
        application: str | None = None,
        run: str | None = None,
        labels: Iterable[str] = (),
        after: int = 0,
        count: int = 1,
        timeout: float = 30.0,
    ) -> Awaited:
        """Wait until `count` entries with one of `labels` (operations, event names) stand after `after`, or time is up."""
        wanted = tuple(labels)
        began = self._clock.monotonic()
        while True:
            with self._store.read() as snapshot:
                last = snapshot.last_seq()
                matched = snapshot.count(application=application, run=run, labels=wanted, after=after)
            left = timeout - (self._clock.monotonic() - began)
            if matched >= count or left <= 0 or not self._store.wait_beyond(last, left):
                break
        return self._result(application, run, wanted, after)

    def _result(self, application: str | None, run: str | None, labels: tuple[str, ...], after: int) -> Awaited:
        seq = matched = 0
        with self._store.read() as snapshot:
            for number, _ in snapshot.entries(application=application, run=run, labels=labels, after=after):
                seq, matched = number, matched + 1
        return Awaited(seq=seq, matched=matched)


def _references(facts: HttpFacts) -> frozenset[str]:
    """The marks that were made for these facts, which nobody need look for in them."""
    made = [facts.body_digest]
    if facts.transaction is not None:
        for record in facts.transaction.records:
            made += (record.key, record.patient, record.content)
    return frozenset(reference.rpartition(":")[2] for reference in made)


def _words(facts: HttpFacts) -> tuple[str, ...]:
    """What the facts say in words of the registry's own tables, which are the same time and again."""
    told = facts.transaction
    return (*told.elements, *told.values, *told.branches) if told is not None else ()


def _outspoken(facts: HttpFacts) -> HttpFacts:
    """The facts without those words."""
    told = facts.transaction
    if told is None:
        return facts
    return msgspec.structs.replace(facts, transaction=msgspec.structs.replace(told, elements=(), values=(), branches=()))


def _quoted(facts: HttpFacts) -> str:
    return msgspec.json.encode(facts).decode("utf-8")


def secrets_in(reader: Reader) -> Known:
    """What tells which marks belong to issued secrets, and of which kind, as the store knows them."""

    def known(marks: Sequence[str]) -> Mapping[str, SecretKind]:
        return {mark: _decode_issued(value).kind for mark, value in reader.known(SECRET, marks).items()}

    return known


def _shared(whose: Whose) -> dict[str, Any]:
    t = rfc3339(whose.t)
    return {
        "seq": 0,
        "at": t if whose.at == whose.t else rfc3339(whose.at),
        "t": t,
        "application": whose.application,
        "environment": whose.environment,
        "run": whose.run,
        "peer": whose.peer,
        "traceparent": whose.traceparent,
        "matched": whose.matched,
    }


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
