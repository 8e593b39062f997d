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


def remapped(core: EngineCore, scope: Scope, uid: str) -> str:
    """The UID that stands for `uid` in what leaves the application: always the same one (PS3.15 annex E, action U).

    Under the root 2.25 (PS3.5 annex B.2), from a keyed digest, so that nobody can try which UID it stands for.
    """
    number = int.from_bytes(core.digester.stream(f"uid:{scope[0]}:{scope[1]}:{uid}")[:16], "big")
    return f"2.25.{number}"
