"""`acrmock send`: what cannot be called or sent is said in one sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from conformance.cli.app import run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "DIR\\LINK@localhost:1"], "must be an AE title"),
        (["--to", " @localhost:1"], "must be an AE title"),
        (["--to", "DIRLINK@localhost:1", "--calling", "B" * 40], "--calling"),
        (["--to", "DIRLINK@localhost:1", "--calling", ""], "--calling"),
    ],
)
def test_titles_that_cannot_be(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An AE title that cannot be is refused before anything is done."""
    assert run(["send", "--echo", *words]) == 2
    assert said in capsys.readouterr().err


def test_an_authority_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of certificates that holds none is refused with its name."""
    (tmp_path / "ca.pem").write_text("none\n")
    assert run(["send", "--echo", "--to", "DIRLINK@localhost:1", "--tls", "--ca-file", str(tmp_path / "ca.pem")]) == 2
    assert "no certificate to trust" in capsys.readouterr().err


def test_nobody_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no connection can be opened it is not said that the peer aborted."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert run(["send", "--echo", "--to", f"DIRLINK@127.0.0.1:{taken.getsockname()[1]}"]) == 2
    assert "nobody answers there" in capsys.readouterr().err
