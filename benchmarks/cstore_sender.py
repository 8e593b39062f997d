"""`python -m benchmarks.cstore_sender HOST PORT TITLE COUNT BYTES SEED`: a sender without Nagle's algorithm.

It associates, waits for a line on its standard input, sends COUNT objects of BYTES bytes (or what a file of that name holds) one
after another as prebuilt PDUs, and prints how many seconds that took and how many were answered with success. It does no more
than a fast sender must, so that the receiver is what is measured (PS3.7 section 9.3.1, PS3.8 section 9.3).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import CLOCK

REPORT_CLASS = "1.2.840.10008.5.1.4.1.1.88.67"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_PDU = struct.Struct(">BBL")
_ROOT = "2.25.4711"
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(body)) + body


def associate_rq(called: str, calling: str = "BENCH") -> bytes:
    """An A-ASSOCIATE-RQ that proposes dose reports in explicit little endian (PS3.8 section 9.3.2)."""
    titles = called.encode().ljust(16) + calling.encode().ljust(16) + bytes(32)
    context = bytes((1, 0, 0, 0)) + _item(0x30, REPORT_CLASS.encode()) + _item(0x40, EXPLICIT.encode())
    user = _item(0x51, struct.pack(">L", 131072)) + _item(0x52, b"2.25.4711.1")
    body = struct.pack(">HH", 1, 0) + titles + _item(0x10, b"1.2.840.10008.3.1.1.1") + _item(0x20, context) + _item(0x50, user)
    return _PDU.pack(0x01, 0, len(body)) + body


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """One element with an explicit value representation, little endian (PS3.5 section 7.1.2)."""
    value += (b"\0" if vr in {b"UI", b"OB"} else b" ") * (len(value) % 2)
    if vr == b"OB":
        return struct.pack("<HH2sHL", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def data_set(uid: str, size: int) -> bytes:
    """A data set of about `size` bytes, explicit little endian, recognisably synthetic; most of it is one private element."""
    head = (
        element(0x0008, 0x0016, b"UI", REPORT_CLASS.encode())
        + element(0x0008, 0x0018, b"UI", uid.encode())
        + element(0x0008, 0x1010, b"SH", b"BENCH1")
        + element(0x0010, 0x0010, b"PN", b"Synthetic^Bench")
        + element(0x0010, 0x0020, b"LO", b"SYN00000001")
        + element(0x0010, 0x0030, b"DA", b"19700101")
        + element(0x0020, 0x000D, b"UI", uid.encode() + b".1")
        + element(0x0020, 0x000E, b"UI", uid.encode() + b".2")
    )
    tail = element(0x0099, 0x0010, b"LO", b"ACRMOCK") + element(0x0099, 0x1000, b"OB", bytes(max(0, size - len(head) - 40)))
    return head + tail


def command(uid: str, number: int) -> bytes:
    """The command set of a C-STORE-RQ (PS3.7 table 9.3-1)."""

    def one(tag: int, value: bytes) -> bytes:
        return struct.pack("<HHL", 0, tag, len(value)) + value

    def text(value: str) -> bytes:
        return value.encode() + b"\0" * (len(value) % 2)

    def short(value: int) -> bytes:
        return struct.pack("<H", value)

    body = one(0x0002, text(REPORT_CLASS)) + one(0x0100, short(1)) + one(0x0110, short(number))
    body += one(0x0700, short(0)) + one(0x0800, short(0)) + one(0x1000, text(uid))
    return one(0, struct.pack("<L", len(body))) + body


def pdvs(octets: bytes, *, is_command: bool, most: int) -> bytes:
    """P-DATA-TF PDUs of at most `most` bytes (PS3.8 section 9.3.5)."""
    out, room = [], most - 6
    for at in range(0, len(octets), room):
        part = octets[at : at + room]
        control = (1 if is_command else 0) | (2 if at + room >= len(octets) else 0)
        out.append(_PDU.pack(0x04, 0, len(part) + 6) + struct.pack(">LBB", len(part) + 2, 1, control) + part)
    return b"".join(out)


def messages(count: int, size: int, seed: str, most: int, data: bytes = b"") -> Iterator[bytes]:
    """COUNT C-STORE requests as they go over the wire, each with `data` where that is given."""
    made = data or data_set(f"{_ROOT}.{seed}.{0:08d}", size)
    place = len(made) if data else made.index(b".00000000")
    for number in range(count):
        uid = f"{_ROOT}.{seed}.{number:08d}"
        mine = data or made[:place] + f".{number:08d}".encode() + made[place + 9 :]
        yield pdvs(command(uid, number % 65535 + 1), is_command=True, most=most) + pdvs(mine, is_command=False, most=most)


def receive_pdu(wire: socket.socket) -> tuple[int, bytes]:
    """The type and the body of one PDU; raises `ConnectionError` when the connection ends."""
    head = _exactly(wire, 6)
    kind, _, length = _PDU.unpack(head)
    return kind, _exactly(wire, length)


def _exactly(wire: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = wire.recv(count - len(parts))
        if _QUICKACK is not None:
            wire.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)  # a receiver with Nagle's algorithm waits for it
        if not part:
            raise ConnectionError("the receiver closed the connection")
        parts += part
    return parts


def maximum(accept: bytes) -> int:
    """The receiver's Maximum Length from the body of its A-ASSOCIATE-AC; 16 KiB where it is none or none is said."""
    at = accept.find(b"\x51\x00\x00\x04")
    told = struct.unpack_from(">L", accept, at + 4)[0] if at >= 0 else 0
    return min(told or 16384, 131072)


def main(arguments: list[str]) -> int:
    """Associate, wait, send, tell."""
    host, port, title, count, size, seed = arguments
    with socket.create_connection((host, int(port)), timeout=60) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(associate_rq(title))
        kind, body = receive_pdu(wire)
        if kind != 0x02:
            sys.stderr.write(f"not accepted: PDU {kind}\n")
            return 1
        octets = b"" if size.isdigit() else Path(size).read_bytes()
        made = list(messages(int(count), len(octets) or int(size), seed, maximum(body), octets))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        good, begun = 0, CLOCK.monotonic()
        for message in made:
            wire.sendall(message)
            _, answer = receive_pdu(wire)
            good += b"\x00\x00\x00\x09\x02\x00\x00\x00\x00\x00" in answer
        sys.stdout.write(f"{CLOCK.monotonic() - begun} {good}\n")
        wire.sendall(_PDU.pack(0x05, 0, 4) + bytes(4))
        with contextlib.suppress(ConnectionError):
            receive_pdu(wire)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
