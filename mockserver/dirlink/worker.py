"""`python -m mockserver.dirlink.worker`: reads and anonymises reports in a process of its own, at low priority.

Frames on standard input and output: four bytes of length, little endian, and MessagePack. The first is a `Setup`, answered by an
empty `Answer`; then come requests, each followed by a frame that is its data set, and are answered. What is secret (the digest's
key, policies) comes that way and no other; nothing is written to the disk. The end of the input, e.g. because the server was
killed, is the end of the process, and so is a report that takes longer than `_LONGEST`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from acrmock.record import ReportFacts
from mockserver.dirlink.changes import Policy
from mockserver.dirlink.outcome import Outgoing, Reading

if TYPE_CHECKING:
    from mockserver.dirlink.reading import Reader

_LONGEST = 60.0
"""Seconds for one report: none takes a hundredth of it."""

_NICE = 10
_LENGTH = struct.Struct("<I")


class Setup(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the process needs to know: the key of digests, and (name, text) of overlaid layers that bear on reports."""

    key: bytes
    layers: tuple[tuple[str, str], ...] = ()


class Read(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """That a data set is to be read, as `reading.Reader.read` has it."""

    transfer_syntax: str
    facts: ReportFacts


class Anonymise(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """That a data set is to be made anonymous, as `reading.Reader.outgoing` has it."""

    transfer_syntax: str
    policy: Policy
    uid_key: bytes


class Describe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """That an anonymised data set is to be read for the registry, as `reading.Reader.described` has it."""

    transfer_syntax: str
    envelope: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a request; `error` names an exception that is a fault of ours, and where it was raised.

    `described` is a `central.described.Described` in MessagePack: whoever has no use for the type need not load it.
    """

    reading: Reading | None = None
    outgoing: Outgoing | None = None
    described: bytes = b""
    error: str = ""


Task = Read | Anonymise | Describe
"""What there is to do with the data set that follows."""

Request = Setup | Task


def send(to: BinaryIO, value: msgspec.Struct, data: bytes | None = None) -> None:
    """Write a frame, and one with `data`; raises `OSError` when nobody reads it."""
    for body in (msgspec.msgpack.encode(value), data):
        if body is not None:
            to.write(_LENGTH.pack(len(body)))
            to.write(body)
    to.flush()


def receive(source: BinaryIO) -> bytes:
    """The body of one frame; raises `EOFError` where it does not come to its end."""
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    body = source.read(length)
    if len(body) < length:
        raise EOFError
    return body


def main() -> None:
    """Serve requests until the input ends."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    _alone()
    _watch()
    from mockserver.dirlink.reading import Reader  # noqa: PLC0415 - late, so that an import that hangs is noticed too

    decode = msgspec.msgpack.Decoder(Request).decode
    reader: Reader | None = None
    with contextlib.suppress(EOFError, OSError):
        while True:
            faulthandler.cancel_dump_traceback_later()
            request = decode(receive(source))
            _watch()
            if isinstance(request, Setup):
                reader = Reader.made(request.key, request.layers)
                send(out, Answer())
            elif reader is not None:
                data = receive(source)
                send(out, _answered(reader, request, data))
    os._exit(0)  # nothing is left to be put in order, and the output may be gone


def _answered(reader: Reader, request: Task, data: bytes) -> Answer:
    try:
        if isinstance(request, Read):
            return Answer(reading=reader.read(data, request.transfer_syntax, request.facts))
        if isinstance(request, Describe):
            return Answer(described=reader.described(data, request.transfer_syntax, request.envelope))
        return Answer(outgoing=reader.outgoing(data, request.transfer_syntax, request.policy, request.uid_key))
    except Exception as error:  # noqa: BLE001 - whatever it is, the server is told
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f" ({Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno})" if place is not None else ""
        return Answer(error=f"{type(error).__name__}{where}")


def _watch() -> None:
    """End the process when it is still at the same thing after `_LONGEST` seconds."""
    faulthandler.dump_traceback_later(_LONGEST, exit=True)


def _alone() -> None:
    """Give way to the server, leave no memory image behind, and live exactly as long as the input."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(_NICE)
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
