"""The simulated ACR: its wires, its state and the writer of the journal.

`from mockserver import Engine` loads the engine only when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.engine import Engine as Engine
    from mockserver.engine import Ready as Ready

__all__ = ["Engine", "Ready"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from mockserver import engine  # noqa: PLC0415 - it brings flask and cheroot

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
