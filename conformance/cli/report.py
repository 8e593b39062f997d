"""`acrmock report`."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import OUT, NamedPath, format_option, overlay_option


@click.command(
    epilog="""\b
Examples:
  acrmock report
  acrmock report ./acrmock-out --format html > report.html"""
)
@click.argument("directory", type=NamedPath(exists=True, file_okay=False, path_type=Path), default=OUT, metavar="[DIR]")
@format_option()
@overlay_option
def report(directory: Path, format_: str, overlays: tuple[Path, ...]) -> None:
    """Write a judged run as text, JSON, JUnit, HTML or Markdown.

    DIR (default ./acrmock-out) holds its result.json and journal.ndjson. Nothing is judged anew.
    """
    from acrmock.facts import load_facts
    from conformance.cli.printing import print_result
    from conformance.runs.judging import read_recording, read_result
    from conformance.runs.package import JOURNAL, RESULT

    result = read_result(directory / RESULT)
    print_result(result, read_recording(directory / JOURNAL), load_facts(overlays), format_)
