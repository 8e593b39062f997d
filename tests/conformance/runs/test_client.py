"""The client under test as a process: words, environment, time limit, output."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import pytest

from acrmock.errors import SetupError
from conformance.runs import client
from conformance.runs.robot import Reporting


def test_a_command_is_split_without_a_shell() -> None:
    """Quotes hold words together; the program is found; shell syntax is plain text."""
    words = client.split_command(f'"{sys.executable}" -c "print(1)" "&&" x')
    assert words[1:] == ["-c", "print(1)", "&&", "x"]
    assert Path(words[0]).exists()


@pytest.mark.parametrize("command", ["", "   ", '"open', "no-such-program-anywhere x"])
def test_a_command_that_cannot_be_run_is_refused(command: str) -> None:
    """Nothing, unbalanced quotes and unknown programs are setup errors."""
    with pytest.raises(SetupError) as refused:
        client.split_command(command)
    assert refused.value.where == "--launch"


def test_output_and_exit_code_are_kept(tmp_path: Path) -> None:
    """What the client prints goes to its log, whatever its exit code."""
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    ended = client.run([sys.executable, "-c", code], os.environ, timeout=30, log=tmp_path / "logs" / "1.log")
    assert (ended.code, ended.timed_out) == (7, False)
    assert set(ended.log.read_text().split()) == {"out", "err"}


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX")
def test_a_client_that_does_not_end_is_stopped_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the window the whole process group goes, a child that ignores SIGTERM too."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    child = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"f = open({str(fifo)!r}, 'wb'); f.write(b'x'); f.flush(); signal.pause()"
    )
    code = f"import subprocess, sys, signal; subprocess.Popen([sys.executable, '-c', {child!r}]); signal.pause()"
    with ExitStack() as left:
        opened: list[BinaryIO] = []

        def over_once_the_child_lives(process: subprocess.Popen[bytes], timeout: float, _finished: object) -> None:
            opened.append(left.enter_context(fifo.open("rb")))  # waits for the child to open it
            assert opened[0].read(1) == b"x"
            raise subprocess.TimeoutExpired(process.args, timeout)

        monkeypatch.setattr(client, "_wait", over_once_the_child_lives)
        ended = client.run([sys.executable, "-c", code], os.environ, timeout=2.0, log=tmp_path / "1.log")
        assert (ended.code, ended.timed_out) == (None, True)
        assert opened[0].read() == b""  # the end comes only when the child is gone


def test_a_window_is_over_when_its_seconds_are(tmp_path: Path) -> None:
    """A client that goes on is stopped after its window, with somebody who says when it is done and without."""
    for finished in (None, lambda: False):
        line = [sys.executable, "-c", "import threading; threading.Event().wait()"]
        ended = client.run(line, os.environ, timeout=0.1, log=tmp_path / "1.log", finished=finished)
        assert (ended.code, ended.timed_out) == (None, True)


def test_the_environment_has_the_names_that_outsiders_rely_on(tmp_path: Path) -> None:
    """The documented variables are set, the control token is not handed on, and no proxy is asked for loopback."""
    base = {"PATH": "p", "ACRMOCK_TOKEN": "t", "ACRMOCK_STEP": "old", "NO_PROXY": "corp"}
    env = client.environment(
        base,
        registration=tmp_path / "r.json",
        profile="lcsr",
        step=None,
        ca_file=tmp_path / "ca.pem",
        workplace=tmp_path,
        browser_log=tmp_path / "b",
        dicom={"host": "127.0.0.1", "port": 11112, "ae_title": "DIRLINK"},
    )
    where = [env[f"ACRMOCK_DICOM_{name}"] for name in ("HOST", "PORT", "AE_TITLE")]
    assert where == ["127.0.0.1", "11112", "DIRLINK"]
    assert env["ACRMOCK_REGISTRATION"] == str(tmp_path / "r.json")
    assert env["ACRMOCK_PROFILE"] == "lcsr"
    assert {env[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")} == {str(tmp_path / "ca.pem")}
    assert "ACRMOCK_TOKEN" not in env
    assert "ACRMOCK_STEP" not in env
    assert env["NO_PROXY"] == "corp,localhost,127.0.0.1,::1"


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
def test_the_robots_files_are_private(tmp_path: Path) -> None:
    """The launcher can be run and the file with the control token read by the user only."""
    client.furnish(tmp_path, Reporting(url="https://localhost:1", control_token="t"))
    assert (tmp_path / "acrmock-browser").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "browser.json").stat().st_mode & 0o777 == 0o600
