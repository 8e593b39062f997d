"""What a bad layer raises."""

from __future__ import annotations

from acrmock.errors import SetupError


class FactsError(SetupError):
    """A layer that cannot be used: `file`, `line` (from 1; 0 when the whole file is meant) and `reason` say why."""

    def __init__(self, reason: str, *, file: str, line: int = 0, fix: str = "") -> None:
        super().__init__(reason, where=f"{file}:{line}" if line else file, fix=fix)
        self.file = file
        self.line = line
        self.reason = reason
