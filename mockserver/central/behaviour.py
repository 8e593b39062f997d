"""How the central server is to answer, set by whoever tests what happens then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.central.model import BEHAVIOUR, THE, Behaviour

if TYPE_CHECKING:
    from mockserver.store import Reader, Scope, Unit

DOWN = 503
"""The answer of a server that is down."""

ANSWERS = (202, 401, 409, 500, 502, 503, 504)
"""The answers that can be asked for; 202 takes the report."""


def current(reader: Reader, scope: Scope) -> Behaviour | None:
    """The behaviour asked for, or None."""
    return reader.get(BEHAVIOUR, scope, THE, Behaviour)


def ask(unit: Unit, scope: Scope, behaviour: Behaviour | None) -> None:
    """Have the server answer so from now on; None: as it does by itself."""
    if behaviour is None:
        unit.delete(BEHAVIOUR, scope, THE)
    else:
        unit.put(BEHAVIOUR, scope, THE, behaviour)


def take(unit: Unit, scope: Scope) -> int | None:
    """The answer asked for, counted; None where the server answers by itself."""
    found = current(unit, scope)
    if found is None:
        return None
    if found.left is not None:
        left = found.left - 1
        ask(unit, scope, Behaviour(answer=found.answer, left=left) if left > 0 else None)
    return found.answer
