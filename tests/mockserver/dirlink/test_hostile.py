"""Senders that are wrong, slow or hostile: each gets a clear end, nobody else is held up, and nothing is kept."""

from __future__ import annotations

import random
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.record import AssociationEnd
from mockserver.dirlink.limits import offer

from .conftest import (
    ABORT,
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    DEFLATED,
    EXPLICIT,
    P_DATA,
    PDU,
    RELEASE_RP,
    REPORT_CLASS,
    Raw,
    Receiver,
    associate_rq,
    command,
    data_set,
    element,
    limited,
    p_data,
    pdv,
    served,
)

ENDED = {0, ABORT}
"""The association is aborted, or the connection closed."""


@pytest.mark.parametrize(
    ("called", "calling", "reason", "state"),
    [
        (b"", b"TESTER", 7, "malformed"),
        (b"\0" * 16, b"TESTER", 7, "malformed"),
        (b"DIR\x07LINK", b"TESTER", 7, "malformed"),
        (b"DIR\\LINK", b"TESTER", 7, "malformed"),
        (b"D\xc3\x9cRLINK", b"TESTER", 7, "malformed"),
        (b"dirlink", b"TESTER", 7, "unknown"),
        (b"DIRLINKDIRLINKDI", b"TESTER", 7, "unknown"),
        (b"DIRLINK", b"", 3, "own"),
        (b"DIRLINK", b"\x1b[31mRED", 3, "own"),
        (b"DIRLINK", b"\xff" * 16, 3, "own"),
    ],
)
def test_titles_that_cannot_be(receiver: Receiver, called: bytes, calling: bytes, reason: int, state: str) -> None:
    """An AE title that is empty, unknown or not printable is rejected with its reason, and the journal shows it harmlessly."""
    with receiver.raw() as raw:
        raw.send(associate_rq(called, calling))
        assert raw.receive() == (ASSOCIATE_RJ, bytes((0, 1, 1, reason)))
    facts = receiver.associations(1)[0].facts
    assert (facts.called_state, facts.rejection, facts.end) == (state, (1, 1, reason), AssociationEnd.REJECTED)
    assert (facts.called_ae + facts.calling_ae).isprintable()
    served(receiver)


def test_padding_of_a_title_does_not_matter(receiver: Receiver) -> None:
    """Spaces before and after an AE title are not significant (PS3.5 section 6.2)."""
    with receiver.raw() as raw:
        assert raw.associate(called=b"  DIRLINK") == ASSOCIATE_AC
        assert raw.release() == RELEASE_RP


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00" * 6,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 64,
        PDU.pack(1, 0, 0),
        PDU.pack(1, 0, 3) + b"abc",
        PDU.pack(1, 0, 0xFFFFFFFF) + b"abc",
        PDU.pack(4, 0, 0xFFFFFFFF) + b"abc",
        PDU.pack(4, 0, 6) + b"\0" * 6,
        PDU.pack(5, 0, 4) + bytes(4),
        PDU.pack(3, 0, 4) + bytes(4),
        PDU.pack(7, 0, 0),
        associate_rq()[:40] + b"\xff" * 200,
        associate_rq(proposals=()),
        associate_rq(proposals=((2, "", ()),)),
        associate_rq(proposals=((1, "x" * 300, (EXPLICIT,)),)),
        associate_rq(application_context=b""),
        associate_rq(application_context=b"\xff\xfe"),
        PDU.pack(1, 0, 68) + associate_rq()[6:74],
    ],
    ids=range(18),
)
def test_requests_that_cannot_be(receiver: Receiver, octets: bytes) -> None:
    """Whatever comes instead of a request ends the connection or is answered by the standard's PDUs; the next is served."""
    with receiver.raw() as raw:
        raw.send(octets)
        raw.wire.shutdown(1)
        kind, _ = raw.receive()
        assert kind in {0, ASSOCIATE_AC, ASSOCIATE_RJ, ABORT}
    receiver.associations(1)
    served(receiver)


def test_wrong_protocol_version(receiver: Receiver) -> None:
    """Another protocol version is rejected by the service provider (PS3.8 table 9-21)."""
    with receiver.raw() as raw:
        raw.send(associate_rq(version=2))
        assert raw.receive() == (ASSOCIATE_RJ, bytes((0, 1, 2, 2)))
    assert receiver.associations(1)[0].facts.rejection == (1, 2, 2)
    served(receiver)


