"""Orthanc, a PACS of others, routes dose reports by Station Name, and is judged as any vendor is."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from clients.command import acrmock
from witness import tool

from acrmock.clock import SystemClock

PACS = Path(__file__).parent / "pacs"
STATIONS = ("CT1", "XA1")


@dataclass(frozen=True, slots=True)
class Orthanc:
    """A running Orthanc: its page and its DICOM port."""

    url: str
    port: int


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def orthanc(folder: Path, routing: str) -> Iterator[Orthanc]:
    """Orthanc as it comes from its package, with a routing script, on ports and in a folder of its own."""
    script = folder / "route.lua"
    script.write_text(routing, "utf-8")
    found = Orthanc(f"http://127.0.0.1:{(http := free_port())}", free_port())
    settings = {
        "Name": "PACS",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": "PACS",
        "DicomPort": found.port,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True,
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "LuaScripts": [str(script)],
        "Plugins": [],
    }
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(settings), "utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([tool("Orthanc", "/usr/sbin"), str(configuration)], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(found, process, folder / "orthanc.log")
        yield found
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(15)


def wait_for(found: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it answers."""
    clock = SystemClock()
    until = clock.monotonic() + 60
    while True:
        try:
            requests.get(f"{found.url}/system", timeout=5).raise_for_status()
        except requests.RequestException:
            assert process.poll() is None, log.read_text()
            assert clock.monotonic() < until, log.read_text()
            clock.wait(0.1)
        else:
            return


def certified(tmp_path: Path, routing: str) -> dict[str, object]:
    """The result of a certification of Orthanc that routes in this way."""
    with orthanc(tmp_path, routing) as pacs:
        done = acrmock(
            *("certify", "--profile", "dir-pacs", "--plant-to", f"PACS@127.0.0.1:{pacs.port}", "--seed", "7"),
            *("--launch", f'"{sys.executable}" "{PACS / "configure.py"}" {pacs.url}', "--dicom", "PACS"),
            *(part for name in STATIONS for part in ("--station", name)),
            *("--out", str(tmp_path / "out"), "--format", "json"),
            timeout=100,
        )
    assert done.stdout, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return {**result, "exit": done.returncode}


def outcomes(result: dict[str, object]) -> dict[str, str]:
    """The outcome of each finding by check."""
    findings = result["findings"]
    assert isinstance(findings, list)
    return {finding["check"]: finding["outcome"] for finding in findings}


def test_orthanc_that_routes_by_station_is_ready(tmp_path: Path) -> None:
    """It passes on the reports of the stations asked for, byte for byte, and those of no other: ready (self-test)."""
    result = certified(tmp_path, (PACS / "route.lua").read_text("utf-8"))
    found = outcomes(result)
    assert result["verdict"] == "ready", result["findings"]
    assert result["exit"] == 0
    assert {found[check] for check in ("dir-echo", "dir-pass-through", "dir-pass-through-bytes", "dir-selective")} == {"passed"}


def test_orthanc_that_routes_everything_is_told_so(tmp_path: Path) -> None:
    """Without the test of the station the unwanted reports come too, and dir-selective alone says so."""
    routing = (PACS / "route.lua").read_text("utf-8").replace(' and wanted[tags["StationName"]]', "")
    found = outcomes(certified(tmp_path, routing))
    assert {check for check, outcome in found.items() if outcome == "failed"} == {"dir-selective"}
