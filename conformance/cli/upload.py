"""`acrmock upload`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from acrmock.errors import SetupError
from conformance.cli.options import READABLE, server_options

PARTLY, NOT_LOADED = 3, 1


@click.command(
    epilog="""\b
Examples:
  acrmock generate exams --registry lcsr --count 100 --format pipe --out lcsr_exam_first.txt
  acrmock upload lcsr_exam_first.txt --registry lcsr
  acrmock upload lcsr_exam_second.xlsx --registry lcsr --continue --log second-log.xlsx
\b
Exit codes: 0 loaded or on its way, 1 rejected, cancelled or failed, 2 refused at the door, 3 a decision is needed."""
)
@click.argument("file", type=READABLE)
@click.option("--registry", required=True, metavar="R", help="The registry.")
@click.option("--facility", metavar="F", help="The selected facility, for rows that name none. Default: the first.")
@click.option("--continue", "errors", flag_value="continue", help="Where some records have errors, load the valid ones.")
@click.option("--cancel", "errors", flag_value="cancel", help="Where some records have errors, load none.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Write the log here (.xlsx: as a workbook).")
@click.option("--name", help="The name under which it is uploaded. Default: the file's own.")
@click.option("--mapping", metavar="V", help="Mapping version. Default: the registered one.")
@click.option("--app", is_flag=True, help="By the NRDR app, which rejects a file for any error or warning.")
@click.option("--plan", metavar="WORD", help="A plan of the layer's portal.plans, such as now or overnight.")
@click.option("--application", default="default", show_default=True, help="Whose file.")
@click.option("--environment", type=click.Choice(["test", "production"]), default="test", show_default=True)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@server_options
@click.pass_context
def upload(
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

    Where some of its records have errors, say --continue or --cancel, now or later by uploading anew under another name.
    """
    import msgspec

    from conformance.runs.servers import ServerChoice, connect

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
    with connect(ServerChoice(url=server, token=token, ca_file=ca_file, data=data)) as control:
        with file.open("rb") as stream:
            told = control.upload(application, stream, {key: value for key, value in asked.items() if value})
        if log is not None and told["log"]:
            kind = "xlsx" if log.suffix.lower() == ".xlsx" else "text"
            _write(log, control.file_log(application, environment, told["file"], kind))
    text = msgspec.json.format(msgspec.json.encode(told), indent=2).decode() if format_ == "json" else "\n".join(_lines(told))
    click.echo(text)
    ctx.exit(_code(told))


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
        yield "  some records have errors: upload it under a new name with --continue or --cancel, or decide on the page /upload"
    yield from (f"  {remark}" for remark in told["remarks"])


def _code(told: Mapping[str, Any]) -> int:
    if told["decision_needed"]:
        return PARTLY
    failed = told["key"] not in {"pending", "processing", "successful", "successful_with_warning"}
    return NOT_LOADED if failed else 0
