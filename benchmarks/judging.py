"""Judging a recording that was really made, beside parsing the same lines with the standard library and nothing more."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from acrmock.facts import load_facts
from benchmarks.measure import Row, side_by_side
from conformance.judge import judge
from conformance.recording import read

PASSES = 20


def rows() -> list[Row]:
    """Entries per second through reading, flows, all checks and the verdict, of a demonstration's journal."""
    facts = load_facts()
    profile = facts.profile("lcsr")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "conformance.cli", "demo", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        lines = (Path(folder) / "journal.ndjson").read_bytes().splitlines()

    def ours() -> None:
        for _ in range(PASSES):
            judge(read(lines), facts, profile)

    def theirs() -> None:
        for _ in range(PASSES):
            for line in lines:
                json.loads(line)

    mine, peer = side_by_side(ours, theirs)
    entries = (len(lines) - 2) * PASSES
    size = sum(map(len, lines)) / len(lines) / 1000
    return [
        Row(
            what=f"entries judged, {size:.1f} kB each (read, flows, checks, verdict)",
            unit="entries/s",
            ours=entries / mine,
            peer="json.loads alone",
            theirs=entries / peer,
            goal=">= 10,000/s",
        )
    ]
