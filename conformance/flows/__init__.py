"""Flows: typed stories built from the entries of a recording in one pass. No check reads an entry itself."""

from __future__ import annotations

from collections.abc import Iterable

from acrmock.record import AnyEntry, AssociationEntry, Channel, ClientFacts, DimseEntry, EventEntry, HttpEntry, Operation, Struct
from conformance.flows.associations import Dicom, DicomReader
from conformance.flows.documents import DocumentPost, document_post
from conformance.flows.events import Moved, Registration, Step, StepsReader, registration
from conformance.flows.exposures import ExposuresReader, Seen
from conformance.flows.signins import SignIn, SignInsReader
from conformance.flows.tokens import Protected, TokenRequest, TokensReader
from conformance.flows.transactions import Post, Transaction, TransactionsReader
from conformance.flows.wire import parameters, path_of, seconds


class Discovery(Struct, frozen=True, kw_only=True):
    """The discovery document was asked for."""

    seq: int
    environment: str
    moved: bool
    succeeded: bool


class Presented(Struct, frozen=True, kw_only=True):
    """A request that named a client, or was to name one."""

    seq: int
    environment: str
    operation: Operation
    path: str
    client: ClientFacts


class Source(Struct, frozen=True, kw_only=True):
    """An address from which back-channel requests or associations came: the first of them and how many, allowed or refused."""

    environment: str
    peer: str
    allowed: bool | None
    first: int
    count: int


class Injected(Struct, frozen=True, kw_only=True):
    """A request that a fault rule answered in place of the service, or whose answer it lost on the way."""

    seq: int
    environment: str
    operation: Operation
    path: str
    instead: bool


class Gap(Struct, frozen=True, kw_only=True):
    """Entries are missing from the journal."""

    seq: int
    reason: str


