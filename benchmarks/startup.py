"""From command to help text, and from command to first answer, beside the bare interpreter and a Flask application."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.measure import CLOCK, Row, seconds, side_by_side

ACRMOCK = [sys.executable, "-m", "conformance.cli"]
FLASK = "import flask; flask.Flask('x').test_client().get('/')"


def first_answer(data: Path, *options: str) -> float:
    """Seconds from starting `acrmock serve` to its first answer over TLS; raises RuntimeError when there is none."""
    ready = data / "ready.json"
    ready.unlink(missing_ok=True)
    begun = CLOCK.monotonic()
    command = [*ACRMOCK, "serve", "--port", "0", "--data", str(data), *options]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = begun + 60
        while not ready.exists():
            if server.poll() is not None or CLOCK.monotonic() > until:
                raise RuntimeError("acrmock serve did not start")
            CLOCK.wait(0.005)
        told = json.loads(ready.read_text())
        trust = ssl.create_default_context(cafile=told["ca_file"])
        urllib.request.urlopen(told["url"] + "/healthz", context=trust, timeout=5).read()  # noqa: S310 - loopback https
        return CLOCK.monotonic() - begun
    finally:  # how long it takes to stop is not measured
        server.terminate()
        server.wait()


def rows() -> list[Row]:
    """`--help` beside `python -c pass`, the first answer beside importing Flask and answering once without a wire."""
    command, bare = side_by_side(
        lambda: subprocess.run([*ACRMOCK, "--help"], check=True, stdout=subprocess.DEVNULL),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
    )
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        first_answer(data)  # keys are made once
        taken = median(first_answer(data) for _ in range(5))
        dicom = median(first_answer(data, "--dicom-port", "0") for _ in range(5))
    flask = median(seconds(lambda: subprocess.run([sys.executable, "-c", FLASK], check=True)) for _ in range(5))
    return [
        Row(
            what="acrmock --help",
            unit="s",
            ours=command,
            peer="python -c pass",
            theirs=bare,
            goal="<= 0.15 s",
            smaller_is_better=True,
        ),
        Row(
            what="command to first answer",
            unit="s",
            ours=taken,
            peer="import flask, answer once",
            theirs=flask,
            goal="<= 0.6 s",
            smaller_is_better=True,
        ),
        Row(what="command to first answer, receiving DICOM too", unit="s", ours=dicom, goal="<= 1.2 s", smaller_is_better=True),
    ]
