"""What an anonymised report is: its bytes, what was changed in it, and the policy by which (facts D4, D7, D8)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from acrmock.dose.elements import Unreadable

if TYPE_CHECKING:
    from acrmock.facts import Facts
    from mockserver.context import Settings

_LONGEST_SHOWN = 200


class CannotAnonymise(Unreadable):
    """A report that cannot be read whole, so that nobody knows what stands in it: it is FAILED and never forwarded."""


class BirthDates(StrEnum):
    """What becomes of a date of birth: dropped, dropped with a keyed digest sent aside for matching, or kept."""

    DROP = "drop"
    HASH = "hash"
    KEEP = "keep"


class Descriptors(StrEnum):
    """What becomes of descriptions that name an exam: cleaned of what identifies, or dropped."""

    CLEAN = "clean"
    DROP = "drop"


class What(StrEnum):
    """What happened to an element or content item."""

    REMOVED = "removed"
    EMPTIED = "emptied"
    CLEANED = "cleaned"
    MAPPED = "mapped"
    REPLACED = "replaced"
    ADDED = "added"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How reports are made anonymous. `key` is secret and stays with the installation.

    With `show_before` a change carries the text that was there, for the local view of before and after; else its keyed digest.
    """

    key: bytes
    birth_dates: BirthDates = BirthDates.HASH
    descriptors: Descriptors = Descriptors.CLEAN
    inflated_limit: int = 64 * 1024 * 1024
    show_before: bool = False


class Change(msgspec.Struct, frozen=True):
    """One change: its path in the original (items from 0), what happened, what was there (text or keyed digest), what is now."""

    path: str
    what: What
    before: str
    after: str


class Anonymised(msgspec.Struct, frozen=True, kw_only=True):
    """An anonymous report: explicit little endian data set, the changes, and the keyed digest of the date of birth sent aside."""

    data: bytes
    changes: tuple[Change, ...]
    birth_date_hash: str | None = None


class Ledger:
    """Takes down the changes of one report."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.changes: list[Change] = []

    def note(self, path: str, what: What, before: str, after: str) -> None:
        """One change; the text before becomes a digest unless the policy shows it."""
        self.changes.append(Change(path, what, self._before(before), after[:_LONGEST_SHOWN]))

    def _before(self, text: str) -> str:
        if not text or self._policy.show_before:
            return text[:_LONGEST_SHOWN]
        return hmac.new(self._policy.key, b"before:" + text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


def uid_map(key: bytes) -> Callable[[str], str]:
    """A map of UIDs, the same for the same key anywhere: a UUID under 2.25 (PS3.5 section B.2) from a keyed digest."""

    def mapped(uid: str) -> str:
        digest = bytearray(hmac.digest(key, b"uid:" + uid.encode(), hashlib.sha256)[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return f"2.25.{int.from_bytes(digest)}"

    return mapped


def policy_of(facts: Facts | Settings, key: bytes) -> Policy:
    """The policy of the settings `dirlink.birth_date_policy` and `dirlink.descriptor_policy`; `key` is the installation's."""
    return Policy(
        key=key,
        birth_dates=BirthDates(facts.text("dirlink.birth_date_policy")),
        descriptors=Descriptors(facts.text("dirlink.descriptor_policy")),
        inflated_limit=facts.integer("dirlink.limit.inflated_bytes"),
    )
