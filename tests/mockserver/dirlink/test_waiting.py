"""Connections that say nothing, come in crumbs or end unusually: they cost nothing, hold nobody up, leave nothing behind."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from acrmock.record import AssociationEnd, TlsEntry
from mockserver.dirlink.waiting import WaitingDul
from mockserver.dirlink.wire import ReceiverDul

from .conftest import (
    ABORT,
    ASSOCIATE_AC,
    IMPLICIT,
    PDU,
    RELEASE_RP,
    Raw,
    Receive,
    Receiver,
    associate_rq,
    command,
    data_set,
    limited,
    p_data,
    pdv,
    served,
)

RELEASE = PDU.pack(5, 0, 4) + bytes(4)
ENDED = {0, ABORT}
ENGINES_OWN = "process_request_thread"


def rest(raw: Raw) -> list[int]:
    """The types of all PDUs until the connection is closed."""
    kinds = []
    while kind := raw.receive()[0]:
        kinds.append(kind)
    return kinds


def descriptors() -> int:
    """How many descriptors this process has; 0 where the system does not tell."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.is_dir() else 0


def tls_port(receiver: Receiver) -> int:
    """The port over TLS."""
    assert receiver.engine.ready is not None
    return receiver.engine.ready.dicom_tls_port or 0


def secure(receiver: Receiver, raw: Raw) -> Raw:
    """The same connection, over TLS from now on."""
    assert receiver.engine.ready is not None
    context = ssl.create_default_context(cafile=str(receiver.engine.ready.ca_file))
    raw.wire = context.wrap_socket(raw.wire, server_hostname="localhost")
    return raw


