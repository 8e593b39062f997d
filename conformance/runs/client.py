"""The client under test as a process: its environment, its time limit, its output, and how it is stopped."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from acrmock.errors import SetupError
from conformance.runs.files import write_atomically
from conformance.runs.python import ROOT, grouped
from conformance.runs.robot import Reporting

GRACE = 3.0
REPORTING = "browser.json"
"""What the robot user reads: where it reports to, with the control token."""
LOOK_SECONDS = 0.5
KEPT_FROM_CLIENTS = ("ACRMOCK_TOKEN", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class Exit:
    """How the client's process ended: its exit code (negative: the signal), or that it had to be stopped."""

    code: int | None
    timed_out: bool
    log: Path


class Runner(Protocol):
    """Something that runs a client to its end, as `run` does: as a process, or as a thread of this one."""

    def __call__(
        self, command: list[str], env: Mapping[str, str], *, timeout: float, log: Path, finished: Callable[[], bool] | None = None
    ) -> Exit:
        """Run it for at most `timeout` seconds with its output in `log`, and no longer than until `finished` says so."""
        ...


def split_command(command: str) -> list[str]:
    """The words of a command line, without a shell; raises `SetupError` for unbalanced quotes or nothing to run."""
    windows = os.name == "nt"
    try:
        words = shlex.split(command, posix=not windows)
    except ValueError as error:
        raise SetupError("the command cannot be read", where="--launch", actual=str(error)) from error
    words = [word.strip('"') for word in words] if windows else words
    if not words:
        raise SetupError("there is no command to run", where="--launch", expected='e.g. --launch "python my_client.py"')
    found = shutil.which(words[0])
    if found is None:
        raise SetupError(
            "the command is not there, or may not be run",
            where="--launch",
            actual=words[0][:200],
            fix="it is run without a shell: name a program, and give shell syntax to `sh -c`",
        )
    return [found, *words[1:]]


def environment(
    base: Mapping[str, str],
    *,
    registration: Path,
    profile: str,
    step: str | None,
    ca_file: Path,
    workplace: Path,
    browser_log: Path,
    dicom: Mapping[str, object] | None = None,
) -> dict[str, str]:
    """The environment of the client: `base`, and the names that outsiders rely on.

    `dicom` is where dose reports go (`dicom` of the registration document), for scripts that read no JSON.

    `ca_file` is the only authority that SSL_CERT_FILE, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE name: a client under test
    talks to nobody else, and an inherited SSL_CERT_DIR would come before SSL_CERT_FILE. NODE_EXTRA_CA_CERTS adds to Node's own.
    """
    own = {key: value for key, value in base.items() if key not in KEPT_FROM_CLIENTS}
    no_proxy = ",".join(filter(None, (base.get("NO_PROXY") or base.get("no_proxy"), "localhost,127.0.0.1,::1")))
    own |= {
        "ACRMOCK_REGISTRATION": str(registration),
        "ACRMOCK_PROFILE": profile,
        "SSL_CERT_FILE": str(ca_file),
        "REQUESTS_CA_BUNDLE": str(ca_file),
        "CURL_CA_BUNDLE": str(ca_file),
        "NODE_EXTRA_CA_CERTS": str(ca_file),
        "BROWSER": str(_launcher(workplace)),
        "ACRMOCK_BROWSER_REPORT": str(workplace / REPORTING),
        "ACRMOCK_BROWSER_LOG": str(browser_log),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }
    own |= {f"ACRMOCK_DICOM_{name.upper()}": str(value) for name, value in (dicom or {}).items()}
    own.pop("ACRMOCK_STEP", None)
    if step is not None:
        own["ACRMOCK_STEP"] = step
    return own


def furnish(workplace: Path, reporting: Reporting) -> None:
    """Put the robot user's launcher and its reporting file into the run's private directory."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from conformance.runs.browser import main; main()"
    if os.name == "nt":
        text = f'@"{sys.executable}" -I -c "{code}" %*\r\n'
    else:
        text = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -c {shlex.quote(code)} "$@"\n'
    launcher = workplace / _launcher_name()
    write_atomically(launcher, text.encode(), private=True)
    launcher.chmod(0o700)
    write_atomically(workplace / REPORTING, msgspec.json.encode(reporting), private=True)


def run(
    command: list[str], env: Mapping[str, str], *, timeout: float, log: Path, finished: Callable[[], bool] | None = None
) -> Exit:
    """Run `command` for at most `timeout` seconds with its output in `log`; it and its children are stopped after that.

    A client that goes on by itself (a service) is stopped as soon as `finished` says that its task is done.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        try:
            process = subprocess.Popen(  # type: ignore[call-overload] # noqa: S603 - the user's own command
                command, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **grouped()
            )
        except OSError as error:
            raise SetupError("the command cannot be run", where="--launch", actual=f"{command[0]}: {error.strerror}") from error
        try:
            return Exit(_wait(process, timeout, finished), timed_out=False, log=log)
        except subprocess.TimeoutExpired:
            _stop(process)
            return Exit(None, timed_out=True, log=log)
        except BaseException:
            _stop(process)
            raise


def _wait(process: subprocess.Popen[bytes], timeout: float, finished: Callable[[], bool] | None) -> int | None:
    """The exit code, None for a client that was stopped because its task is done; raises `subprocess.TimeoutExpired`."""
    if finished is None:
        return process.wait(timeout)
    left = timeout
    while left > 0:
        try:
            return process.wait(min(LOOK_SECONDS, left))
        except subprocess.TimeoutExpired:
            left -= LOOK_SECONDS
        if finished():
            _stop(process)
            return None
    raise subprocess.TimeoutExpired(process.args, timeout)


def _stop(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, hard=False)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal_group(process, hard=True)
    process.wait(GRACE)


def _signal_group(process: subprocess.Popen[bytes], *, hard: bool) -> None:
    if os.name == "nt":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], check=False, capture_output=True)  # noqa: S603,S607
        return
    try:
        os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return


def _launcher(workplace: Path) -> Path:
    """What BROWSER names; on Windows the installed program, because a batch file mangles the `&` of a URL."""
    installed = Path(sys.executable).with_name("acrmock-browser.exe")
    return installed if os.name == "nt" and installed.is_file() else workplace / _launcher_name()


def _launcher_name() -> str:
    return "acrmock-browser.cmd" if os.name == "nt" else "acrmock-browser"
