"""Fixtures for the tests of the wires: the harness stands beside this folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).parents[1] / "wires_support.py"


def _support() -> Any:
    name = "acrmock_tests_wires_support"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SUPPORT)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def support() -> Any:
    """The harness's module, for its helpers."""
    return _support()


@pytest.fixture
def house() -> Iterator[Any]:
    """The wires of an engine in memory."""
    yield from _support().house()
