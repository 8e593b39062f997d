"""Redaction at the edge, with facts: the one place where secrets leave a record and what must be known of them stays."""

from __future__ import annotations

import base64
import hmac

from acrmock.record import SecretKind

MARK_LENGTH = 22


class Digester:
    """Keyed digests (HMAC-SHA256, 132 bits shown): the same value gives the same mark, and nothing can be read back."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mark(self, value: str | bytes) -> str:
        """The mark of a value: 22 characters of base64url."""
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        return base64.urlsafe_b64encode(hmac.digest(self._key, data, "sha256"))[:MARK_LENGTH].decode("ascii")

    def ref(self, kind: SecretKind | str, value: str | bytes) -> str:
        """The reference that stands for a value in a record: `d:KIND:MARK`."""
        return f"d:{kind}:{self.mark(value)}"

    def same(self, mark: str, value: str) -> bool:
        """Whether `value` has that mark (or reference), compared in constant time."""
        return hmac.compare_digest(mark.rpartition(":")[2], self.mark(value))


class Redactor:
    """Takes what is sensitive out of requests and answers."""

    def __init__(self, digester: Digester) -> None:
        self._digester = digester
        self._lengths: frozenset[int] = frozenset()

    def learn(self, length: int) -> None:
        """Remember that a secret of this many characters was issued."""
        if length not in self._lengths:
            self._lengths |= {length}
