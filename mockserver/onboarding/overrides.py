"""Overrides of layer settings for one environment of an application: known keys, the layer's type, within its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from acrmock.pointer import pointer_of
from acrmock.record import FieldProblem
from mockserver.onboarding.reasons import shown

if TYPE_CHECKING:
    from acrmock.facts import Facts

MOST = 100
LONGEST = 2000
_SERVER_WIDE = (
    "faults.", "gate.", "onboarding.", "nrdr.path.", "nrdr.magic.words", "auth.path.", "auth.guides", "guide.", "portal.app",
    "portal.channel", "portal.eastern", "portal.format", "portal.log", "portal.name", "portal.overnight", "portal.plans",
    "portal.word", "dirlink.", "central.", "judge.", "journal.", "site.",
)  # fmt: skip
_OF_AN_APPLICATION = frozenset({
    "dirlink.birth_date_policy", "dirlink.descriptor_policy", "dirlink.hold_days", "dirlink.real_data.retention_days",
    "dirlink.retry.first_seconds", "dirlink.retry.most_seconds", "dirlink.central.url", "dirlink.central.timeout",
    "dirlink.central.duplicate_prefix",
})  # fmt: skip
"""Of what else holds for the whole server, these may differ between applications."""


def check_settings(settings: Mapping[str, Any], facts: Facts, *, field: str = "settings") -> list[FieldProblem]:
    """Every reason why `settings` cannot override the layer's."""
    if len(settings) > MOST:
        return [FieldProblem(pointer=f"/{field}", element=field, expected=f"at most {MOST}", reason="too many settings")]
    found = ((key, _fault(key, value, facts)) for key, value in settings.items())
    return [
        FieldProblem(
            pointer=pointer_of((field, shown(key, 80))),
            element=shown(key, 80),
            reason=fault,
            actual=shown(repr(settings[key]), 80),
        )
        for key, fault in found
        if fault
    ]


def server_wide(key: str) -> bool:
    """Whether a setting holds for the whole server: paths are routed and limits applied before an application is known."""
    return key not in _OF_AN_APPLICATION and (key.startswith(_SERVER_WIDE) or key.endswith("_path"))


def _fault(key: str, value: Any, facts: Facts) -> str:
    if key not in facts.settings:
        return facts.problem_with(key, value)
    if server_wide(key):
        return "this setting holds for the whole server: change it by an overlay"
    if len(repr(value)) > LONGEST:
        return f"longer than {LONGEST} characters"
    return facts.problem_with(key, value)
