"""`acrmock send`: to the mock's receiver, with every flag; what it prints, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from acrmock.clock import SystemClock
from conformance.cli.app import run
from conformance.cli.send import send
from conformance.control import Control
from mockserver import Engine
from synthetic.dose import generate


@dataclass(frozen=True, slots=True)
class Running:
    """A server that receives, and what its registration says."""

    to: str
    tls_to: str
    ca_file: str
    registration: dict[str, Any]
    control: Control


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """A server with one application that sends dose reports."""
    with Engine(dicom_port=0, dicom_tls_port=0) as engine:
        ready = engine.ready
        assert ready is not None
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            body = {"name": "Dose", "ip": ["198.51.100.7"], "dicom": ["CT1"], "station": ["CT1"]}
            document = control.register(body)
            ports = (f"DIRLINK@127.0.0.1:{port}" for port in (ready.dicom_port, ready.dicom_tls_port))
            yield Running(*ports, str(ready.ca_file), document, control)


def call(*words: str | Path) -> Result:
    """The command's end."""
    return CliRunner().invoke(send, [str(word) for word in words], catch_exceptions=True)


def refusal(*words: str | Path) -> str:
    """What it says when it cannot begin; that is exit code 2."""
    result = call(*words)
    assert result.exit_code != 0
    assert run(["send", *map(str, words)]) == 2
    return str(result.exception) + result.output


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Three reports as files, others for each test."""
    found = tmp_path / "reports"
    found.mkdir()
    for index in range(3):
        made = generate("ct", request.node.name, index, as_of=date(2026, 6, 1), station="CT1")
        (found / f"{index}.dcm").write_bytes(made.file_bytes)
    return found


def test_a_folder_is_sent(running: Running, folder: Path) -> None:
    """Every file of a folder is taken, one line each, and is in the registry's hands."""
    before = len(running.control.reports("default", "test"))
    result = call(folder, "--to", running.to)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == ["0000  0.dcm", "0000  1.dcm", "0000  2.dcm", "3 of 3 taken"]
    assert len(running.control.reports("default", "test")) == before + 3


def test_to_the_address_of_a_registration_as_json(running: Running, folder: Path, tmp_path: Path) -> None:
    """Host, port and AE title come from the registration; each object by itself; JSON says what came of it."""
    document = tmp_path / "registration.json"
    document.write_text(json.dumps(running.registration))
    result = call(
        folder / "0.dcm", folder / "1.dcm", "--registration", document, "--calling", "CT1", "--each", "--format", "json"
    )
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["name"], row["stored"], row["status"]) for row in rows] == [("0.dcm", True, "0000"), ("1.dcm", True, "0000")]
    assert [end["stored"] for end in ended(running, "CT1", 2)] == [1, 1]


def ended(running: Running, calling: str, count: int) -> list[dict[str, Any]]:
    """The associations that called by this title and have ended, once there are so many."""
    clock = SystemClock()
    until = clock.monotonic() + 20
    while clock.monotonic() < until:
        lines = [json.loads(line) for line in running.control.journal(application="default")]
        ends = [line["facts"] for line in lines if line.get("kind") == "association"]
        if len(found := [end for end in ends if end["calling_ae"] == calling]) >= count:
            return found
        clock.wait(0.05)
    pytest.fail("the associations never ended")


def test_echo_alone_and_before_objects(running: Running, folder: Path) -> None:
    """`--echo` verifies; without files that is all."""
    alone = call("--echo", "--to", running.to)
    assert (alone.exit_code, alone.stdout) == (0, "")
    assert "success" in alone.stderr
    both = call("--echo", folder / "2.dcm", "--to", running.to)
    assert both.stdout.splitlines()[-1] == "1 of 1 taken"


