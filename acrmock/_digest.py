"""Keyed digests: what stands in a record in the place of a value that must not."""

from __future__ import annotations

import hashlib
import hmac
from binascii import b2a_base64

from acrmock.record import SecretKind

MARK_LENGTH = 22
_BLOCK = 64
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Digester:
    """Keyed digests (HMAC-SHA256, 132 bits shown): the same value gives the same mark, and nothing can be read back."""

    def __init__(self, key: bytes) -> None:
        block = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
        block = block.ljust(_BLOCK, b"\0")
        # RFC 2104, the two keyed halves made once; unlike `hmac.digest` a short text does not let go of the interpreter's lock
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def mark(self, value: str | bytes) -> str:
        """The mark of a value: 22 characters of base64url."""
        return b2a_base64(self.stream(value))[:MARK_LENGTH].translate(_URL_SAFE).decode("ascii")

    def stream(self, value: str | bytes) -> bytes:
        """The 32 bytes of a value's keyed digest."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.digest()

    def ref(self, kind: SecretKind | str, value: str | bytes) -> str:
        """The reference that stands for a value in a record: `d:KIND:MARK`."""
        return f"d:{kind}:{self.mark(value)}"

    def same(self, mark: str, value: str) -> bool:
        """Whether `value` has that mark (or reference), compared in constant time."""
        return hmac.compare_digest(mark.rpartition(":")[2], self.mark(value))
