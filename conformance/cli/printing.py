"""Printing a result on standard output in the format asked for."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from acrmock.facts import Facts
from conformance.cli.options import Format
from conformance.result import Result

if TYPE_CHECKING:
    from conformance.recording import Recording


def print_result(result: Result, recording: Recording, facts: Facts, format_: str) -> None:
    """Write `result` to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(rendered(result, recording, facts, Format(format_)))
    sys.stdout.buffer.flush()


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
