"""The engine: one simulated ACR as a Python object. Two of them run side by side in one process."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import re
import ssl
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import flask
import msgspec

import acrmock
from acrmock.addresses import parse_network, parse_peer
from acrmock.clock import Clock, SystemClock
from acrmock.documents import READY_SCHEMA, DicomAddress, ReadyDocument
from acrmock.errors import SetupError
from acrmock.record import HttpFacts, Refusal, SecretKind, TlsFacts
from acrmock.redaction import Digester, Redactor
from acrmock.tls import server_context
from mockserver._identities import dated_names, identity_names, is_synthetic
from mockserver.app import Apps, make_apps
from mockserver.context import SECRET_LENGTH, Applications, EngineCore, SecretLength
from mockserver.gate import Gate
from mockserver.journal import Exchange, Journal, Whose
from mockserver.keys import Keys, load_keys, passing_keys, write_private
from mockserver.problem import PROBLEM_JSON
from mockserver.retention import Bound, Limits
from mockserver.serve import Malformed, Server
from mockserver.sqlite import SqliteStore
from mockserver.store import GLOBAL, StoreError

if TYPE_CHECKING:
    from acrmock.facts import Facts


_IN_HEADERS = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""What a public URL is made of: it stands in headers and pages (RFC 3986 section 2)."""

