"""Chromium, headless, driven over the pipe of its DevTools protocol, which needs no port and no library.

The browser reads commands at descriptor 3 and writes answers to descriptor 4, JSON ended by NUL each
(https://chromedevtools.github.io/devtools-protocol/, "remote debugging pipe").
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from witness import lacking, tool

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FOLDERS = ("/Applications/Google Chrome.app/Contents/MacOS",)
_PATIENCE = 60
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What a browser is told that nobody looks at and that asks nobody for anything."""

# Descriptors are given by number, so a small program puts them where the browser looks and becomes the browser.
_BECOME = (
    "import fcntl, os, sys; reads, writes = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3]); "
    "os.dup2(reads, 3); os.dup2(writes, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class DevTools:
    """A running browser with one page open in it; `close` ends it."""

    def __init__(self, profile: Path, url: str) -> None:
        """Start the browser with a new profile and open `url`, which may be one of its own (`devtools://`)."""
        if sys.platform == "win32":
            lacking("descriptors cannot be handed on to a browser on Windows", "needs descriptors that are handed on")
        program = browser()
        theirs, self._commands = os.pipe()
        self._answers, other = os.pipe()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _BECOME,
                str(theirs),
                str(other),
                program,
                *QUIET,
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            pass_fds=(theirs, other),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(other)
        self._rest, self._last, self._session = b"", 0, ""
        self.version: str = self.command("Browser.getVersion")["product"]
        target = self.command("Target.createTarget", url=url)["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression, or the promise that it is, comes to in the page; its error raises."""
        said = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise AssertionError(json.dumps(said["exceptionDetails"])[:2000])
        return said["result"].get("value")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command of the protocol; its refusal raises."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def close(self) -> None:
        """End the browser."""
        os.close(self._commands)
        os.close(self._answers)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], _PATIENCE)
            assert ready, "the browser does not answer"
            piece = os.read(self._answers, 1 << 16)
            assert piece, "the browser has ended"
            self._rest += piece
        one, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(one))


def browser() -> str:
    """The path of a Chromium or Chrome; without one the test ends."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return found or tool("Google Chrome", *_FOLDERS)
