"""`acrmock generate rdsr` and its kin: files, manifest, shards, and clear words for what cannot be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pydicom
import pytest

from conformance.cli.app import run
from synthetic.dose.quirks import QUIRKS
from synthetic.dose.shapes import SHAPES

DAY = ["--as-of", "2026-06-01"]


def made(out: Path) -> dict[str, str]:
    """The digest of each generated file."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob("*.dcm"))}


@pytest.mark.parametrize("what", ["rdsr", "ct", "localizer", "sc", "dose-screen", "lossy", "anonymised", "pdf", "sr"])
def test_files_and_manifest(tmp_path: Path, what: str) -> None:
    """Each verb writes readable files, and a manifest that names each with the digest of its data set."""
    out = tmp_path / "out"
    assert run(["generate", what, "--count", "2", "--seed", "7", "--out", str(out), *DAY]) == 0
    first, *lines = [json.loads(line) for line in (out / "manifest.ndjson").read_text("utf-8").splitlines()]
    assert first["what"] == what
    assert sorted(line["file"] for line in lines) == sorted(made(out))
    for line in lines:
        read = pydicom.dcmread(out / line["file"])
        assert read.SOPInstanceUID == line["sop_instance"]
        content = (out / line["file"]).read_bytes()
        start = 144 + int.from_bytes(content[140:144], "little")
        assert hashlib.sha256(content[start:]).hexdigest() == line["sha256"]


def test_shards_make_the_whole(tmp_path: Path) -> None:
    """Three shards together are the whole, file by file."""
    whole = tmp_path / "whole"
    arguments = ["generate", "rdsr", "--kind", "dx", "--count", "10", "--seed", "3", *DAY]
    assert run([*arguments, "--out", str(whole)]) == 0
    parts: dict[str, str] = {}
    for number in (1, 2, 3):
        out = tmp_path / str(number)
        assert run([*arguments, "--out", str(out), "--shard", f"{number}/3"]) == 0
        assert not parts.keys() & made(out).keys()
        parts |= made(out)
    assert parts == made(whole)
    assert "dx-00000009.dcm" in parts


def test_a_shard_does_not_delete_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory that holds another shard of the same set is refused and stays as it is; the same shard is made anew."""
    arguments = ["generate", "rdsr", "--count", "3", "--out", str(tmp_path / "out"), *DAY, "--shard"]
    assert run([*arguments, "1/3"]) == 0
    before = made(tmp_path / "out")
    assert run([*arguments, "2/3"]) == 2
    assert "shard 1/3 of the same set" in capsys.readouterr().err
    assert made(tmp_path / "out") == before
    assert run([*arguments, "1/3"]) == 0
    assert made(tmp_path / "out") == before


def test_shapes_and_quirks_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each shape and each quirk stands in the list with what it is, without any other flag."""
    assert run(["generate", "rdsr", "--list-quirks"]) == 0
    listed = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert [words[0] for words in listed] == [*SHAPES, *QUIRKS]
    assert all(len(words) > 2 for words in listed)


def test_its_own_directory_is_made_anew_another_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory that was generated is replaced; one that holds anything else is refused and stays as it is."""
    out = tmp_path / "out"
    arguments = ["generate", "rdsr", "--out", str(out), *DAY]
    assert run([*arguments, "--count", "3"]) == 0
    assert run([*arguments, "--count", "1"]) == 0
    assert len(made(out)) == 1
    (out / "mine.txt").write_text("mine")
    assert run([*arguments, "--count", "1"]) == 2
    assert "mine.txt" in capsys.readouterr().err
    (out / "manifest.ndjson").unlink()
    assert run([*arguments, "--count", "1"]) == 2
    assert (out / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--quirk", "Q99"], "no quirk Q99"),
        (["--quirk", "Q3"], "--kind fluoro"),
        (["--quirk", "Q12,Q13"], "exclude each other"),
        (["--shape", "nobody"], "ge-like"),
        (["--shard", "4/3"], "--shard"),
        (["--shard", "x"], "--shard"),
        (["--station", "a name far too long for it"], "--station"),
        (["--station", "A\\B"], "--station"),
        (["--as-of", "yesterday"], "--as-of"),
        (["--as-of", "0001-01-01"], "--as-of"),
        (["--seed", str(2**64)], "--seed"),
        (["--transfer-syntax", "jpeg"], "--transfer-syntax"),
        (["--count", "-1"], "--count"),
    ],
)
def test_bad_flags_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], said: str) -> None:
    """A flag that cannot be used is named, with what would do, and nothing is written."""
    out = tmp_path / "out"
    assert run(["generate", "rdsr", "--count", "1", "--out", str(out), *flags]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_stations_are_those_asked_for(tmp_path: Path) -> None:
    """Only the named stations occur, and both of two."""
    out = tmp_path / "out"
    assert run(["generate", "rdsr", "--count", "20", "--out", str(out), "--station", "A1", "--station", "B 2", *DAY]) == 0
    assert {pydicom.dcmread(path).StationName for path in out.glob("*.dcm")} == {"A1", "B 2"}


def test_images_of_other_kinds_are_refused(tmp_path: Path) -> None:
    """CT images belong to CT reports."""
    assert run(["generate", "ct", "--kind", "mg", "--count", "1", "--out", str(tmp_path / "out")]) == 2
