"""IP addresses and networks: read strictly, and held against the ranges that no firewall lists.

The special ranges are those of the IANA special purpose registries (RFC 6890, RFC 5737, RFC 3849, RFC 4291, RFC 5771),
written out so that every Python says the same.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ALWAYS_REFUSED = (
    ("unspecified", "0.0.0.0/8"), ("multicast", "224.0.0.0/4"), ("broadcast", "255.255.255.255/32"), ("reserved", "240.0.0.0/4"),
    ("unspecified", "::/128"), ("multicast", "ff00::/8"), ("reserved", "100::/64"), ("reserved", "fec0::/10"),
)  # fmt: skip
NOT_PUBLIC = (
    ("loopback", "127.0.0.0/8"), ("private", "10.0.0.0/8"), ("private", "172.16.0.0/12"), ("private", "192.168.0.0/16"),
    ("link-local", "169.254.0.0/16"), ("shared (carrier) address space", "100.64.0.0/10"), ("reserved", "192.0.0.0/24"),
    ("reserved", "192.88.99.0/24"), ("benchmarking", "198.18.0.0/15"),
    ("loopback", "::1/128"), ("private", "fc00::/7"), ("link-local", "fe80::/10"), ("reserved", "64:ff9b:1::/48"),
    ("reserved", "2001::/23"), ("reserved", "2002::/16"), ("reserved", "5f00::/16"),
)  # fmt: skip
DOCUMENTATION = (
    ("documentation", "192.0.2.0/24"), ("documentation", "198.51.100.0/24"), ("documentation", "203.0.113.0/24"),
    ("documentation", "2001:db8::/32"), ("documentation", "3fff::/20"),
)  # fmt: skip
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")


def _table(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, Network], ...]:
    return tuple((kind, ipaddress.ip_network(text)) for kind, text in rows)


_REFUSED, _NOT_PUBLIC, _DOCUMENTATION = _table(ALWAYS_REFUSED), _table(NOT_PUBLIC), _table(DOCUMENTATION)


def parse_network(text: str) -> Network | str:
    """The network written in `text` (an address is a network of one; IPv4-mapped IPv6 is IPv4), or why it is none."""
    if len(text) > 64 or not text.isascii() or text != text.strip() or "%" in text:
        return "not an IP address and not a CIDR"
    if "/" in text and not text.partition("/")[2].isdecimal():
        return "the prefix length is not a number"
    try:
        return _unmapped(ipaddress.ip_network(text))
    except ValueError:
        return _why_not(text)


def _why_not(text: str) -> str:
    try:
        wider = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "not an IP address and not a CIDR"
    return f"bits are set to the right of the prefix; {wider} or {text.partition('/')[0]} was meant"


def _unmapped(network: Network) -> Network:
    """`::ffff:a.b.c.d/n` as the IPv4 network it stands for (RFC 4291 section 2.5.5.2)."""
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


def special_range(network: Network, *, local: bool, documentation: bool) -> tuple[str, Network] | None:
    """The first special range that `network` touches and that is not allowed: its kind and the range.

    `local` admits what is not public; `documentation` admits the ranges kept for examples, which can belong to nobody.
    """
    tables = [_REFUSED]
    if not local:
        tables.append(_NOT_PUBLIC)
    if not (local or documentation):
        tables.append(_DOCUMENTATION)
    for kind, special in (row for table in tables for row in table):
        if _overlap(network, special):
            return kind, special
    if not local and isinstance(network, IPv6Network) and not network.subnet_of(_GLOBAL_UNICAST_V6):
        return "not global unicast", network
    return None


def _overlap(one: Network, other: Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def parse_peer(text: str) -> Address | None:
    """A peer's address with `::ffff:` unmapped and without its zone, or None where it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
