"""Driving a server over connections that stay open, and what the server's processes used meanwhile.

The client writes whole requests to sockets, so that it takes little of the machine that both share.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import IO, Self

import msgspec

from benchmarks.measure import CLOCK

Connect = Callable[[], socket.socket]
_END = b"\r\n\r\n"

_READINGS = 3


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a run took: its answers per second, milliseconds of a core for each of them, and the peak memory in MiB so far.

    The last two are None where the system does not tell.
    """

    rate: float
    cpu: float | None = None
    memory: float | None = None


class Served:
    """A server that was started, with all its child processes; a context manager that ends it."""

    def __init__(self, command: Sequence[str], *, cwd: Path | None = None, log: IO[bytes] | None = None) -> None:
        self.process = subprocess.Popen(
            list(command),
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if log is None else log,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in [*self._family()[1:], self.process.pid]:
            try:
                os.kill(pid, 15)
            except OSError:
                continue
        self.process.wait()

    def until(self, there: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until `there`; raises RuntimeError when the server ends or takes too long."""
        begun = CLOCK.monotonic()
        while not there():
            if self.process.poll() is not None or CLOCK.monotonic() - begun > seconds:
                raise RuntimeError(f"{self.process.args!r} does not answer")
            CLOCK.wait(0.05)

    def _family(self) -> list[int]:
        """The server's process and those that it started."""
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        return found

    def cpu(self) -> float | None:
        """Seconds of CPU so far."""
        try:
            return sum(cpu_seconds(pid) for pid in self._family())
        except OSError:
            return None

    def peak(self) -> float | None:
        """The peak of resident memory in MiB, summed over the processes."""
        try:
            return sum(peak_mebibytes(pid) for pid in self._family())
        except OSError:
            return None


def cpu_seconds(pid: int) -> float:
    """Seconds of a core that a process has used (Linux); raises `OSError`.

    The least of some readings, because a thread that is just ending may be counted twice.
    """
    readings = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for _ in range(_READINGS)]
    return min(int(fields[11]) + int(fields[12]) for fields in readings) / os.sysconf("SC_CLK_TCK")


def peak_mebibytes(pid: int) -> float:
    """The most memory in MiB that a process has held (Linux); raises `OSError`."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A whole HTTP/1.1 request as it stands on the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def plain(port: int) -> Connect:
    """Connections without TLS."""
    return lambda: socket.create_connection(("localhost", port), timeout=60)


def secure(port: int, ca_file: str) -> Connect:
    """Connections with TLS, trusting one authority."""
    trust = ssl.create_default_context(cafile=ca_file)
    return lambda: trust.wrap_socket(socket.create_connection(("localhost", port), timeout=60), server_hostname="localhost")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens on a port."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def drive(served: Served, connect: Connect, messages: Sequence[Sequence[bytes]], status: int | None) -> Used:
    """Send each list of messages over a connection of its own, all at once; raises RuntimeError at another status.

    None is any status that is no error.
    """
    sockets = [connect() for _ in messages]
    failures: list[str] = []

    def send(sock: socket.socket, mine: Sequence[bytes]) -> None:
        try:
            for message in mine:
                sock.sendall(message)
                found, answer, closes = exchange(sock)
                if closes:
                    sock.close()
                    sock = connect()
                if found != status and not (status is None and found < HTTPStatus.BAD_REQUEST):
                    raise RuntimeError(f"{found}: {answer[:300]!r}")
            sock.close()
        except (OSError, RuntimeError) as error:
            failures.append(str(error))

    threads = [threading.Thread(target=send, args=pair) for pair in zip(sockets, messages, strict=True)]
    before, begun = served.cpu(), CLOCK.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken, after = CLOCK.monotonic() - begun, served.cpu()
    if failures:
        raise RuntimeError(failures[0])
    count = sum(map(len, messages))
    cpu = None if before is None or after is None else (after - before) / count * 1000
    return Used(rate=count / taken, cpu=cpu, memory=served.peak())


def exchange(sock: socket.socket, *, head: bool = False) -> tuple[int, bytes, bool]:
    """The status and the body of the next answer on a connection, and if the server closes it then; `head`: of one to HEAD."""
    data = b""
    while _END not in data:
        data += _more(sock)
    first, _, body = data.partition(_END)
    lowered = first.lower()
    if head:
        pass  # it tells of a body and has none
    elif b"\r\ncontent-length:" in lowered:
        length = int(lowered.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += _more(sock)
    elif b"chunked" in lowered:
        while not body.endswith(b"0\r\n\r\n"):
            body += _more(sock)
    return int(first.split(b" ", 2)[1]), body, b"\r\nconnection: close" in lowered


def _more(sock: socket.socket) -> bytes:
    piece = sock.recv(65536)
    if not piece:
        raise RuntimeError("the server closed the connection")
    return piece
