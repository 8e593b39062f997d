"""A served acrmock, as a vendor would start it, and a registered application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from clients.server import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running `acrmock serve`."""
    server = Served(tmp_path_factory.mktemp("served") / "data")
    yield server
    server.stop()


@pytest.fixture
def registration(served: Served, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The registration document of a new application, named after the test."""
    return served.register(request.node.name[:60])