BAD_DATA = {
    "empty PDU": PDU.pack(4, 0, 0),
    "PDU too long": PDU.pack(4, 0, 0x7FFFFFFF),
    "longer than agreed": PDU.pack(4, 0, 200_000) + bytes(200_000),
    "value without header": p_data(struct.pack(">L", 1) + b"\1"),
    "value of no length": p_data(struct.pack(">LBB", 0, 1, 3)),
    "value longer than its PDU": p_data(struct.pack(">LBB", 5000, 1, 3)),
    "value of 4 GB": p_data(struct.pack(">LBB", 0xFFFFFFFF, 1, 3) + b"x" * 100),
    "context that was not accepted": p_data(pdv(command(data=False), 3, 99)),
    "data before the command": p_data(pdv(data_set(), 2)),
    "command after data has begun": p_data(pdv(command(), 3), pdv(b"abc", 0), pdv(command(), 3)),
    "another context amid a message": p_data(pdv(command()[:20], 1), pdv(command()[20:], 3, 3)),
    "no command set": p_data(pdv(b"", 3)),
    "command set of noise": p_data(pdv(b"\xde\xad\xbe\xef" * 8, 3)),
    "command set cut short": p_data(pdv(command()[:-7], 3)),
    "element longer than its set": p_data(pdv(struct.pack("<HHL", 0, 2, 0xFFFFFFF0), 3)),
    "an answer": p_data(pdv(command(field_=0x8001, data=False), 3)),
    "unknown PDU": PDU.pack(9, 0, 0),
    "a second request": associate_rq(),
}
ONLY_LEAN = {
    "an answer",
    "empty PDU",
    "command set cut short",
    "data before the command",
    "command after data has begun",
    "another context amid a message",
    "value of no length",
}
"""What pynetdicom by itself takes for something else, or waits for more of."""


@pytest.mark.parametrize("what", sorted(BAD_DATA))
def test_data_that_cannot_be(receiver: Receiver, lean: bool, what: str) -> None:  # noqa: FBT001 - a fixture
    """What breaks the rules of P-DATA ends the association with an abort; nothing is kept, and the next is served."""
    with receiver.raw() as raw:
        raw.associate()
        raw.send(BAD_DATA[what])
        if not lean and what in ONLY_LEAN:
            raw.wire.shutdown(1)
        kind, _ = raw.receive()
        assert kind in ENDED or (kind == P_DATA and not lean and what in ONLY_LEAN)
    end = receiver.associations(1)[0].facts.end
    assert end is not AssociationEnd.RELEASED
    assert receiver.report("2.25.1") is None
    served(receiver)


def test_random_pdus(receiver: Receiver) -> None:
    """Random octets, before and after association, in and around valid PDUs: none takes the receiver down."""
    drawn = random.Random(20_260_302)  # noqa: S311 - a test's own
    good = p_data(pdv(command(), 3), pdv(data_set(), 2))
    for number in range(60):
        with receiver.raw() as raw:
            if number % 3:
                assert raw.associate() == ASSOCIATE_AC
            octets = bytearray(good if number % 2 else associate_rq())
            for _ in range(drawn.randint(1, 8)):
                octets[drawn.randrange(len(octets))] = drawn.randrange(256)
            raw.send(bytes(octets) + drawn.randbytes(drawn.randint(0, 40)))
            raw.wire.shutdown(1)
            kind = -1
            while kind not in ENDED:
                kind, _ = raw.receive()
    receiver.associations(60)
    served(receiver)


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_fragments_of_any_size(receiver: Receiver, pieces: int) -> None:
    """A message in fragments of a few octets, over PDUs and TCP segments cut anywhere, is one message."""
    whole = command(), data_set()
    values = []
    for octets, bit in zip(whole, (1, 0), strict=True):
        parts = [octets[at : at + pieces] for at in range(0, len(octets), pieces)]
        values += [pdv(part, bit) for part in parts[:-1]] + [pdv(parts[-1], bit | 2)]
    stream = b"".join(p_data(*values[at : at + 3]) for at in range(0, len(values), 3))
    with receiver.raw() as raw:
        raw.associate()
        for at in range(0, len(stream), 1000):
            raw.send(stream[at : at + 1000])
        assert raw.status() == 0
    kept = receiver.report("2.25.1")
    assert kept is not None
    assert receiver.core.objects.get(("default", "test"), "2.25.1", kept.sha256) == data_set()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x08",
        data_set()[:60],
        data_set()[:-35],
        b"\xff" * 200,
        element(0x00080016, b"UI", b"1.2")[:-1],
        struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) * 500,
        struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, 0x7FFFFFFF),
    ],
    ids=range(8),
)
def test_data_sets_that_cannot_be_read(receiver: Receiver, octets: bytes) -> None:
    """A data set that cannot be read as far as the birth date gets C000H, is not kept, and the association goes on."""
    with receiver.raw() as raw:
        raw.associate()
        assert raw.store(data=octets) in ({0xC000, 0xC001} if octets else {0xC000, 0xC001, None})
        if octets:
            assert raw.store("2.25.5") == 0
    assert receiver.report("2.25.1") is None


