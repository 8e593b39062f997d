"""What remains of a run: result, page, JUnit, HAR and journal, each written in one move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acrmock.facts import Facts
from conformance.reports import har, html, jsonout, junit
from conformance.result import Result
from conformance.runs.files import write_atomically

if TYPE_CHECKING:
    from conformance.recording import Recording

JOURNAL = "journal.ndjson"
RESULT = "result.json"


def write_package(directory: Path, result: Result, recording: Recording, facts: Facts) -> tuple[str, ...]:
    """Write everything but the journal into `directory`; the names of the files."""
    files = {
        RESULT: jsonout.render(result),
        "report.html": html.render(result, recording, facts).encode("utf-8"),
        "junit.xml": junit.render(result, recording),
        "traffic.har": har.render(recording),
    }
    for name, data in files.items():
        write_atomically(directory / name, data)
    return tuple(files)


def write_result(directory: Path, result: Result, recording: Recording, facts: Facts) -> tuple[str, ...]:
    """Write the result alone into `directory`; the name of its file."""
    del recording, facts
    write_atomically(directory / RESULT, jsonout.render(result))
    return (RESULT,)
