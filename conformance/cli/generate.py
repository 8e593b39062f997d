"""`acrmock generate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from conformance.cli.options import NamedPath, overlay_option

_LONG = 200  # files; fewer are made before a bar could be read
_LONG_EXAMS = 20_000


@click.group(
    epilog="""\b
Examples:
  acrmock generate exams --registry lcsr --count 3 --seed 7
  acrmock generate rdsr --kind ct --count 10 --seed 7 --out reports"""
)
def generate() -> None:
    """Make synthetic data from a seed: nobody in it can be a real person."""


@generate.command(
    epilog="""\b
Examples:
  acrmock generate exams --registry lcsr --count 100 --seed 7 > exams.ndjson
  acrmock generate exams --registry lcsr --kind coverage --count 1000 --mapping 1.7 --as-of 2026-04-01
  acrmock generate exams --registry mips --count 1000000 --shard 3/16 --format pipe --out mips-03.txt"""
)
@click.option("--registry", required=True, help="For which registry.")
@click.option("--count", type=click.IntRange(0), required=True, help="How many.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed and date give the same bytes anywhere.")
@click.option("--mapping", metavar="V", help="Mapping version; default: the newest in force.")
@click.option("--as-of", metavar="DATE", help="The day on which the data are made, YYYY-MM-DD; default: today.")
@click.option(
    "--kind", type=click.Choice(["complete", "incomplete", "invalid", "coverage"]), default="complete", show_default=True
)
@click.option("--start", type=click.IntRange(0), default=0, show_default=True, help="The first index.")
@click.option("--shard", default="1/1", show_default=True, metavar="N/M", help="Make only the N-th of M parts.")
@click.option("--facility", default="", help="For coverage: the facility that the header will name.")
@click.option("--out", type=NamedPath(dir_okay=False, path_type=Path), help="A file; default: standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "jsonl", "pipe", "xlsx"]),
    default="json",
    show_default=True,
    help="JSON lines (json and jsonl are the same), or a data file that can be uploaded: pipe text or a workbook.",
)
@click.option("--header", is_flag=True, help="In a data file: a row of names first (which the portal rejects).")
@overlay_option
def exams(
    registry: str,
    count: int,
    seed: int,
    mapping: str | None,
    as_of: str | None,
    kind: str,
    start: int,
    shard: str,
    facility: str,
    out: Path | None,
    form: str,
    header: bool,
    overlays: tuple[Path, ...],
) -> None:
    """Make exams, one JSON object a line, each fit to stand in a transaction's list of exams."""
    from acrmock.clock import SystemClock, today
    from acrmock.facts import load_facts
    from synthetic.command import ExamOptions, Format, write_exams, write_exams_file
    from synthetic.shards import shard_of

    facts = load_facts(overlays)
    options = ExamOptions(
        registry=registry,
        count=count,
        seed=seed,
        mapping=mapping,
        as_of=as_of,
        kind=kind,
        start=start,
        facility=facility,
        shard=shard,
        format=Format(form),
        header=header,
    )
    day = today(SystemClock())
    with _progress(len(shard_of(range(count), shard)), "exams", _LONG_EXAMS, quiet=out is None and sys.stdout.isatty()) as seen:
        if out is not None:
            write_exams_file(facts, options, out, today=day, seen=seen)
        else:
            write_exams(facts, options, sys.stdout.buffer, today=day, seen=seen)


_OBJECTS = {
    "rdsr": "Make dose reports (X-Ray Radiation Dose SR): CT, fluoroscopy, radiography or mammography.",
    "ct": "Make CT images that belong to the CT reports of the same seed.",
    "localizer": "Make localizer images that belong to the CT reports of the same seed.",
    "sc": "Make Secondary Captures, which a dose registry must not take.",
    "dose-screen": "Make dose screens: Secondary Captures that show the figures of the reports as text.",
    "lossy": "Make Secondary Captures in JPEG Baseline, labelled as lossy.",
    "anonymised": "Make reports that somebody else has anonymised already.",
    "pdf": "Make the reports' figures as Encapsulated PDF.",
    "sr": "Make Enhanced SR documents that are no dose reports.",
}


def _list_quirks(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """The shapes with the quirks that come with them, then every quirk."""
    if not wanted:
        return
    from synthetic.dose.quirks import QUIRKS
    from synthetic.dose.shapes import SHAPES

    for name, shape in SHAPES.items():
        own = "; ".join(f"{kind}: {', '.join(quirks)}" for kind, quirks in shape.quirks.items())
        click.echo(f"{name:14} {own or 'no quirks of its own'}")
    click.echo()
    for name, quirk in QUIRKS.items():
        click.echo(f"{name:4} {'/'.join(sorted(quirk.kinds)):16} {quirk.what}")
    ctx.exit()


def _dose_command(what: str, said: str) -> click.Command:
    """One verb for one sort of object; all have the same flags."""

    @click.option("--count", type=click.IntRange(0, 10**8), required=True, help="Of how many reports.")
    @click.option(
        "--out", type=NamedPath(path_type=Path), required=True, help="A directory: new, empty, or made by this command."
    )
    @click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed and date give the same bytes."
    )
    @click.option(
        "--kind", type=click.Choice(["ct", "fluoro", "dx", "mg"]), default="ct", show_default=True, help="Kind of report."
    )
    @click.option("--shape", default="generic", show_default=True, help="How a maker writes; see --list-quirks.")
    @click.option(
        "--quirk", "quirks", multiple=True, metavar="Q8,Q15", help="What real reports get wrong, Q1 to Q33; may be repeated."
    )
    @click.option(
        "--list-quirks",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_list_quirks,
        help="List the shapes and the quirks, with the kinds of report that each befalls, and stop.",
    )
    @click.option("--station", "stations", multiple=True, metavar="NAME", help="Station Name to draw from; may be repeated.")
    @click.option("--shard", default="1/1", show_default=True, metavar="N/M", help="Make only the N-th of M parts.")
    @click.option("--as-of", metavar="DATE", help="Exams are of the year before this day, YYYY-MM-DD; default: today.")
    @click.option("--transfer-syntax", default="", metavar="NAME", help="explicit, implicit, big-endian, deflated, or a UID.")
    def command(**given: Any) -> None:
        from acrmock.clock import SystemClock, today
        from synthetic.dose.command import DoseOptions, What, write_files

        options = DoseOptions(what=What(what), **given)
        with _progress(options.count, f"{what} files") as seen:
            written = write_files(options, today(SystemClock()), seen)
        click.echo(f"{written} files and manifest.ndjson in {options.out}", err=True)

    quirks = " --quirk Q8,Q15" if what == "rdsr" else ""
    command.__doc__ = said
    return click.command(what, epilog=f"\b\nExample:\n  acrmock generate {what} --count 10 --seed 7{quirks} --out made")(command)


@contextmanager
def _progress(count: int, what: str, long: int = _LONG, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Progress on standard error of a terminal for long work; nothing elsewhere, or where it would stand amidst the data."""
    if quiet or count < long or not sys.stderr.isatty():
        yield lambda _index: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=count)
        yield lambda index: progress.update(task, completed=index + 1)


for _what, _said in _OBJECTS.items():
    generate.add_command(_dose_command(_what, _said))
