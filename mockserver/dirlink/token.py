"""The bearer token by which DIR Link shows itself to the central server; derived, so that none is kept anywhere."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.context import EngineCore
    from mockserver.store import Scope


def token_for(core: EngineCore, scope: Scope) -> str:
    """The token of an application's environment; the same as long as the engine's keys are."""
    stream = core.digester.stream(f"dirlink-token:{scope[0]}:{scope[1]}")
    return base64.urlsafe_b64encode(stream).decode("ascii").rstrip("=")
