"""Tests of what `generate exams` does: lines of JSON, clear refusals, a reader that goes away."""

from __future__ import annotations

import errno
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from synthetic.command import ExamOptions, Format, write_exams, write_exams_file
from synthetic.exams import Kind

TODAY = date(2026, 3, 1)


class Gone(io.RawIOBase):
    """A stream that takes `room` bytes and then raises."""

    def __init__(self, room: int, error: OSError) -> None:
        super().__init__()
        self.room = room
        self.error = error

    def writable(self) -> bool:
        """It is a stream to write to."""
        return True

    def write(self, data: Any) -> int:
        """Take the data while there is room."""
        if len(data) > self.room:
            raise self.error
        self.room -= len(data)
        return len(data)


def written(**options: Any) -> bytes:
    """What the options write."""
    stream = io.BytesIO()
    count = write_exams(load_facts(), ExamOptions(**{"registry": "lcsr", "count": 3, **options}), stream, today=TODAY)
    assert count == stream.getvalue().count(b"\n")
    return stream.getvalue()


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_writes_one_object_a_line(kind: Kind) -> None:
    """Every line is one JSON object in UTF-8."""
    lines = written(kind=kind.value).splitlines()
    assert len(lines) == 3
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_nothing_asked_is_nothing_written() -> None:
    """A count of 0 is no error."""
    assert written(count=0) == b""


def test_today_is_the_default_as_of() -> None:
    """Without an as-of date it is today; another date gives other exams."""
    assert written() == written(as_of="2026-03-01")
    assert written() != written(as_of="2025-03-01", mapping="1.8")


def test_a_shard_is_a_slice() -> None:
    """Exams 2 to 4 are the same whether 0 and 1 were made or not."""
    assert written(count=5).splitlines()[2:] == written(start=2, count=3).splitlines()


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"registry": "nope"}, "--registry"),
        ({"registry": "x" * 100_000}, "--registry"),
        ({"mapping": "9.9"}, "--mapping"),
        ({"mapping": ""}, "--mapping"),
        ({"mapping": "1.0"}, "--mapping"),
        ({"as_of": "yesterday"}, "--as-of"),
        ({"as_of": "2026-02-30"}, "--as-of"),
        ({"as_of": "0001-01-01"}, "--as-of"),
        ({"as_of": "20260301"}, "--as-of"),
        ({"as_of": "0001-01-01", "mapping": "1.8"}, "--as-of"),
        ({"as_of": "9999-12-31"}, "--as-of"),
        ({"kind": "wonderful"}, "--kind"),
        ({"count": -1}, "--count"),
        ({"count": 10**15}, "--count"),
        ({"start": -1}, "--start"),
        ({"seed": -1}, "--seed"),
        ({"seed": 2**64}, "--seed"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(options: dict[str, Any], where: str) -> None:
    """A bad option is said with its flag and what is possible, in few words, and nothing is written."""
    stream = io.BytesIO()
    with pytest.raises(SetupError) as caught:
        write_exams(load_facts(), ExamOptions(**{"registry": "lcsr", "count": 3, **options}), stream, today=TODAY)
    assert where in str(caught.value)
    assert len(str(caught.value)) < 500
    assert stream.getvalue() == b""


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.EINVAL, "invalid argument")])
def test_a_reader_that_goes_away_ends_it_quietly(error: OSError) -> None:
    """A broken pipe, as POSIX and as Windows say it, is no error; the number tells how far it came."""
    options = ExamOptions(registry="lcsr", count=200)
    count = write_exams(load_facts(), options, Gone(70_000, error), today=TODAY)  # type: ignore[arg-type]
    assert 0 < count < 200


def test_a_full_disk_is_said() -> None:
    """What cannot be written is the user's to mend."""
    options = ExamOptions(registry="lcsr", count=200)
    with pytest.raises(SetupError, match="could not be written"):
        write_exams(load_facts(), options, Gone(70_000, OSError(errno.ENOSPC, "no room")), today=TODAY)  # type: ignore[arg-type]


def test_a_file_gets_the_same_bytes(tmp_path: Path) -> None:
    """`--out` writes what the stream would get, in place of what was there."""
    out = tmp_path / "exams.ndjson"
    out.write_bytes(b"old" * 10_000)
    assert write_exams_file(load_facts(), ExamOptions(registry="lcsr", count=3), out, today=TODAY) == 3
    assert out.read_bytes() == written()


def test_a_bad_option_leaves_the_file_alone(tmp_path: Path) -> None:
    """A refused command does not empty the file that it would have written."""
    out = tmp_path / "exams.ndjson"
    out.write_bytes(b"old")
    with pytest.raises(SetupError):
        write_exams_file(load_facts(), ExamOptions(registry="lcsr", count=3, mapping="9.9"), out, today=TODAY)
    assert out.read_bytes() == b"old"


def test_a_directory_cannot_be_written(tmp_path: Path) -> None:
    """A path that is no file is said with its flag."""
    with pytest.raises(SetupError, match="--out"):
        write_exams_file(load_facts(), ExamOptions(registry="lcsr", count=3), tmp_path, today=TODAY)


@pytest.mark.parametrize("registry", ["lcsr", "grid", "mips", "nmd", "ctc", "3dp"])
@pytest.mark.parametrize("kind", [Kind.COMPLETE, Kind.COVERAGE])
def test_shards_together_are_the_whole(registry: str, kind: Kind) -> None:
    """All shards, made in any order, have every exam of the whole once and unchanged, the n-th of m each m-th from the n-th."""
    asked = {"registry": registry, "kind": kind.value, "count": 11, "start": 3}
    whole = written(**asked).splitlines()
    parts = {number: written(**asked, shard=f"{number}/4").splitlines() for number in (4, 2, 1, 3)}
    for number, part in parts.items():
        assert part == whole[number - 1 :: 4]
    assert sorted(line for part in parts.values() for line in part) == sorted(whole)


@pytest.mark.parametrize("shard", ["0/4", "5/4", "3", "3/", "a/b", "", "-1/4", "1/0", "1/4 ", "1" * 40 + "/2"])
def test_a_shard_that_is_not_there_is_refused(shard: str) -> None:
    """The refusal names the flag and what a shard looks like, before anything is written."""
    with pytest.raises(SetupError, match="shard") as refused:
        written(shard=shard)
    assert refused.value.where == "--shard"


def test_long_work_tells_how_far_it_is() -> None:
    """Whoever watches is told, in order, how many exams have been made; the bytes are the same."""
    told: list[int] = []
    stream = io.BytesIO()
    options = ExamOptions(registry="mips", count=250, format=Format.JSONL)
    assert write_exams(load_facts(), options, stream, today=TODAY, seen=told.append) == 250
    assert told == [0, 100, 200]
    assert stream.getvalue() == written(registry="mips", count=250)
