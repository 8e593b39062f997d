"""Logos: a real PNG of the right size, and everything else named."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.facts import load_facts
from mockserver.onboarding import png as reader
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.logos import check_logo

LIMITS = Limits.of(load_facts())
Make = Callable[..., bytes]


@pytest.mark.parametrize("colour", [0, 2, 3, 6])
def test_real_pngs_are_read(png: Make, colour: int) -> None:
    """Grey, true colour, palette and alpha are read to their end."""
    assert reader.read(png(colour=colour)) == reader.Picture(150, 40)


def test_faults_are_named(png: Make) -> None:
    """Each kind of broken file has its reason."""
    good = png()
    twice = good[:8] + good[8:33] + good[8:]
    cases = {
        "not a PNG but jpeg": b"\xff\xd8\xff\xe0" + good,
        "not a PNG but unknown": b"",
        "cut off": good[:-20],
        "checksum": good[:60] + bytes([good[60] ^ 1]) + good[61:],
        "bytes follow": good + b"x",
        "stands twice": twice,
        "as many as": png(rows=39),
        "unknown filter": png(row_filter=9),
        "IEND": good[:-12],
    }
    for word, data in cases.items():
        with pytest.raises(reader.NotAPng, match=word):
            reader.read(data)


def test_a_bomb_is_refused_within_bounds() -> None:
    """A small file that would inflate to gigabytes is refused by its header, or by what it inflates to."""

    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    stream = zlib.compress(bytes(50_000_000), 9)
    for side in (150, 60_000):
        header = part(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        with pytest.raises(reader.NotAPng):
            reader.read(reader.SIGNATURE + header + part(b"IDAT", stream) + part(b"IEND", b""))


@given(st.binary(max_size=400), st.integers(0, 200))
def test_noise_never_breaks_it(noise: bytes, place: int) -> None:
    """Random bytes, with or without a signature, are a PNG or a reason."""
    for data in (noise, reader.SIGNATURE + noise, noise[:place] + reader.SIGNATURE):
        try:
            reader.read(data)
        except reader.NotAPng as error:
            assert str(error)  # noqa: PT017 - either is fine


def test_the_logo_s_rules(png: Make, logo: str) -> None:
    """Size and link are judged, and what was measured is kept for the record."""
    measured, faults = check_logo(logo, "https://vendor.example/", LIMITS)
    assert faults == []
    assert measured is not None
    assert (measured.width, measured.height, measured.format) == (150, 40, "png")
    broken, _ = check_logo(base64.b64encode(png()[:-3]).decode(), "https://vendor.example/", LIMITS)
    assert broken is not None
    assert broken.format == "broken png"
    wrong = base64.b64encode(png(151, 40)).decode()
    assert "another size" in check_logo(wrong, "https://vendor.example/", LIMITS)[1][0].reason
    assert "needs a web link" in check_logo(logo, None, LIMITS)[1][0].reason
    assert "without a logo" in check_logo(None, "https://vendor.example/", LIMITS)[1][0].reason
    assert "too large" in check_logo("A" * 8_000_000, "https://vendor.example/", LIMITS)[1][0].reason
    assert check_logo(None, None, LIMITS) == (None, [])
