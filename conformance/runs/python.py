"""Starting this same Python for programs of acrmock's own, whatever the environment of the client under test says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DETACHED_PROCESS = 0x00000008  # creation flags of Windows
NEW_PROCESS_GROUP = 0x00000200


def command(module: str, *arguments: str) -> list[str]:
    """The command that runs `module`'s `main` in isolation from PYTHONPATH and the like."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module} as m; m.main()"
    return [sys.executable, "-I", "-c", code, *arguments]


def detached() -> dict[str, object]:
    """The options with which `subprocess.Popen` starts a process that outlives its parent and its group."""
    if os.name == "nt":
        return {"creationflags": DETACHED_PROCESS | NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def grouped() -> dict[str, object]:
    """The options with which `subprocess.Popen` starts a process as the leader of its own group."""
    if os.name == "nt":
        return {"creationflags": NEW_PROCESS_GROUP}
    return {"start_new_session": True}
