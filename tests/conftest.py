"""What holds for every test."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# how long an example takes says more of the machine than of the code; in CI the same examples come each time
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def _no_foreign_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests trust the CA that they name: requests would otherwise prefer one from the environment over a session's own."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
