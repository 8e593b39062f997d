"""Proxies: only listed ones are believed, from right to left; what anybody else says is ignored and noted."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.record import HttpEntry, TlsEntry
from acrmock.tls import client_context
from mockserver._addresses import Addresses
from mockserver.proxies import V2, Preamble, PreambleError, client_of, read_forwarded, read_list

Start = Any
LISTS = Addresses()
TRUSTED = ("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")
ADDRESS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
V4 = st.ip_addresses(v=4)


def v2(source: str, *, command: int = 1, extra: bytes = b"") -> bytes:
    """A PROXY header of version 2."""
    address = ipaddress.ip_address(source)
    family = 0x11 if address.version == 4 else 0x21
    rest = address.packed * 2 + b"\0\1\0\2" + extra
    return V2 + bytes((0x20 | command, family)) + len(rest).to_bytes(2, "big") + rest


def whole(data: bytes) -> tuple[str | None, int]:
    """The source that a header names, and how many bytes were read."""
    reader, used = Preamble(), 0
    while wanted := reader.wants():
        assert used < len(data), "it wants more than there is"
        reader.feed(data[used : used + wanted])
        used += min(wanted, len(data) - used)
    return reader.source, used


# headers


@pytest.mark.parametrize(
    ("peer", "forwarded", "others", "expected"),
    [
        ("192.0.2.1", "", "198.51.100.9", ("192.0.2.1", "ignored")),
        ("192.0.2.1", "for=198.51.100.9", "", ("192.0.2.1", "ignored")),
        ("10.0.0.1", "", "198.51.100.9", ("198.51.100.9", "believed")),
        ("10.0.0.1", "", "6.6.6.6, 198.51.100.9", ("198.51.100.9", "believed")),
        ("10.0.0.1", "", "6.6.6.6, 198.51.100.9, 10.0.0.2", ("198.51.100.9", "believed")),
        ("10.0.0.1", "", "10.0.0.3, 10.0.0.2", ("10.0.0.3", "believed")),
        ("10.0.0.1", "", "198.51.100.9:4711", ("198.51.100.9", "believed")),
        ("10.0.0.1", "", "[2001:db8::1]:4711", ("2001:db8::1", "believed")),
        ("10.0.0.1", "", "2001:db8::1", ("2001:db8::1", "believed")),
        ("10.0.0.1", "", "::ffff:198.51.100.9", ("198.51.100.9", "believed")),
        ("10.0.0.1", "", "127.0.0.1, nonsense", ("10.0.0.1", "ignored")),
        ("10.0.0.1", "", "127.0.0.1, ", ("10.0.0.1", "ignored")),
        ("10.0.0.1", "for=198.51.100.9", "", ("198.51.100.9", "believed")),
        ("10.0.0.1", 'for="[2001:db8::1]:80";proto=https;by=10.0.0.1', "", ("2001:db8::1", "believed")),
        ("10.0.0.1", 'for=6.6.6.6, For="198.51.100.9:80"', "", ("198.51.100.9", "believed")),
        ("10.0.0.1", "for=unknown", "", ("10.0.0.1", "ignored")),
        ("10.0.0.1", "for=_hidden", "", ("10.0.0.1", "ignored")),
        ("10.0.0.1", "proto=https", "", ("10.0.0.1", "ignored")),
        ("10.0.0.1", 'for="127.0.0.1, for=198.51.100.9', "", ("10.0.0.1", "ignored")),
        ("10.0.0.1", "for=127.0.0.1;for=198.51.100.9", "", ("10.0.0.1", "ignored")),
        ("10.0.0.1", "for=198.51.100.9", "198.51.100.9", ("198.51.100.9", "believed")),
        ("10.0.0.1", "for=127.0.0.1", "198.51.100.9", ("10.0.0.1", "ignored")),
        ("fd00::1", "", "198.51.100.9", ("198.51.100.9", "believed")),
    ],
)
def test_headers(peer: str, forwarded: str, others: str, expected: tuple[str, str]) -> None:
    """The address as far as listed proxies vouch for it; two stories that differ are none."""
    assert client_of(peer, forwarded, others, TRUSTED, LISTS) == expected


@given(ADDRESS, st.text(max_size=60), st.text(max_size=60))
def test_nobody_is_believed_without_a_list(peer: str, forwarded: str, others: str) -> None:
    """With no proxies listed, no header changes who somebody is."""
    assert client_of(peer, forwarded, others, (), LISTS) == (peer, "ignored")


@given(st.text(max_size=80), V4)
def test_what_a_client_invents_does_not_count(invented: str, client: ipaddress.IPv4Address) -> None:
    """A proxy adds who it saw on the right: whatever stands left of it, in whatever form, the answer is the same."""
    told = f"{invented}, {client}"
    found, _ = client_of("fd00::1", "", told, ("fd00::/8",), LISTS)
    assert found == str(client)


@given(st.text(max_size=200))
def test_any_header_can_be_read(text: str) -> None:
    """No header breaks the reader; each name is an address or unknown."""
    for hop in (*read_forwarded(text), *read_list(text)):
        assert hop is None or ipaddress.ip_address(hop)


@given(st.lists(st.tuples(ADDRESS, st.booleans()), min_size=1, max_size=5))
def test_forwarded_round_trip(hops: list[tuple[str, bool]]) -> None:
    """Addresses written as RFC 7239 wants them are read back, quoted or with a port."""
    parts = []
    for address, port in hops:
        text = f"[{address}]" if ":" in address else address
        text += ":443" if port else ""
        parts.append(f'for="{text}";proto=https' if ":" in text else f"proto=https; FOR={text}")
    expected = [str(getattr(ipaddress.ip_address(a), "ipv4_mapped", None) or ipaddress.ip_address(a)) for a, _ in hops]
    assert read_forwarded(", ".join(parts)) == expected


# the PROXY protocol


@given(ADDRESS, st.binary(max_size=40), st.binary(max_size=20))
def test_version_2(source: str, extra: bytes, behind: bytes) -> None:
    """The source is read, whatever extensions follow, and not a byte beyond the header."""
    header = v2(source, extra=extra)
    assert whole(header + behind) == (source, len(header))


@given(ADDRESS, st.integers(0, 65535), st.binary(max_size=20))
def test_version_1(source: str, port: int, behind: bytes) -> None:
    """The line of version 1 is read up to its CR LF."""
    family = "TCP6" if ":" in source else "TCP4"
    line = f"PROXY {family} {source} {source} {port} 443\r\n".encode()
    found, used = whole(line + behind)
    assert (ipaddress.ip_address(found or ""), used) == (ipaddress.ip_address(source), len(line))


@pytest.mark.parametrize("data", [b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n", v2("192.0.2.1", command=0)])
def test_no_source_is_told(data: bytes) -> None:
    """UNKNOWN and LOCAL leave the proxy's own address."""
    assert whole(data) == (None, len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 70000\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        b"PROXY " + b"x" * 200,
        b"GET / HTTP/1.1\r\n",
        V2 + b"\x31\x11\x00\x0c" + bytes(12),
        V2 + b"\x22\x11\x00\x0c" + bytes(12),
        V2 + b"\x21\x11\x00\x02" + bytes(2),
        V2 + b"\x21\x11\xff\xff" + bytes(12),
    ],
)
def test_malformed(data: bytes) -> None:
    """What begins like a PROXY header and is none is an error, not an address."""
    with pytest.raises(PreambleError):
        whole(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Any bytes give an address, nothing, a wish for more, or an error."""
    reader, used = Preamble(), 0
    try:
        while (wanted := reader.wants()) and used < len(data):
            reader.feed(data[used : used + wanted])
            used += wanted
    except PreambleError:
        return
    assert reader.source is None or ipaddress.ip_address(reader.source)


# on the wire


def entries(run: Any, kind: type) -> list[Any]:
    """The entries of a kind."""
    return [entry for entry in run.entries() if isinstance(entry, kind)]


def post(run: Any, preamble: bytes, *headers: str, tls: bool = True) -> bytes:
    """A post behind a PROXY header; what came back."""
    sock = socket.create_connection(("127.0.0.1", run.engine.ready.port), timeout=10)
    try:
        for byte in (preamble[:3], preamble[3:]):
            sock.sendall(byte)
        if tls:
            sock = client_context(run.engine.core.ca_pem).wrap_socket(sock, server_hostname="localhost")
        lines = (
            "POST /test/nrdr/notes/n HTTP/1.1",
            "Host: localhost",
            "Content-Length: 1",
            "Connection: close",
            *headers,
            "",
            "x",
        )
        sock.sendall("\r\n".join(lines).encode())
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
        return b"".join(parts)
    except (ssl.SSLError, ConnectionError):
        return b""
    finally:
        sock.close()


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("header", [b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n", v2("203.0.113.9")])
def test_a_listed_proxy_is_believed(start: Start, header: bytes, *, tls: bool) -> None:
    """The source that a listed proxy names is the peer, so that the allowlist holds for it."""
    run = start(tls=tls, trusted_proxies=("127.0.0.1/32",))
    assert b" 403 " in post(run, header, tls=tls)
    entry = entries(run, HttpEntry)[-1]
    assert (entry.peer, entry.facts.allowed, entry.facts.forwarded) == ("203.0.113.9", False, "believed")
    assert b" 202 " in post(run, b"", tls=tls)
    assert entries(run, HttpEntry)[-1].peer == "127.0.0.1"


def test_anybody_else_is_not(start: Start) -> None:
    """A PROXY header from elsewhere ends the connection and is noted; a plain port takes it for a malformed request."""
    run = start(trusted_proxies=("192.0.2.0/24",))
    assert post(run, b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n") == b""
    assert "no listed proxy" in entries(run, TlsEntry)[-1].tls.error
    plain = start(tls=False)
    assert b" 400 " in post(plain, b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n", tls=False)


def test_a_broken_header_of_a_listed_proxy(start: Start) -> None:
    """It ends the connection and says why."""
    run = start(trusted_proxies=("127.0.0.1",))
    assert post(run, b"PROXY TCP4 nonsense\r\n") == b""
    assert "cannot be read" in entries(run, TlsEntry)[-1].tls.error


def test_forwarded_headers_on_the_wire(start: Start) -> None:
    """A spoofed header is ignored and noted; from a listed proxy it decides."""
    run = start()
    spoof = "X-Forwarded-For: 203.0.113.9"
    assert b" 202 " in post(run, b"", spoof)
    entry = entries(run, HttpEntry)[-1]
    assert (entry.peer, entry.facts.forwarded) == ("127.0.0.1", "ignored")
    behind = start(trusted_proxies=("127.0.0.1/32", "127.0.0.5/32"))
    assert b" 403 " in post(behind, b"", spoof)
    assert entries(behind, HttpEntry)[-1].peer == "203.0.113.9"
    assert b" 202 " in post(behind, b"", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: ::ffff:127.0.0.9")
    assert b" 403 " in post(behind, v2("127.0.0.5"), "Forwarded: for=203.0.113.77")
    assert entries(behind, HttpEntry)[-1].peer == "203.0.113.77"


@given(V4, st.integers(0, 32))
def test_mapped_networks(address: ipaddress.IPv4Address, prefix: int) -> None:
    """A network of `::ffff:` addresses is the IPv4 network, and an address lies in each range around it."""
    network = ipaddress.ip_network((address, prefix), strict=False)
    for text in (str(network), f"::ffff:{network.network_address}/{96 + prefix}"):
        for peer in (str(address), f"::ffff:{address}"):
            assert Addresses().within(peer, (text,))
    outside = ipaddress.IPv4Address(int(address) ^ (1 << 31))
    if prefix:
        assert not Addresses().within(str(outside), (str(network),))


@pytest.mark.parametrize("source", ["nonsense", "10.0.0.1/8", ""])
def test_a_list_that_cannot_be_used(start: Start, source: str) -> None:
    """A proxy that is no network is refused at the start, not ignored."""
    with pytest.raises(SetupError):
        start(trusted_proxies=(source,))
