"""`acrmock register`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from conformance.cli.options import Format, format_option, registration_options, server_options


@click.command(
    epilog="""\b
Examples:
  acrmock register --name "My app" --redirect-url https://localhost:8765/callback --ip 198.35.26.96 --registry lcsr
  acrmock register --application default --environment production --redirect-url https://localhost:8765/callback \\
      --ip 198.35.26.96 --registry lcsr:1.8 --format json"""
)
@registration_options
@server_options
@format_option(Format.TEXT, Format.JSON)
def register(server: str | None, ca_file: Path | None, token: str | None, data: Path, format_: str, **flags: Any) -> None:
    """Register an application with a running server.

    The answer holds the credentials: it is shown once.
    """
    from conformance.runs.application import ApplicationRequest
    from conformance.runs.servers import ServerChoice, connect

    request = ApplicationRequest(**flags)
    with connect(ServerChoice(url=server, token=token, ca_file=ca_file, data=data)) as control:
        document = control.register(request.body())
    click.echo(json.dumps(document, indent=2) if format_ == "json" else as_text(document))


def as_text(document: dict[str, Any]) -> str:
    """A registration document for reading."""
    lines = []
    for key, value in document.items():
        if key == "users":
            lines += [f"{'user':<14} {u['username']}  {u['password']}  (facility {u['facility_id']})" for u in value]
        else:
            lines.append(f"{key:<14} {_plain(value)}")
    return "\n".join(lines)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(map(str, value))
    if isinstance(value, dict):
        return "  ".join(f"{k}:{v}" for k, v in value.items())
    return str(value)