# what costs nothing


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often upper layers went round their loops, by the state that they were in."""
    counted: Counter[str] = Counter()
    whole = WaitingDul._process_recv_primitive

    def count(dul: WaitingDul) -> bool:
        counted[dul.state_machine.current_state] += 1
        return whole(dul)

    monkeypatch.setattr(WaitingDul, "_process_recv_primitive", count)
    return counted


@pytest.mark.parametrize("lean", [True])
def test_who_says_nothing_is_waited_for(receive: Receive, tmp_path: Path, rounds: Counter[str]) -> None:
    """Until it has been silent for too long, a connection wakes its threads a few times and not a thousand times a second."""
    receiver = limited(receive, tmp_path, timeout__request=1, timeout__idle=2)
    with receiver.raw() as silent:
        assert rest(silent) == []
    assert 1 <= rounds["Sta2"] < 10
    with receiver.raw() as idle:
        assert idle.associate() == ASSOCIATE_AC
        assert rest(idle) == [ABORT]
    assert 1 <= rounds["Sta6"] < 30
    assert rounds["Sta3"] + rounds["Sta8"] + rounds["Sta13"] < 30
    assert [entry.facts.end for entry in receiver.associations(2)] == [AssociationEnd.TIMED_OUT] * 2


@pytest.mark.parametrize("lean", [True])
def test_what_is_handed_on_is_answered(receiver: Receiver, rounds: Counter[str]) -> None:
    """Services that the lean path leaves to pynetdicom are answered one after the other, without rounds of waiting."""
    with receiver.raw() as raw:
        raw.associate()
        for number in range(20):
            raw.send(p_data(pdv(command(number, field_=0x0020), 3), pdv(data_set(), 2)))
            assert raw.status() not in {0, None}
        assert raw.store() == 0
        assert raw.release() == RELEASE_RP
    assert rounds["Sta6"] < 200


# what comes in crumbs


@pytest.mark.parametrize("wire", ["clear", "tls"])
def test_a_request_in_crumbs(receive: Receive, tmp_path: Path, wire: str) -> None:
    """A request byte by byte has no more time than one that does not come at all, however long an association may be silent."""
    receiver = limited(receive, tmp_path, {"dicom_tls_port": 0}, timeout__request=1, timeout__idle=600)
    octets = associate_rq(proposals=((1, "1.2." + "3" * 1000, (IMPLICIT,)),))
    with Raw(tls_port(receiver) if wire == "tls" else receiver.port) as slow:
        if wire == "tls":
            secure(receiver, slow)
        slow.wire.settimeout(0.05)
        came: bytes | None = None
        for octet in octets:
            try:
                slow.send(bytes((octet,)))
                came = slow.wire.recv(100)
                break
            except TimeoutError:
                continue
            except OSError:
                came = b""
                break
        assert came == b""
    assert receiver.associations(1)[0].facts.end is AssociationEnd.TIMED_OUT
    served(receiver)


def test_half_a_request_over_tls(receive: Receive, tmp_path: Path) -> None:
    """Half a request and then silence ends when a request should have come, over TLS too; an answer has its whole time again."""
    receiver = limited(receive, tmp_path, {"dicom_tls_port": 0}, timeout__request=2, timeout__idle=600)
    with Raw(tls_port(receiver)) as half, Raw(tls_port(receiver)) as whole:
        secure(receiver, half).send(associate_rq()[:50])
        assert secure(receiver, whole).associate() == ASSOCIATE_AC
        assert rest(half) == []
        assert whole.store() == 0
        assert whole.release() == RELEASE_RP
    assert sorted(entry.facts.end for entry in receiver.associations(2)) == [AssociationEnd.RELEASED, AssociationEnd.TIMED_OUT]


# handshakes


def test_handshakes_that_never_end(receive: Receive, tmp_path: Path) -> None:
    """A handshake that does not begin, stops amid or is none is broken off, written down, and keeps nobody waiting."""
    receiver = limited(receive, tmp_path, {"dicom_tls_port": 0}, timeout__request=1, timeout__idle=600)
    port = tls_port(receiver)
    with Raw(port) as silent, Raw(port) as amid, Raw(port) as plain:
        amid.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40)
        plain.send(associate_rq())
        with Raw(port) as good:
            assert secure(receiver, good).associate() == ASSOCIATE_AC
            assert good.release() == RELEASE_RP
        for raw in (silent, amid, plain):
            while True:
                with contextlib.suppress(ConnectionError):
                    if raw.wire.recv(1000):
                        continue
                break
    receiver.core.journal.await_entries(labels=("tls",), count=3, timeout=20)
    errors = [entry.tls.error for entry in receiver.entries() if isinstance(entry, TlsEntry)]
    assert len(errors) == 3
    assert all(errors)
    served(receiver)


def test_tls_where_none_is_spoken(receiver: Receiver) -> None:
    """A client that begins a handshake on the port in clear is aborted at once, and written down as what it was."""
    context = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as wire, pytest.raises(OSError, match=r".+"):
        context.wrap_socket(wire, server_hostname="localhost")
    facts = receiver.associations(1)[0].facts
    assert facts.end is AssociationEnd.ABORTED_BY_US
    assert "16H" in facts.error
    served(receiver)


def test_stopping_amid_handshakes(receive: Receive) -> None:
    """The end of the receiver is the end of handshakes that go on: nobody is left, and none is called a failed one."""
    receiver = receive(dicom_tls_port=0)
    with ExitStack() as stack:
        shaking = [stack.enter_context(Raw(tls_port(receiver))) for _ in range(5)]
        with Raw(tls_port(receiver)) as last:  # by then the others have been accepted
            secure(receiver, last)
        receiver.engine.stop()
        assert [raw.receive()[0] for raw in shaking] == [0] * 5
        for thread in threading.enumerate():
            if ENGINES_OWN in thread.name:
                thread.join(20)
                assert not thread.is_alive()


# the end


def test_stopping_with_idle_associations(receive: Receive) -> None:
    """Whoever has an association and says nothing is aborted when the receiver stops, and told so; no thread is left."""
    receiver = receive()
    with ExitStack() as stack:
        idle = [stack.enter_context(receiver.raw()) for _ in range(60)]
        assert {raw.associate() for raw in idle} == {ASSOCIATE_AC}
        receiver.engine.stop()
        assert ABORT in {raw.receive()[0] for raw in idle} <= ENDED  # a machine under load hangs up on the last ones
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("AcceptorThread@")]


STORE = p_data(pdv(command(), 3), pdv(data_set(), 2))
ENDS = {
    "twice": (RELEASE + RELEASE, [RELEASE_RP], AssociationEnd.RELEASED),
    "data after it": (RELEASE + STORE, [RELEASE_RP], AssociationEnd.RELEASED),
    "amid a message": (p_data(pdv(command(), 3)) + RELEASE, [RELEASE_RP], AssociationEnd.RELEASED),
    "an abort after it": (RELEASE + PDU.pack(7, 0, 4) + bytes(4), [RELEASE_RP], AssociationEnd.RELEASED),
    "an answer to none": (PDU.pack(6, 0, 4) + bytes(4), [ABORT], AssociationEnd.ABORTED_BY_US),
    "a collision": (RELEASE + PDU.pack(6, 0, 4) + bytes(4), [RELEASE_RP], AssociationEnd.RELEASED),
    "an acceptance": (PDU.pack(2, 0, 4) + bytes(4), [ABORT], AssociationEnd.ABORTED_BY_US),
    "a second request": (associate_rq(), [ABORT], AssociationEnd.ABORTED_BY_US),
}


@pytest.mark.parametrize("what", sorted(ENDS))
def test_unusual_ends(receiver: Receiver, lean: bool, what: str) -> None:  # noqa: FBT001 - a fixture
    """However a release comes, it is answered once, nothing that follows it is served, and the journal says how it ended.

    pynetdicom by itself may see what follows a release before it has answered it, and then there is no answer.
    """
    octets, answers, end = ENDS[what]
    overtaken = not lean and octets.startswith(RELEASE)
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        raw.send(octets)
        came = rest(raw)
        assert came == answers or (overtaken and came in ([], [ABORT]))
    facts = receiver.associations(1)[0].facts
    assert facts.end is end or overtaken
    assert facts.stored == 0
    assert receiver.report("2.25.1") is None
    served(receiver)


def test_a_request_after_a_release(receiver: Receiver) -> None:
    """A request on an association that was released is no new one (PS3.8 table 9-10, AA-7)."""
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        raw.send(RELEASE + associate_rq())
        assert set(rest(raw)) <= {RELEASE_RP, ABORT}
    served(receiver)


def test_many_that_break_off(receiver: Receiver) -> None:
    """Associations that end by an abort, a reset or amid a great message leave no thread, no descriptor and no count behind."""
    served(receiver)
    receiver.associations(1)
    before = descriptors()
    for number in range(60):
        with receiver.raw() as raw:
            assert raw.associate() == ASSOCIATE_AC
            if number % 3 == 0:
                raw.send(PDU.pack(7, 0, 4) + bytes(4))
            elif number % 3 == 1:
                raw.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                raw.send(p_data(pdv(command(), 3)) + p_data(pdv(bytes(50_000), 0)) * 5 + PDU.pack(7, 0, 4) + bytes(4))
                assert raw.receive()[0] == 0
    receiver.associations(61)
    for thread in threading.enumerate():
        if thread.name.startswith("AcceptorThread@"):
            thread.join(20)
            assert not thread.is_alive()
    assert receiver.core.metrics.associations == 0
    assert descriptors() <= before


@pytest.mark.parametrize("wanting", ["association", "upper layer"])
def test_no_thread_to_be_had(receive: Receive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanting: str) -> None:
    """Where the system gives no further thread the connection is closed and forgotten, and the next one is served."""
    receiver = limited(receive, tmp_path, limit__connections=2)
    whole = threading.Thread.start

    def start(thread: Any) -> None:
        if isinstance(thread, ReceiverDul) if wanting == "upper layer" else thread.name.startswith("AcceptorThread@"):
            raise RuntimeError("can't start new thread")
        whole(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        for _ in range(5):
            with receiver.raw() as raw:
                assert raw.receive()[0] == 0
    served(receiver)
    receiver.engine.stop()
