"""A report as DIR Link sends it on, and what was changed in it: made anew from the received bytes whenever it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mockserver.dirlink.changes import policy_of, uid_map
from mockserver.dirlink.outcome import Outgoing

if TYPE_CHECKING:
    from mockserver.context import EngineCore
    from mockserver.dirlink.model import StoredReport
    from mockserver.store import Scope


def anonymised(core: EngineCore, scope: Scope, report: StoredReport, data: bytes, *, show_before: bool = False) -> Outgoing:
    """`data` without what identifies anybody; the same bytes always give the same."""
    policy = policy_of(core.settings_of(scope), core.digester.stream(f"dirlink-policy:{scope[0]}:{scope[1]}"))
    policy = msgspec.structs.replace(policy, show_before=show_before)
    return core.apart.outgoing(data, report.transfer_syntax, policy, uid_key(core, scope))


def uid_key(core: EngineCore, scope: Scope) -> bytes:
    """The key of the UIDs that stand for those of an application's environment."""
    return core.digester.stream(f"dirlink-uids:{scope[0]}:{scope[1]}")


def remapped(core: EngineCore, scope: Scope, uid: str) -> str:
    """The UID that stands for `uid` in what leaves the application: always the same one (PS3.15 annex E, action U)."""
    return uid_map(uid_key(core, scope))(uid)
