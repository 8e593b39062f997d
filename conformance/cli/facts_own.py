"""`acrmock facts new` and `acrmock facts diff`: an overlay of one's own, begun and compared."""

from __future__ import annotations

import json
from pathlib import Path

import click
import msgspec

from acrmock.errors import SetupError
from conformance.cli.options import READABLE, Format, format_option


@click.command(
    epilog="""\b
Examples:
  acrmock facts new nrdr.path nrdr.header > my-facts.yaml
  acrmock facts new registry.ctc.1.3.CTDIvol registry.ctc.1.3.rule.PERF-001 > my-elements.yaml
  acrmock serve --overlay my-facts.yaml"""
)
@click.argument("prefixes", nargs=-1, required=True, metavar="PREFIX…")
def new(prefixes: tuple[str, ...]) -> None:
    """Begin an overlay: the settings whose names begin so, with their present values, to be changed.

    An overlay may hold any settings (paths, scopes, header and envelope names, status words, limits), or elements and rules of a
    registry, named as `acrmock facts show` names them; for whole tables of them see `acrmock facts import`.
    """
    from acrmock.facts import load_facts
    from acrmock.facts.own import begin
    from acrmock.facts.owntables import PREFIX, begin_tables

    of_tables = [prefix.startswith(PREFIX) for prefix in prefixes]
    if any(of_tables) and not all(of_tables):
        raise SetupError("settings and elements are overlays of two kinds", fix="begin a file for each; --overlay repeats")
    click.echo(begin_tables(load_facts(), prefixes) if all(of_tables) else begin(load_facts(), prefixes), nl=False)


@click.command(
    epilog="""\b
Examples:
  acrmock facts diff my-facts.yaml
  acrmock facts diff old.yaml --against new.yaml --format json"""
)
@click.argument("files", nargs=-1, required=True, type=READABLE, metavar="FILE…")
@click.option(
    "--against", multiple=True, type=READABLE, metavar="FILE", help="compare with these overlays instead of none; repeat"
)
@click.option("--words", is_flag=True, help="Also settings with the same value on another word (provenance, sources).")
@format_option(Format.TEXT, Format.JSON)
def diff(files: tuple[Path, ...], against: tuple[Path, ...], words: bool, format_: str) -> None:
    """Say what overlays change: every fact that is added, removed or has another value.

    Exits with 1 where anything differs, as diff does, and with 0 where nothing does.
    """
    from acrmock.facts import load_facts
    from acrmock.facts.own import compare

    before, after = load_facts(against), load_facts(files)
    changes = compare(before, after, words=words)
    if format_ == "json":
        click.echo(json.dumps([msgspec.to_builtins(change) for change in changes], indent=2, ensure_ascii=False))
    else:
        for change in changes:
            click.echo(f"{change.key}\n  - {change.before}\n  + {change.after}")
        click.echo(f"{len(changes)} facts differ" if changes else "nothing differs")
        if others := 0 if words else len(compare(before, after, words=True)) - len(changes):
            click.echo(f"{others} with the same value on another word; --words shows them")
    if changes:
        raise SystemExit(1)
