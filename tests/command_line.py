"""The command `acrmock` as a process of its own, in a folder of its own; and the command line of the reference vendor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = f'"{sys.executable}" -m conformance.vendors'


def acrmock(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The real command, as a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"}
    line = [sys.executable, "-m", "conformance.cli", *arguments]
    return subprocess.run(line, capture_output=True, text=True, env=env, cwd=cwd, timeout=110, check=False, encoding="utf-8")