def test_over_tls(running: Running, folder: Path) -> None:
    """With the authority named it goes over TLS; without it, or to a peer that speaks none, the answer says why not."""
    assert call(folder, "--to", running.tls_to, "--tls", "--ca-file", running.ca_file).exit_code == 0
    strange = call(folder / "0.dcm", "--to", running.tls_to, "--tls")
    assert strange.exit_code == 1
    assert strange.stdout.splitlines()[-1] == "0 of 1 taken"
    assert "certificate is not trusted" in strange.stdout
    assert "TLS: the handshake failed" in call(folder / "0.dcm", "--to", running.to, "--tls").stdout


def test_a_refusal_is_explained(running: Running, folder: Path) -> None:
    """Of a refused C-STORE the control API says why, by the number of its entry, as of an HTTP request."""
    data = (folder / "1.dcm").read_bytes()
    (folder / "1.dcm").write_bytes(data.replace(b"SYN", b"RAL"))
    assert call(folder / "1.dcm", "--to", running.to).exit_code == 1
    entries = [json.loads(line) for line in running.control.journal()]
    refused = [entry["seq"] for entry in entries if entry["kind"] == "dimse" and entry.get("refusal")]
    found = running.control.why(str(refused[-1]))
    assert (found["code"], found["answer"]) == ("acrmock:dimse-real-data", "C001H")


def test_what_is_refused_does_not_keep_the_others(running: Running, folder: Path) -> None:
    """A report of a real person is refused with its status; the others are taken; exit code 1."""
    data = (folder / "1.dcm").read_bytes()
    assert b"SYN" in data
    (folder / "1.dcm").write_bytes(data.replace(b"SYN", b"RAL"))
    result = call(folder, "--to", running.to)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [line[:4] for line in lines[:3]] == ["0000", "C001", "0000"]
    assert lines[-1] == "2 of 3 taken"


def test_nobody_there(folder: Path, running: Running) -> None:
    """A wrong title, and a port on which nobody listens: the reason stands behind each object, or is the error of the echo."""
    wrong = call(folder / "0.dcm", "--to", running.to.replace("DIRLINK", "NOBODY"))
    assert wrong.exit_code == 1
    assert "rejected" in wrong.stdout
    closed = call(folder / "0.dcm", "--to", "DIRLINK@127.0.0.1:1")
    assert closed.stdout.splitlines()[0] == "----  0.dcm  nobody answers there"
    assert "cannot be verified" in refusal("--echo", "--to", "DIRLINK@127.0.0.1:1")


def test_what_cannot_begin(running: Running, folder: Path, tmp_path: Path) -> None:
    """No peer, two, no address, nothing to send, no object, no registration: errors in words."""
    file = folder / "0.dcm"
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "none.json").write_text('{"dicom": null}')
    (tmp_path / "broken.json").write_text("{")
    assert "either --to or --registration" in refusal(file)
    (tmp_path / "empty.json").touch()
    assert "acrmock register" in refusal(file, "--registration", tmp_path / "empty.json")
    assert "either --to or --registration" in refusal(file, "--to", running.to, "--registration", tmp_path / "none.json")
    for address in ("DIRLINK", "DIRLINK@localhost", "DIRLINK@localhost:99999", "DIR LINK@:1"):
        assert "AE@HOST:PORT" in refusal(file, "--to", address)
    for title in ("A" * 17, "DIR\x07LINK", "A\\B", "   ", "", "DÏR"):
        assert "no AE title" in refusal(file, "--to", f"{title}@localhost:104")
        assert "no AE title" in refusal(file, "--to", running.to, "--calling", title)
    assert "nothing to send" in refusal("--to", running.to)
    assert "text.txt" in refusal(tmp_path / "text.txt", "--to", running.to)
    assert "no such file" in refusal(tmp_path / "nowhere", "--to", running.to)
    for name in ("none.json", "broken.json"):
        assert "no DICOM address" in refusal(file, "--registration", tmp_path / name)
    assert "no certificate authority" in refusal(file, "--to", running.tls_to, "--tls", "--ca-file", tmp_path / "broken.json")
