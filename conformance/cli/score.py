"""`acrmock score`."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import READABLE, NamedPath, format_option, judging_options, overlay_option


@click.command(
    epilog="""\b
Examples:
  acrmock score acrmock-out/journal.ndjson
  acrmock score acrmock-out/traffic.har
  acrmock score --profile lcsr --only auth --format json run1.ndjson run2.ndjson"""
)
@click.argument("files", nargs=-1, required=True, type=READABLE, metavar="FILE…")
@click.option("--profile", help="What is judged; default: what the recording says.")
@click.option(
    "--out", type=NamedPath(file_okay=False, path_type=Path), help="Also write the files of a result here (one recording only)."
)
@format_option()
@judging_options
@overlay_option
@click.pass_context
def score(
    ctx: click.Context,
    files: tuple[Path, ...],
    profile: str | None,
    out: Path | None,
    format_: str,
    only: tuple[str, ...],
    claims: tuple[str, ...],
    baseline: Path | None,
    overlays: tuple[Path, ...],
) -> None:
    """Judge recorded traffic: the same findings as when it was live.

    FILE is a recording (NDJSON), or the traffic.har that acrmock wrote of one: it holds all but DICOM.
    The exit code is the worst of all recordings'.
    """
    from acrmock.errors import SetupError
    from acrmock.facts import load_facts
    from conformance.cli.printing import print_result
    from conformance.runs.judging import Question, claims_or_none, exit_code, judge_recording, read_recording
    from conformance.runs.package import write_package

    if out is not None and len(files) > 1:
        raise SetupError("--out takes one recording", actual=f"{len(files)} recordings")
    facts = load_facts(overlays)
    question = Question(profile=profile, claims=claims_or_none(claims), only=only, baseline=baseline)
    worst = 0
    for path in files:
        recording = read_recording(path)
        result = judge_recording(recording, facts, question)
        if out is not None:
            write_package(out, result, recording, facts)
        print_result(result, recording, facts, format_)
        worst = max(worst, exit_code(result, baseline))
    ctx.exit(worst)
