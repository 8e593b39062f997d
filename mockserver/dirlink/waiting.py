"""The upper layer's waiting before an association is established and after its release was asked for.

pynetdicom's upper layer looks every millisecond at the socket and at what its own side wants to send: a connection that says
nothing costs it a part of a core. Here the one is waited for that can move the state machine on (PS3.8 table 9-10): the own
side where it has to answer the peer, and the network everywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mockserver.dirlink.lean import ESTABLISHED, Bell, LeanDul, Ringing

if TYPE_CHECKING:
    from mockserver.dirlink.association import ReceiverAssociation
    from mockserver.dirlink.pdata import Message
    from mockserver.dirlink.wire import ReceiverSocket

_OWN_TURN = frozenset({"Sta3", "Sta8"})
"""States in which the own side has to answer: to a request for an association, to one for its release (PS3.8 section 9.2.1)."""

_CLOSING = "Sta13"
_WAIT = 0.05
"""Seconds that the own side is waited for before the network is looked at: the peer may abort meanwhile."""

_LONGEST = 1.0
"""Seconds that anything is waited for before the timers are looked at, which go by a clock that may be set."""


class WaitingDul(LeanDul):
    """The lean upper layer, which also waits where pynetdicom's polls; `bell` is rung when it is over."""

    def __init__(self, assoc: ReceiverAssociation, bell: Bell) -> None:
        super().__init__(assoc, bell)
        self._bell, self._own, self._over = bell, Bell(), False
        self.to_provider_queue = Ringing(self._own)

    def run_reactor(self) -> None:
        """Run until the association is over, and say so to the association's thread at once."""
        self.assoc._dul_ready.set()  # noqa: SLF001 - what pynetdicom's own method does first, and then sleeps
        try:
            super().run_reactor()
        finally:
            self._over = True
            self._bell.set()

    def is_alive(self) -> bool:
        """Whether the reactor runs: the thread itself ends a moment after it, when its last bell was rung."""
        return not self._over and super().is_alive()

    def _is_transport_event(self) -> bool:
        """Whether something came from the network, which is waited for unless something is to be done first."""
        state = self.state_machine.current_state
        if state in _OWN_TURN:
            self._await_own(_WAIT)
            if self._process_recv_primitive():
                return False
        elif state not in {ESTABLISHED, _CLOSING} and self.event_queue.empty():
            cast("ReceiverSocket", self.socket).wait(min(max(0.0, self.artim_timer.remaining), _LONGEST))
        return super()._is_transport_event()

    def _await_own(self, seconds: float) -> None:
        """Wait until the own side has something to send, unless an event is to be worked off first."""
        self._own.wait(0.0)  # what rang before
        if self.to_provider_queue.empty() and self.event_queue.empty():
            self._own.wait(seconds)

    def _hand_on(self, message: Message) -> None:
        """Give a message to pynetdicom and wait for its answer: the next message comes after that."""
        super()._hand_on(message)
        self._await_own(_LONGEST)
