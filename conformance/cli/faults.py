"""`acrmock faults`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from conformance.cli.options import Format, connected, format_option, overlay_option, server_options, whose_options

CONTROL = "control"


@click.group(
    epilog="""\b
Examples:
  acrmock faults add --operation nrdr.post --error unavailable --first 2
  acrmock faults add --operation auth.token --effect "busy 503 5" --once
  acrmock faults list
  acrmock faults remove unavailable
  acrmock faults words"""
)
def faults() -> None:
    """Make requests fail on purpose: set rules, list them, take them back.

    The record says of each answer which rule had a hand in it, and no check holds it against your software.
    """


_whose = whose_options("requests")


@faults.command(
    epilog="""\b
Examples:
  acrmock faults add --operation nrdr.post --error unavailable --first 2
  acrmock faults add --effect "delay 2" --every 3
  acrmock faults add --error transaction-conflict --value Transaction_ID=bad-
  acrmock faults add --operation nrdr.post --effect drop --heal 1 --name lost-once"""
)
@click.option("--operation", help="Only these requests: nrdr.post, nrdr.status, auth.token, …; `control`: the control API.")
@click.option("--registry", help="Only this registry's.")
@click.option("--value", metavar="NAME=PREFIX", help="Only requests that hold a value: parameter, member, header.")
@click.option("--error", metavar="CODE", help="An error of the catalogue, as the service would answer it.")
@click.option("--effect", metavar="WORDS", help='What is done: "delay 2", "reset", "drop", "truncate 20", "busy 503 1", …')
@click.option("--once", is_flag=True, help="The first time only.")
@click.option("--first", type=click.IntRange(1), metavar="N", help="The first N times.")
@click.option("--every", type=click.IntRange(1), metavar="K", help="Each K-th time.")
@click.option("--percent", type=click.FloatRange(0, 100), metavar="P", help="So many of a hundred times.")
@click.option("--heal", type=click.IntRange(1), metavar="N", help="The first N times of each request by itself.")
@click.option("--name", help="The rule's name. Default: the error's or the effect's.")
@_whose
@server_options
def add(application: str, environment: str, **flags: Any) -> None:
    """Set a rule; one of the same name is replaced."""
    where = {key: flags.pop(key) for key in ("server", "ca_file", "token", "data")}
    rule = _rule(flags)
    if rule.get("operation") != CONTROL:
        rule |= {"application": application, "environment": environment}
    with connected(**where) as control:
        made = control.set_fault(**rule)
    click.echo(f"{made['name']}: set")


def _rule(flags: dict[str, Any]) -> dict[str, Any]:
    """The rule that flags describe; raises `UsageError` where they contradict each other."""
    rule = {key: flags[key] for key in ("operation", "registry", "error", "name") if flags[key]}
    if bool(flags["error"]) == bool(flags["effect"]):
        raise click.UsageError("Name either --error CODE or --effect WORDS.")
    triggers = [_trigger(kind, flags[kind]) for kind in ("once", "first", "every", "percent", "heal") if flags[kind]]
    if flags["effect"]:
        rule["effect"], told = _effect(flags["effect"])
        triggers += [told] if told is not None else []
    if len(triggers) > 1:
        raise click.UsageError("Say only once when it strikes: --once, --first, --every, --percent or --heal.")
    if triggers:
        rule["trigger"] = triggers[0]
    if flags["value"]:
        name, equals, prefix = flags["value"].partition("=")
        if not (name and equals and prefix):
            raise click.UsageError("--value wants NAME=PREFIX.")
        rule["value"] = {"name": name, "prefix": prefix}
    return rule


def _trigger(kind: str, value: Any) -> dict[str, Any]:
    members = {"first": "count", "every": "count", "percent": "percent", "heal": "after"}
    return {"kind": kind, **({members[kind]: value} if kind in members else {})}


def rule_of(text: str) -> dict[str, Any]:
    """The rule of `certify --fault`: an operation, then an error of the catalogue or words for an effect, then `first N`.

    Raises `UsageError` for what cannot be understood.
    """
    operation, _, what = text.strip().partition(" ")
    if "." not in operation or not what:
        raise click.UsageError(f'--fault {text!r}: an operation and what it meets, e.g. "nrdr.post busy 503 1 first 2".')
    error, _, times = what.partition(" first ")
    from acrmock.facts import load_facts

    if error not in load_facts().errors:
        effect, trigger = _effect(what)
        return {"operation": operation, "effect": effect, **({"trigger": trigger} if trigger else {})}
    if times and not times.isdecimal():
        raise click.UsageError(f"--fault {text!r}: `first` wants a number.")
    return {"operation": operation, "error": error, **({"trigger": _trigger("first", int(times))} if times else {})}


def _effect(text: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The effect, and the trigger where the words hold one."""
    import msgspec

    from mockserver.faults import Always, understood

    try:
        effect, trigger = understood(text)
    except ValueError as error:
        raise click.UsageError(f"--effect {text!r} is not understood: {error}") from error
    return msgspec.to_builtins(effect), None if isinstance(trigger, Always) else msgspec.to_builtins(trigger)


