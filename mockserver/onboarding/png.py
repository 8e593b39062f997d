"""A logo read as a PNG, byte by byte, without an image library (PNG, third edition, sections 5 and 11).

The whole file is checked: signature, chunk order and checksums, header fields, and that the pixels can be inflated to exactly
the size that the header promises, within bounds, so that a small file cannot blow up.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_OTHERS = ((b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"), (b"BM", "bmp"), (b"<svg", "svg"), (b"<?xml", "svg"))
MAX_SIDE = 4096


class NotAPng(ValueError):  # noqa: N818 - says what it is
    """Why bytes are not a PNG that a page could show."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG's width and height in pixels."""

    width: int
    height: int


def format_of(data: bytes) -> str:
    """What the first bytes of a file say it is: `png`, `jpeg`, `gif`, `webp`, `bmp`, `svg` or `unknown`."""
    if data.startswith(SIGNATURE):
        return "png"
    head = data.lstrip()[:8]
    return next((name for start, name in _OTHERS if head.startswith(start)), "unknown")


def size_of(data: bytes) -> Picture | None:
    """The pixels that a PNG's header promises, even where the rest is broken; None where there is no header."""
    if not data.startswith(SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return Picture(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]))


def read(data: bytes) -> Picture:
    """The PNG in `data`; raises `NotAPng` with the reason."""
    if not data.startswith(SIGNATURE):
        raise NotAPng(f"not a PNG but {format_of(data)}")
    chunks = list(_chunks(data))
    header = _header(chunks)
    _order(chunks, indexed=header.colour == 3)
    _pixels(b"".join(body for kind, body in chunks if kind == b"IDAT"), header)
    return Picture(header.width, header.height)


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    def row_bytes(self, width: int) -> int:
        return (width * self.depth * _SAMPLES[self.colour][0] + 7) // 8

    def rows(self) -> Iterator[int]:
        """The bytes of each scan line without its filter byte, in order of the stream."""
        if not self.interlaced:
            yield from (self.row_bytes(self.width) for _ in range(self.height))
            return
        for x, y, step_x, step_y in _ADAM7:
            columns = (self.width - x + step_x - 1) // step_x
            if columns > 0:
                yield from (self.row_bytes(columns) for _ in range(y, self.height, step_y))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        checksum = data[at + 8 + length : at + 12 + length]
        if len(kind) < 4 or len(body) < length or len(checksum) < 4:
            raise NotAPng("the file is cut off")
        if not kind.isalpha():
            raise NotAPng("a chunk has no valid type")
        if zlib.crc32(kind + body) != int.from_bytes(checksum):
            raise NotAPng(f"the checksum of chunk {kind.decode('ascii')} is wrong")
        yield kind, body
        at += 12 + length
        if kind == b"IEND" and at < len(data):
            raise NotAPng("bytes follow the end of the picture")


def _header(chunks: list[tuple[bytes, bytes]]) -> _Header:
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise NotAPng("the header chunk IHDR is missing or has the wrong length")
    body = chunks[0][1]
    width, height = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
    depth, colour, compression, filtering, interlace = body[8:13]
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise NotAPng(f"the header promises {width} x {height} pixels")
    if colour not in _SAMPLES or depth not in _SAMPLES[colour][1]:
        raise NotAPng(f"colour type {colour} with bit depth {depth} does not exist")
    if compression or filtering or interlace > 1:
        raise NotAPng("the header names a method that does not exist")
    return _Header(width, height, depth, colour, bool(interlace))


def _order(chunks: list[tuple[bytes, bytes]], *, indexed: bool) -> None:
    kinds = [kind for kind, _ in chunks]
    if kinds[-1] != b"IEND" or chunks[-1][1]:
        raise NotAPng("the end chunk IEND is missing")
    if kinds.count(b"IHDR") != 1 or kinds.count(b"PLTE") > 1:
        raise NotAPng("a chunk that may stand once stands twice")
    places = [place for place, kind in enumerate(kinds) if kind == b"IDAT"]
    if not places:
        raise NotAPng("there are no pixels (no IDAT chunk)")
    if places[-1] - places[0] + 1 != len(places):
        raise NotAPng("the IDAT chunks do not follow one another")
    if indexed and (b"PLTE" not in kinds or kinds.index(b"PLTE") > places[0]):
        raise NotAPng("an indexed picture has no palette before its pixels")
    critical = {kind for kind in kinds if kind[:1].isupper()}
    if critical - {b"IHDR", b"PLTE", b"IDAT", b"IEND"}:
        raise NotAPng("a critical chunk is unknown")


def _pixels(stream: bytes, header: _Header) -> None:
    rows = list(header.rows())
    expected = sum(rows) + len(rows)
    inflate = zlib.decompressobj()
    try:
        pixels = inflate.decompress(stream, expected + 1)
    except zlib.error as error:
        raise NotAPng("the pixels cannot be inflated") from error
    if len(pixels) != expected or not inflate.eof:
        raise NotAPng("the pixels are not as many as the header promises")
    at = 0
    for row in rows:
        if pixels[at] > 4:
            raise NotAPng("a scan line has an unknown filter")
        at += row + 1
