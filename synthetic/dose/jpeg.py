"""A baseline JPEG of grey blocks (ITU-T T.81): only the mean of each block of eight by eight pixels is coded."""

from __future__ import annotations

from struct import pack

# the luminance table for DC differences of T.81 table K.3, and an AC table whose only code says: end of block
_DC_COUNTS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
_DC_VALUES = tuple(range(12))
_AC_COUNTS = (1,) + (0,) * 15
_END_OF_BLOCK = "0"
_QUANTUM = 8  # with it a DC level is eight times the mean over eight, so one step of grey is one level


def encode(pixels: bytes, width: int, height: int) -> bytes:
    """One byte a pixel as a JPEG stream; width and height are multiples of eight, raises `ValueError` otherwise."""
    if width % 8 or height % 8 or len(pixels) != width * height:
        raise ValueError("the picture must consist of whole blocks of eight by eight pixels")
    bits = []
    before = 0
    codes = _codes(_DC_COUNTS, _DC_VALUES)
    for top in range(0, height, 8):
        for left in range(0, width, 8):
            total = sum(sum(pixels[(top + row) * width + left : (top + row) * width + left + 8]) for row in range(8))
            level = total // 64 - 128
            bits.append(_difference(level - before, codes) + _END_OF_BLOCK)
            before = level
    return _headers(width, height) + _scan("".join(bits)) + b"\xff\xd9"


def _codes(counts: tuple[int, ...], values: tuple[int, ...]) -> dict[int, str]:
    """The Huffman codes of a table (T.81 annex C)."""
    found, code, place = {}, 0, 0
    for length, count in enumerate(counts, 1):
        for _ in range(count):
            found[values[place]] = format(code, f"0{length}b")
            code, place = code + 1, place + 1
        code <<= 1
    return found


def _difference(difference: int, codes: dict[int, str]) -> str:
    size = abs(difference).bit_length()
    if not size:
        return codes[0]
    number = difference if difference > 0 else difference + (1 << size) - 1
    return codes[size] + format(number, f"0{size}b")


def _scan(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""
    return data.replace(b"\xff", b"\xff\x00")


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + pack(">H", len(body) + 2) + body


def _headers(width: int, height: int) -> bytes:
    frame = pack(">BHHB", 8, height, width, 1) + bytes((1, 0x11, 0))
    return (
        b"\xff\xd8"
        + _segment(0xE0, b"JFIF\0" + bytes((1, 1, 0, 0, 1, 0, 1, 0, 0)))
        + _segment(0xDB, bytes((0, *((_QUANTUM,) * 64))))
        + _segment(0xC0, frame)
        + _segment(0xC4, bytes((0x00, *_DC_COUNTS, *_DC_VALUES)))
        + _segment(0xC4, bytes((0x10, *_AC_COUNTS, 0)))
        + _segment(0xDA, bytes((1, 1, 0, 0, 63, 0)))
    )
