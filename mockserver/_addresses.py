"""Addresses of peers and lists of networks, parsed once."""

from __future__ import annotations

import ipaddress

from acrmock.addresses import Address, Network, parse_peer

_BOUND = 4096
_MAPPED = 96


class Addresses:
    """Normalises peers (`::ffff:` unmapped, no zone) and matches them with lists; remembers a bounded number of both."""

    def __init__(self) -> None:
        self._peers: dict[str, tuple[Address | None, str]] = {}
        self._lists: dict[tuple[str, ...], tuple[Network, ...]] = {}

    def normal(self, peer: str) -> str:
        """A peer's address as text, or what was given where it is none."""
        return self._parsed(peer)[1]

    def within(self, peer: str, sources: tuple[str, ...]) -> bool:
        """Whether a peer lies in one of `sources` (CIDRs); what is no address or network never does."""
        address, _ = self._parsed(peer)
        return address is not None and any(address in network for network in self._networks(sources))

    def _parsed(self, peer: str) -> tuple[Address | None, str]:
        found = self._peers.get(peer)
        if found is None:
            if len(self._peers) >= _BOUND:
                self._peers = {}
            address = parse_peer(peer)
            found = self._peers[peer] = (address, peer if address is None else str(address))
        return found

    def _networks(self, sources: tuple[str, ...]) -> tuple[Network, ...]:
        found = self._lists.get(sources)
        if found is None:
            if len(self._lists) >= _BOUND:
                self._lists = {}
            found = self._lists[sources] = tuple(network for text in sources if (network := _network(text)) is not None)
        return found


def _network(text: str) -> Network | None:
    try:
        found = ipaddress.ip_network(text.strip().partition("%")[0], strict=False)
    except ValueError:
        return None
    mapped = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
    if mapped is not None and found.prefixlen >= _MAPPED:
        return ipaddress.ip_network((mapped, found.prefixlen - _MAPPED))
    return found
