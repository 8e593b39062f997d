"""The answers to what is sent are taken by whoever sent it, however late the association's own thread runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from dose_files import EXPLICIT, ct_report, encoded
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider

from conformance.vendors.senders.address import Peer
from conformance.vendors.senders.checkpoint import Checkpoint
from conformance.vendors.senders.listening import Inbox
from conformance.vendors.senders.objects import DicomObject, of_bytes
from conformance.vendors.senders.scu import Scu, pairs_of

SOON = 0.5
"""Seconds in which a sender that waits for nobody has sent."""
LONG = 20.0


def made(number: int) -> DicomObject:
    """A small report."""
    return of_bytes(f"report {number}", encoded(ct_report(SOPInstanceUID=f"2.25.{number}"), EXPLICIT), EXPLICIT)


class Late:
    """Holds the thread of a sender's association, once, between leaving its checkpoint and saying so.

    If a message is sent meanwhile, the thread looks for messages just when the answer comes, and before the sender does.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.armed, self.overtaken = False, False
        self.left, self.sent, self.looked = threading.Event(), threading.Event(), threading.Event()
        self.taken: list[Any] = []
        get, send = DIMSEServiceProvider.get_msg, DIMSEServiceProvider.send_msg

        def set_paused(association: Any, value: bool) -> None:  # noqa: FBT001 - a setter
            if self.armed and not value and threading.current_thread() is association and association.is_requestor:
                self.armed = False
                self.left.set()
                self.overtaken = self.sent.wait(SOON)
            association.__dict__["paused"] = value

        def get_msg(dimse: Any, block: bool = False) -> Any:  # noqa: FBT001, FBT002 - pynetdicom's signature
            if not dimse.assoc.is_requestor or not self.left.is_set():
                return get(dimse, block)
            if threading.current_thread() is not dimse.assoc:
                assert self.looked.wait(LONG)
                assert self.taken == [], "the association's thread took the answer"
                return get(dimse, block)
            found = get(dimse, self.overtaken)
            self.overtaken = False
            self.taken += [found[1]] if found[1] is not None else []
            self.looked.set()
            return found

        def send_msg(dimse: Any, *args: Any) -> None:
            send(dimse, *args)
            if self.left.is_set() and dimse.assoc.is_requestor:
                self.sent.set()

        paused = property(lambda association: association.__dict__["paused"], set_paused)
        patch.setattr(Association, "_is_paused", paused, raising=False)
        patch.setattr(DIMSEServiceProvider, "get_msg", get_msg)
        patch.setattr(DIMSEServiceProvider, "send_msg", send_msg)

    def strike(self) -> None:
        """Hold the thread when it next leaves its checkpoint; returns when it has."""
        self.armed = True
        assert self.left.wait(LONG)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """One who takes anything."""
    with Inbox("TAKER", 0) as inbox:
        yield Peer(ae_title="TAKER", host="127.0.0.1", port=inbox.port)


@pytest.mark.parametrize("what", ["store", "echo"])
def test_a_late_thread_takes_no_answer(what: str, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that was let go after one message, and has not run on when the next is sent, leaves the answer to the sender."""
    late = Late(monkeypatch)
    with Scu(peer, "SENDER", pairs_of([made(1)])) as scu:
        assert scu.store(made(1)).stored
        late.strike()
        assert (scu.echo() == 0) if what == "echo" else scu.store(made(2)).stored
        assert late.looked.is_set()


def test_whoever_was_let_go_and_stopped_again_does_nothing_meanwhile() -> None:
    """While the checkpoint is held its thread is in no round, however quickly it was opened and closed before."""
    rounds, ended, going = [0, 0], threading.Event(), [True]

    def run() -> None:
        while going[0]:
            checkpoint.wait()
            rounds[0] += 1
            rounds[1] += 1
        ended.set()

    thread = threading.Thread(target=run, daemon=True)
    checkpoint = Checkpoint(thread)
    thread.start()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(500):
            with checkpoint.held():
                begun = rounds[0]
                assert rounds == [begun, begun]
    finally:
        sys.setswitchinterval(before)
        going[0] = False
    assert ended.wait(LONG)


def test_nobody_waits_for_a_thread_that_has_ended_or_for_itself() -> None:
    """A checkpoint whose thread ended before it came there, or that its own thread closes, is closed at once."""
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join(LONG)
    with Checkpoint(ended).held():
        pass
    Checkpoint(threading.current_thread()).clear()


def test_a_thread_that_ends_on_its_way_is_not_waited_for() -> None:
    """Who waits for a thread that ends instead of coming to the checkpoint goes on."""
    go, closed = threading.Event(), threading.Event()
    thread = threading.Thread(target=go.wait, args=(LONG,))
    checkpoint = Checkpoint(thread)
    thread.start()

    def close() -> None:
        checkpoint.clear()
        closed.set()

    waiting = threading.Thread(target=close)
    waiting.start()
    assert not closed.is_set()
    go.set()
    assert closed.wait(LONG)
    waiting.join(LONG)
    thread.join(LONG)
