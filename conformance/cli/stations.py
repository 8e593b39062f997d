"""`acrmock stations`."""

from __future__ import annotations

import json
from typing import Any

import click

from conformance.cli.options import Format, connected, format_option, server_options, whose_options


@click.group(epilog='\b\nExamples:\n  acrmock stations add CT1 "CT ROOM 2"\n  acrmock stations list')
def stations() -> None:
    """Say whose dose reports DIR Link sends on, by Station Name (0008,1010).

    Reports of other stations are held 14 days, then deleted.
    """


_whose = whose_options("stations")


@stations.command(epilog="\b\nExamples:\n  acrmock stations add CT1\n  acrmock stations add CT1 CT2 --facility 161803")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--facility", help="For which facility. Default: the application's first.")
@_whose
@server_options
def add(names: tuple[str, ...], facility: str | None, application: str, environment: str, **where: Any) -> None:
    """Configure stations; the reports held for them go on at once."""
    with connected(**where) as control:
        for name in names:
            control.configure_station(application, environment, name, facility)
            click.echo(f"{name}: configured")


@stations.command("list", epilog="\b\nExamples:\n  acrmock stations list\n  acrmock stations list --format json")
@_whose
@format_option(Format.TEXT, Format.JSON)
@server_options
def list_(application: str, environment: str, format_: str, **where: Any) -> None:
    """Show the configured stations."""
    with connected(**where) as control:
        found = control.stations(application, environment)
        known = [] if found else [one["application"] for one in control.applications()["applications"]]
    if format_ == Format.JSON:
        click.echo(json.dumps(found, indent=2))
        return
    for station in found:
        click.echo(f"{station['name']:<16}  {', '.join(station.get('facilities', []))}  since {station['since'][:19]}Z")
    if not found:
        click.echo(f"no station is configured for application {application}: every report sent to it is held")
    if known[1:]:
        click.echo(f"  --application names another of: {', '.join(known)}")


@stations.command(epilog="\b\nExamples:\n  acrmock stations remove CT1")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@_whose
@server_options
def remove(names: tuple[str, ...], application: str, environment: str, **where: Any) -> None:
    """Take stations back; their reports that come from now on are held."""
    with connected(**where) as control:
        for name in names:
            control.remove_station(application, environment, name)
            click.echo(f"{name}: removed")
