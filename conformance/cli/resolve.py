"""`acrmock resolve`."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import out_option, overlay_option, server_options


@click.command(
    epilog="""\b
Examples:
  acrmock resolve tx-test-data --registry lcsr --passed --who "J. Doe" --why "the name is of our test patient"
  acrmock resolve --acknowledge 5f0c… --application default --who "J. Doe" --why "no correction exists\""""
)
@click.argument("check", required=False)
@click.option("--registry", help="The finding's registry, where it has one.")
@click.option("--passed/--failed", "passed", default=None, help="The decision.")
@click.option("--acknowledge", metavar="TRANSACTION", help="Give the rejected records of a transaction up, on a running server.")
@click.option("--application", default="default", show_default=True, help="Whose transaction (with --acknowledge).")
@click.option("--environment", type=click.Choice(["test", "production"]), default="test", show_default=True)
@click.option("--who", required=True, help="Who decides.")
@click.option("--why", required=True, help="For what reason.")
@out_option
@overlay_option
@server_options
@click.pass_context
def resolve(
    ctx: click.Context,
    check: str | None,
    registry: str | None,
    passed: bool | None,
    acknowledge: str | None,
    application: str,
    environment: str,
    who: str,
    why: str,
    out: Path,
    overlays: tuple[Path, ...],
    server: str | None,
    ca_file: Path | None,
    token: str | None,
    data: Path,
) -> None:
    """Decide a finding that needs a person, or give a transaction up.

    The decision is kept in the package (--out) with who, why and when; the verdict is computed anew.
    """
    if (check is None) == (acknowledge is None):
        raise click.UsageError("Name either a CHECK or --acknowledge TRANSACTION.")
    if acknowledge is not None:
        from conformance.runs.servers import ServerChoice, connect

        with connect(ServerChoice(url=server, token=token, ca_file=ca_file, data=data)) as control:
            control.acknowledge(application=application, environment=environment, transaction=acknowledge, who=who, why=why)
        click.echo(f"{acknowledge}: given up")
        return
    if passed is None:
        raise click.UsageError("Say --passed or --failed.")
    from acrmock.facts import load_facts
    from conformance.cli.printing import print_result
    from conformance.result import Outcome
    from conformance.runs.resolving import resolve_finding

    facts = load_facts(overlays)
    outcome = Outcome.PASSED if passed else Outcome.FAILED
    result, recording = resolve_finding(out, facts, check=str(check), registry=registry, outcome=outcome, who=who, why=why)
    print_result(result, recording, facts, "text")
    ctx.exit(result.verdict.exit_code)
