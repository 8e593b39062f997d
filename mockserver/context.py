"""What a handler gets: the engine's core, the call it answers, and the notes it leaves for the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import flask
import msgspec

from acrmock.clock import Clock
from acrmock.documents import DicomAddress
from acrmock.record import (
    AuthorizeFacts,
    BearerFacts,
    Channel,
    ClientFacts,
    DocumentFacts,
    FaultFacts,
    FieldProblem,
    GrantFacts,
    Operation,
    Refusal,
    SecretKind,
    StatusFacts,
    TransactionFacts,
)
from acrmock.redaction import Digester, Redactor
from mockserver import guides
from mockserver.dirlink.apart import Apart
from mockserver.dirlink.objects import ObjectStore, StoreObjects
from mockserver.faults import Count, Faults, Magic, Struck, magic_of
from mockserver.jobs import Handler, Jobs
from mockserver.journal import SECRET, IssuedSecret, Journal
from mockserver.keys import Keys
from mockserver.metrics import Metrics
from mockserver.onboarding.model import APPLICATION, Application, Registration
from mockserver.onboarding.names import DEFAULT
from mockserver.store import GLOBAL, Scope, Store, Unit
from mockserver.turns import Turns

if TYPE_CHECKING:
    from acrmock.facts import Facts

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_MOST_SETTINGS = 256

SECRET_LENGTH = "secret-length"
"""The kind under which the lengths of issued secrets are kept, so that they are known after a restart."""


class SecretLength(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That a secret of this many characters was issued, a JWT or not."""

    length: int
    jwt: bool = False


