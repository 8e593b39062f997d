"""What `doctor` looks at: the machine, the data directory, the server, and how this system comes to trust an authority."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

from acrmock.clock import Clock, SystemClock
from acrmock.errors import SetupError
from conformance.control import read_ready
from conformance.runs.servers import ServerChoice, connect

LEAST_PYTHON = (3, 11)
LEAST_DISK = 200 * 1024 * 1024
MOST_SKEW = 5.0

TRUST = {
    "Linux": "sudo cp CA /usr/local/share/ca-certificates/acrmock.crt && sudo update-ca-certificates",
    "Darwin": "security add-trusted-cert -k ~/Library/Keychains/login.keychain-db CA",
    "Windows": "certutil -user -addstore Root CA",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at: whether it is well (None: for information), what was seen, and what helps."""

    what: str
    well: bool | None
    said: str
    fix: str = ""


def examine(choice: ServerChoice, ports: Sequence[int], clock: Clock | None = None) -> Iterator[Sign]:
    """All signs, in order."""
    yield _python()
    yield _tls()
    yield from (_port(port, choice.data) for port in ports)
    yield _disk(choice.data)
    yield from _server(choice, clock or SystemClock())
    yield from _trust(choice.data)


def _python() -> Sign:
    said = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Sign("Python", sys.version_info >= LEAST_PYTHON, said, "acrmock needs 3.11 or newer")


def _tls() -> Sign:
    return Sign(
        "TLS", ssl.HAS_TLSv1_2, ssl.OPENSSL_VERSION + ("" if ssl.HAS_TLSv1_3 else ", no TLS 1.3"), "use a Python with TLS 1.2"
    )


def _port(port: int, data: Path) -> Sign:
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if port in _served(data):
                return Sign(f"port {port}", True, f"in use, by the server that was started with {data}")
            return Sign(
                f"port {port}", None, f"in use or not allowed: {error.strerror}", "name another with --port or --redirect-url"
            )
    return Sign(f"port {port}", True, "free")


def _served(data: Path) -> set[int]:
    """The ports of the server that was last started with this directory."""
    try:
        ready = read_ready(data)
    except SetupError:
        return set()
    return {ready.port, *(address.port for address in (ready.dicom, ready.dicom_tls) if address is not None)}


def _disk(data: Path) -> Sign:
    place = next(path for path in (data.resolve(), *data.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    try:
        with tempfile.TemporaryFile(dir=place):
            writable = True
    except OSError:
        writable = False
    said = f"{free // (1024 * 1024)} MiB free at {place}" + ("" if writable else ", not writable")
    return Sign("disk", writable and free >= LEAST_DISK, said, "make room, or name another directory with --data")


def _server(choice: ServerChoice, clock: Clock) -> Iterator[Sign]:
    if choice.url is None and not (choice.data / "ready.json").exists():
        yield Sign(
            "server", None, f"none was started with {choice.data}", "`acrmock serve` starts one; `demo` and `certify` need none"
        )
        return
    try:
        with connect(choice) as control:
            healthy = control.healthy()
            yield Sign("server", healthy, f"{control.url} " + ("answers" if healthy else "does not feel well"), "read its output")
            yield _skew(control.url, control.ca_file, clock)
    except SetupError as error:
        yield Sign("server", False, str(error).replace("\n", " "), error.fix)


def _skew(url: str, ca_file: str | None, clock: Clock) -> Sign:
    try:
        answer = requests.get(f"{url}/healthz", verify=ca_file or True, timeout=10)
        skew = abs((parsedate_to_datetime(answer.headers["Date"]) - clock.now()).total_seconds())
    except (requests.RequestException, KeyError, ValueError) as error:
        return Sign("clock", None, f"the server's time is not known: {error}"[:160])
    return Sign(
        "clock", skew <= MOST_SKEW, f"{skew:.0f} s apart from the server's", "set this machine's clock: tokens will not hold"
    )


def _trust(data: Path) -> Iterator[Sign]:
    try:
        ca_file = read_ready(data).ca_file
    except SetupError:
        ca_file = "acrmock-ca.pem"
    system = platform.system()
    how = TRUST.get(system, TRUST["Linux"]).replace("CA", ca_file, 1) if system in TRUST else "see your system's manual"
    how += "   (`acrmock ca export > acrmock-ca.pem` first)" if ca_file == "acrmock-ca.pem" else ""
    yield from (
        Sign(name, None, f"is set to {os.environ[name]}", "requests prefers it to session.verify: point it at acrmock's CA")
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        if os.environ.get(name) not in (None, "", ca_file)
    )
    said = f"per process: SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS = {ca_file}"
    yield Sign("trust", None, said, f"for everybody on {system}: {how}")
