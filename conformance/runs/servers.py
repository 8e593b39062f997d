"""The server of a run: a private one that lives as long as the run, or one that is already there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acrmock.clock import Clock
from acrmock.errors import SetupError
from conformance.control import Control, read_ready


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """Which server: `url` of one that is there (with `token` and `ca_file`, or found through `data`), else a private one."""

    url: str | None = None
    token: str | None = None
    ca_file: Path | None = None
    data: Path = Path("acrmock-data")


@contextmanager
def server(
    choice: ServerChoice,
    *,
    overlays: Sequence[Path] = (),
    clock: Clock | None = None,
    dicom: bool = False,
    dicom_tls: bool = False,
) -> Iterator[Control]:
    """The control API of the chosen server while the context is open; a private one takes DICOM where that is asked for."""
    if choice.url is not None:
        with connect(choice) as control:
            yield control
        return
    from mockserver import Engine

    engine = Engine(overlays=overlays, clock=clock, dicom_port=0 if dicom else None, dicom_tls_port=0 if dicom_tls else None)
    ready = engine.start()
    try:
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            yield control
    finally:
        engine.stop()


def connect(choice: ServerChoice) -> Control:
    """A server that is already there: named by URL and token, else by its data directory's ready file."""
    token = choice.token or os.environ.get("ACRMOCK_TOKEN")
    if choice.url is not None and token:
        ready_file = choice.data / "ready.json"
        found = read_ready(choice.data).ca_file if ready_file.is_file() else None
        return Control(choice.url, token, _authority(choice, found))
    ready = read_ready(choice.data)
    if choice.url is not None and choice.url.rstrip("/") != ready.url.rstrip("/"):
        raise SetupError(
            "that server is not the one of this data directory",
            expected=ready.url,
            actual=choice.url,
            fix="give its token with --token, or its directory with --data",
        )
    return Control(ready.url, token or ready.control_token, _authority(choice, ready.ca_file))


def _authority(choice: ServerChoice, found: str | None) -> str | None:
    """The authority to trust: the one named, else that of the data directory, else the environment's, else the system's."""
    named = (choice.ca_file and str(choice.ca_file), found, os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("SSL_CERT_FILE"))
    return next((path for path in named if path and Path(path).is_file()), None)
