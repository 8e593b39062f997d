"""The client of the control API against a real engine over TLS: what works, and what a person is told when it does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acrmock.errors import SetupError
from acrmock.record import decode_line
from conformance.control import Control, RefusedError, read_ready
from mockserver import Engine

GOOD: dict[str, Any] = {
    "name": "Lung Tracker",
    "redirect_url": ["https://localhost:8765/callback"],
    "ip": ["203.0.113.7"],
    "registry": ["lcsr"],
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that answers over TLS and keeps its state in a folder."""
    with Engine(data=tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture
def control(engine: Engine) -> Iterator[Control]:
    """A client with the right token and authority, as read from `ready.json`."""
    assert engine.ready is not None
    assert engine.ready.data is not None
    ready = read_ready(engine.ready.data)
    with Control(ready.url, ready.control_token, ready.ca_file) as client:
        yield client


def test_a_run_from_registration_to_recording(control: Control) -> None:
    """Register, begin a run and a step, move endpoints, set a plan, wait for the event and read the recording."""
    assert control.healthy()
    assert control.ca_pem().startswith(b"-----BEGIN CERTIFICATE")
    run = control.start_run(profile="lcsr", revision="1", claims=[], launch=True)
    document = control.register({**GOOD, "run": run})
    application = document["application"]
    control.begin_step(run, "sign-in")
    control.move_endpoints(application, "test")
    control.settings(application, "test", {"auth.access_token_lifetime": 4})
    control.plan(application, "test", {"kind": "polls", "count": 2}, registry="lcsr")
    control.event(run, "client-exited", {"code": 0})
    assert control.await_entry(run=run, name="client-exited", timeout=5)
    assert control.await_entry(run=run, name="never", timeout=0.01) is None
    control.finish_run(run)
    names = [getattr(decode_line(line), "name", "") for line in control.journal(run=run)]
    assert names == [
        "",
        "run-started",
        "registration-attempted",
        "step-began",
        "endpoints-moved",
        "settings-changed",
        "plan-set",
        "client-exited",
        "step-ended",
        "run-ended",
        "",
    ]
    shown = msgspec.json.encode(control.applications()).decode()
    assert document["client_secret"] not in shown
    assert application in shown


def test_a_refused_registration_names_all_reasons(control: Control) -> None:
    """Every reason reaches the person who typed the command."""
    with pytest.raises(RefusedError) as caught:
        control.register({**GOOD, "name": "", "ip": ["0.0.0.0/0"], "redirect_url": ["http://a.example/"]})
    assert caught.value.status == 422
    text = str(caught.value)
    for word in ("name", "ip", "redirect_url", "every address", "https"):
        assert word in text


def test_a_reason_is_said_once(control: Control) -> None:
    """Where a field's line says what the detail says, the detail is left out."""
    with pytest.raises(RefusedError) as caught:
        control.set_fault(application="default", operation="nosuch", error="unavailable")
    assert str(caught.value).count("there is no such operation") == 1


def test_a_wrong_token_says_where_the_right_one_is(control: Control) -> None:
    """Another token, or none, is answered with how to get the right one."""
    for token in ("wrong", ""):
        with Control(control.url, token, control.ca_file) as stranger, pytest.raises(SetupError) as caught:
            stranger.applications()
        assert "--token" in caught.value.fix
        assert caught.value.where


def test_no_server_is_said_so() -> None:
    """A port where nobody listens gives an address and what to do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Control(f"https://localhost:{port}", "x") as client, pytest.raises(SetupError, match="cannot be reached") as caught:
        client.applications()
    assert "acrmock serve" in caught.value.fix
    assert str(port) in caught.value.where


def test_an_untrusted_authority_is_said_so(control: Control, tmp_path: Path) -> None:
    """A server whose certificate another authority issued is not spoken to, and the fix names the reason."""
    with Engine(data=tmp_path) as other:
        assert other.ready is not None
        with Control(other.ready.url, other.ready.control_token, control.ca_file) as client, pytest.raises(SetupError) as caught:
            client.applications()
    assert "authority" in caught.value.fix


def test_a_folder_without_a_server(tmp_path: Path) -> None:
    """A folder in which no server was started, or whose file is broken, is named."""
    with pytest.raises(SetupError) as caught:
        read_ready(tmp_path)
    assert "acrmock serve" in caught.value.fix
    (tmp_path / "ready.json").write_text("{")
    with pytest.raises(SetupError, match="not a ready file"):
        read_ready(tmp_path)


@pytest.mark.parametrize("url", ["", "localhost:1", "ftp://localhost", "https://"])
def test_what_is_no_url(url: str) -> None:
    """A server's URL that is none is refused before anything is sent."""
    with pytest.raises(SetupError):
        Control(url, "x")
