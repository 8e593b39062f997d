"""Printing a result on standard output in the format asked for."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acrmock.facts import Facts
from conformance.cli.options import Format
from conformance.result import Result, Verdict

if TYPE_CHECKING:
    from conformance.recording import Recording
    from conformance.runs.events import SentNothing


def print_result(result: Result, recording: Recording, facts: Facts, format_: str) -> None:
    """Write `result` to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(rendered(result, recording, facts, Format(format_)))
    sys.stdout.buffer.flush()


def print_silence(silence: SentNothing, result: Result, out: Path, format_: Format) -> bool:
    """Say that nothing came; whether that stands in the place of the result.

    It does for a person, unless there is more to say than that nobody did anything.
    """
    from conformance.reports.text import VERDICT_WORDS
    from conformance.runs.silence import lines

    click.echo("\n".join(("", *lines(silence), "")), err=format_ is not Format.TEXT)
    if format_ is not Format.TEXT or result.verdict is not Verdict.INCOMPLETE:
        return False
    verdict = f"{VERDICT_WORDS[result.verdict]} (self-test, not an ACR certification): nothing to judge"
    click.echo(f"{verdict}; the checklist is in {out / 'report.html'}, or `acrmock report`")
    return True


def rendered(result: Result, recording: Recording, facts: Facts, format_: Format) -> bytes:
    """`result` in one format, ending with a line feed."""
    from conformance.reports import html, jsonout, junit, markdown, terminal

    match format_:
        case Format.JSON:
            data = jsonout.render(result)
        case Format.JUNIT:
            data = junit.render(result, recording)
        case Format.HTML:
            data = html.render(result, recording, facts).encode("utf-8")
        case Format.MARKDOWN:
            data = markdown.render(result, recording).encode("utf-8")
        case Format.TEXT:
            width = shutil.get_terminal_size((100, 24)).columns
            encoding = sys.stdout.encoding or "utf-8"
            colour = terminal.wants_colour(sys.stdout, os.environ)
            text = terminal.render(result, recording, width, colour=colour, encoding=encoding)
            data = text.encode(encoding, "replace")
    return data if data.endswith(b"\n") else data + b"\n"
