"""Hostile requests by the hundred: no 5xx that is not meant, no traceback, no growth, and others are served."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.hostile import run

REQUESTS = 400


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_requests_harm_nobody(tmp_path: Path, seed: int) -> None:
    """Targets, headers, forms, multipart bodies, chunks and raw bytes, broken in every way: each gets a clean answer."""
    told = run(REQUESTS, seed, tmp_path)
    assert told.wrong == ()
    assert sum(told.statuses.values()) == REQUESTS
    assert len(told.statuses) > 5
