"""Listens for associations on a port, in clear or over TLS, and writes down what came of each."""

from __future__ import annotations

import contextlib
import logging
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pynetdicom.ae import ApplicationEntity
from pynetdicom.transport import AddressInformation, ThreadedAssociationServer

from acrmock.errors import SetupError
from acrmock.record import TlsFacts
from mockserver._addresses import Addresses
from mockserver._scarce import Scarcity
from mockserver.context import job_handlers
from mockserver.dirlink.association import ReceiverAssociation
from mockserver.dirlink.handshakes import Handshakes
from mockserver.dirlink.limits import offer
from mockserver.dirlink.receive import Operations, whose
from mockserver.dirlink.titles import Titles
from mockserver.dirlink.wire import ReceiverSocket
from mockserver.store import StoreError

if TYPE_CHECKING:
    from mockserver.context import EngineCore

_log = logging.getLogger("mockserver")
_BACKLOG = 128
_POLL = 0.05
_GRACE, _PATIENCE = 1.0, 5.0
"""Seconds that associations have to end when the receiver stops: of themselves, and after they were hung up on."""


class _Server(ThreadedAssociationServer):
    """pynetdicom's server, which shakes hands in the connection's own thread and makes this receiver's associations."""

    request_queue_size = _BACKLOG
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: Listener, ae: ApplicationEntity, address: tuple[str, int]) -> None:
        self.listener = listener
        self._scarcity = Scarcity(listener.core.clock)
        contexts = ae.supported_contexts
        super().__init__(ae, address, ae.ae_title, contexts, None, [], socketserver.BaseRequestHandler)

    def service_actions(self) -> None:
        """Nothing: associations are let go of when they end."""

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """The next connection; raises `OSError`, which the base class takes for none, and not in circles."""
        try:
            return super().get_request()
        except OSError as error:
            self._scarcity.outlast(error)
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - the base class's signature
        """Whether there is room for one more connection."""
        return self.listener.open(request)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection; in a thread of its own until the association's begins."""
        self.listener.serve(self, request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Say what went wrong with a connection, unless it came when all was over."""
        self.listener.forget(request)
        if not self.listener.stopping:
            _log.exception("a connection could not be served")


class Listener:
    """A port on which dose reports are received. `lean` False leaves every PDU to pynetdicom."""

    def __init__(
        self, core: EngineCore, bind: str, port: int, tls_context: ssl.SSLContext | None = None, *, lean: bool = True
    ) -> None:
        self.core = core
        self.lean = lean
        self.offer = offer(core.facts)
        self.operations = Operations(core, self.offer)
        self.titles = Titles(core.facts, core.applications)
        self.addresses = Addresses()
        self._address = (bind, port)
        self._handshakes = None if tls_context is None else Handshakes(tls_context, self.offer.limits.request)
        self._lock = threading.Lock()
        self._connections: set[Any] = set()
        self._stopping = False
        self._associations: set[ReceiverAssociation] = set()
        self._running: set[ReceiverAssociation] = set()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> int:
        """Listen and serve; gives the port. Raises `SetupError` when the port cannot be had."""
        ae = ApplicationEntity(self.core.facts.text("dirlink.ae_title"))
        for abstract in (self.offer.verification, *self.offer.classes):
            ae.add_supported_context(abstract, list(self.offer.syntaxes))
        ae.maximum_pdu_size = self.offer.limits.pdu_bytes
        ae.maximum_associations = 1_000_000  # counted by this class
        try:
            self._server = _Server(self, ae, self._address)
        except OSError as error:
            where = "{}:{}".format(*self._address)
            raise SetupError(
                "cannot listen for dose reports", where=where, actual=error.strerror or str(error), fix="name another port"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), name="dirlink", daemon=True)
        self._thread.start()
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Stop listening, abort what is open and wait until it is written down; for all of it together only so long.

        Who has not asked for an association yet is hung up on at once, and who does not end upon the abort a little later.
        """
        if self._server is None:
            return
        socketserver.BaseServer.shutdown(self._server)
        self._server.server_close()
        with self._lock:
            self._stopping = True
            running = tuple(self._running)
        if self._handshakes is not None:
            self._handshakes.stop()
        for association in running:
            with contextlib.suppress(Exception):
                if association.is_established:
                    association.abort(block=False)
                else:
                    association.hang_up()
        for association in self._left(running, _GRACE):
            association.hang_up()
        self._left(running, _PATIENCE)
        self._server = None

    def _left(self, running: Iterable[ReceiverAssociation], seconds: float) -> list[ReceiverAssociation]:
        """Those of `running` that have not ended within `seconds`, counted for all together."""
        until = self.core.clock.monotonic() + seconds
        for association in running:
            association.join(max(0.0, until - self.core.clock.monotonic()))
        return [association for association in running if association.is_alive()]

    # connections

    @property
    def stopping(self) -> bool:
        """Whether nobody is served any more."""
        with self._lock:
            return self._stopping

    def open(self, request: Any) -> bool:
        """Count a connection; False where there are too many."""
        with self._lock:
            if len(self._connections) >= self.offer.limits.connections:
                return False
            self._connections.add(request)
            return True

    def forget(self, request: Any) -> None:
        """A connection is gone."""
        with self._lock:
            self._connections.discard(request)

    def serve(self, server: _Server, request: socket.socket, client_address: Any) -> None:
        """Shake hands where TLS is wanted, then let the association begin."""
        with contextlib.suppress(OSError, ImportError):  # what cannot be loaded now is tried again with the first report
            job_handlers()
        self.core.apart.prepare()
        peer, tls, wrapped = self.addresses.normal(str(client_address[0])), None, request
        if self._handshakes is not None:
            try:
                wrapped, tls = self._handshakes.shake(request)
            except (OSError, ValueError) as error:
                self._failed_handshake(request, peer, error)
                return
        try:
            self._begin(self._associate(server, request, wrapped, client_address, peer, tls))
        except BaseException:
            self.forget(request)
            wrapped.close()
            raise

    def _begin(self, association: ReceiverAssociation) -> None:
        """Start the thread of an association; raises `RuntimeError` where there can be none, `OSError` where the end has come."""
        with self._lock:
            if self._stopping:
                raise ConnectionAbortedError("the receiver stops")
            association.start()
            self._running.add(association)

    def _associate(  # noqa: PLR0917 - what a connection is made of
        self,
        server: _Server,
        request: socket.socket,
        wrapped: socket.socket,
        client_address: Any,
        peer: str,
        tls: TlsFacts | None,
    ) -> ReceiverAssociation:
        ae = server.ae
        association = ReceiverAssociation(ae, self, peer, tls)
        association.connection = request
        association._server = server  # noqa: SLF001 - as pynetdicom's own request handler does
        association.name = f"AcceptorThread@{association.peer.association}"
        most = max(self.offer.limits.pdu_bytes, self.offer.limits.association_bytes)
        association.set_socket(ReceiverSocket(association, wrapped, most=most, quick=self.lean))
        acceptor = association.acceptor
        acceptor.maximum_length = ae.maximum_pdu_size
        acceptor.ae_title = ae.ae_title
        acceptor.address_info = AddressInformation.from_tuple(server.server_address)
        acceptor.implementation_class_uid = ae.implementation_class_uid
        acceptor.implementation_version_name = ae.implementation_version_name
        acceptor.supported_contexts = server.contexts
        association.requestor.address_info = AddressInformation.from_tuple(client_address)
        return association

    def _failed_handshake(self, request: socket.socket, peer: str, error: Exception) -> None:
        self.forget(request)
        with contextlib.suppress(OSError):
            request.close()
        if self.stopping:  # it was broken off by this side
            return
        try:
            with self.core.store.write() as unit:
                self.core.journal.handshake(unit, TlsFacts(error=str(error)[:200]), peer=peer)
        except StoreError as lost:
            _log.warning("a failed handshake could not be recorded: %s", lost)

    # associations

    def enter(self, association: ReceiverAssociation) -> bool:
        """Count an association that is about to be accepted; False where there are too many."""
        with self._lock:
            if len(self._associations) >= self.offer.limits.associations:
                return False
            self._associations.add(association)
            self.core.metrics.associations += 1
            return True

    def ended(self, association: ReceiverAssociation) -> None:
        """Write an association down that has ended."""
        with self._lock:
            if association in self._associations:
                self._associations.discard(association)
                self.core.metrics.associations -= 1
            self._connections.discard(association.connection)
        try:
            with self.core.store.write() as unit:
                owner = whose(self.core, association.peer, self.core.clock.now())
                seen = association.seen
                self.core.journal.association(unit, association.facts(), owner, tls=association.tls, refusal=seen.refusal)
        except StoreError as error:
            _log.warning("an association could not be recorded: %s", error)
        finally:
            with self._lock:
                self._running.discard(association)
