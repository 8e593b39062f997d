"""The door of the pytest plugin: fixtures and marker, and nothing that is imported before a test asks for it.

It stands apart so that a project whose own packages are called `conformance`, `mockserver` or `synthetic` is left alone.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.plugin import ApplicationUnderTest, ServerUnderTest

HOME = Path(__file__).resolve().parent
DOOR = Path(__file__).name
MARKER = "acrmock"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(profile='lcsr', claims=(…), settings={{…}}, name='…', redirect_url=('…',), ip=('…',), registry=('…',), …): "
        "how `acrmock_application` is registered; flags of `acrmock register` in snake case",
    )


@pytest.fixture(scope="session")
def acrmock_server() -> Iterator[ServerUnderTest]:
    """A simulated ACR for this session (each worker of pytest-xdist has its own), on a free port, in memory, over TLS."""
    _refuse_collision()
    from conformance.plugin import serving  # noqa: PLC0415 - only when a test asks for it

    strangers = tuple(name for name in ("mockserver", "synthetic") if not is_ours(name))
    with serving(strangers=strangers) as server:
        yield server


@pytest.fixture
def acrmock_application(acrmock_server: ServerUnderTest, request: pytest.FixtureRequest) -> ApplicationUnderTest:
    """An application of this test's own: its registration document, and what one can ask of it."""
    marker = request.node.get_closest_marker(MARKER)
    flags = dict(marker.kwargs) if marker is not None else {}
    return acrmock_server.register(label=str(request.node.name)[:60], **flags)


def is_ours(name: str) -> bool:
    """Whether the top-level package `name` is acrmock's own, as things are imported here.

    It stands beside this module; an editable installation copies the module, so the checkout's has to be looked for too.
    """
    loaded = sys.modules.get(name)
    spec = getattr(loaded, "__spec__", None) or importlib.util.find_spec(name)
    origin = getattr(spec, "origin", None)
    if origin is None:
        return False
    package = Path(origin).resolve().parent
    return package == HOME / name or (package.name == name and (package.parent / DOOR).is_file())


def _refuse_collision() -> None:
    for name in ("acrmock", "conformance"):
        if not is_ours(name):
            message = (
                f"acrmock's fixtures need its own package `{name}`, and this project has a top-level package of that name.\n"
                f"  fix: rename it, keep it below another package, or drive `acrmock serve` and `acrmock certify` as commands"
            )
            raise pytest.UsageError(message)
