"""What `acrmock generate exams` does, without a command line: exams to a stream or a file, one JSON object a line."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import msgspec

from acrmock.errors import SetupError
from acrmock.facts import Facts
from synthetic.exammaker import version_of
from synthetic.exams import Kind, exams
from synthetic.makers import Record
from synthetic.shards import WHOLE
from synthetic.tables import write_table

_BATCH = 64 * 1024
_TELL = 100
_encode = msgspec.json.Encoder().encode


class Format(StrEnum):
    """How exams are written: JSON lines, pipe text, or a workbook."""

    JSON = "json"
    JSONL = "jsonl"
    PIPE = "pipe"
    XLSX = "xlsx"


class ExamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command, as typed: `as_of` is an ISO date or None for today, `mapping` None for the one in force."""

    registry: str
    count: int
    seed: int = 0
    mapping: str | None = None
    as_of: str | None = None
    kind: str = Kind.COMPLETE.value
    start: int = 0
    facility: str = ""
    shard: str = WHOLE
    format: Format = Format.JSON
    header: bool = False


def exams_of(facts: Facts, options: ExamOptions, today: date) -> Iterator[Record]:
    """The exams that the options ask for; raises `SetupError` naming the flag before the first exam."""
    return exams(
        facts,
        options.registry,
        options.mapping,
        seed=options.seed,
        count=options.count,
        start=options.start,
        as_of=today if options.as_of is None else as_of_date(options.as_of),
        kind=options.kind,
        facility=options.facility,
        shard=options.shard,
    )


def as_of_date(text: str) -> date:
    """The date written in `text`, `YYYY-MM-DD`; raises `SetupError` on anything else."""
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise SetupError("not a date", expected="YYYY-MM-DD, e.g. 2026-04-30", actual=text[:40], where="--as-of") from error


Seen = Callable[[int], None]
"""What is told, from time to time, how many exams have been made."""


def _unseen(_made: int) -> None:
    return None


def _telling(source: Iterator[Record], seen: Seen) -> Iterator[Record]:
    """The exams, telling after each hundred how many there were."""
    for number, exam in enumerate(source):
        if number % _TELL == 0:
            seen(number)
        yield exam


def write_exams(facts: Facts, options: ExamOptions, stream: BinaryIO, *, today: date, seen: Seen = _unseen) -> int:
    """Write the exams to a binary stream, as UTF-8 JSON lines unless the options say otherwise, and give their number.

    When the reader has gone away (a broken pipe) the writing ends quietly, with the number written until then. Raises
    `SetupError` on bad options, before anything is written, and when the stream cannot take more (a full disk).
    """
    source = exams_of(facts, options, today)
    if seen is not _unseen:
        source = _telling(source, seen)
    try:
        if options.format not in (Format.JSON, Format.JSONL):
            return _table(facts, options, source, stream, today)
        return _lines(source, stream)
    except BrokenPipeError:
        return 0
    except OSError as error:
        reason = f"the exams could not be written: {error.strerror}"
        raise SetupError(reason, where="--out", fix="make room and try again") from error


def _table(facts: Facts, options: ExamOptions, source: Iterator[Record], stream: BinaryIO, today: date) -> int:
    day = today if options.as_of is None else as_of_date(options.as_of)
    version = version_of(facts, options.registry, options.mapping, day)
    return write_table(facts, version, source, stream, workbook=options.format is Format.XLSX, header=options.header)


def _lines(source: Iterator[Record], stream: BinaryIO) -> int:
    """JSON lines; where the reader has gone away, the number written until then."""
    buffer = bytearray()
    written = pending = 0
    try:
        for exam in source:
            buffer += _encode(exam)
            buffer += b"\n"
            pending += 1
            if len(buffer) >= _BATCH:
                stream.write(buffer)
                written, pending = written + pending, 0
                buffer.clear()
        stream.write(buffer)
        stream.flush()
    except BrokenPipeError:
        return written
    except OSError as error:
        if error.errno == errno.EINVAL:  # Windows says so of a pipe without a reader
            return written
        raise
    return written + pending


def write_exams_file(facts: Facts, options: ExamOptions, out: Path, *, today: date, seen: Seen = _unseen) -> int:
    """Write the exams to a file, in place of what was there, and give their number; raises `SetupError` as above."""
    exams_of(facts, options, today)
    try:
        stream = out.open("wb")
    except OSError as error:
        raise SetupError(f"the file cannot be written: {error.strerror}", where=f"--out {out}") from error
    with stream:
        return write_exams(facts, options, stream, today=today, seen=seen)
