"""Reading data into types, safely from several threads.

msgspec works a type out at its first use, and a second thread that uses the type meanwhile finds it half done and crashes the
process. So types are worked out here, one at a time; what is worked out is as quick as before.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_LOCK = threading.RLock()


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    """The JSON decoder of a type; its `decode` raises `msgspec.MsgspecError` for what is no such thing."""
    known = _decoders.get(type_)
    if known is None:
        with _LOCK:
            known = _decoders.setdefault(type_, msgspec.json.Decoder(type_))
    return known


def decode(data: bytes | str, type_: type[T]) -> T:
    """JSON as `type_`; raises `msgspec.MsgspecError` when it is something else."""
    return decoder(type_).decode(data)


def convert(value: Any, type_: type[T]) -> T:
    """Parsed JSON or YAML as `type_`; raises `msgspec.ValidationError` when it is something else."""
    decoder(type_)
    return msgspec.convert(value, type_)
