"""`acrmock doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import server_options

MARKS = {True: "ok  ", False: "FAIL", None: "note"}


@click.command(epilog="\b\nExamples:\n  acrmock doctor\n  acrmock doctor --server https://localhost:8443 --data ./data")
@server_options
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    help="A port that should be free; repeats. Default: 8443, 8765, 11112.",
)
@click.pass_context
def doctor(
    ctx: click.Context, server: str | None, ca_file: Path | None, token: str | None, data: Path, ports: tuple[int, ...]
) -> None:
    """Check this machine: Python, TLS, ports, disk, clock, server, and how to trust the authority here."""
    from conformance.runs.examining import examine
    from conformance.runs.servers import ServerChoice

    sick = False
    for sign in examine(ServerChoice(url=server, token=token, ca_file=ca_file, data=data), ports or (8443, 8765, 11112)):
        click.echo(f"{MARKS[sign.well]}  {sign.what:<18} {sign.said}")
        if sign.fix and sign.well is not True:
            click.echo(f"      {'':<18} {sign.fix}")
        sick = sick or sign.well is False
    ctx.exit(2 if sick else 0)
