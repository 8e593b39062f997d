"""Whom to call: AE title, host and port, as people write them."""

from __future__ import annotations

import re

import msgspec

from acrmock.errors import SetupError
from acrmock.facts.forms import Form, misshapen

DEFAULT_CALLING_AE = "SENDER"
"""What a sender of ours calls itself unless it is told otherwise."""
_ADDRESS = re.compile(r"([^@]*)@(\[[0-9A-Fa-f:.]+\]|[^@:\s]+):(\d{1,5})")


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call: AE title, host and port."""

    ae_title: str
    host: str
    port: int


def checked_title(text: str, where: str) -> str:
    """An AE title (PS3.5 table 6.2-1: 1 to 16 printable characters, no backslash, not spaces alone); raises `SetupError`."""
    if misshapen(Form.AE_TITLE, text):
        raise SetupError(
            "this is no AE title",
            where=where,
            expected="1 to 16 printable ASCII characters without a backslash",
            actual=ascii(text[:80]),
        )
    return text


def peer_of(text: str, where: str) -> Peer:
    """The peer that `AE@HOST:PORT` names; `where` is the flag. Raises `SetupError`."""
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found[3]) < 65536:
        raise SetupError("this is no address", where=where, expected="AE@HOST:PORT", actual=ascii(text[:80]))
    return Peer(ae_title=checked_title(found[1], where), host=found[2].strip("[]"), port=int(found[3]))
