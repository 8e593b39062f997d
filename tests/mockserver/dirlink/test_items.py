"""Items of a request that the receiver does not know are ignored; items that cannot be are an abort, written down."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.record import AssociationEnd
from mockserver.dirlink.items import VARIABLE_ITEMS, known_items
from mockserver.dirlink.pdata import BadPdu

from .conftest import ABORT, ASSOCIATE_AC, EXPLICIT, IMPLICIT, PDU, RELEASE_RP, REPORT_CLASS, Raw, Receiver, associate_rq, item

BY_USER = bytes(4)
"""The body of the A-ABORT for a request that cannot be: source service-user, reason not significant (PS3.8 table 9-9, AA-1)."""

UNKNOWN_USER = (b"", b"\xff", b"x" * 300)
APPLICATION = item(0x10, b"1.2.840.10008.3.1.1.1")
CONTEXT = item(0x20, bytes((1, 0, 0, 0)) + item(0x30, REPORT_CLASS.encode()) + item(0x40, EXPLICIT.encode()))
USER = item(0x51, struct.pack(">L", 65536)) + item(0x52, b"2.25.99")


def request(variable: bytes) -> bytes:
    """A request with these variable items."""
    body = associate_rq()[6:VARIABLE_ITEMS] + variable
    return PDU.pack(1, 0, len(body)) + body


def lies(inner: bytes, *, by: int) -> bytes:
    """An item of type 50H that says another length than it has."""
    return struct.pack(">BBH", 0x50, 0, len(inner) + by) + inner


IGNORED = {
    "unknown user information first": APPLICATION + CONTEXT + item(0x50, item(0x5A, b"new") + USER),
    "unknown user information last": APPLICATION + CONTEXT + item(0x50, USER + item(0xFE, b"new")),
    "many of them": APPLICATION + CONTEXT + item(0x50, b"".join(item(0x60 + n % 90, b"\0" * (n % 7)) for n in range(99)) + USER),
    "the answer's user identity": APPLICATION + CONTEXT + item(0x50, USER + item(0x59, b"\0\0")),
    "unknown variable items": item(0xEE, b"") + APPLICATION + item(0x60, b"") + CONTEXT + item(0x50, USER) + item(0x11, b"x"),
    "an answer's context": APPLICATION + item(0x21, bytes(4)) + CONTEXT + item(0x50, USER),
    "unknown part of a context": APPLICATION
    + item(0x20, bytes((1, 0, 0, 0)) + item(0x77, b"?") + item(0x30, REPORT_CLASS.encode()) + item(0x40, EXPLICIT.encode()))
    + item(0x50, USER),
}


@pytest.mark.parametrize("variable", IGNORED.values(), ids=IGNORED)
def test_unknown_items_are_ignored(receiver: Receiver, variable: bytes) -> None:
    """An association is accepted whatever unknown items its request has, and serves (PS3.8 section D.2, note 2)."""
    with receiver.raw() as raw:
        raw.send(request(variable))
        assert raw.receive()[0] == ASSOCIATE_AC
        assert raw.store("2.25.71") == 0
        assert raw.release() == RELEASE_RP
    facts = receiver.associations(1)[0].facts
    assert facts.end is AssociationEnd.RELEASED
    assert [context.result for context in facts.contexts] == [0]
    assert (facts.maximum_length, facts.implementation_uid) == (65536, "2.25.99")


MALFORMED = {
    "a user item longer than the request": APPLICATION + CONTEXT + lies(USER, by=1),
    "a user item that ends amid a sub-item": APPLICATION + CONTEXT + lies(USER, by=-2) + USER,
    "a sub-item longer than its item": APPLICATION + CONTEXT + item(0x50, USER + struct.pack(">BBH", 0x55, 0, 200) + b"V"),
    "an unknown sub-item longer than its item": APPLICATION + CONTEXT + item(0x50, USER + struct.pack(">BBH", 0x5A, 0, 9)),
    "an unknown item of 64 kB that is not there": APPLICATION + CONTEXT + item(0x50, USER) + struct.pack(">BBH", 0xEE, 0, 0xFFFF),
    "half an item's header": APPLICATION + CONTEXT + item(0x50, USER) + b"\xee\0",
    "a context without its header": APPLICATION + item(0x20, b"\1\0") + item(0x50, USER),
    "a context without abstract syntax": APPLICATION
    + item(0x20, bytes((1, 0, 0, 0)) + item(0x40, EXPLICIT.encode()))
    + item(0x50, USER),
    "a context without transfer syntax": APPLICATION
    + item(0x20, bytes((1, 0, 0, 0)) + item(0x30, REPORT_CLASS.encode()))
    + item(0x50, USER),
    "a context with an empty transfer syntax": APPLICATION
    + item(0x20, bytes((1, 0, 0, 0)) + item(0x30, REPORT_CLASS.encode()) + item(0x40, b"\0"))
    + item(0x50, USER),
    "a context with two abstract syntaxes": APPLICATION
    + item(0x20, bytes((1, 0, 0, 0)) + item(0x30, REPORT_CLASS.encode()) * 2 + item(0x40, EXPLICIT.encode()))
    + item(0x50, USER),
}


@pytest.mark.parametrize("variable", MALFORMED.values(), ids=MALFORMED)
def test_items_that_cannot_be(receiver: Receiver, variable: bytes) -> None:
    """A length that cannot be, or a context of no syntax, is an A-ABORT (PS3.8 table 9-10, event 19), written down with why."""
    with receiver.raw() as raw:
        raw.send(request(variable))
        assert raw.receive() == (ABORT, BY_USER)
    facts = receiver.associations(1)[0].facts
    assert facts.end is AssociationEnd.ABORTED_BY_US
    assert facts.error.startswith("a PDU that cannot be decoded: ")
    assert len(facts.error) > len("a PDU that cannot be decoded: ")


def test_a_known_request_stays_as_it_is() -> None:
    """A request of known items only comes out byte for byte, so nothing is lost by the filter."""
    octets = associate_rq(proposals=((1, REPORT_CLASS, (EXPLICIT, IMPLICIT)), (3, "1.2.840.10008.1.1", (IMPLICIT,))))
    assert bytes(known_items(octets)) == octets


_ITEMS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=12)


@given(variable=_ITEMS, user=_ITEMS)
def test_what_is_kept(variable: list[tuple[int, bytes]], user: list[tuple[int, bytes]]) -> None:
    """Only known types are kept, in their order, and filtering twice is filtering once."""
    plain = [(kind, body) for kind, body in variable if kind not in {0x20, 0x50}]
    octets = request(b"".join(item(*one) for one in plain) + item(0x50, b"".join(item(*one) for one in user)))
    kept = known_items(octets)
    wanted = b"".join(item(*one) for one in plain if one[0] == 0x10)
    wanted += item(0x50, b"".join(item(*one) for one in user if 0x51 <= one[0] <= 0x58))
    assert bytes(kept) == request(wanted)
    assert known_items(kept) == kept


@given(st.binary(max_size=400))
def test_random_variable_items(octets: bytes) -> None:
    """Whatever stands for the variable items, the filter gives a request that is no longer, or says what cannot be."""
    with suppress(BadPdu):
        assert len(known_items(request(octets))) <= len(request(octets))


def test_random_requests_are_answered(receiver: Receiver) -> None:
    """A request whose items were changed at random places is accepted, rejected or aborted; the next is served."""
    whole = request(IGNORED["unknown variable items"])
    for place in range(VARIABLE_ITEMS, len(whole), 11):
        octets = bytearray(whole)
        octets[place] ^= 0xFF
        with Raw(receiver.port) as raw:
            raw.send(bytes(octets))
            raw.wire.shutdown(1)
            assert raw.receive()[0] in {0, 2, 3, 7}
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        assert raw.release() == RELEASE_RP
