"""What the tests of DIR Link share."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAME = "acrmock_tests_dose_support"


def load() -> Any:
    """The module of the small reports, loaded once: the tests are no package."""
    if NAME not in sys.modules:
        spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("dose_support.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[NAME] = module
        spec.loader.exec_module(module)
    return sys.modules[NAME]


@pytest.fixture
def dose() -> Any:
    """The module of the small reports."""
    return load()


@pytest.fixture
def site(dose: Any) -> Iterator[Callable[..., Any]]:
    """Makes engines with a registered application; they are stopped in the end."""
    made: list[Any] = []

    def make(data: Path | None = None, **options: Any) -> Any:
        made.append(dose.Site(data, **options))
        made[-1].register()
        return made[-1]

    yield make
    for one in made:
        one.stop()
