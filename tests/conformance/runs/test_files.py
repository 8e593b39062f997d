"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acrmock.errors import SetupError
from conformance.runs.files import write_atomically


def test_a_file_is_replaced_in_one_move(tmp_path: Path) -> None:
    """The new content stands in place of the old, and nothing else is left."""
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX")
def test_a_private_file_is_the_users_alone(tmp_path: Path) -> None:
    """Secrets are readable by their owner only."""
    write_atomically(tmp_path / "secret", b"", private=True)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A directory that is a file is a setup error with its path."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError) as refused:
        write_atomically(tmp_path / "file" / "x", b"")
    assert "file" in refused.value.where
