"""`acrmock facts`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from acrmock.errors import SetupError
from conformance.cli.options import READABLE, Format, format_option, overlay_option

if TYPE_CHECKING:
    from acrmock.facts import Facts


@click.group(epilog="\b\nExamples:\n  acrmock facts show auth.\n  acrmock facts check my-facts.yaml")
def facts() -> None:
    """Show what is known of ACR, with its provenance; check an overlay of your own."""


@facts.command(
    epilog="\b\nExamples:\n  acrmock facts show\n  acrmock facts show nrdr.path --format json\n  acrmock facts show auth-pkce"
)
@click.argument("prefix", default="")
@overlay_option
@format_option(Format.TEXT, Format.JSON)
def show(prefix: str, overlays: tuple[Path, ...], format_: str) -> None:
    """Show settings, requirements and errors whose name begins with PREFIX: value, whose word it is, and where from."""
    from acrmock.facts import load_facts

    rows = list(_rows(load_facts(overlays), prefix))
    if not rows:
        raise SetupError("no fact has such a name", actual=prefix[:80], fix="see all with `acrmock facts show`")
    if format_ == "json":
        click.echo(json.dumps([msgspec.to_builtins(row) for row in rows], indent=2, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row.name} = {_short(row.value)}\n    [{row.provenance}] {', '.join(row.sources)}  {row.text}")


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


class Row(msgspec.Struct, frozen=True):
    """One fact for showing: its name, value, whose word it is, where from, and what it says."""

    name: str
    value: Any
    provenance: str
    sources: tuple[str, ...]
    text: str


def _rows(loaded: Facts, prefix: str) -> Iterable[Row]:
    for key, fact in sorted(loaded.settings.items()):
        if key.startswith(prefix):
            yield Row(key, fact.value, str(fact.provenance), fact.sources, fact.title)
    for name, requirement in sorted(loaded.requirements.items()):
        if name.startswith(prefix):
            yield Row(name, str(requirement.weight), str(requirement.provenance), requirement.sources, requirement.text)
    for code, error in sorted(loaded.errors.items()):
        if f"acrmock:{code}".startswith(prefix) or code.startswith(prefix):
            yield Row(f"acrmock:{code}", error.status, str(error.provenance), error.sources, error.title)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:159] + "…"
