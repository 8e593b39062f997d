"""Faults on purpose for dose reports: a rule delays an association or a C-STORE, refuses it for now, or breaks it off.

The effects are those of HTTP, told in DICOM's words: `busy` rejects an association for the moment (transient, temporary
congestion, PS3.8 table 9-21) and answers a C-STORE with A700H (PS3.4 table B.2-1), `reset` aborts the association before the
object is looked at, `delay` waits.
"""

from __future__ import annotations

from mockserver._sought import Sought
from mockserver.context import EngineCore
from mockserver.faults import Busy, Delay, ResetConnection

ASSOCIATION, STORE = "dicom.association", "dicom.store"


class Cut(Exception):  # noqa: N818 - says what a rule asks for
    """A rule breaks the association off; its text names the rule."""


def strike(core: EngineCore, application: str, environment: str, operation: str, subject: str) -> str:
    """The name of the rule that refuses this for now, or empty; has waited where a rule delays. Raises `Cut`.

    `subject` tells one request from another, so that a rule can heal: an object's UID, a sender's title.
    """
    scope = (application, environment)
    if not core.faults.rules(scope):
        return ""
    struck, changed = core.faults.choose(scope, operation, "", Sought({"PATH_INFO": f"/{subject}"}, b""))
    if changed:
        with core.store.write() as unit:
            core.faults.keep(unit, scope, changed)
    if struck is None:
        return ""
    if isinstance(struck.effect, Delay):
        core.faults.wait(core.clock, struck.effect.seconds)
    if isinstance(struck.effect, ResetConnection):
        raise Cut(f"on purpose, by the rule {struck.name}")
    return struck.name if isinstance(struck.effect, Busy) else ""
