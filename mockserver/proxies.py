"""Who is behind a listed proxy: the PROXY protocol (versions 1 and 2), `Forwarded` (RFC 7239) and `X-Forwarded-For`.

Only what a listed proxy wrote is believed. Headers are read from right to left, because each proxy adds itself on the right and
what stands further left may be the client's own invention. Whoever is no listed proxy and says such things is taken as itself.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Protocol

from acrmock.addresses import parse_peer

V1 = b"PROXY "
V2 = b"\r\n\r\n\x00\r\nQUIT\n"
LONGEST_V1 = 107
LONGEST_V2 = 16 + 2048
BELIEVED = "believed"
IGNORED = "ignored"
_MOST_HOPS = 64
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PAIR = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*(?:;|$)')


class Lists(Protocol):
    """As much of `Addresses` as is needed here."""

    def within(self, peer: str, sources: tuple[str, ...]) -> bool:
        """Whether a peer lies in one of the networks."""
        ...


class PreambleError(ValueError):
    """What begins like a PROXY header is none."""


class Preamble:
    """Reads a PROXY header piece by piece, never a byte beyond it; raises `PreambleError` as soon as it cannot be one."""

    def __init__(self) -> None:
        self._data = b""
        self._whole = False
        self.source: str | None = None

    def wants(self) -> int:
        """How many bytes may be read next; 0 when the header is whole."""
        if self._whole:
            return 0
        if self._data[:1] in {b"", b"P"}:
            return 1 if len(self._data) >= len(V1) else len(V1) - len(self._data)
        return (16 if len(self._data) < 16 else self._v2_length()) - len(self._data)

    def feed(self, piece: bytes) -> None:
        """Take bytes, at most as many as were wanted."""
        self._data += piece
        begins = V1 if self._data[:1] == b"P" else V2
        if not self._data.startswith(begins[: len(self._data)]):
            raise PreambleError("it begins like neither version")
        if begins is V1:
            self._feed_v1()
        elif len(self._data) >= 16 and len(self._data) == self._v2_length():
            self.source, self._whole = self._v2(), True

    def _feed_v1(self) -> None:
        if len(self._data) > LONGEST_V1:
            raise PreambleError("the line is too long")
        if self._data.endswith(b"\r\n"):
            self.source, self._whole = self._v1(), True
        elif b"\n" in self._data:
            raise PreambleError("the line does not end with CR LF")

    def _v1(self) -> str | None:
        words = self._data[len(V1) : -2].decode("latin-1").split(" ")
        if words[0] == "UNKNOWN":
            return None
        families = {"TCP4": ipaddress.IPv4Address, "TCP6": ipaddress.IPv6Address}
        if words[0] not in families or len(words) != 5:
            raise PreambleError("neither TCP4, TCP6 nor UNKNOWN with two addresses and two ports")
        try:
            source, _ = (families[words[0]](word) for word in words[1:3])
        except ValueError as error:
            raise PreambleError("an address is none") from error
        if not all(word.isascii() and word.isdigit() and len(word) <= 5 and int(word) <= 65535 for word in words[3:]):
            raise PreambleError("a port is none")
        return str(source)

    def _v2_length(self) -> int:
        total = 16 + int.from_bytes(self._data[14:16], "big")
        if self._data[12] >> 4 != 2 or self._data[12] & 15 > 1 or total > LONGEST_V2:
            raise PreambleError("another version or command, or too long")
        return total

    def _v2(self) -> str | None:
        if self._data[12] & 15 == 0:
            return None  # LOCAL: the proxy speaks for itself
        family, rest = self._data[13] >> 4, self._data[16:]
        if family == 1 and len(rest) >= 12:
            return str(ipaddress.IPv4Address(rest[:4]))
        if family == 2 and len(rest) >= 36:
            return str(ipaddress.IPv6Address(rest[:16]))
        if family in {1, 2}:
            raise PreambleError("the addresses are cut short")
        return None


def client_of(peer: str, forwarded: str, x_forwarded_for: str, trusted: tuple[str, ...], lists: Lists) -> tuple[str, str]:
    """The client's address as far as listed proxies vouch for it, and `believed` or `ignored`.

    `peer` is who is connected. Where both headers are there and tell different stories, one of them went through a proxy
    unread, so neither is believed.
    """
    if not lists.within(peer, trusted):
        return peer, IGNORED
    stories = [
        hops for text, hops in ((forwarded, read_forwarded(forwarded)), (x_forwarded_for, read_list(x_forwarded_for))) if text
    ]
    found = {_walk(peer, hops, trusted, lists) for hops in stories}
    return found.pop() if len(found) == 1 else (peer, IGNORED)


def _walk(peer: str, hops: list[str | None], trusted: tuple[str, ...], lists: Lists) -> tuple[str, str]:
    """From right to left, as long as the one who wrote the next name is a listed proxy."""
    current = peer
    for hop in reversed(hops[-_MOST_HOPS:]):
        if not lists.within(current, trusted):
            break
        if hop is None:
            return current, IGNORED
        current = hop
    return current, BELIEVED if hops else IGNORED


def read_list(text: str) -> list[str | None]:
    """The addresses of an X-Forwarded-For from left to right; None where one cannot be understood."""
    return [_address(piece.strip()) for piece in text.split(",")] if text.strip() else []


def read_forwarded(text: str) -> list[str | None]:
    """The addresses of the `for` parameters of a Forwarded header (RFC 7239 section 4); None for hidden and unknown ones."""
    if not text.strip():
        return []
    if text.count('"') % 2:
        return [None]
    return [_for(element) for element in _ELEMENT.findall(text)]


def _for(element: str) -> str | None:
    found = [value for name, value in _PAIR.findall(element) if name.lower() == "for"]
    if len(found) != 1:
        return None
    value = found[0]
    return _address(re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value)


def _address(text: str) -> str | None:
    """An address without port and brackets, `::ffff:` unmapped; None for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if "%" in text:
        return None
    address = parse_peer(text)
    return None if address is None else str(address)
