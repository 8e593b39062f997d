"""Addresses that a vendor declares for ACR's allowlist, and the local sources that stand for them here.

Declared addresses are public ones (source S2: they are put on ACR's list).
"""

from __future__ import annotations

from acrmock.addresses import Network, parse_network, special_range
from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import wrong

DECLARED, LOCAL = "ip", "local_source"


def check_declared(text: str, limits: Limits, *, local: bool, index: int) -> tuple[Network | None, list[FieldProblem]]:
    """A declared address as a network, and every reason why ACR could not put it on its list."""
    network = parse_network(text)
    if isinstance(network, str):
        return None, [wrong(DECLARED, network, expected="an IPv4 or IPv6 address or CIDR", actual=text, index=index)]
    found = _too_wide(DECLARED, network, limits.prefix_v4 if network.version == 4 else limits.prefix_v6, text, index)
    special = special_range(network, local=local, documentation=limits.documentation_addresses)
    if special is not None and network.prefixlen:
        verb = "the address is" if network.num_addresses == 1 else "the range touches addresses that are"
        reason = f"{verb} {special[0]} ({special[1]})"
        found.append(
            wrong(DECLARED, reason, expected="a unicast address" if local else "a public address", actual=text, index=index)
        )
    return network, found


def check_local(text: str, limits: Limits, *, index: int) -> tuple[Network | None, list[FieldProblem]]:
    """A local source as a network, and every reason why it cannot stand for a declared address here."""
    network = parse_network(text)
    if isinstance(network, str):
        return None, [wrong(LOCAL, network, expected="an IPv4 or IPv6 address or CIDR", actual=text, index=index)]
    found = _too_wide(LOCAL, network, limits.source_prefix_v4 if network.version == 4 else limits.source_prefix_v6, text, index)
    special = special_range(network, local=True, documentation=True)
    if special is not None and network.prefixlen:
        reason = f"no connection can come from {special[0]} addresses ({special[1]})"
        found.append(wrong(LOCAL, reason, expected="unicast addresses", actual=text, index=index))
    return network, found


def _too_wide(field: str, network: Network, least: int, text: str, index: int) -> list[FieldProblem]:
    if network.prefixlen >= least:
        return []
    reason = "that is every address there is" if network.prefixlen == 0 else "the range is too wide"
    return [wrong(field, reason, expected=f"/{least} or narrower", actual=text, index=index)]
