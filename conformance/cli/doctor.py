"""`acrmock doctor`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from conformance.cli.options import Format, format_option, overlay_option, server_options

SERVE_PORT, CALLBACK_PORT = 8443, 8765
"""Where `serve` and the examples' clients listen unless told otherwise; the port of dose reports is a fact."""
MARKS = {True: "ok  ", False: "FAIL", None: "note"}


@click.command(
    epilog="""\b
Examples:
  acrmock doctor
  acrmock doctor --server https://localhost:8443 --data ./data
  acrmock doctor --site --format json"""
)
@server_options
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    help="A port that should be free; repeats. Default: 8443, 8765 and that of DICOM.",
)
@click.option("--site", is_flag=True, help="Check this machine against ACR's requirements of a host of DIR Link instead.")
@overlay_option
@format_option(Format.TEXT, Format.JSON)
@click.pass_context
def doctor(
    ctx: click.Context,
    server: str | None,
    ca_file: Path | None,
    token: str | None,
    data: Path,
    ports: tuple[int, ...],
    site: bool,
    overlays: tuple[Path, ...],
    format_: str,
) -> None:
    """Check this machine: Python, TLS, ports, disk, clock, server, and how to trust the authority here.

    With --site, check it as a host of ACR Connect and DIR Link: exit code 0 when nothing is below its minimum, else 1.
    """
    if site:
        ctx.exit(_site(overlays, format_))
    from acrmock.facts import load_facts
    from conformance.runs.examining import examine
    from conformance.runs.servers import ServerChoice

    sick = False
    signs = []
    wanted = ports or (SERVE_PORT, CALLBACK_PORT, load_facts(overlays).integer("dirlink.port"))
    for sign in examine(ServerChoice(url=server, token=token, ca_file=ca_file, data=data), wanted):
        sick = sick or sign.well is False
        if format_ == "json":
            signs.append({"what": sign.what, "well": sign.well, "said": sign.said, "fix": sign.fix})
            continue
        click.echo(f"{MARKS[sign.well]}  {sign.what:<18} {sign.said}")
        if sign.fix and sign.well is not True:
            click.echo(f"      {'':<18} {sign.fix}")
    if format_ == "json":
        click.echo(json.dumps(signs, indent=2))
    ctx.exit(2 if sick else 0)


def _site(overlays: tuple[Path, ...], format_: str) -> int:
    """Print the checklist of this host; 0 when nothing is below its minimum, else 1."""
    import msgspec

    from acrmock.facts import load_facts
    from conformance.reports.site import checklist
    from conformance.runs.hosting import measure

    facts = load_facts(overlays)
    report = checklist(measure(facts.text("site.drive")), facts)
    if format_ == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
        return 0 if report.met else 1
    for line in report.lines:
        click.echo(f"{line.status:<14} {line.requirement:<17} {line.actual}")
        click.echo(
            f"{'':<32} at least {line.minimum}, recommended {line.recommended}  [{line.provenance}: {', '.join(line.sources)}]"
        )
        if line.advice:
            click.echo(f"{'':<32} {line.advice}")
    said = "nothing is below ACR's minimum" if report.met else "this host is below ACR's minimum for ACR Connect and DIR Link"
    click.echo(f"{said}; what cannot be told here is yours to look at")
    return 0 if report.met else 1
