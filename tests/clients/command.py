"""The command `acrmock`, run as a user runs it."""

from __future__ import annotations

import subprocess
import sys

ACRMOCK = [sys.executable, "-m", "conformance.cli"]


def acrmock(*arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """The finished command `acrmock arguments`."""
    return subprocess.run([*ACRMOCK, *arguments], capture_output=True, text=True, timeout=timeout, check=False)