Blueprints = Callable[["Facts"], Sequence[flask.Blueprint]]
_log = logging.getLogger("mockserver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Where a started engine answers; `ca_file` is empty without TLS, `data` None for an engine in memory.

    `ae_title` is what dose reports of the application `default` are sent to, empty where none are received.
    """

    url: str
    port: int
    control_token: str
    ca_file: Path | None
    data: Path | None
    dicom_port: int | None = None
    dicom_tls_port: int | None = None
    ae_title: str = ""


class Engine:
    """A simulated ACR that starts, answers and stops.

    `data` None keeps everything in memory. `port` 0 picks a free one. `public_url` is what issuer and links are made from
    (else `https://localhost:PORT`). `overlays` are layers on top of the shipped facts. `local_sources_default` are the
    addresses that clients have here unless told otherwise (none: the layer's). `auto_consent` signs the first user in
    without asking. `trusted_proxies` (CIDRs) are those whose PROXY and forwarding headers are
    believed. `dicom_port` and `dicom_tls_port` are where dose reports are received (None: not at all; 0 picks a free one);
    `accept_real_data` takes reports that are neither planted nor synthetic; `lean_dicom` False leaves every PDU to pynetdicom;
    `read_apart` has reports read and anonymised by a process of its own, from the first connection on; `lane` False has every
    request answered by a worker; `synced` False does not wait for the disk (only for measuring). `facts`, `wires` and `house`
    replace what is shipped (for tests).
    """

    def __init__(
        self,
        data: Path | str | None = None,
        port: int = 0,
        bind: str = "127.0.0.1",
        public_url: str | None = None,
        overlays: Sequence[Path] = (),
        *,
        tls: bool = True,
        clock: Clock | None = None,
        local_sources_default: Sequence[str] = (),
        trusted_proxies: Sequence[str] = (),
        auto_consent: bool = False,
        dicom_port: int | None = None,
        dicom_tls_port: int | None = None,
        accept_real_data: bool = False,
        lean_dicom: bool = True,
        read_apart: bool = False,
        synced: bool = True,
        lane: bool = True,
        facts: Facts | None = None,
        wires: Blueprints | None = None,
        house: Blueprints | None = None,
    ) -> None:
        if data == "":
            raise SetupError("the data directory has no name", where="data", expected="a directory, or None for memory only")
        self._data = None if data is None else Path(data)
        self._port = _checked_port(port)
        self._bind = _checked_address(bind)
        self._public_url = _checked_url(public_url, tls=tls)
        self._overlays = tuple(overlays)
        self._tls = tls
        self._clock = clock or SystemClock()
        self._local_sources = tuple(local_sources_default)
        self._trusted_proxies = tuple(_checked_proxy(source) for source in trusted_proxies)
        self._auto_consent = auto_consent
        self._dicom_port = None if dicom_port is None else _checked_port(dicom_port, "--dicom-port")
        self._dicom_tls_port = None if dicom_tls_port is None else _checked_port(dicom_tls_port, "--dicom-tls-port")
        self._accept_real_data = accept_real_data
        self._lean_dicom = lean_dicom
        self._read_apart = read_apart
        self._synced = synced
        self._lane = lane
        self._facts = facts
        self._wires = wires or shipped_wires
        self._house = house or shipped_house
        self._shipped = wires is None and house is None
        self._stack = ExitStack()
        self.core: EngineCore | None = None
        self.ready: Ready | None = None

    def start(self) -> Ready:
        """Open the store, listen and answer; raises `SetupError` when something the user gave cannot be used."""
        if self.ready is not None:
            return self.ready
        try:
            with ExitStack() as stack:
                self.ready = self._start(stack)
                self._stack = stack.pop_all()
        except BaseException:
            self.core = None
            raise
        return self.ready

    def stop(self) -> None:
        """Stop answering and let go of everything; harmless when done twice."""
        self.ready = None
        self._stack.close()
        self.core = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # starting

    def _start(self, stack: ExitStack) -> Ready:
        facts = self._facts or _load_facts(self._overlays)
        data = _directory(self._data)
        host = urlsplit(self._public_url).hostname or "" if self._public_url else self._listening_host()
        keys = load_keys(data / "keys", host) if data is not None else passing_keys(host)
        store = SqliteStore(None if data is None else data / "store.sqlite3", self._clock, synced=self._synced)
        stack.callback(store.close)
        core = self.core = self._make_core(facts, keys, store, data)
        gate = Gate(core, _shipped_apps(facts) if self._shipped else make_apps(facts, self._wires(facts), self._house(facts)))
        server = Server(
            (self._bind, self._port),
            gate,
            self._clock,
            context=_context(keys, passing=data is None) if self._tls else None,
            on_handshake=lambda tls, peer: _note_handshake(core, tls, peer),
            on_malformed=lambda request: _note_malformed(core, request),
            trusted_proxies=self._trusted_proxies,
            quick=gate if self._lane else None,
        )
        address, port = server.listen()
        stack.callback(_note_stop, core)
        stack.callback(server.stop)
        stack.callback(store.release_waiters)
        ports = self._listen_dicom(core, keys, stack)
        core.public_url = self._public_url or f"{'https' if self._tls else 'http'}://{_in_url(host)}:{port}"
        core.own_url = f"{'https' if self._tls else 'http'}://{_in_url(self._listening_host())}:{port}"
        try:
            self._begin(core, address, port)
        except StoreError as error:
            where = str(data or "memory")
            raise SetupError(error.what, where=where, actual=error.actual, fix=error.fix or "use another --data") from error
        server.run()
        ready = self._announce(core, keys, port, data, stack)
        stack.callback(core.jobs.stop)
        stack.callback(core.apart.close)
        core.jobs.start()
        dicom = core.dicom or core.dicom_tls
        title = dicom.ae_title if dicom is not None else ""
        return dataclasses.replace(ready, dicom_port=ports[0], dicom_tls_port=ports[1], ae_title=title)

    def _listen_dicom(self, core: EngineCore, keys: Keys, stack: ExitStack) -> tuple[int | None, int | None]:
        """Receive dose reports where that is wanted; gives the ports in clear and over TLS."""
        if self._dicom_port is None and self._dicom_tls_port is None:
            return None, None
        from mockserver.dirlink.listener import Listener  # noqa: PLC0415 - pynetdicom, only where DICOM is served

        host, title = self._listening_host(), core.facts.text("dirlink.ae_title")
        host = "127.0.0.1" if host == "localhost" else host
        ports: list[int | None] = []
        for wanted, context in ((self._dicom_port, None), (self._dicom_tls_port, server_context(keys.server))):
            if wanted is None:
                ports.append(None)
                continue
            listener = Listener(core, self._bind, wanted, context, lean=self._lean_dicom)
            ports.append(listener.start())
            stack.callback(listener.stop)
        core.dicom, core.dicom_tls = (
            None if port is None else DicomAddress(host=host, port=port, ae_title=title) for port in ports
        )
        return ports[0], ports[1]

    def _make_core(self, facts: Facts, keys: Keys, store: SqliteStore, data: Path | None) -> EngineCore:
        digester = Digester(keys.digest)
        redactor = Redactor(
            digester,
            identities=identity_names(facts),
            synthetic=is_synthetic,
            dated=dated_names(facts),
            sensitive={facts.text("auth.form.password"): "password"},
        )
        applications = Applications(store)
        bound = Bound(Limits(entries=facts.integer("journal.limit.entries"), bytes=facts.integer("journal.limit.bytes")))
        core = EngineCore(
            facts=facts,
            clock=self._clock,
            store=store,
            keys=keys,
            digester=digester,
            redactor=redactor,
            journal=Journal(
                store,
                self._clock,
                redactor,
                digester,
                facts_digest=facts.digest,
                version=acrmock.__version__,
                business=applications.business,
                bound=bound,
            ),
            applications=applications,
            data="" if data is None else str(data),
            version=acrmock.__version__,
            local_sources=self._local_sources or facts.texts("onboarding.default.local_sources"),
            trusted_proxies=self._trusted_proxies,
            auto_consent=self._auto_consent,
            accept_real_data=self._accept_real_data,
            read_apart=self._read_apart,
            ca_pem=keys.authority.certificate if self._tls else b"",
        )

        def undone() -> None:
            applications.forget()
            bound.forget()
            core.stored_lengths.clear()
            core.first_ending = ""
            core.faults.forget()

        store.on_undo = undone
        return core

    def _begin(self, core: EngineCore, address: str, port: int) -> None:
        with core.store.read() as snapshot:
            for _, secret in snapshot.scan(SECRET_LENGTH, GLOBAL, SecretLength):
                core.redactor.scanner.learn_length(secret.length, jwt=secret.jwt)
                core.stored_lengths.add(secret.length)
        with core.store.write() as unit:
            core.issue(unit, SecretKind.CONTROL_TOKEN, core.keys.control_token)
            data = {"url": core.public_url, "address": address, "port": port, "version": core.version, "tls": self._tls}
            core.journal.event(unit, "server-started", data)

    def _announce(self, core: EngineCore, keys: Keys, port: int, data: Path | None, stack: ExitStack) -> Ready:
        ca_file: Path | None = None
        if self._tls:
            if data is not None:
                ca_file = data / "keys" / "ca.pem"
            else:
                passing = tempfile.TemporaryDirectory(prefix="acrmock-", ignore_cleanup_errors=True)
                ca_file = Path(stack.enter_context(passing)) / "ca.pem"
                ca_file.write_bytes(core.ca_pem)
        core.ca_file = str(ca_file or "")
        ready = Ready(url=core.public_url, port=port, control_token=keys.control_token, ca_file=ca_file, data=data)
        if data is not None:
            path = data / "ready.json"
            stack.callback(lambda: path.unlink(missing_ok=True))
            file = ReadyDocument(
                schema=READY_SCHEMA,
                pid=os.getpid(),
                url=ready.url,
                port=port,
                control_token=ready.control_token,
                ca_file=str(ca_file or ""),
                data=str(data),
                version=core.version,
                dicom=core.dicom,
                dicom_tls=core.dicom_tls,
            )
            write_private(path, msgspec.json.format(msgspec.json.encode(file), indent=2))
        return ready

    def _listening_host(self) -> str:
        address = parse_peer(self._bind)
        return "localhost" if address is None or address.is_loopback or address.is_unspecified else str(address)


def shipped_wires(facts: Facts) -> Sequence[flask.Blueprint]:
    """The wires of the simulated ACR."""
    from mockserver import auth, cdsr, nrdr  # noqa: PLC0415 - loaded when an engine starts
    from mockserver.central import views as central  # noqa: PLC0415 - the same

    return tuple(part.blueprint(facts) for part in (auth, nrdr, cdsr, central))


def shipped_house(facts: Facts) -> Sequence[flask.Blueprint]:
    """What stands beside the wires: control API, health, the schemas of records, the OpenAPI document, the page at the root."""
    from mockserver import control, health, openapi, recordschemas, welcome  # noqa: PLC0415 - loaded when an engine starts

    parts = (control, health, recordschemas, openapi, welcome)
    return tuple(part.blueprint(facts) for part in parts)


@lru_cache(maxsize=4)
def _shipped_apps(facts: Facts) -> Apps:
    """The shipped applications, shared by all engines that run on the same facts: no engine's state is in them."""
    return make_apps(facts, shipped_wires(facts), shipped_house(facts))


_passing_context = lru_cache(maxsize=8)(server_context)
"""The context of a leaf that engines in memory share within a process, as they share the leaf."""


def _context(keys: Keys, *, passing: bool) -> ssl.SSLContext:
    return _passing_context(keys.server) if passing else server_context(keys.server)


def _load_facts(overlays: tuple[Path, ...]) -> Facts:
    from acrmock.facts import load_facts  # noqa: PLC0415 - loaded when an engine starts

    return load_facts(overlays)


def _directory(data: Path | None) -> Path | None:
    if data is None:
        return None
    try:
        data.mkdir(parents=True, exist_ok=True)
        return data.resolve()
    except OSError as error:
        actual = error.strerror or str(error)
        raise SetupError(
            "the data directory cannot be made", where=str(data), actual=actual, fix="name another with --data"
        ) from error


def _checked_port(port: int, where: str = "--port") -> int:
    if not 0 <= port <= 65535:
        raise SetupError("no such port", expected="0 to 65535 (0 picks a free one)", actual=str(port), where=where)
    return port


def _checked_address(address: str) -> str:
    if not address.strip():
        raise SetupError("cannot listen on no address", expected="an address, e.g. 127.0.0.1", where="--bind")
    return address


def _checked_proxy(source: str) -> str:
    found = parse_network(source)
    if isinstance(found, str):
        raise SetupError(found, where="trusted proxies", expected="e.g. 10.0.0.0/8", actual=source[:80])
    return str(found)


def _checked_url(url: str | None, *, tls: bool) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        bare = not (parts.query or parts.fragment or parts.username)
        good = parts.scheme in {"https", "http"} and bool(parts.hostname) and bare and (parts.port is None or parts.port > 0)
        good = good and _IN_HEADERS.fullmatch(url) is not None
    except ValueError:
        good = False
    if not good:
        raise SetupError(
            "the public URL cannot be used",
            expected=f"{'https' if tls else 'http'}://HOST[:PORT]",
            actual=url[:200],
            where="--public-url",
        )
    return url.rstrip("/")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _note_stop(core: EngineCore) -> None:
    with contextlib.suppress(StoreError), core.store.write() as unit:
        core.journal.event(unit, "server-stopped")


def _note_handshake(core: EngineCore, tls: TlsFacts, peer: str) -> None:
    try:
        with core.store.write() as unit:
            address = parse_peer(peer)
            core.journal.handshake(unit, tls, peer=peer if address is None else str(address))
    except StoreError as error:
        _log.warning("a failed handshake could not be recorded: %s", error)


def _note_malformed(core: EngineCore, request: Malformed) -> None:
    now = core.clock.now()
    address = parse_peer(request.peer)
    whose = Whose(
        application=None,
        environment=None,
        run=None,
        peer=request.peer if address is None else str(address),
        at=now,
        t=now,
        matched="unmatched",
    )
    exchange = Exchange(
        method=request.method or "?",
        url=core.public_url + request.target,
        headers=request.headers,
        body=b"",
        status=request.status,
        reason=request.reason,
        answer_headers=(("Content-Type", PROBLEM_JSON),),
        answer_body=b"",
    )
    try:
        with core.store.write() as unit:
            refusal = Refusal(code=f"acrmock:{request.code}", message=request.reason)
            core.journal.http(unit, exchange, HttpFacts(), whose, tls=request.tls, refusal=refusal)
    except Exception as error:  # noqa: BLE001 - the client gets its answer all the same
        _log.warning("a malformed request could not be recorded: %s", error)
