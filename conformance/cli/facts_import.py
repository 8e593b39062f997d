"""`acrmock facts import` and `acrmock facts columns`: an element table of one's own as an overlay."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from acrmock.errors import SetupError
from conformance.cli.options import READABLE, NamedPath, overlay_option

DAY = click.DateTime(("%Y-%m-%d",))
_SHOWN = 12


@click.command(epilog="\b\nExample:\n  acrmock facts columns > columns.yaml")
def columns() -> None:
    """Print how the columns of an element table are read, to be changed and given back with --columns."""
    from acrmock.facts.importing import shipped_text

    click.echo(shipped_text(), nl=False)


@click.command(
    "import",
    epilog="""\b
Examples:
  acrmock facts import elements.xlsx --registry lcsr --version 1.8 --out my-elements.yaml
  acrmock certify --profile lcsr --overlay my-elements.yaml --launch ./client
  acrmock facts import new.csv --registry zebra --version 1.0 --title "A new registry" --key Exam_Date --patient MRN""",
)
@click.argument("file", type=READABLE)
@click.option("--registry", required=True, metavar="R", help="the registry's slug, e.g. lcsr")
@click.option("--version", required=True, metavar="V", help="the mapping version that the table describes")
@click.option(
    "--sheet", "sheets", multiple=True, metavar="NAME", help="a sheet of a workbook (default: the one with a known heading)"
)
@click.option("--columns", "mapping", type=READABLE, metavar="FILE", help="a column mapping of your own (see `facts columns`)")
@click.option("--keep", is_flag=True, help="keep elements that are known and not in the table")
@click.option("--title", default="", metavar="TEXT", help="a registry that nobody knows: what it is called")
@click.option(
    "--key", "keys", multiple=True, metavar="ELEMENT", help="an element that tells a patient's exams apart, e.g. the date"
)
@click.option(
    "--patient", "patients", multiple=True, metavar="ELEMENT", help="an element that names the patient; the first present counts"
)
@click.option("--in-force-from", type=DAY, metavar="DATE", help="first day on which the version is accepted")
@click.option("--in-force-until", type=DAY, metavar="DATE", help="last day on which the version is accepted")
@click.option("--out", type=NamedPath(dir_okay=False, path_type=Path), help="write here (default: standard output)")
@click.option("--force", is_flag=True, help="overwrite the file named by --out")
@overlay_option
def import_(
    file: Path,
    registry: str,
    version: str,
    sheets: tuple[str, ...],
    mapping: Path | None,
    *,
    keep: bool,
    title: str,
    keys: tuple[str, ...],
    patients: tuple[str, ...],
    in_force_from: datetime | None,
    in_force_until: datetime | None,
    out: Path | None,
    force: bool,
    overlays: tuple[Path, ...],
) -> None:
    """Read an element table (xlsx, csv or json) and write it as an overlay for one mapping version.

    One row an element, its columns told by their headings. What the table does not have is removed from the version, with the
    rules that need it, unless --keep is given. Every imported value is marked so in reports.
    """
    from acrmock.facts import load_facts
    from acrmock.facts.importing import Origin, load_columns, read_elements, read_table, shipped_columns, write_layer
    from acrmock.facts.own import checked

    if out is not None and out.exists() and not force:
        raise SetupError("the file is there already", where=str(out), fix="name another, or overwrite it with --force")
    facts = load_facts(overlays)
    known = facts.registry(registry)
    if known is None and not title:
        slugs = ", ".join(item.slug for item in facts.registries)
        fix = "say with --title what it is called, if it is new"
        raise SetupError("there is no such registry", expected=slugs, actual=registry[:40], fix=fix)
    if known is not None and title:
        raise SetupError("the registry is known: its title stays", actual=known.slug, fix="leave --title out")
    using = load_columns(mapping) if mapping is not None else shipped_columns()
    tables = [read_table(file, sheet=sheet, known=using.roles()) for sheet in sheets or ("",)]
    elements = read_elements(tables, using)
    days = {"in_force_from": in_force_from, "in_force_until": in_force_until}
    told = {name: day.date() for name, day in days.items() if day is not None}
    origin = Origin.of(file.name, file.read_bytes(), keep=keep, title=title, key_elements=keys, patient_elements=patients, **told)
    made = write_layer(facts, known.slug if known is not None else registry, version, elements, origin)
    checked(made.text, str(out or "the overlay"), overlays)
    if out is None:
        click.echo(made.text, nl=False)
    else:
        try:
            out.write_text(made.text, encoding="utf-8")
        except OSError as error:
            raise SetupError("the overlay cannot be written", where=str(out), actual=error.strerror or str(error)) from error
    for word, names in (
        ("added", made.added),
        ("changed", made.changed),
        ("removed", made.removed),
        ("rules dropped", made.dropped_rules),
        ("with values that could not be read, so any are taken", tuple(item.name for item in elements if item.unread)),
    ):
        if names or word in {"added", "changed", "removed"}:
            click.echo(f"{len(names):5} {word}{_some(names)}", err=True)
    if made.keyless:
        click.echo("      no element tells one exam from another now: name some with --key and --patient", err=True)
    if known is None and out is not None:
        click.echo(f"      try it: acrmock demo --profile {registry} --overlay {out}", err=True)


def _some(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f": {', '.join(names[:_SHOWN])}{more}"
