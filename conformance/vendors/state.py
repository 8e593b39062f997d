"""What a vendor's client keeps between its runs: its tokens, and what it has sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from acrmock.errors import SetupError
from acrmock.typed import decode
from conformance.runs.files import write_atomically


class Sent(msgspec.Struct, kw_only=True):
    """One transaction as it was sent: to which registry, its ID, its exams, the status word last read, and when to ask first.

    `due` is in seconds of this process's monotonic clock.
    """

    transaction_id: str
    exams: list[dict[str, Any]]
    registry: str = ""
    status: str = ""
    due: float = 0.0


class State(msgspec.Struct, kw_only=True):
    """A vendor's memory; `drawn` counts the synthetic exams it has taken so far."""

    token: dict[str, Any] | None = None
    sent: list[Sent] = []
    drawn: int = 0
    notes: dict[str, str] = {}


def load(path: Path) -> State:
    """The state kept at `path`, a fresh one when there is none; raises `SetupError` when it is no state."""
    try:
        return decode(path.read_bytes(), State)
    except FileNotFoundError:
        return State()
    except (OSError, msgspec.MsgspecError) as error:
        raise SetupError(
            "the vendor's state cannot be read", where=str(path), actual=str(error), fix="remove it to begin anew"
        ) from error


def save(path: Path, state: State) -> None:
    """Keep `state` at `path`, readable by the user only (it holds tokens)."""
    write_atomically(path, msgspec.json.encode(state), private=True)
