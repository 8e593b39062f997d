"""`acrmock serve` with `register`, `ca`, `doctor` and a waiting `certify` against it, as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[3]


def _line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "conformance.cli", *arguments]


def _environment(**more: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ACRMOCK_")}
    return {**clean, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def acrmock(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The real command, as a process of its own."""
    return subprocess.run(
        _line(*arguments), capture_output=True, text=True, env=_environment(**more), cwd=cwd, timeout=60, check=False
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server on a free port with its data below `tmp_path`, stopped at the end."""
    flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if sys.platform == "win32" else {}
    with subprocess.Popen(
        _line("serve", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=_environment(),
        **flags,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().startswith("stop"):
                break
        yield process
        if process.poll() is None:
            process.terminate()
        process.wait(20)


REGISTER = (
    "register",
    "--name",
    "My app",
    "--redirect-url",
    "https://localhost:8765/callback",
    "--ip",
    "203.0.113.7",
    "--registry",
    "lcsr",
)


def test_a_served_acr_is_registered_with_and_stops_clean(served: subprocess.Popen[str], tmp_path: Path) -> None:
    """`serve` says where it is; `register`, `ca` and `doctor` find it by its directory; a signal ends it with 0."""
    ready = json.loads((tmp_path / "acrmock-data" / "ready.json").read_text("utf-8"))
    assert requests.get(f"{ready['url']}/healthz", verify=ready["ca_file"], timeout=10).status_code == 200
    registered = acrmock(*REGISTER, "--format", "json", cwd=tmp_path)
    assert registered.returncode == 0, registered.stderr
    document = json.loads(registered.stdout)
    assert document["redirect_url"] == "https://localhost:8765/callback"
    assert len(document["facilities"]) == len(document["users"]) == 2
    refused = acrmock(*REGISTER, "--ip", "0.0.0.0/0", "--redirect-url", "http://x/", cwd=tmp_path)
    assert refused.returncode == 2
    assert "ip" in refused.stderr
    assert "redirect_url" in refused.stderr
    wrong = acrmock(*REGISTER, cwd=tmp_path, ACRMOCK_TOKEN="wrong")
    assert wrong.returncode == 2
    assert "ACRMOCK_TOKEN" in wrong.stderr
    exported = acrmock("ca", "export", cwd=tmp_path)
    assert exported.stdout.startswith("-----BEGIN CERTIFICATE-----")
    issued = acrmock("ca", "issue", "localhost", "127.0.0.1", "--out", "tls", cwd=tmp_path)
    assert issued.returncode == 0, issued.stderr
    assert (tmp_path / "tls" / "localhost-key.pem").exists()
    doctor = acrmock("doctor", cwd=tmp_path)
    assert doctor.returncode == 0, doctor.stdout
    assert "answers" in doctor.stdout
    own = acrmock("doctor", "--port", str(ready["port"]), cwd=tmp_path)
    assert "in use, by the server that was started with acrmock-data" in own.stdout
    gone = acrmock("resolve", "--acknowledge", "no-such", "--who", "me", "--why", "so", cwd=tmp_path)
    assert gone.returncode == 2
    assert "Traceback" not in gone.stderr
    if sys.platform != "win32":
        served.send_signal(signal.SIGINT)
        assert served.wait(20) == 0
        assert "Traceback" not in (served.stderr.read() if served.stderr else "")
        assert not (tmp_path / "acrmock-data" / "ready.json").exists()


def test_a_port_in_use_is_explained(served: subprocess.Popen[str], tmp_path: Path) -> None:
    """A second server on the same port says so and leaves with 2."""
    del served
    port = json.loads((tmp_path / "acrmock-data" / "ready.json").read_text("utf-8"))["port"]
    answer = acrmock("serve", "--port", str(port), "--data", "other", cwd=tmp_path)
    assert answer.returncode == 2
    assert f":{port}" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (("--local-source", "everywhere"), {}),
        ((), {"ACRMOCK_LOCAL_SOURCES": "10.0.0.0/8,nonsense"}),
        ((), {"ACRMOCK_LOCAL_SOURCES": "0.0.0.0/0"}),
        (("--public-url", "ftp://x"), {}),
        (("--public-url", "https://[x"), {}),
        (("--bind", "999.1.1.1"), {}),
        (("--data", "/dev/null/x"), {}),
    ],
)
def test_bad_flags_of_serve_are_explained(arguments: tuple[str, ...], more: dict[str, str], tmp_path: Path) -> None:
    """Flags and variables that cannot be used are refused before anything answers."""
    answer = acrmock("serve", "--port", "0", *arguments, cwd=tmp_path, **more)
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_waiting_run_judges_the_client_that_somebody_else_drives(served: subprocess.Popen[str], tmp_path: Path) -> None:
    """Without --launch the run says whose turn it is and waits within its window; nobody came is incomplete, not an error."""
    del served
    url = json.loads((tmp_path / "acrmock-data" / "ready.json").read_text("utf-8"))["url"]
    answer = acrmock("certify", "--server", url, "--timeout", "0.2", "--format", "json", cwd=tmp_path)
    assert answer.returncode == 3, answer.stderr
    assert "your turn, within 0 s" in answer.stderr
    assert (tmp_path / "acrmock-out" / "private" / "registration.json").exists()
    assert json.loads(answer.stdout)["verdict"] == "incomplete"


@pytest.mark.parametrize("line", [("serve", "--port", "0", "--data"), ("report",), ("send",), ("ca", "export", "--out")])
def test_an_empty_path_is_not_the_current_directory(tmp_path: Path, line: tuple[str, ...]) -> None:
    """An unset variable in quotes is refused, and nothing is put where one happens to be."""
    done = acrmock(*line, "", cwd=tmp_path)
    assert done.returncode == 2
    assert "an empty path; for the current directory say ." in done.stderr
    assert list(tmp_path.iterdir()) == []
