"""The sending side of an association: bytes as they are, what is refused, and what breaks off."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import trustme
from dose_files import DOSE_SR, EXPLICIT, SYNTAXES, ct_report, encoded
from pynetdicom import AE, evt

from acrmock.errors import SetupError
from conformance.vendors.senders.address import Peer
from conformance.vendors.senders.listening import Inbox
from conformance.vendors.senders.objects import DicomObject, of_bytes
from conformance.vendors.senders.scu import NotSent, Scu, deliver, pairs_of

OTHER_CLASS = "1.2.840.10008.5.1.4.1.1.88.33"


def made(number: int, syntax: str = EXPLICIT, *, undefined: bool = False, sop_class: str = DOSE_SR) -> DicomObject:
    """A small report in a transfer syntax."""
    report = ct_report(SOPInstanceUID=f"2.25.{number}", SOPClassUID=sop_class)
    return of_bytes(f"report {number}", encoded(report, syntax, undefined=undefined), syntax)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """One who takes anything."""
    with Inbox("TAKER", 0) as found:
        yield found


def peer(inbox: Inbox) -> Peer:
    """How to call it."""
    return Peer(ae_title="TAKER", host="127.0.0.1", port=inbox.port)


@contextmanager
def scp(store: Callable[[Any], int] | None = None, *, only: str = EXPLICIT) -> Iterator[Peer]:
    """A peer that takes dose reports in one transfer syntax and answers as told."""
    ae = AE(ae_title="PICKY")
    ae.add_supported_context(DOSE_SR, only)
    ae.add_supported_context("1.2.840.10008.1.1")
    handlers: list[Any] = [(evt.EVT_C_STORE, store or (lambda _event: 0))]
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield Peer(ae_title="PICKY", host="127.0.0.1", port=server.socket.getsockname()[1])
    finally:
        server.shutdown()


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
def test_bytes_arrive_as_they_are(inbox: Inbox, *, undefined: bool) -> None:
    """In each transfer syntax, with lengths of either kind, what arrives is what was given, byte for byte."""
    objects = [made(number, syntax, undefined=undefined) for number, syntax in enumerate(SYNTAXES)]
    answers = deliver(peer(inbox), "SENDER", objects)
    assert [answer.status for answer in answers] == [0] * len(objects)
    came = [inbox.next(5) for _ in objects]
    assert [(one.data, one.transfer_syntax) for one in came if one] == [(one.data, one.transfer_syntax) for one in objects]


def test_bytes_that_a_library_would_mend_arrive_unmended(inbox: Inbox) -> None:
    """Odd padding, group lengths, and elements that no dictionary knows go through: nothing is decoded."""
    whole = made(1)
    strange = (
        b"\x08\x00\x00\x00UL\x04\x00\xff\x00\x00\x00" + whole.data + b"\xfc\xff\xfc\xffOB\x00\x00\x04\x00\x00\x00\x00\x01\x02\x03"
    )
    sent = msgspec.structs.replace(whole, data=strange)
    assert deliver(peer(inbox), "SENDER", [sent])[0].stored
    came = inbox.next(5)
    assert came is not None
    assert came.data == strange


def test_what_a_peer_does_not_accept_is_not_sent() -> None:
    """An object whose class or transfer syntax was refused says so; the others of the association go."""
    objects = [made(1, SYNTAXES[0]), made(2), made(3, sop_class=OTHER_CLASS)]
    with scp() as picky:
        answers = deliver(picky, "SENDER", objects)
    assert [answer.status for answer in answers] == [None, 0, None]
    assert "not accepted" in answers[0].comment
    assert [answer.stored for answer in answers] == [False, True, False]


@pytest.mark.parametrize(("status", "stored"), [(0, True), (0xB007, True), (0xA700, False), (0xC001, False), (0x0122, False)])
def test_each_status_is_told(status: int, *, stored: bool) -> None:
    """Success and warnings are stored (PS3.4 table B.2-1), everything else is not."""
    with scp(lambda _event: status) as answering:
        (answer,) = deliver(answering, "SENDER", [made(1)])
    assert (answer.status, answer.stored) == (status, stored)


def test_an_association_that_breaks_is_told_for_each_object_left() -> None:
    """A peer that aborts after the first: the first is stored, the others say that the association broke."""
    seen: list[str] = []

    def store(event: Any) -> int:
        seen.append(str(event.request.AffectedSOPInstanceUID))
        if len(seen) == 2:
            event.assoc.abort()
        return 0

    with scp(store) as breaking:
        answers = deliver(breaking, "SENDER", [made(number) for number in (1, 2, 3)])
    assert [answer.stored for answer in answers] == [True, False, False]
    assert all("association" in answer.comment for answer in answers[1:])


def test_a_rejection_says_why() -> None:
    """A peer that does not know our title: nothing is sent, and its words are passed on."""
    with scp() as picky:
        ae = AE(ae_title="STRICT")
        ae.require_called_aet = True
        ae.add_supported_context("1.2.840.10008.1.1")
        server = ae.start_server(("127.0.0.1", 0), block=False)
        assert server is not None
        strict = msgspec.structs.replace(picky, port=server.socket.getsockname()[1], ae_title="WRONG")
        answers = deliver(strict, "SENDER", [made(1)])
        server.shutdown()
    assert not answers[0].stored
    assert "called AE title not recognised" in answers[0].comment.replace("Called", "called")


def test_nobody_and_somebody_else_there() -> None:
    """A closed port, and a server that speaks another language, are errors in words."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    answers = deliver(Peer(ae_title="X", host="127.0.0.1", port=port), "SENDER", [made(1)])
    assert answers[0].comment == "nobody answers there"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def greet() -> None:
            wire, _ = other.accept()
            with wire:
                wire.recv(4096)
                wire.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        answers = deliver(Peer(ae_title="X", host="127.0.0.1", port=other.getsockname()[1]), "SENDER", [made(1)])
        thread.join()
    assert "speaks no DICOM" in answers[0].comment


def test_echo_abort_and_too_many_contexts(inbox: Inbox) -> None:
    """A C-ECHO succeeds; after an abort nothing can be sent; more than 128 contexts are no association (PS3.8 9.3.2.2)."""
    with Scu(peer(inbox), "SENDER", pairs_of([made(1)])) as scu:
        assert scu.echo() == 0
        scu.abort()
        with pytest.raises(NotSent, match="association"):
            scu.store(made(1))
        with pytest.raises(NotSent, match="association"):
            scu.echo()
    with (
        pytest.raises(SetupError, match="too many kinds"),
        Scu(peer(inbox), "S", [(f"1.2.{n}", EXPLICIT) for n in range(128)]),
    ):
        pass


def test_over_tls() -> None:
    """The same over TLS; an authority that is not trusted is nobody."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ae = AE()
    ae.add_supported_context(DOSE_SR, EXPLICIT)
    ae.add_supported_context("1.2.840.10008.1.1")
    handlers: list[Any] = [(evt.EVT_C_STORE, lambda _event: 0)]
    server = ae.start_server(("127.0.0.1", 0), block=False, ssl_context=context, evt_handlers=handlers)
    assert server is not None
    found = Peer(ae_title="TLS", host="127.0.0.1", port=server.socket.getsockname()[1])
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    try:
        assert deliver(found, "SENDER", [made(1)], context=trusting)[0].stored
        assert not deliver(found, "SENDER", [made(1)], context=ssl.create_default_context())[0].stored
    finally:
        server.shutdown()
