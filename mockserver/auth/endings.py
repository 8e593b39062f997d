"""Forgetting what has long ended: codes, tokens and their families leave the store some time after their end.

Until then a reused code or an expired token is told from an invented one, and the recorder knows it. Each unit that issues
something forgets a few of the oldest, so that the store stays bounded and no unit takes long.
"""

from __future__ import annotations

import msgspec

from mockserver.auth.model import CODE, FAMILY, SESSION, TOKEN
from mockserver.context import Call
from mockserver.journal import SECRET
from mockserver.store import GLOBAL

ENDING = "auth.ending"
"""The kind under which ends stand, in the global scope; keys begin with the second in which to forget."""

AT_ONCE = 8
"""How many are forgotten in one unit at most; more than one unit issues, so that they become fewer."""

_DIGITS = 12
_NEVER = "~"
"""A place behind all others."""


class Ending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ends: the state of `kind` under `key` of an application's environment; its secret's mark goes with it.

    `beside`: marks of other secrets that go with it.
    """

    kind: str
    application: str
    environment: str
    key: str
    beside: tuple[str, ...] = ()


def note_ending(call: Call, kind: str, key: str, ends: float, *, beside: tuple[str, ...] = ()) -> None:
    """Remember in the call's unit that the state of `kind` under `key` ends at `ends` (protocol time, seconds since 1970).

    The secrets whose marks are `beside` end with it, so that what is issued together is one thing to write.
    """
    second = int(ends + call.settings.number("auth.memory"))
    ending = Ending(kind=kind, application=call.scope[0], environment=call.scope[1], key=key, beside=beside)
    place = f"{second:0{_DIGITS}d}/{kind}/{key}"
    call.unit.put(ENDING, GLOBAL, place, ending)
    call.engine.first_ending = min(call.engine.first_ending, place)


def forget_ended(call: Call) -> None:
    """Forget, in the call's unit, the oldest of what has long ended."""
    unit, now = call.unit, f"{int(call.wall.timestamp()):0{_DIGITS}d}"
    if call.engine.first_ending >= now:
        return
    first = next((place for place, _ in unit.scan(ENDING, GLOBAL, Ending, limit=1)), _NEVER)
    if first >= now:
        call.engine.first_ending = first
        return
    for place, ending in list(unit.scan(ENDING, GLOBAL, Ending, limit=AT_ONCE)):
        if place >= now:
            return
        scope = (ending.application, ending.environment)
        if ending.kind in {CODE, TOKEN, FAMILY, SESSION}:
            unit.delete(ending.kind, scope, ending.key)
        if ending.kind != FAMILY:
            unit.delete(SECRET, GLOBAL, ending.key)
        for mark in ending.beside:
            unit.delete(SECRET, GLOBAL, mark)
        unit.delete(ENDING, GLOBAL, place)
