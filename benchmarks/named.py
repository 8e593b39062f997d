"""The named peers: mock servers that a user would pick instead. What cannot be installed or started is said, never skipped."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.load import Served, free_port, listens

PEERS = Path(__file__).with_name("peers")
_INSTALL = 240.0
"""Seconds that installing a peer may take."""

_SCRIPTS = {
    "oauth2-mock-server": "node_modules/.bin/oauth2-mock-server",
    "prism": "node_modules/.bin/prism",
}


class Absent(Exception):  # noqa: N818 - says what it is
    """A peer could not be had, with the reason."""


def oauth2_mock_server(certificate: Path, key: Path) -> tuple[Served, int]:
    """Npm's oauth2-mock-server behind our certificate, and its port."""
    return _node("oauth2-mock-server", lambda port: ["-a", "localhost", "-p", str(port), "-c", str(certificate), "-k", str(key)])


def prism(document: dict[str, Any], here: Path) -> tuple[Served, int]:
    """Stoplight's Prism answering from an OpenAPI document, and its port."""
    file = here / "openapi.json"
    file.write_text(json.dumps(document))
    return _node("prism", lambda port: ["mock", str(file), "-h", "localhost", "-p", str(port)])


def wiremock(mappings: dict[str, Any], here: Path) -> tuple[Served, int]:
    """WireMock with one stub, and its port; its journal of requests is off, or its memory would grow."""
    _npm()
    jar = next(PEERS.glob("node_modules/wiremock/build/*.jar"), None)
    java = shutil.which("java")
    if jar is None or java is None:
        raise Absent("no java" if java is None else "its npm package holds no jar")
    folder = here / "wiremock" / "mappings"
    folder.mkdir(parents=True)
    (folder / "post.json").write_text(json.dumps(mappings))
    port = free_port()
    options = ["--port", str(port), "--root-dir", str(folder.parent), "--no-request-journal", "--disable-banner"]
    return _started([java, "-jar", str(jar), *options], port)


def moto() -> tuple[Served, int]:
    """Moto's server, from a virtual environment of its own, and its port."""
    place = PEERS / ".moto"
    python = place / "bin" / "python"
    if not (place / "done").exists():
        _run([sys.executable, "-m", "venv", str(place)], "no virtual environment")
        wanted = ["-r", str(PEERS / "requirements.txt")]
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", *wanted]
        _run(pip, "moto cannot be installed")
        (place / "done").touch()
    port = free_port()
    return _started([str(python), "-m", "moto.server", "-H", "localhost", "-p", str(port)], port)


def _node(name: str, options: Callable[[int], list[str]]) -> tuple[Served, int]:
    _npm()
    node = shutil.which("node")
    script = PEERS / _SCRIPTS[name]
    if node is None or not script.exists():
        raise Absent("no node" if node is None else f"npm did not install {name}")
    port = free_port()
    return _started([node, str(script), *options(port)], port)


def _npm() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Absent("no npm")
    if not (PEERS / "node_modules").exists():
        _run([npm, "ci", "--ignore-scripts", "--silent", "--prefix", str(PEERS)], "npm cannot install it")


def _run(command: list[str], reason: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL)
    except (OSError, subprocess.SubprocessError) as error:
        raise Absent(f"{reason}: {error}"[:200]) from error


def _started(command: list[str], port: int) -> tuple[Served, int]:
    try:
        served = Served(command, cwd=PEERS)
    except OSError as error:
        raise Absent(str(error)) from error
    try:
        served.until(lambda: listens(port))
    except RuntimeError as error:
        served.__exit__()
        raise Absent(str(error)[:200]) from error
    return served, port
