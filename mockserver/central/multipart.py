"""A body in the shape of STOW-RS: `multipart/related` of DICOM files and JSON (RFC 2046 section 5.1, PS3.18 section 8.6.1)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from email.message import Message

import msgspec

DICOM, JSON = "application/dicom", "application/json"
_MOST_PARTS = 16
_MOST_HEADERS = 4096
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?\- ]{0,69}[0-9A-Za-z'()+_,./:=?\-]")


class Malformed(ValueError):  # noqa: N818 - says what it is
    """The body is not what its Content-Type says; the text says where."""


class Part(msgspec.Struct, frozen=True):
    """One part: its media type, in lower case and without parameters, and its bytes."""

    media: str
    data: bytes


def build(parts: Iterable[Part]) -> tuple[str, bytes]:
    """(Content-Type, body) of `parts`; the first one's media type is the root's (RFC 2387 section 3.1)."""
    every = tuple(parts)
    boundary = f"acrmock-{secrets.token_hex(16)}"
    body = b"".join(
        b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (boundary.encode(), part.media.encode(), part.data) for part in every
    )
    return f'multipart/related; type="{every[0].media}"; boundary={boundary}', body + f"--{boundary}--\r\n".encode()


def parse(content_type: str, body: bytes) -> list[Part]:
    """The parts of a body; raises `Malformed`."""
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    if header.get_content_type() != "multipart/related":
        raise Malformed(f"Content-Type is {header.get_content_type()}, not multipart/related")
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        raise Malformed("Content-Type names no boundary")
    mark = b"\r\n--" + boundary.encode("ascii")
    pieces = (b"\r\n" + body).split(mark, _MOST_PARTS + 2)
    if len(pieces) < 3:
        raise Malformed("no part stands between two boundaries")
    if not pieces[-1].startswith(b"--"):
        raise Malformed(f"the last boundary is missing, or there are more than {_MOST_PARTS} parts")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    line, _, rest = piece.partition(b"\r\n")
    if line.strip():
        raise Malformed("text follows a boundary on its line")
    if rest.startswith(b"\r\n"):
        return Part("text/plain", rest[2:])
    headers, found, data = rest.partition(b"\r\n\r\n")
    if not found or len(headers) > _MOST_HEADERS:
        raise Malformed("the headers of a part do not end")
    for item in headers.split(b"\r\n"):
        name, _, value = item.partition(b":")
        if name.strip().lower() == b"content-type":
            return Part(value.partition(b";")[0].strip().decode("latin-1").lower(), data)
    return Part("text/plain", data)
