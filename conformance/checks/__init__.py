"""The checks: one module per room, one function per requirement. `CHECKS` is all of them by id."""

from __future__ import annotations

from types import MappingProxyType

from conformance.checks.allow import ALLOW
from conformance.checks.apply import APPLY
from conformance.checks.auth_discovery import DISCOVERY
from conformance.checks.auth_request import REQUEST
from conformance.checks.auth_secrets import SECRETS
from conformance.checks.auth_token import TOKEN
from conformance.checks.base import PER_REGISTRY, Case, Check, Ruling
from conformance.checks.cdsr import CDSR
from conformance.checks.dir_content import CONTENT as DIR_CONTENT
from conformance.checks.dir_story import STORY as DIR_STORY
from conformance.checks.dir_wire import WIRE as DIR_WIRE
from conformance.checks.status import STATUS
from conformance.checks.tx_content import CONTENT
from conformance.checks.tx_envelope import ENVELOPE
from conformance.checks.tx_story import STORY

_COLLECTIONS = (
    APPLY,
    ALLOW,
    DISCOVERY,
    REQUEST,
    TOKEN,
    SECRETS,
    ENVELOPE,
    CONTENT,
    STORY,
    STATUS,
    CDSR,
    DIR_WIRE,
    DIR_CONTENT,
    DIR_STORY,
)

CHECKS = MappingProxyType({check.id: check for collection in _COLLECTIONS for check in collection.checks})
"""Every check by its id."""

__all__ = ["CHECKS", "PER_REGISTRY", "Case", "Check", "Ruling"]
