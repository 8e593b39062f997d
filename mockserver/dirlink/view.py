"""A report as DIR Link sends it on, and what was changed in it: made anew from the received bytes whenever it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mockserver.dirlink.anonymise import CannotAnonymise, Change, Policy, anonymise, policy_of, uid_map

if TYPE_CHECKING:
    from mockserver.context import EngineCore
    from mockserver.dirlink.model import StoredReport
    from mockserver.store import Scope


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """An anonymised report: its data set in explicit little endian, the changes, the birth date as the policy has it.

    With a `problem` there is no data set: the report cannot be anonymised, and so not be sent on.
    """

    data: bytes = b""
    changes: tuple[Change, ...] = ()
    birth_date: str = ""
    problem: str = ""


def anonymised(core: EngineCore, scope: Scope, report: StoredReport, data: bytes, *, show_before: bool = False) -> Outgoing:
    """`data` without what identifies anybody; the same bytes always give the same."""
    policy: Policy = policy_of(core.facts, core.digester.stream(f"dirlink-policy:{scope[0]}:{scope[1]}"))
    policy = msgspec.structs.replace(policy, show_before=show_before)
    try:
        made = anonymise(data, report.transfer_syntax, policy, uid_map(uid_key(core, scope)))
    except CannotAnonymise as error:
        return Outgoing(problem=str(error)[:300])
    return Outgoing(data=made.data, changes=made.changes, birth_date=made.birth_date_hash or "")


def uid_key(core: EngineCore, scope: Scope) -> bytes:
    """The key of the UIDs that stand for those of an application's environment."""
    return core.digester.stream(f"dirlink-uids:{scope[0]}:{scope[1]}")


def remapped(core: EngineCore, scope: Scope, uid: str) -> str:
    """The UID that stands for `uid` in what leaves the application: always the same one (PS3.15 annex E, action U)."""
    return uid_map(uid_key(core, scope))(uid)
