"""Tools of others that bear witness: where they are, and what a test does without them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def tool(name: str, *folders: Path | str) -> str:
    """The path of a program, sought in `folders` too; without it the test ends (`lacking`)."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, folders)))
    if found is None:
        lacking(f"{name} is missing", f"needs {name}")
    return found


def lacking(missing: str, needs: str) -> NoReturn:
    """End a test for want of a witness: it fails as `missing` where witnesses are required, else it is skipped as `needs`."""
    if os.environ.get("ACRMOCK_REQUIRE_WITNESSES") == "1":
        pytest.fail(missing)
    pytest.skip(needs)
