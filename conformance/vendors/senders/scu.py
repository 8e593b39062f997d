"""The sending side of an association (PS3.4 Annexes A and B) on pynetdicom: objects go over the wire byte for byte.

pynetdicom would decode a data set to send it; here its bytes are handed to the DIMSE provider as they are, because a forwarder
must not change them.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Self

import msgspec

from acrmock.errors import SetupError
from conformance.vendors.senders.address import Peer
from conformance.vendors.senders.checkpoint import Checkpoint
from conformance.vendors.senders.objects import DicomObject

VERIFICATION = "1.2.840.10008.1.1"
SUCCESS = 0
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
_MOST_CONTEXTS = 128


class NotSent(Exception):  # noqa: N818 - says what became of an object
    """The association could not be had, or broke."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one object: the status of its C-STORE (None: no answer), or why it was not sent."""

    object: DicomObject
    status: int | None = None
    comment: str = ""

    @property
    def stored(self) -> bool:
        """Whether it was taken, be it with a warning (PS3.4 section B.2.3)."""
        return self.status is not None and (self.status == SUCCESS or 0xB000 <= self.status <= 0xBFFF)


Pair = tuple[str, str]


def pairs_of(objects: Iterable[DicomObject]) -> tuple[Pair, ...]:
    """The (SOP class, transfer syntax) pairs that objects need, each once."""
    return tuple(dict.fromkeys((item.sop_class, item.transfer_syntax) for item in objects))


class Scu:
    """One association, open while the context is; released at its end unless it was aborted. Raises `NotSent`."""

    def __init__(
        self,
        peer: Peer,
        calling_ae: str,
        pairs: Sequence[Pair],
        *,
        context: ssl.SSLContext | None = None,
        source: str = "",
    ) -> None:
        self._peer = peer
        self._calling = calling_ae
        self._pairs = tuple(dict.fromkeys(((VERIFICATION, "1.2.840.10008.1.2"), *pairs)))
        self._context = context
        self._source = source
        self._association: Any = None
        self._message = 0

    def __enter__(self) -> Self:
        from pynetdicom import AE, evt

        if len(self._pairs) > _MOST_CONTEXTS:
            count = str(len(self._pairs))
            raise SetupError("too many kinds of objects for one association", expected=str(_MOST_CONTEXTS), actual=count)
        ae = AE(ae_title=self._calling)
        ae.connection_timeout, ae.acse_timeout, ae.dimse_timeout, ae.network_timeout = (
            CONNECT_SECONDS, ANSWER_SECONDS, ANSWER_SECONDS, ANSWER_SECONDS,
        )  # fmt: skip
        for sop_class, syntax in self._pairs:
            ae.add_requested_context(sop_class, syntax)
        more: dict[str, Any] = {}
        if self._context is not None:
            more["tls_args"] = (self._context, self._peer.host)
        if self._source:
            more["bind_address"] = (self._source, 0)
        reached: list[Any] = []
        more["evt_handlers"] = [(evt.EVT_CONN_OPEN, reached.append)]
        self._association = ae.associate(self._peer.host, self._peer.port, ae_title=self._peer.ae_title, **more)
        if not self._association.is_established:
            raise NotSent(_why(self._association) if reached else self._unreached())
        self._checkpoint = self._association._reactor_checkpoint = Checkpoint(self._association)  # noqa: SLF001 - it says why
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self._checkpoint.held():
            if self._association.is_established:
                (self._association.abort if kind is not None else self._association.release)()

    def _unreached(self) -> str:
        """Why nobody was reached: pynetdicom does not say that a handshake failed, so it is tried once more."""
        if self._context is None:
            return "nobody answers there"
        try:
            with (
                socket.create_connection((self._peer.host, self._peer.port), CONNECT_SECONDS) as plain,
                self._context.wrap_socket(plain, server_hostname=self._peer.host),
            ):
                return "the connection broke off"
        except ssl.SSLCertVerificationError as error:
            return f"TLS: the peer's certificate is not trusted: {error.verify_message}"
        except ssl.SSLError as error:
            return f"TLS: the handshake failed: {error.reason or error}"
        except OSError:
            return "nobody answers there"

    def abort(self) -> None:
        """Break the association off (A-ABORT)."""
        self._association.abort()

    def echo(self) -> int | None:
        """A C-ECHO; its status, None without an answer. Raises `NotSent` where the association is gone."""
        with self._held():
            answer = self._association.send_c_echo()
        return int(answer.Status) if "Status" in answer else None

    def store(self, item: DicomObject) -> Answer:
        """A C-STORE of the object's bytes (PS3.7 section 9.1.1); raises `NotSent` where the association is gone."""
        from pynetdicom.dimse_primitives import C_STORE

        number = self._accepted(item)
        if number is None:
            return Answer(object=item, comment="its class or transfer syntax was not accepted")
        self._message = self._message % 65535 + 1
        request = C_STORE()
        request.MessageID, request.Priority = self._message, 2
        request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = item.sop_class, item.sop_instance
        request.DataSet = BytesIO(item.data)
        answer = self._exchange(request, number)
        if answer is None or answer.Status is None:
            raise NotSent("no answer came: the association broke off, or the peer took too long")
        return Answer(object=item, status=int(answer.Status), comment=str(getattr(answer, "ErrorComment", "") or ""))

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Have the answers for oneself; raises `NotSent` where the association is gone."""
        with self._checkpoint.held():
            if not self._association.is_established:
                raise NotSent("the association is gone")
            yield

    def _exchange(self, request: Any, number: int) -> Any:
        # as in pynetdicom's own send_c_store, which offers no way to send bytes as they are
        with self._held():
            self._association.dimse.send_msg(request, number)
            _, answer = self._association.dimse.get_msg(block=True)
        return answer

    def _accepted(self, item: DicomObject) -> int | None:
        for context in self._association.accepted_contexts:
            if context.abstract_syntax == item.sop_class and context.transfer_syntax[0] == item.transfer_syntax:
                return int(context.context_id)
        return None


def _why(association: Any) -> str:
    if association.is_rejected:
        primitive = association.acceptor.primitive
        return f"rejected: {primitive.result_str}, {primitive.source_str}: {primitive.reason_str}" if primitive else "rejected"
    return "the peer broke the association off, or speaks no DICOM"


def deliver(peer: Peer, calling_ae: str, objects: Sequence[DicomObject], **options: Any) -> list[Answer]:
    """All objects over one association; one that cannot be sent says why, and the others still go."""
    found: list[Answer] = []
    try:
        with Scu(peer, calling_ae, pairs_of(objects), **options) as scu:
            found += (scu.store(item) for item in objects)
    except NotSent as error:
        found += (Answer(object=item, comment=str(error)) for item in objects[len(found) :])
    return found