class Settings:
    """The layer's settings with one registration's overrides on top; same accessors as `Facts`."""

    def __init__(self, facts: Facts, overrides: Mapping[str, Any]) -> None:
        self._facts = facts
        self._overrides = overrides
        self._derived: dict[str, Any] = {}

    def derived(self, name: str, make: Callable[[Self], T]) -> T:
        """What `make` makes of these settings, made once: `name` says what it is."""
        if name not in self._derived:
            self._derived[name] = make(self)
        value: T = self._derived[name]
        return value

    def text(self, key: str) -> str:
        """The setting as text."""
        return str(self._overrides[key]) if key in self._overrides else self._facts.text(key)

    def number(self, key: str) -> float:
        """The setting as a number, in the unit that the layer states."""
        return float(self._overrides[key]) if key in self._overrides else self._facts.number(key)

    def integer(self, key: str) -> int:
        """The setting as a whole number."""
        return int(self._overrides[key]) if key in self._overrides else self._facts.integer(key)

    def flag(self, key: str) -> bool:
        """The setting as yes or no."""
        return bool(self._overrides[key]) if key in self._overrides else self._facts.flag(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """The setting as a list of texts."""
        return tuple(map(str, self._overrides[key])) if key in self._overrides else self._facts.texts(key)

    def mapping(self, key: str) -> Mapping[str, str]:
        """The setting as a mapping of texts."""
        return dict(self._overrides[key]) if key in self._overrides else self._facts.mapping(key)


class Applications:
    """The registered applications: read from a cache, written through a unit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache: dict[str, Application] = {}

    def get(self, application: str) -> Application | None:
        """The application of that id, or None."""
        found = self._cache.get(application)
        if found is None:
            with self._store.read() as snapshot:
                found = snapshot.get(APPLICATION, GLOBAL, application, Application)
            if found is not None:
                self._cache.setdefault(application, found)
        return self._cache.get(application, found)

    def business(self, application: str, wall: datetime) -> datetime:
        """The application's business time, or `wall` where there is no such application."""
        found = self.get(application)
        return wall if found is None else found.business.now(wall)

    def all(self) -> tuple[Application, ...]:
        """Every application, by id."""
        with self._store.read() as snapshot:
            return tuple(value for _, value in snapshot.scan(APPLICATION, GLOBAL, Application))

    def save(self, unit: Unit, application: Application) -> None:
        """Store `application` and use it from now on."""
        unit.put(APPLICATION, GLOBAL, application.id, application)
        self._cache[application.id] = application

    def forget(self) -> None:
        """Read everything anew (after a unit that was undone)."""
        self._cache.clear()


def job_handlers() -> Mapping[str, Handler]:
    """Who does which jobs."""
    from mockserver.dirlink.work import HANDLERS  # noqa: PLC0415 - loaded when the first job runs

    return HANDLERS


@dataclass(slots=True)
class Probed:
    """When it was last tried whether the store can be written (monotonic), and what hindered it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    last: tuple[float, str] | None = None


@dataclass(slots=True, kw_only=True)
class EngineCore:
    """What one engine is made of; nothing of it is global, so that two run side by side."""

    facts: Facts
    clock: Clock
    store: Store
    keys: Keys
    digester: Digester
    redactor: Redactor
    journal: Journal
    applications: Applications
    public_url: str = ""
    own_url: str = ""
    data: str = ""
    version: str = ""
    local_sources: tuple[str, ...] = ()
    auto_consent: bool = False
    ca_pem: bytes = b""
    ca_file: str = ""
    metrics: Metrics = field(default_factory=Metrics)
    probed: Probed = field(default_factory=Probed)
    stored_lengths: set[int] = field(default_factory=set)
    first_ending: str = ""
    """Nothing that is to be forgotten stands before this place (`mockserver.auth.endings`); empty: unknown."""
    guides: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    objects: ObjectStore = field(init=False)
    read_apart: bool = False
    apart: Apart = field(init=False)
    dicom: DicomAddress | None = None
    dicom_tls: DicomAddress | None = None
    accept_real_data: bool = False
    trusted_proxies: tuple[str, ...] = ()
    faults: Faults = field(init=False)
    magic: Magic | None = field(init=False)
    jobs: Jobs = field(init=False)
    turns: Turns = field(init=False)
    _settings: dict[int, tuple[Registration, Settings]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.objects = StoreObjects(self.store)
        self.apart = Apart(self.facts, self.digester, self.keys.digest, process=self.read_apart)
        self.faults = Faults(self.store)
        self.jobs = Jobs(self, job_handlers)
        self.turns = Turns(self.store)
        self.magic = magic_of(self.facts)
        self.metrics.began = self.clock.monotonic()

    def settings_for(self, registration: Registration) -> Settings:
        """The settings that hold for one environment of an application."""
        kept = self._settings.get(id(registration))
        if kept is None or kept[0] is not registration:
            if len(self._settings) >= _MOST_SETTINGS:
                self._settings.clear()
            kept = self._settings[id(registration)] = (registration, self._read_settings(registration))
        return kept[1]

    def settings_of(self, scope: Scope) -> Settings:
        """The settings that hold for an (application, environment); the server's where that is not registered."""
        found = self.applications.get(scope[0])
        registration = found.environments.get(scope[1]) if found is not None else None
        return Settings(self.facts, {}) if registration is None else self.settings_for(registration)

    def _read_settings(self, registration: Registration) -> Settings:
        if not registration.guide:
            return Settings(self.facts, registration.settings)
        guide = self.guides.get(registration.guide)
        if guide is None:
            guide = self.guides[registration.guide] = guides.overrides(self.facts, registration.guide)
        return Settings(self.facts, {**guide, **registration.settings})

    def base_url(self, application: str, environment: str) -> str:
        """The public URL of an application's environment, without a trailing slash."""
        prefix = "" if application == DEFAULT else f"/a/{application}"
        return f"{self.public_url}{prefix}/{environment}"

    def issue(self, unit: Unit, kind: SecretKind, value: str, *, application: str = "", environment: str = "") -> str:
        """Remember that `value` was issued, so that the recorder knows it anywhere; returns its mark."""
        mark = self.digester.mark(value)
        self.redactor.learn(value)
        if len(value) not in self.stored_lengths:
            unit.put(SECRET_LENGTH, GLOBAL, str(len(value)), SecretLength(length=len(value), jwt="." in value))
            self.stored_lengths.add(len(value))
        unit.put(SECRET, GLOBAL, mark, IssuedSecret(kind=kind, application=application, environment=environment))
        return mark


@dataclass(slots=True, kw_only=True)
class Notes:
    """What a handler leaves for the journal; all optional."""

    operation: Operation = Operation.OTHER
    channel: Channel = Channel.EXEMPT
    allowed: bool | None = None
    moved: bool = False
    client: ClientFacts | None = None
    authorize: AuthorizeFacts | None = None
    grant: GrantFacts | None = None
    bearer: BearerFacts | None = None
    transaction: TransactionFacts | None = None
    document: DocumentFacts | None = None
    status: StatusFacts | None = None
    refused: Refusal | None = None
    fault: FaultFacts | None = None
    forwarded: str = ""

    def refusal(self, code: str, message: str, *, fields: tuple[FieldProblem, ...] = (), hint: str = "") -> None:
        """Explain a refusal (a raised `Problem` does it by itself; this is for refusals by redirect or by status)."""
        self.refused = Refusal(code=code, message=message, fields=fields, hint=hint)


@dataclass(slots=True, kw_only=True)
class Call:
    """One request to the simulated ACR, resolved and admitted. Do heavy work before touching `unit`."""

    engine: EngineCore
    application: Application
    environment: str
    registration: Registration
    peer: str
    base_url: str
    wall: datetime
    environ: dict[str, Any] = field(default_factory=dict)
    lean: bool = False
    """Whether the request is answered without Flask's contexts."""
    body: bytes = b""
    notes: Notes = field(default_factory=Notes)
    struck: Struck | None = None
    counted: dict[str, Count] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    """Secrets issued here that were looked up or minted for this call, each with its reference, for the recorder."""
    _context: AbstractContextManager[Unit] | None = None
    _unit: Unit | None = None
    _settings: Settings | None = None
    _turn: bool = False
    _request: flask.Request | None = None

    @property
    def request(self) -> flask.Request:
        """The request as Flask has it, made at first use where Flask's contexts are not there."""
        if not self.lean:
            return flask.request
        if self._request is None:
            self._request = flask.Request(self.environ)
        return self._request

    @property
    def business(self) -> datetime:
        """The application's business time."""
        return self.application.business.now(self.wall)

    @property
    def scope(self) -> Scope:
        """Where this call's state is stored."""
        return (self.application.id, self.environment)

    @property
    def settings(self) -> Settings:
        """The layer's settings with this registration's overrides."""
        if self._settings is None:
            self._settings = self.engine.settings_for(self.registration)
        return self._settings

    @property
    def unit(self) -> Unit:
        """The call's unit, opened at first use (it takes the state lock); the journal entry joins it."""
        if self._unit is None:
            context = self.engine.store.unit()
            self._unit = context.__enter__()
            self._context = context
        return self._unit

    def take_turn(self) -> None:
        """Compute from here on, without waiting for anybody but the store."""
        if not self._turn:
            self.engine.turns.take()
            self._turn = True

    def give_turn(self) -> None:
        """Somebody else's turn, if this call had one."""
        if self._turn:
            self._turn = False
            self.engine.turns.give()

    def issue(self, kind: SecretKind, value: str) -> str:
        """Remember a secret minted for this call, so that the recorder knows it anywhere; returns its mark."""
        mark = self.engine.issue(self.unit, kind, value, application=self.application.id, environment=self.environment)
        self.refer(kind, value, mark)
        return mark

    def refer(self, kind: SecretKind, value: str, mark: str) -> None:
        """Let the recorder know that `value` was issued here, as a secret of this kind with this mark."""
        self.references[value] = f"d:{kind}:{mark}"

    def leave(self, error: BaseException | None = None) -> Unit | None:
        """Leave the unit if it was opened, undoing it when `error` is given; the gate calls this."""
        context, unit = self._context, self._unit
        self._context = self._unit = None
        if context is not None:
            context.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        return unit


class Plain(NamedTuple):
    """An answer without an object of Flask's, which takes it from a view as it is (body, status, headers)."""

    body: bytes
    status: int
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, body: bytes, status: int, media_type: str, *headers: tuple[str, str]) -> Self:
        """An answer of that type, with these headers behind its type and length."""
        return cls(body, status, (("Content-Type", media_type), ("Content-Length", str(len(body))), *headers))


