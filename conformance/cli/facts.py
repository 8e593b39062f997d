"""`acrmock facts`."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from acrmock.errors import SetupError
from conformance.cli.facts_import import columns, import_
from conformance.cli.facts_own import diff, new
from conformance.cli.options import READABLE, Format, format_option, overlay_option


@click.group(
    epilog="""\b
Examples:
  acrmock facts show auth.
  acrmock facts new nrdr.path > my-facts.yaml
  acrmock facts check my-facts.yaml
  acrmock facts import elements.xlsx --registry lcsr --version 1.8 --out my-elements.yaml"""
)
def facts() -> None:
    """Show what is known of ACR, with its provenance; make, check and compare an overlay of your own."""


@facts.command(
    epilog="""\b
Examples:
  acrmock facts show
  acrmock facts show nrdr.path --format json
  acrmock facts show auth-pkce
  acrmock facts show Smoking_Status
  acrmock facts show LCSR-NPI-001"""
)
@click.argument("prefix", default="")
@overlay_option
@format_option(Format.TEXT, Format.JSON)
def show(prefix: str, overlays: tuple[Path, ...], format_: str) -> None:
    """Show facts: value, whose word it is, and where from.

    PREFIX is the beginning of a name (`nrdr.path`, `registry.lcsr.1.8`), one part of it (an element, a rule, a requirement, an
    error), or the code of a record error as a status answer shows it.
    """
    from acrmock.facts import load_facts
    from acrmock.facts import show as rows_of
    from acrmock.schema import breached

    loaded = load_facts(overlays)
    rows = rows_of(loaded, prefix) or [row for key in breached(loaded, prefix) for row in rows_of(loaded, key)]
    if not rows:
        raise SetupError("no fact has such a name", actual=prefix[:80], fix="see all with `acrmock facts show`")
    if format_ == "json":
        click.echo(json.dumps([msgspec.to_builtins(row) for row in rows], indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row.key} = {_short(row.value)}\n    [{row.provenance}] {', '.join(row.sources)}  {row.title}")


@facts.command(epilog="\b\nExample:\n  acrmock facts check my-facts.yaml")
@click.argument("files", nargs=-1, type=READABLE, metavar="[FILE…]")
def check(files: tuple[Path, ...]) -> None:
    """Check the facts with these overlays on top; a bad one is named with file, line and reason."""
    from acrmock.facts import load_facts

    loaded = load_facts(files)
    click.echo(
        f"{len(loaded.settings)} settings, {len(loaded.requirements)} requirements, {len(loaded.errors)} errors, "
        f"{len(loaded.registries)} registries: all sound; digest {loaded.digest}"
    )


facts.add_command(columns)
facts.add_command(diff)
facts.add_command(import_)
facts.add_command(new)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:159] + "…"