@pytest.mark.parametrize("uid", ["../../etc/passwd", "1.2/../3", "..\\..\\x", "1.2 3", "1.2;DROP", "%2e%2e", "1" * 64 + ".."])
def test_uids_that_are_none(receiver: Receiver, uid: str) -> None:
    """A SOP Instance UID that is no UID is refused and not kept; the next object is taken."""
    with receiver.raw() as raw:
        raw.associate()
        answer = raw.store(uid)
        assert answer in {0x0117, None}
        assert receiver.report(uid) is None
    served(receiver)


def test_hyphen_and_leading_zeros_are_kept(receiver: Receiver) -> None:
    """UIDs as real devices send them, with a leading zero or a hyphen, are taken: a report must not be lost for it."""
    with receiver.raw() as raw:
        raw.associate()
        assert [raw.store(uid) for uid in ("1.2.03.4", "1.2.-3.4")] == [0, 0]


@pytest.fixture
def small(receive: Callable[..., Receiver], tmp_path: Path) -> Receiver:
    """A receiver that takes little, and waits for its senders as long as any other."""
    return limited(receive, tmp_path, limit__object_bytes=4096, limit__associations=3)


@pytest.fixture
def impatient(receive: Callable[..., Receiver], tmp_path: Path) -> Receiver:
    """A receiver that waits for nobody long, yet long enough for a sender that goes on."""
    return limited(receive, tmp_path, timeout__idle=3, timeout__request=3)


def test_data_set_over_the_limit(small: Receiver) -> None:
    """A data set longer than the limit is read to its end, not kept, and gets A700H; the next one is taken."""
    huge = data_set(more=element(0x7FE00010, b"OB", bytes(60_000)))
    with small.raw() as raw:
        raw.associate()
        assert raw.store(data=huge) == 0xA700
        assert raw.store() == 0
    entry = small.operations()[0]
    assert entry.facts.bytes == len(huge)
    assert entry.refusal is not None


def test_deflate_bomb(receiver: Receiver) -> None:
    """A small deflated data set that inflates to hundreds of megabytes is answered by its header alone, and kept as it came."""
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(data_set()) + packer.compress(element(0x7FE00010, b"OB", b"")[:-4] + struct.pack("<L", 0x10000000))
    for _ in range(256):
        bomb += packer.compress(bytes(1 << 20))
    bomb += packer.flush()
    assert len(bomb) < 400_000
    with receiver.raw() as raw:
        assert raw.associate(proposals=((1, REPORT_CLASS, (DEFLATED,)),)) == ASSOCIATE_AC
        values = [pdv(bomb[at : at + 16000], 2 if at + 16000 >= len(bomb) else 0) for at in range(0, len(bomb), 16000)]
        raw.send(p_data(pdv(command(), 3)) + b"".join(p_data(value) for value in values))
        assert raw.status() == 0
    kept = receiver.report("2.25.1")
    assert kept is not None
    assert kept.size == len(bomb)
    assert receiver.core.objects.get(("default", "test"), "2.25.1", kept.sha256) == bomb