class Flows(Struct, frozen=True, kw_only=True):
    """Everything that a recording tells, as stories in the order of the wire."""

    registrations: tuple[Registration, ...] = ()
    steps: tuple[Step, ...] = ()
    moves: tuple[Moved, ...] = ()
    discoveries: tuple[Discovery, ...] = ()
    sign_ins: tuple[SignIn, ...] = ()
    token_requests: tuple[TokenRequest, ...] = ()
    protected: tuple[Protected, ...] = ()
    presented: tuple[Presented, ...] = ()
    exposures: tuple[Seen, ...] = ()
    sources: tuple[Source, ...] = ()
    posts: tuple[Post, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    documents: tuple[DocumentPost, ...] = ()
    dicom: Dicom = Dicom()
    gaps: tuple[Gap, ...] = ()
    injected: tuple[Injected, ...] = ()
    run: str | None = None

    def last_registrations(self) -> tuple[Registration, ...]:
        """The last attempt to register in each environment: the one that decides."""
        last = {attempt.environment: attempt for attempt in self.registrations}
        return tuple(last.values())


class Builder:
    """Takes entries one by one and gives the flows at the end."""

    def __init__(self) -> None:
        self._registrations: list[Registration] = []
        self._steps = StepsReader()
        self._moves: list[Moved] = []
        self._discoveries: list[Discovery] = []
        self._sign_ins = SignInsReader()
        self._tokens = TokensReader()
        self._presented: list[Presented] = []
        self._exposures = ExposuresReader()
        self._sources: dict[tuple[str, str, bool | None], tuple[int, int]] = {}
        self._transactions = TransactionsReader()
        self._documents: list[DocumentPost] = []
        self._dicom = DicomReader()
        self._gaps: list[Gap] = []
        self._injected: list[Injected] = []
        self._run: str | None = None

    def add(self, entry: AnyEntry) -> None:
        """Take one entry; entries come in the order of `seq`."""
        self._run = entry.run or self._run
        if isinstance(entry, HttpEntry):
            self._http(entry)
        elif isinstance(entry, EventEntry):
            self._event(entry)
        elif isinstance(entry, DimseEntry):
            self._dicom.operation(entry, self._steps.current(entry.run))
        elif isinstance(entry, AssociationEntry):
            if entry.facts.allowed is not None:
                self._source(entry, allowed=entry.facts.allowed)
            if entry.facts.allowed is not False:
                self._dicom.association(entry, self._steps.current(entry.run))

    def flows(self) -> Flows:
        """All stories, complete or not."""
        return Flows(
            registrations=tuple(self._registrations),
            steps=self._steps.steps(),
            moves=tuple(self._moves),
            discoveries=tuple(self._discoveries),
            sign_ins=tuple(self._sign_ins.sign_ins()),
            token_requests=tuple(self._tokens.requests),
            protected=tuple(self._tokens.protected),
            presented=tuple(self._presented),
            exposures=self._exposures.seen(),
            sources=tuple(
                Source(environment=key[0], peer=key[1], allowed=key[2], first=first, count=count)
                for key, (first, count) in self._sources.items()
            ),
            posts=tuple(self._transactions.posts),
            transactions=tuple(self._transactions.transactions()),
            documents=tuple(self._documents),
            dicom=self._dicom.dicom(),
            gaps=tuple(self._gaps),
            injected=tuple(self._injected),
            run=self._run,
        )

    def _event(self, entry: EventEntry) -> None:
        self._steps.event(entry)
        self._dicom.event(entry)
        if entry.name == "registration-attempted":
            self._registrations.append(registration(entry))
        elif entry.name == "endpoints-moved":
            where = entry.data.get("environment")
            environment = where if isinstance(where, str) else entry.environment or ""
            away = entry.data.get("moved") is not False
            self._moves.append(Moved(seq=entry.seq, t=seconds(entry.t), environment=environment, away=away))
        elif entry.name == "gap":
            reason = entry.data.get("reason")
            self._gaps.append(Gap(seq=entry.seq, reason=reason if isinstance(reason, str) else "entries were dropped"))
        elif entry.name == "harness-fault":
            self._gaps.append(Gap(seq=entry.seq, reason="acrmock itself failed and answered 500; the vendor is not to blame"))

    def _http(self, entry: HttpEntry) -> None:
        facts = entry.facts
        self._exposures.entry(entry)
        if facts.channel is Channel.BACK:
            self._source(entry, allowed=facts.allowed)
            if facts.allowed is False:
                return  # refused at the door: no other story has begun
        self._client(entry)
        fault = facts.fault
        if fault is not None and (fault.instead or fault.lost):
            where, path = entry.environment or "", path_of(entry.request.url)
            self._injected.append(
                Injected(seq=entry.seq, environment=where, operation=facts.operation, path=path, instead=fault.instead)
            )
            looked_at = facts.authorize is not None or (facts.document is not None and facts.document.internal)
            if fault.instead and not looked_at:
                return  # the service never saw it: what the client sent was not looked at
        step = self._steps.current(entry.run)
        handler = _HANDLERS.get(facts.operation)
        if handler is not None:
            handler(self, entry, seconds(entry.t), step)

    def _source(self, entry: HttpEntry | AssociationEntry, *, allowed: bool | None) -> None:
        key = (entry.environment or "", entry.peer or "", allowed)
        first, count = self._sources.get(key, (entry.seq, 0))
        self._sources[key] = (first, count + 1)

    def _client(self, entry: HttpEntry) -> None:
        client = entry.facts.client
        if client is None:
            return
        self._presented.append(
            Presented(
                seq=entry.seq,
                environment=entry.environment or "",
                operation=entry.facts.operation,
                path=entry.request.url if entry.facts.operation is Operation.OTHER else "",
                client=client,
            )
        )

    def _discovery(self, entry: HttpEntry, t: float, step: str) -> None:
        del t, step
        self._discoveries.append(
            Discovery(
                seq=entry.seq,
                environment=entry.environment or "",
                moved=entry.facts.moved,
                succeeded=entry.response.status in {200, 304},
            )
        )

    def _authorize(self, entry: HttpEntry, t: float, step: str) -> None:
        self._sign_ins.entry(entry, t, step)

    def _token(self, entry: HttpEntry, t: float, step: str) -> None:
        code = parameters(entry).get("code")
        done = 200 <= entry.response.status < 300
        where = entry.environment or ""
        story = self._sign_ins.redeemed(where, code.value, entry.seq, succeeded=done) if code else None
        self._tokens.entry(entry, t, step, story.seq if story else None, story.issued_at if story else None)

    def _use(self, entry: HttpEntry, t: float, step: str) -> None:
        self._tokens.use(entry, t, step)

    def _post(self, entry: HttpEntry, t: float, step: str) -> None:
        self._tokens.use(entry, t, step)
        self._transactions.post(entry, t, step)

    def _status(self, entry: HttpEntry, t: float, step: str) -> None:
        self._tokens.use(entry, t, step)
        self._transactions.poll(entry, t, step)

    def _document(self, entry: HttpEntry, t: float, step: str) -> None:
        if entry.facts.bearer is not None and entry.facts.bearer.place:
            self._tokens.use(entry, t, step)  # a sign-in is optional there
        post = document_post(entry, step)
        if post is not None:
            self._documents.append(post)


_HANDLERS = {
    Operation.DISCOVERY: Builder._discovery,  # noqa: SLF001 - the table of its own methods
    Operation.AUTHORIZE: Builder._authorize,  # noqa: SLF001 - as above
    Operation.SIGN_IN: Builder._authorize,  # noqa: SLF001 - as above
    Operation.TOKEN: Builder._token,  # noqa: SLF001 - as above
    Operation.USERINFO: Builder._use,  # noqa: SLF001 - as above
    Operation.NRDR_LIST: Builder._use,  # noqa: SLF001 - as above
    Operation.NRDR_POST: Builder._post,  # noqa: SLF001 - as above
    Operation.CDSR_POST: Builder._document,  # noqa: SLF001 - as above
    Operation.NRDR_STATUS: Builder._status,  # noqa: SLF001 - as above
}


def build(entries: Iterable[AnyEntry]) -> Flows:
    """The flows of a recording's entries, in one pass."""
    builder = Builder()
    for entry in entries:
        builder.add(entry)
    return builder.flows()
