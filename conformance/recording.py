"""A recording read back: its header, its entries in order, and every reason to believe that it is not whole.

A recording is JSON lines: a header, entries in the order of `seq`, and a footer. Whatever is missing, damaged or out of
order is a `Problem` (the verdict over it is *void*); only what is no recording at all, or a newer one, is a `SetupError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from acrmock.errors import SetupError
from acrmock.record import (
    RECORD_SCHEMA,
    AnyEntry,
    Footer,
    Header,
    Struct,
    decode_line,
)

LINE_LIMIT = 256 * 1024 * 1024
"""The longest line that is read, in bytes: a posted body of the largest size allowed, escaped, with room to spare."""


class Problem(Struct, frozen=True, kw_only=True):
    """Why a recording is not whole: the number of the line (from 1; 0 is the whole file) and the reason."""

    line: int
    reason: str


class Recording(Struct, frozen=True, kw_only=True):
    """A recording in memory; `problems` are its gaps, `sha256` that of its entries' lines as they were read.

    `remarks` say what whoever reads a result over it must know, and is no gap.
    """

    header: Header
    entries: tuple[AnyEntry, ...]
    footer: Footer | None = None
    problems: tuple[Problem, ...] = ()
    sha256: str = ""
    remarks: tuple[str, ...] = ()


class RecordingStream:
    """A recording read while it is judged: `entries` can be iterated once; the rest is true when that has ended.

    Raises `SetupError` at once when the first line is not the header of a recording that this version reads.
    """

    def __init__(self, lines: Iterable[bytes], *, limit: int = LINE_LIMIT) -> None:
        self._lines = iter(lines)
        self._limit = limit
        self._number = 1
        self._digest = hashlib.sha256()
        self._problems: list[Problem] = []
        self._count = 0
        self._last_seq: int | None = None
        self.header = _header(next(self._lines, None), limit)
        self.footer: Footer | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The gaps found so far."""
        return tuple(self._problems)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the entries' lines read so far, each with its line feed."""
        return self._digest.hexdigest()

    @property
    def entries(self) -> Iterator[AnyEntry]:
        """The entries in the order of the file; those that cannot be read are left out and become problems."""
        for raw in self._lines:
            self._number += 1
            line = raw.rstrip(b"\r\n")
            if self.footer is not None:
                self._after_footer(line)
                continue
            entry = self._entry(line)
            if entry is not None:
                yield entry
        self._close()

    def _problem(self, reason: str) -> None:
        self._problems.append(Problem(line=self._number, reason=reason))

    def _after_footer(self, line: bytes) -> None:
        if line.strip():
            self._problem("there is a line after the footer")

    def _entry(self, line: bytes) -> AnyEntry | None:
        if len(line) > self._limit:
            self._take(line)
            self._problem(f"the line is longer than {self._limit} bytes")
            return None
        try:
            found = decode_line(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            self._take(line)
            self._problem(f"the entry cannot be read: {error}")
            return None
        if isinstance(found, Footer):
            self.footer = found
            return None
        self._take(line)
        if isinstance(found, Header):
            self._problem("there is a second header")
            return None
        return self._ordered(found)

    def _take(self, line: bytes) -> None:
        self._count += 1
        self._digest.update(line)
        self._digest.update(b"\n")

    def _ordered(self, entry: AnyEntry) -> AnyEntry:
        if self._last_seq is not None and entry.seq <= self._last_seq:
            self._problem(f"seq {entry.seq} follows {self._last_seq}: the entries are out of order")
        self._last_seq = entry.seq
        return entry

    def _close(self) -> None:
        self._number = 0
        footer = self.footer
        if footer is None:
            self._problem("the footer is missing: the recording was cut off")
            return
        if footer.entries != self._count:
            self._problem(f"the footer counts {footer.entries} entries, there are {self._count}")
        if footer.sha256 != self.sha256:
            self._problem("the footer's SHA-256 is not that of the entries: the recording was changed")


def read(lines: Iterable[bytes], *, limit: int = LINE_LIMIT) -> Recording:
    """The whole recording in memory; raises `SetupError` when it is none, or one of a newer format."""
    stream = RecordingStream(lines, limit=limit)
    entries = tuple(stream.entries)
    return Recording(header=stream.header, entries=entries, footer=stream.footer, problems=stream.problems, sha256=stream.sha256)


def bounded_lines(file: BinaryIO, *, limit: int = LINE_LIMIT) -> Iterator[bytes]:
    """The lines of an open file; one that is too long comes back cut just above `limit`, its rest is skipped."""
    while line := file.readline(limit + 2):
        yield line
        while not line.endswith(b"\n") and len(line) > limit:
            line = file.readline(limit + 2)


def _header(first: bytes | None, limit: int) -> Header:
    """The header in the first line, or a `SetupError` that says what is there instead."""
    expected = f"a first line with the schema {RECORD_SCHEMA}"
    if first is None or not first.strip():
        raise SetupError("this is not a recording", expected=expected, actual="nothing", fix=_FIX)
    if len(first) > limit:
        raise SetupError("this is not a recording", expected=expected, actual="a line without an end", fix=_FIX)
    try:
        found = decode_line(first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SetupError("this is not a recording", expected=expected, actual=str(error), where="line 1", fix=_FIX) from error
    if isinstance(found, Footer | AnyEntry):
        raise SetupError("the recording has no header", expected=expected, actual="an entry", where="line 1", fix=_FIX)
    if found.schema != RECORD_SCHEMA:
        raise _other_schema(found.schema)
    return found


def _other_schema(schema: str) -> SetupError:
    name, _, version = schema.rpartition("/")
    newer = name == RECORD_SCHEMA.rpartition("/")[0] and version.isdecimal()
    return SetupError(
        "the recording was made by a newer version" if newer else "this is a recording of another kind",
        expected=RECORD_SCHEMA,
        actual=schema[:200],
        where="line 1, schema",
        fix="use the version of acrmock that made it, or a later one" if newer else _FIX,
    )


_FIX = "give the journal.ndjson of a run, or what GET /_acrmock/journal returned"
