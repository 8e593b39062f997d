"""A served acrmock in a process of its own, started, killed and stopped as a user would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clients.command import ACRMOCK, acrmock

from acrmock.clock import SystemClock


class Served:
    """`acrmock serve` on a free port over the data directory `data`; `wrapper` is a command that runs it, e.g. strace."""

    def __init__(self, data: Path, *, wrapper: Sequence[str] = (), options: Sequence[str] = ()) -> None:
        self.data = data
        self.log = data.with_suffix(".log")
        ready = data / "ready.json"
        ready.unlink(missing_ok=True)
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                [*wrapper, *ACRMOCK, "serve", "--port", "0", "--data", str(data), *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        clock = SystemClock()
        deadline = clock.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert clock.monotonic() < deadline, self.log.read_text()
            clock.wait(0.05)
        self.ready: dict[str, Any] = json.loads(ready.read_text())

    def register(self, name: str, *more: str) -> dict[str, Any]:
        """The registration document of a new application that claims LCSR; `more` are further flags of `register`."""
        done = acrmock(
            *("register", "--data", str(self.data), "--name", name, "--ip", "198.51.100.7", "--registry", "lcsr"),
            *("--redirect-url", "https://localhost:8765/callback", "--format", "json", *more),
        )
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is said."""
        self.process.kill()
        self.process.wait(timeout=15)

    def stop(self) -> None:
        """A polite end; it must be clean."""
        if sys.platform == "win32":
            self.process.terminate()
        else:
            os.kill(self.ready["pid"], signal.SIGTERM)  # the server's own process, also under a wrapper
        assert self.process.wait(timeout=20) == 0, self.log.read_text()
