"""Writing files so that a reader sees the old one or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from acrmock.errors import SetupError


def write_atomically(path: Path, data: bytes, *, private: bool = False) -> None:
    """Put `data` at `path` in one move; `private` leaves it readable by the user only. Raises `SetupError` when it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if not private:
                Path(name).chmod(0o644)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SetupError("the file cannot be written", where=str(path), actual=error.strerror or str(error)) from error
