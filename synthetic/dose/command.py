"""What `acrmock generate rdsr|ct|localizer|sc|…` does, without a command line: files and a manifest in a directory of its own."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from acrmock.errors import SetupError
from synthetic.command import as_of_date
from synthetic.dose import images, negative
from synthetic.dose.model import Kind
from synthetic.dose.reports import Maker, Options, Report, kind_named
from synthetic.shards import WHOLE, shard_of

MANIFEST = "manifest.ndjson"
MANIFEST_SCHEMA = "acrmock/dose-manifest/1"


class What(StrEnum):
    """What can be made."""

    RDSR = "rdsr"
    CT = "ct"
    LOCALIZER = "localizer"
    SC = "sc"
    DOSE_SCREEN = "dose-screen"
    LOSSY = "lossy"
    ANONYMISED = "anonymised"
    PDF = "pdf"
    SR = "sr"


class DoseOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command, as typed: `shard` is `3/16` (the third of sixteen), `as_of` an ISO date or None for today."""

    what: What
    count: int
    out: Path
    seed: int = 0
    kind: str = Kind.CT.value
    shape: str = "generic"
    quirks: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    shard: str = WHOLE
    as_of: str | None = None
    transfer_syntax: str = ""


class Made(NamedTuple):
    """One file to be written, and its line of the manifest."""

    name: str
    number: int
    file_bytes: bytes
    line: bytes


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the manifest; `events` are the irradiation event UIDs, totals in mGy.cm, Gy.m2 and Gy."""

    file: str
    index: int
    kind: str
    sop_class: str
    sop_instance: str
    study_uid: str
    transfer_syntax: str
    station: str
    patient_id: str
    sha256: str
    shape: str = ""
    quirks: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    dlp_total: str = ""
    dap_total: str = ""
    rp_total: str = ""


def make(options: DoseOptions, today: date) -> Iterator[Made]:
    """The files that the options ask for, in the order of their index; raises `SetupError` before the first."""
    kind = kind_named(options.kind)
    if options.what in {What.CT, What.LOCALIZER} and kind is not Kind.CT:
        raise SetupError(f"{options.what} images belong to CT reports", expected="--kind ct", actual=options.kind, where="--kind")
    if options.what is not What.RDSR and {one.strip().upper() for text in options.quirks for one in text.split(",")} & {
        "Q2",
        "Q3",
    }:
        raise SetupError("Q2 and Q3 are reports, nothing is made from them", where="--quirk", fix="use generate rdsr")
    as_of = today if options.as_of is None else as_of_date(options.as_of)
    if as_of.year < 1900:
        raise SetupError("that day is too long ago", expected="1900 or later", actual=str(options.as_of), where="--as-of")
    maker = Maker(
        Options(
            kind=kind,
            seed=options.seed,
            as_of=as_of,
            shape=options.shape,
            quirks=options.quirks,
            stations=options.stations,
            transfer_syntax=options.transfer_syntax,
        )
    )
    chosen = shard_of(range(options.count), options.shard)
    return (made for index in chosen for made in _objects(options, maker, index))


def _objects(options: DoseOptions, maker: Maker, index: int) -> Iterator[Made]:
    report = maker.report(index)
    if options.what is What.RDSR:
        yield _made(f"{report.kind}-{index:08d}.dcm", report, report)
        return
    name = f"{options.what}-{index:08d}"
    if options.what is What.SR:
        yield _made(f"{name}.dcm", negative.non_dose_sr(maker, index), report)
    elif options.what in {What.CT, What.LOCALIZER}:
        found = images.ct_images(report) if options.what is What.CT else images.localizers(report)
        for number, image in enumerate(found, 1):
            yield _made(f"{name}-{number:03d}.dcm", image, report)
    else:
        yield _made(f"{name}.dcm", negative.MAKERS[options.what](report), report)


def _made(name: str, made: Report | images.Image | negative.Negative, report: Report) -> Made:
    heading, values = report.values.heading, report.values
    line = _Line(
        file=name,
        index=report.number,
        kind=report.kind,
        sop_class=made.sop_class,
        sop_instance=made.sop_instance,
        study_uid=made.study_uid,
        transfer_syntax=made.transfer_syntax,
        station=heading.station,
        patient_id=heading.patient_id,
        sha256=hashlib.sha256(made.data_set).hexdigest(),
    )
    if made is report:
        line = msgspec.structs.replace(
            line,
            shape=report.shape,
            quirks=report.quirks,
            events=(
                *(event.event_uid for event in values.exam.ct_events),
                *(event.event_uid for event in values.exam.x_events),
            ),
            dlp_total=values.ct_totals.dlp_total if values.ct_totals else "",
            dap_total=values.x_totals.dap_total if values.x_totals else "",
            rp_total=values.x_totals.rp_total if values.x_totals else "",
        )
    return Made(name, report.number, made.file_bytes, msgspec.json.encode(line) + b"\n")


def write_files(options: DoseOptions, today: date, seen: Callable[[int], None] = lambda _index: None) -> int:
    """Write the files and `manifest.ndjson` and give the number of files; `seen` is told the index of each.

    The directory must be new, empty, or one that this made before; another is refused untouched. The first line of the
    manifest says what made it. Raises `SetupError` for bad options, before anything is written, and for a full disk.
    """
    source = make(options, today)
    try:
        first = _first_line(options, today)
        _prepare(options.out, first)
        written = 0
        with (options.out / MANIFEST).open("xb") as manifest:
            manifest.write(first)
            manifest.flush()
            for made in source:
                (options.out / made.name).write_bytes(made.file_bytes)
                manifest.write(made.line)
                written += 1
                seen(made.number)
    except FileExistsError as error:
        raise _another_shard(options.out, "another one is being made there") from error
    except OSError as error:
        fix = "make room and try again" if error.errno == errno.ENOSPC else "choose another directory"
        reason = error.strerror or str(error)
        raise SetupError(f"the files could not be written: {reason}", where=f"--out {options.out}", fix=fix) from error
    return written


def _first_line(options: DoseOptions, today: date) -> bytes:
    said = {
        "schema": MANIFEST_SCHEMA,
        "what": options.what,
        "kind": options.kind,
        "seed": options.seed,
        "count": options.count,
        "shard": options.shard,
        "as_of": options.as_of or today.isoformat(),
        "shape": options.shape,
        "quirks": options.quirks,
    }
    return msgspec.json.encode(said) + b"\n"


def _another_shard(out: Path, actual: str) -> SetupError:
    return SetupError(
        "the directory is not free: what is made there replaces what was",
        expected="a directory for each shard",
        actual=actual,
        where=f"--out {out}",
        fix="choose another, or an empty one",
    )


def _prepare(out: Path, first: bytes) -> None:
    """The directory, made or emptied of what was made before; raises `SetupError` when it holds anything else.

    `first` is the new manifest's first line; another shard of the same set is no earlier attempt, so it is not emptied.
    """
    if out.exists() and not out.is_dir():
        raise SetupError("that is not a directory", where=f"--out {out}", fix="choose another")
    out.mkdir(parents=True, exist_ok=True)
    if not any(out.iterdir()):
        return
    own = _listed(out / MANIFEST)
    if own is None:
        raise SetupError(
            "the directory holds files that were not generated here", where=f"--out {out}", fix="choose an empty one"
        )
    foreign = sorted(path.name for path in out.iterdir() if path.name not in own)
    if foreign:
        raise SetupError(
            "the directory also holds files that its manifest does not name",
            actual=", ".join(foreign[:3])[:120],
            where=f"--out {out}",
            fix="choose an empty one",
        )
    before, now = (msgspec.json.decode(line) for line in ((out / MANIFEST).read_bytes().splitlines()[0], first))
    if before != now and {**before, "shard": ""} == {**now, "shard": ""}:
        raise _another_shard(out, f"shard {before.get('shard')} of the same set is there")
    for name in (*(own - {MANIFEST}), MANIFEST):
        (out / name).unlink(missing_ok=True)


def _listed(manifest: Path) -> set[str] | None:
    """The plain file names that a manifest of ours lists, itself among them; None when it is not ours."""
    try:
        first, *rest = manifest.read_bytes().splitlines()
        if msgspec.json.decode(first).get("schema") != MANIFEST_SCHEMA:
            return None
        names = {str(msgspec.json.decode(line)["file"]) for line in rest}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, msgspec.DecodeError):
        return None
    return {name for name in names if Path(name).name == name and name.endswith(".dcm")} | {MANIFEST}
