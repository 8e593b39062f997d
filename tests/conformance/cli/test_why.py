"""`acrmock why`: from a running server and from a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from conformance.cli.why import why
from mockserver import Engine


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A server with a refused request; gives its data directory."""
    data = tmp_path / "data"
    with Engine(data, tls=True) as engine:
        assert engine.ready is not None
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(engine.ready.ca_file)
            assert session.put(f"{engine.ready.url}/nowhere/x").status_code == 404
            headers = {"Authorization": f"Bearer {engine.ready.control_token}"}
            recording = session.get(f"{engine.ready.url}/_acrmock/journal", headers=headers)
            (tmp_path / "journal.ndjson").write_bytes(recording.content)
        yield data


def test_from_a_server_and_from_a_recording(served: Path, tmp_path: Path) -> None:
    """Both ways give the same explanation, as text and as JSON."""
    live = CliRunner().invoke(why, ["last", "--data", str(served)])
    assert live.exit_code == 0, live.output
    assert "acrmock:application-unknown" in live.output
    path = str(tmp_path / "journal.ndjson")
    recorded = CliRunner().invoke(why, ["last", "--recording", path]).output
    assert f"curl --cacert {served / 'keys' / 'ca.pem'} " in live.output, "a line to be pasted"
    assert live.output.replace(str(served / "keys" / "ca.pem"), "'<ca.pem>'") == recorded
    document = json.loads(CliRunner().invoke(why, ["last", "--recording", path, "--format", "json"]).output)
    again = CliRunner().invoke(why, [str(document["seq"]), "--recording", path])
    assert again.output == recorded


def test_nothing_was_refused(tmp_path: Path) -> None:
    """A server that refused nobody is no error; a program that wants JSON gets none."""
    data = tmp_path / "quiet"
    with Engine(data, tls=True):
        told = CliRunner().invoke(why, ["last", "--data", str(data)])
        assert (told.exit_code, told.output) == (0, "nothing was refused so far\n")
        assert CliRunner().invoke(why, ["last", "--data", str(data), "--format", "json"]).exit_code != 0
        assert CliRunner().invoke(why, ["7", "--data", str(data)]).exit_code != 0


def test_what_is_not_there(served: Path, tmp_path: Path) -> None:
    """A number without an exchange, and what is no number, are said so."""
    assert CliRunner().invoke(why, ["99999", "--data", str(served)]).exit_code != 0
    assert CliRunner().invoke(why, ["99999", "--recording", str(tmp_path / "journal.ndjson")]).exit_code != 0
    assert CliRunner().invoke(why, ["first"]).exit_code == 2