CALL_KEY = "acrmock.call"
CORE_KEY = "acrmock.core"


def current_call() -> Call:
    """The call being answered; raises `RuntimeError` outside one of the wires."""
    call = flask.request.environ.get(CALL_KEY)
    if not isinstance(call, Call):
        raise RuntimeError("no call is being answered here")  # noqa: TRY004 - a place, not a type
    return call


def current_core() -> EngineCore:
    """The engine's core, in a handler of the control API, health or pages as well as on the wires."""
    core = flask.request.environ.get(CORE_KEY)
    if not isinstance(core, EngineCore):
        raise RuntimeError("no engine is answering here")  # noqa: TRY004 - a place, not a type
    return core


def wire(
    operation: Operation, channel: Channel, *, lean: Callable[..., flask.Response | Plain] | None = None
) -> Callable[[F], F]:
    """Mark a view function with what it is for; the gate checks the allowlist by it before the view runs.

    `lean` does what the view does, given the call and the route's arguments: it reads `call.request` and needs nothing else of
    Flask, so that the gate may call it without Flask's contexts, which is a good part of the time of a short answer. It computes
    and waits for nobody but the store: lean views take turns.
    """

    def mark(view: F) -> F:
        view.acrmock_wire = (operation, channel)  # type: ignore[attr-defined]
        view.acrmock_lean = lean  # type: ignore[attr-defined]
        return view

    return mark
