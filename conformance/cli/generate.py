"""`acrmock generate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conformance.cli.options import overlay_option


@click.group(epilog="\b\nExample:\n  acrmock generate exams --registry lcsr --count 3 --seed 7")
def generate() -> None:
    """Make synthetic data from a seed: nobody in it can be a real person."""


@generate.command(
    epilog="""\b
Examples:
  acrmock generate exams --registry lcsr --count 100 --seed 7 > exams.ndjson
  acrmock generate exams --registry lcsr --kind coverage --count 1000 --mapping 1.7 --as-of 2026-04-01"""
)
@click.option("--registry", required=True, help="For which registry.")
@click.option("--count", type=click.IntRange(0), required=True, help="How many.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed and date give the same bytes anywhere.")
@click.option("--mapping", metavar="V", help="Mapping version; default: the newest in force.")
@click.option("--as-of", metavar="DATE", help="The day on which the data are made, YYYY-MM-DD; default: today.")
@click.option(
    "--kind", type=click.Choice(["complete", "incomplete", "invalid", "coverage"]), default="complete", show_default=True
)
@click.option("--start", type=click.IntRange(0), default=0, show_default=True, help="The first index, to make a shard.")
@click.option("--facility", default="", help="For coverage: the facility that the header will name.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; default: standard output.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "pipe", "xlsx"]),
    default="json",
    show_default=True,
    help="JSON lines, or a data file that can be uploaded.",
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
        format=Format(form),
        header=header,
    )
    day = today(SystemClock())
    if out is not None:
        write_exams_file(facts, options, out, today=day)
    else:
        write_exams(facts, options, sys.stdout.buffer, today=day)
