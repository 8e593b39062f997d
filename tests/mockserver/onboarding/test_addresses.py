"""Declared addresses and local sources."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.addresses import parse_network
from acrmock.facts import load_facts
from mockserver.onboarding.addresses import check_declared, check_local
from mockserver.onboarding.limits import Limits

LIMITS = Limits.of(load_facts())


def said(text: str, *, local: bool = False) -> str:
    """Every reason against a declared address, in one text."""
    return "; ".join(problem.reason for problem in check_declared(text, LIMITS, local=local, index=0)[1])


@pytest.mark.parametrize(
    "text", ["8.8.4.4", "8.8.0.0/16", "2606:4700::1111", "2606:4700::/32", "203.0.113.7", "2001:db8::1", "::ffff:8.8.4.4"]
)
def test_public_addresses_pass(text: str) -> None:
    """Public addresses and narrow ranges, and those kept for examples, pass."""
    assert said(text) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0.0.0.0/0", "every address"),
        ("::/0", "every address"),
        ("8.0.0.0/8", "too wide"),
        ("2606::/16", "too wide"),
        ("0.0.0.1", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved"),
        ("10.1.2.3", "private"),
        ("192.168.1.0/24", "private"),
        ("172.31.0.1", "private"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fd00::1", "private"),
        ("100.64.0.1", "shared"),
        ("198.18.0.1", "benchmarking"),
        ("4000::1", "not global unicast"),
        ("::ffff:10.0.0.1", "private"),
        ("192.0.0.0/16", "reserved"),
        ("8.8.4.4/24", "bits are set"),
        ("8.8.4.4/33", "not an IP"),
        ("8.8.4.4/255.255.255.0", "not a number"),
        ("8.8.4", "not an IP"),
        ("host.example", "not an IP"),
        ("", "not an IP"),
        (" 8.8.4.4", "not an IP"),
        ("fe80::1%eth0", "not an IP"),
        ("8.8.4.4/-1", "not a number"),
        ("8.8.4.4/٣", "not an IP"),
        ("1" * 1_000_000, "not an IP"),
        ("010.1.1.1", "not an IP"),
        ("8.8.4.4/", "not a number"),
    ],
)
def test_what_acr_could_not_list(text: str, word: str) -> None:
    """Each kind of address that no allowlist of ACR's could hold is refused by name."""
    assert word in said(text)


def test_a_local_profile_admits_private_addresses_only() -> None:
    """A local profile admits loopback and private addresses, but nothing that no host can have."""
    assert said("127.0.0.1", local=True) == said("10.1.2.3", local=True) == said("fe80::1", local=True) == ""
    assert "multicast" in said("224.0.0.1", local=True)
    assert "every address" in said("0.0.0.0/0", local=True)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("127.0.0.0/8", True),
        ("::1", True),
        ("10.0.0.0/8", True),
        ("fc00::/7", True),
        ("8.8.4.4", True),
        ("0.0.0.0/0", False),
        ("::/0", False),
        ("0.0.0.0/1", False),
        ("224.0.0.1", False),
        ("x", False),
    ],
)
def test_local_sources(text: str, good: bool) -> None:  # noqa: FBT001 - a parameter
    """Local sources may be private and wider, but never everything."""
    assert (check_local(text, LIMITS, index=0)[1] == []) is good


@given(st.one_of(st.ip_addresses(), st.ip_addresses(v=4).map(lambda a: ipaddress.ip_address(f"::ffff:{a}"))))
def test_what_passes_is_public(address: Any) -> None:
    """No address passes that the standard library calls private, loopback, link-local, multicast or unspecified."""
    if said(str(address)) == "":
        plain = getattr(address, "ipv4_mapped", None) or address
        examples = [
            ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
        ]
        example = any(plain.version == network.version and plain in network for network in examples)
        assert not any((plain.is_loopback, plain.is_link_local, plain.is_multicast, plain.is_unspecified, plain.is_reserved))
        assert example or not plain.is_private


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_host_bits_are_named(address: ipaddress.IPv4Address, prefix: int) -> None:
    """A CIDR is a network exactly when no bit is set beyond its prefix."""
    text = f"{address}/{prefix}"
    clean = ipaddress.ip_network(text, strict=False).network_address == address
    assert isinstance(parse_network(text), str) is not clean
    if not clean:
        assert "bits are set" in said(text)


@given(st.text(max_size=80))
def test_anything_gets_an_answer(text: str) -> None:
    """No text makes it fail."""
    said(text)
    check_local(text, LIMITS, index=0)
