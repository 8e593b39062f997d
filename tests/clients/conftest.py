"""A served acrmock in its own process, as a vendor would start it, and a registered application."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients.command import ACRMOCK, acrmock

from acrmock.clock import SystemClock


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a running `acrmock serve`."""
    data = tmp_path_factory.mktemp("served") / "data"
    log = data.parent / "serve.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*ACRMOCK, "serve", "--port", "0", "--data", str(data)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    clock = SystemClock()
    deadline = clock.monotonic() + 30
    while not (data / "ready.json").exists():
        assert server.poll() is None, log.read_text()
        assert clock.monotonic() < deadline, log.read_text()
        clock.wait(0.05)
    yield data
    server.terminate()
    assert server.wait(timeout=15) == 0, log.read_text()


@pytest.fixture
def registration(served: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The registration document of a new application, named after the test."""
    done = acrmock(
        "register",
        "--data",
        str(served),
        "--name",
        request.node.name[:60],
        "--redirect-url",
        "https://localhost:8765/callback",
        "--ip",
        "198.51.100.7",
        "--registry",
        "lcsr",
        "--format",
        "json",
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document