def test_a_large_deflated_report_is_taken(receiver: Receiver) -> None:
    """One of more bytes than are inflated to answer is taken by its header, be the length of its content stated or not."""
    inside = element(0x0040A160, b"UT", b"words " * 700_000)
    stated = struct.pack("<HH2sHL", 0x0040, 0xA730, b"SQ", 0, len(inside) + 8) + struct.pack("<HHL", 0xFFFE, 0xE000, len(inside))
    opened = struct.pack("<HH2sHL", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    closed = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    with receiver.raw() as raw:
        raw.associate(proposals=((1, REPORT_CLASS, (DEFLATED,)),))
        for uid, more in (("2.25.1", stated + inside), ("2.25.2", opened + inside + closed)):
            packer = zlib.compressobj(9, wbits=-15)
            assert raw.store(uid, packer.compress(data_set(uid, more=more)) + packer.flush()) == 0


def test_stalled_associations_hold_nobody_up(impatient: Receiver) -> None:
    """A connection that says nothing, one that stops amid a PDU and one that stops amid a message end by themselves."""
    with impatient.raw() as silent, impatient.raw() as amid, impatient.raw() as half:
        amid.associate()
        amid.send(PDU.pack(4, 0, 1000) + b"abc")
        half.associate()
        half.send(p_data(pdv(command(), 3)))
        with impatient.raw() as raw:
            raw.associate()
            assert raw.store() == 0
            raw.release()
        for stalled in (silent, amid, half):
            kind = -1
            while kind not in ENDED:
                kind, _ = stalled.receive()
    ends = [entry.facts.end for entry in impatient.associations(4)]
    assert sorted(ends) == sorted([AssociationEnd.RELEASED, *[AssociationEnd.TIMED_OUT] * 3])


def test_limit_of_associations(small: Receiver) -> None:
    """One association more than the limit is rejected for the moment (transient, local limit exceeded)."""
    open_ = [small.raw() for _ in range(3)]
    assert [raw.associate() for raw in open_] == [ASSOCIATE_AC] * 3
    with small.raw() as raw:
        raw.send(associate_rq())
        assert raw.receive() == (ASSOCIATE_RJ, bytes((0, 2, 3, 2)))
    assert open_[0].release() == RELEASE_RP
    small.associations(2)
    with small.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        assert raw.release() == RELEASE_RP
    for raw in open_:
        raw.wire.close()


def test_many_associations_at_once(receive: Callable[..., Receiver]) -> None:
    """64 associations are open and each is served, whatever the others do."""
    receiver = receive()
    open_: list[Raw] = [receiver.raw() for _ in range(64)]
    for raw in open_:
        raw.send(associate_rq())
    assert {raw.receive()[0] for raw in open_} == {ASSOCIATE_AC}
    assert receiver.core.metrics.associations == 64
    served(receiver)
    assert {raw.store(f"2.25.{number}") for number, raw in enumerate(open_)} == {0}
    for raw in open_:
        raw.wire.close()


def test_aborts_and_lost_connections(receiver: Receiver) -> None:
    """A sender that aborts or goes away is written down as that, with what it had stored."""
    with receiver.raw() as raw:
        raw.associate()
        raw.store()
        raw.send(PDU.pack(7, 0, 4) + bytes(4))
        assert raw.receive()[0] == 0
    with receiver.raw() as raw:
        raw.associate()
        raw.send(p_data(pdv(command(), 3)))
    ends = {(entry.facts.end, entry.facts.stored) for entry in receiver.associations(2)}
    assert ends == {(AssociationEnd.ABORTED, 1), (AssociationEnd.LOST, 0)}


def test_stopping_waits_for_nobody(receive: Callable[..., Receiver]) -> None:
    """Connections that say nothing, or stop amid a PDU, do not hold up the end: each would for as long as the limits allow."""
    receiver = receive()
    silent = [receiver.raw() for _ in range(20)]
    amid = [receiver.raw() for _ in range(20)]
    for raw in amid:
        assert raw.associate() == ASSOCIATE_AC
        raw.send(PDU.pack(4, 0, 1000) + b"abc")
    receiver.engine.stop()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("AcceptorThread@")]
    for raw in (*silent, *amid):
        assert raw.receive()[0] in ENDED
        raw.wire.close()


def test_two_states_of_one_word(tmp_path: Path) -> None:
    """An overlay that gives two states one word is refused: nobody could tell them apart."""
    overlay = tmp_path / "same.yaml"
    held = "  dirlink.state.held: {value: RECEIVED, provenance: mock-choice, sources: [MOCK]}\n"
    overlay.write_text("schema: acrmock/layer/1\nkind: settings\nsettings:\n" + held)
    with pytest.raises(SetupError, match="the same word"):
        offer(load_facts([overlay]))
