"""Fixtures of onboarding: the shipped facts, a good request, PNG files made by hand."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from acrmock.facts import Facts, load_facts
from mockserver.onboarding.admission import Admission, Declined, weigh
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.request import RegistrationRequest

DAY = date(2026, 5, 1)


@pytest.fixture(scope="session")
def facts() -> Facts:
    """The facts as shipped."""
    return load_facts()


@pytest.fixture(scope="session")
def limits(facts: Facts) -> Limits:
    """The limits as shipped."""
    return Limits.of(facts)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def make_png(width: int = 150, height: int = 40, *, colour: int = 2, rows: int | None = None, row_filter: int = 0) -> bytes:
    """An 8-bit PNG, not interlaced, with as many scan lines as `rows` (default: as the header promises)."""
    samples = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    pixels = b"".join(bytes([row_filter]) + bytes(width * samples) for _ in range(height if rows is None else rows))
    palette = chunk(b"PLTE", b"\x00\x00\x00") if colour == 3 else b""
    body = chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Makes PNG files."""
    return make_png


@pytest.fixture(scope="session")
def logo() -> str:
    """A good logo in base64."""
    return base64.b64encode(make_png()).decode()


@pytest.fixture
def weighed(facts: Facts) -> Callable[..., Admission | Declined]:
    """Weighs a good request with some fields changed."""

    def weigh_changed(**changes: Any) -> Admission | Declined:
        good: dict[str, Any] = {
            "name": "Lung Tracker",
            "redirect_url": ("https://localhost:8765/callback",),
            "ip": ("8.8.4.4",),
            "registry": ("lcsr",),
        }
        existing = changes.pop("existing", None)
        day = changes.pop("day", DAY)
        return weigh(RegistrationRequest(**{**good, **changes}), facts, day, existing=existing)

    return weigh_changed


@pytest.fixture
def reasons(weighed: Callable[..., Admission | Declined]) -> Callable[..., list[tuple[str, str]]]:
    """(pointer, reason) of every reason against a good request with some fields changed."""

    def of_changed(**changes: Any) -> list[tuple[str, str]]:
        outcome = weighed(**changes)
        return [(one.pointer, one.reason) for one in outcome.reasons] if isinstance(outcome, Declined) else []

    return of_changed
