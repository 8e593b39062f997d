"""What the tests of dose reports share: a day, and how many reports the witnesses read."""

from __future__ import annotations

import os
from datetime import date

import pytest

from synthetic.dose import Kind, Maker, Options

AS_OF = date(2026, 6, 1)


def maker(kind: Kind, seed: int = 11, **options: object) -> Maker:
    """A maker of reports as of a fixed day."""
    return Maker(Options(kind=kind, seed=seed, as_of=AS_OF, **options))  # type: ignore[arg-type]


@pytest.fixture(name="maker")
def _maker() -> object:
    """The function above, for tests that cannot import from here."""
    return maker


@pytest.fixture(scope="session")
def reports_read() -> int:
    """How many reports of each kind the witnesses read: 100, or as many as ACRMOCK_DOSE_REPORTS says."""
    return int(os.environ.get("ACRMOCK_DOSE_REPORTS", "100"))
