"""`acrmock selftest`."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import Format, NamedPath, format_option, profile_option


@click.command(
    epilog="""\b
Examples:
  acrmock selftest
  acrmock selftest --only auth-pkce --only tx-schema
  acrmock selftest --format markdown --out ./detection

\b
Exit codes: 0 every fault was found by its own check and by no other, 1 not so, 2 usage or setup."""
)
@profile_option("Whose checks are proved")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Vendors at a time; default: 16.")
@click.option(
    "--only",
    multiple=True,
    metavar="CHECK[:VARIANT]",
    help="Only the vendors of this check, or this one; repeats.",
)
@click.option(
    "--out",
    type=NamedPath(file_okay=False, path_type=Path),
    default=Path("acrmock-selftest"),
    show_default="./acrmock-selftest",
    help="Where the files go.",
)
@format_option(Format.TEXT, Format.JSON, Format.MARKDOWN)
@click.pass_context
def selftest(ctx: click.Context, profile: str, jobs: int | None, only: tuple[str, ...], out: Path, format_: str) -> None:
    """Prove the judge: a vendor that does all right, and for each scored check vendors that are wrong in just that way.

    They run over TLS against one private server, an application each. Each must be caught by its own check, and nothing else
    may fail; the reference vendor must pass everything.
    """
    from conformance.reports import detection as pages
    from conformance.runs.selftest import AT_ONCE
    from conformance.runs.selftest import selftest as run

    found = run(profile, out, at_once=jobs or AT_ONCE, only=only, tell=lambda row: click.echo(pages.progress(row), err=True))
    match format_:
        case "json":
            text = pages.as_json(found).decode()
        case "markdown":
            text = pages.as_markdown(found)
        case _:
            text = pages.as_text(found)
    click.echo(text, nl=False)
    click.echo(f"written   {out}: matrix.json matrix.md ({found.seconds:.0f} s)", err=True)
    ctx.exit(0 if found.proved else 1)
