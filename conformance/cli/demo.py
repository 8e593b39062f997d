"""`acrmock demo`."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import Format, format_option, out_option, overlay_option, profile_option


@click.command(
    epilog="""\b
Examples:
  acrmock demo
  acrmock demo --broken auth-pkce
  acrmock demo --format json --out ./result"""
)
@profile_option("What is judged")
@click.option("--broken", metavar="CHECK[:VARIANT]", help="Use a vendor that is wrong in just the way that this check finds.")
@click.option("--list-broken", is_flag=True, help="List the broken vendors and what each does wrong, and stop.")
@overlay_option
@out_option
@format_option()
@click.pass_context
def demo(
    ctx: click.Context,
    profile: str,
    broken: str | None,
    *,
    list_broken: bool,
    overlays: tuple[Path, ...],
    out: Path,
    format_: str,
) -> None:
    """See a whole certification run with the reference vendor, in seconds.

    A private server, a vendor's client as a process of its own, TLS between them, and the verdict.
    """
    from acrmock.facts import load_facts
    from conformance.cli.printing import print_result
    from conformance.runs.certification import certify
    from conformance.runs.demo import order
    from conformance.runs.judging import read_recording
    from conformance.runs.package import JOURNAL
    from conformance.runs.progress import Progress

    if list_broken:
        from conformance.vendors.kinds import broken_of

        found = broken_of(load_facts(overlays).profile(profile))
        widest = max(map(len, found), default=0)
        click.echo("\n".join(f"{name:<{widest}}  {wrong}" for name, wrong in sorted(found.items())))
        return
    with order(profile, out, broken, overlays=overlays) as prepared:
        result = certify(prepared, (Progress(),))
    print_result(result, read_recording(out / JOURNAL), load_facts(overlays), format_)
    if format_ == Format.TEXT and broken is None:
        click.echo(f"\nnext      open {out / 'report.html'}; `acrmock demo --list-broken` names mistakes to look at", err=True)
    ctx.exit(result.verdict.exit_code)