@faults.command("list", epilog="\b\nExamples:\n  acrmock faults list\n  acrmock faults list --format json")
@_whose
@format_option(Format.TEXT, Format.JSON)
@server_options
def list_(application: str, environment: str, format_: str, **where: Any) -> None:
    """Show the rules, with how often each was met and struck."""
    with connected(**where) as control:
        found = control.faults(application, environment)
    if format_ == Format.JSON:
        click.echo(json.dumps(found, indent=2))
        return
    for rule in found:
        what = rule["error"] or _told(rule["effect"])
        place = " ".join(filter(None, (rule["operation"] or "any operation", rule["registry"])))
        click.echo(
            f"{rule['name']:<24}  {what}  on {place}  {_told(rule['trigger'])}  met {rule['met']}, struck {rule['struck']}"
        )
    if not found:
        click.echo("no rule is set: nothing fails on purpose")


def _told(tagged: dict[str, Any]) -> str:
    """An effect or a trigger in words."""
    return " ".join([tagged["kind"], *(str(value) for key, value in tagged.items() if key not in {"kind", "seed"})])


@faults.command(epilog="\b\nExamples:\n  acrmock faults remove unavailable\n  acrmock faults remove --all")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--all", "every", is_flag=True, help="Every rule of the environment.")
@_whose
@server_options
def remove(names: tuple[str, ...], every: bool, application: str, environment: str, **where: Any) -> None:
    """Take rules back."""
    if bool(names) == every:
        raise click.UsageError("Name rules, or say --all.")
    with connected(**where) as control:
        for name in names or ("",):
            for gone in control.clear_faults(application, environment, name):
                click.echo(f"{gone}: removed")


@faults.command(epilog="\b\nExamples:\n  acrmock faults words\n  acrmock faults words --format json")
@overlay_option
@format_option(Format.TEXT, Format.JSON)
def words(overlays: tuple[Path, ...], format_: str) -> None:
    """Show the magic values that ask for a fault without a rule, and where they are looked for."""
    from acrmock.facts import load_facts

    facts = load_facts(overlays)
    enabled, prefix = facts.flag("faults.magic.enabled"), facts.text("faults.magic.prefix")
    names, told = facts.texts("faults.magic.names"), facts.mapping("faults.magic.words")
    if format_ == Format.JSON:
        shown = {"enabled": enabled, "prefix": prefix, "names": list(names), "words": dict(told), "errors": sorted(facts.errors)}
        click.echo(json.dumps(shown, indent=2))
        return
    for word, text in told.items():
        click.echo(f"{prefix + word:<32}  {text}")
    click.echo(f"{prefix + 'CODE':<32}  the error CODE of the catalogue, e.g. {prefix}transaction-conflict")
    click.echo(f"\nas the value of {', '.join(names)} or a segment of a path; after a full stop anything may follow")
    if not enabled:
        click.echo("the facts turn them off")
