"""`acrmock upload`, `upload list` and `upload decide`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from acrmock.errors import SetupError
from conformance.cli.options import READABLE, Format, NamedPath, connected, format_option, server_options, whose_options

PARTLY, NOT_LOADED = 3, 1
CODES = "Exit codes: 0 loaded or on its way, 1 rejected, cancelled or failed, 2 refused at the door, 3 a decision is needed."
_FILE = "file"


class _Uploads(click.Group):
    """What is not the name of a verb is a file to upload."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the file's verb as read, with its options in any order."""
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else [_FILE, *args])


@click.group(cls=_Uploads)
def upload() -> None:
    """Upload a data file, list those that were uploaded, decide about one."""


@upload.command(
    _FILE,
    epilog=f"""\b
Examples:
  acrmock generate exams --registry lcsr --count 100 --format pipe --out lcsr_exam_first.txt
  acrmock upload lcsr_exam_first.txt --registry lcsr
  acrmock upload lcsr_exam_second.xlsx --registry lcsr --continue --log second-log.xlsx
  acrmock upload list
  acrmock upload decide FILE-ID --continue
\b
{CODES}""",
)
@click.argument("file", type=READABLE)
@click.option("--registry", required=True, metavar="R", help="The registry.")
@click.option("--facility", metavar="F", help="The selected facility, for rows that name none. Default: the first.")
@click.option("--continue", "errors", flag_value="continue", help="Where some records have errors, load the valid ones.")
@click.option("--cancel", "errors", flag_value="cancel", help="Where some records have errors, load none.")
@click.option("--log", type=NamedPath(dir_okay=False, path_type=Path), help="Write the log here (.xlsx: as a workbook).")
@click.option("--name", help="The name under which it is uploaded. Default: the file's own.")
@click.option("--mapping", metavar="V", help="Mapping version. Default: the registered one.")
@click.option("--app", is_flag=True, help="By the NRDR app, which rejects a file for any error or warning.")
@click.option("--plan", metavar="WORD", help="A plan of the layer's portal.plans, such as now or overnight.")
@click.option("--application", default="default", show_default=True, help="Whose file.")
@click.option("--environment", type=click.Choice(["test", "production"]), default="test", show_default=True)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@server_options
@click.pass_context
def file_(
    ctx: click.Context,
    file: Path,
    registry: str,
    facility: str | None,
    errors: str | None,
    log: Path | None,
    name: str | None,
    mapping: str | None,
    app: bool,
    plan: str | None,
    application: str,
    environment: str,
    format_: str,
    server: str | None,
    ca_file: Path | None,
    token: str | None,
    data: Path,
) -> None:
    """Upload a data file (pipe text or xlsx) as the NRDR portal takes them.

    Where some of its records have errors, say --continue or --cancel, now or later with `acrmock upload decide`.
    """
    asked = {
        "name": name or file.name,
        "registry": registry,
        "environment": environment,
        "facility": facility,
        "errors": errors,
        "mapping": mapping,
        "plan": plan,
        "channel": "app" if app else None,
    }
    with connected(server=server, token=token, ca_file=ca_file, data=data) as control:
        with file.open("rb") as stream:
            told = control.upload(application, stream, {key: value for key, value in asked.items() if value})
        if log is not None and told["log"]:
            kind = "xlsx" if log.suffix.lower() == ".xlsx" else "text"
            _write(log, control.file_log(application, environment, told["file"], kind))
    _say(told, format_)
    ctx.exit(_code(told))


_whose = whose_options("files")


@upload.command(
    epilog=f"""\b
Examples:
  acrmock upload list
  acrmock upload decide 20260302120000-1f0c3a9b --continue
\b
{CODES}"""
)
@click.argument("file", metavar="FILE-ID")
@click.option("--continue", "decision", flag_value="continue", help="Load the valid records.")
@click.option("--cancel", "decision", flag_value="cancel", help="Load none of them.")
@click.option("--release", "decision", flag_value="release", help="Let go a file that its plan holds (pending, processing).")
@_whose
@format_option(Format.TEXT, Format.JSON)
@server_options
@click.pass_context
def decide(
    ctx: click.Context, /, file: str, decision: str | None, application: str, environment: str, format_: str, **where: Any
) -> None:
    """Decide about a file of which some records have errors, or which is held; its ID is what `upload` and `list` print."""
    if decision is None:
        raise click.UsageError("say --continue, --cancel or --release")
    with connected(**where) as control:
        told = control.decide_file(application, environment, file, decision)
    _say(told, format_)
    ctx.exit(_code(told))


@upload.command("list", epilog="\b\nExamples:\n  acrmock upload list\n  acrmock upload list --registry lcsr --date 2026-03-02")
@click.option("--registry", metavar="R", help="Only files of this registry.")
@click.option("--facility", metavar="F", help="Only files of this facility.")
@click.option("--date", metavar="YYYY-MM-DD", help="Only files of this day (UTC, business time).")
@_whose
@format_option(Format.TEXT, Format.JSON)
@server_options
def list_(
    registry: str | None,
    facility: str | None,
    date: str | None,
    application: str,
    environment: str,
    format_: str,
    **where: Any,
) -> None:
    """List the uploaded files as they stand, oldest first."""
    asked = {"environment": environment, "registry": registry, "facility": facility, "date": date}
    with connected(**where) as control:
        found = list(control.files(application, {key: value for key, value in asked.items() if value}))
    if format_ == Format.JSON:
        click.echo(_json(found))
    elif found:
        click.echo("\n".join(line for told in found for line in _lines(told)))
    else:
        click.echo(f"no such file was uploaded by application {application} in {environment}")


def _say(told: Mapping[str, Any], format_: str) -> None:
    click.echo(_json(told) if format_ == Format.JSON else "\n".join(_lines(told)))


def _json(told: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SetupError("the log cannot be written", where=str(path), actual=error.strerror or str(error)) from error


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    """A file as text."""
    counts = told["counts"]
    yield f"{told['name']}: {told['status']}  ({told['file']}, {told['registry']} {told['mapping']}, facility {told['facility']})"
    yield (
        "  "
        + ", ".join(f"{counts[key]} {key}" for key in ("received", "uploaded", "updated", "rejected"))
        + (f", {counts['warnings']} with a warning")
    )
    if told["reason"] is not None:
        row = f"row {told['reason']['row']}: " if told["reason"]["row"] else ""
        yield f"  {row}{told['reason']['message']} ({told['reason']['code']})"
    if told["decision_needed"]:
        yield f"  some records have errors: acrmock upload decide {told['file']} --continue or --cancel"
    elif told["held"]:
        yield f"  held by its plan: acrmock upload decide {told['file']} --release"
    yield from (f"  {remark}" for remark in told["remarks"])


def _code(told: Mapping[str, Any]) -> int:
    if told["decision_needed"]:
        return PARTLY
    failed = told["key"] not in {"pending", "processing", "successful", "successful_with_warning"}
    return NOT_LOADED if failed else 0
