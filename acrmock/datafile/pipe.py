"""Pipe text: one record a line, ended by CR LF, an empty element being nothing between pipes (facts N3.1, LUP)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from acrmock.datafile.faults import FileFault, FileFaultKind, RowFault
from acrmock.datafile.rows import Limits, Row

_BOM = b"\xef\xbb\xbf"
_OTHERS = (b"\xff\xfe", b"\xfe\xff")
_ARCHIVE = b"PK\x03\x04"
_SHOWN = 200
_CHUNK = 64 * 1024


def read_pipe(stream: IO[bytes], limits: Limits, separator: str = "|") -> Iterator[Row]:
    """The rows of a text file, one at a time, whatever its size; raises `FileFault` where the whole of it is rejected."""
    number = 0
    while line := stream.readline(limits.row_bytes + 2):
        text = line if number else _beginning(line)
        if not text:
            continue
        number += 1
        if number > limits.rows:
            raise FileFault(
                FileFaultKind.TOO_MANY_ROWS, "the file has too many rows", row=number, expected=f"at most {limits.rows}"
            )
        yield _row(stream, text, number, limits, separator)
    if number == 0:
        raise FileFault(FileFaultKind.EMPTY, "the file is empty", expected="one record a line")


def write_pipe(rows: Iterable[tuple[str, ...]], stream: IO[bytes], separator: str = "|") -> int:
    """Write rows as text, each ended by CR LF; how many there were."""
    count = 0
    buffer = bytearray()
    for cells in rows:
        buffer += (separator.join(cells) + "\r\n").encode()
        count += 1
        if len(buffer) >= _CHUNK:
            stream.write(buffer)
            buffer.clear()
    stream.write(buffer)
    stream.flush()
    return count


def _beginning(line: bytes) -> bytes:
    """The first line without a byte order mark; raises `FileFault` where the file is something other than UTF-8 text."""
    if line.startswith(_ARCHIVE):
        raise FileFault(
            FileFaultKind.NOT_TEXT, "this is a workbook or archive, not text", row=1, expected="a name that ends in .xlsx"
        )
    if line.startswith(_OTHERS):
        raise FileFault(FileFaultKind.NOT_TEXT, "the text is UTF-16", row=1, expected="UTF-8")
    return line.removeprefix(_BOM)


def _row(stream: IO[bytes], line: bytes, number: int, limits: Limits, separator: str) -> Row:
    if b"\0" in line:
        raise FileFault(FileFaultKind.NOT_TEXT, "the file holds binary data", row=number, expected="UTF-8 text")
    if not line.endswith(b"\n") and len(line) > limits.row_bytes:
        _skip(stream, number)
        return Row(number, (line[:_SHOWN].decode("utf-8", "replace"),), RowFault.LONG)
    if line.endswith(b"\n") and not line.endswith(b"\r\n"):
        raise FileFault(
            FileFaultKind.LINE_END, "a record ends with LF alone", row=number, expected="CR LF at the end of each record"
        )
    bare = line.removesuffix(b"\r\n")
    if b"\r" in bare:
        raise FileFault(FileFaultKind.LINE_END, "a CR stands alone", row=number, expected="CR LF at the end of each record")
    try:
        return Row(number, tuple(bare.decode("utf-8").split(separator)))
    except UnicodeDecodeError:
        return Row(number, tuple(bare.decode("utf-8", "replace").split(separator)), RowFault.ENCODING)


def _skip(stream: IO[bytes], number: int) -> None:
    """Read to the end of a line that is too long."""
    while piece := stream.readline(_CHUNK):
        if b"\0" in piece:
            raise FileFault(FileFaultKind.NOT_TEXT, "the file holds binary data", row=number, expected="UTF-8 text")
        if piece.endswith(b"\n"):
            return
