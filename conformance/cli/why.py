"""`acrmock why`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acrmock.errors import SetupError
from conformance.cli.options import READABLE, server_options

if TYPE_CHECKING:
    from acrmock.explain import Explanation


@click.command(
    epilog="""\b
Examples:
  acrmock why last
  acrmock why 17 --data ./data
  acrmock why 17 --recording acrmock-out/journal.ndjson"""
)
@click.argument("seq", metavar="SEQ|last")
@click.option("--recording", type=READABLE, help="A recording, in place of a running server.")
@click.option("--application", help="Whose last refusal (with `last`).")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@server_options
def why(
    seq: str,
    recording: Path | None,
    application: str | None,
    format_: str,
    server: str | None,
    ca_file: Path | None,
    token: str | None,
    data: Path,
) -> None:
    """Say why a request was refused: field by field, as a diff against a correct one, and as a curl line.

    Of DICOM: why an association or a C-STORE was refused, and which presentation contexts were.
    """
    import msgspec

    from acrmock.explain import AUTHORITY, as_text
    from acrmock.explain import Explanation as Found

    if seq != "last" and not (seq.isascii() and seq.isdigit()):
        raise click.UsageError("SEQ is the number of an entry, or `last`.")
    authority = AUTHORITY
    if recording is not None:
        found = _recorded(recording, seq, application)
    else:
        from conformance.control import RefusedError
        from conformance.runs.servers import ServerChoice, connect

        with connect(ServerChoice(url=server, token=token, ca_file=ca_file, data=data)) as control:
            try:
                found = msgspec.convert(control.why(seq, application=application), Found)
            except RefusedError as refusal:
                if seq != "last" or refusal.problem.get("code") != "acrmock:entry-unknown" or format_ == "json":
                    raise
                click.echo(refusal.problem.get("hint") or "nothing was refused")
                return
        authority = control.ca_file or AUTHORITY
    if format_ == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        click.echo(as_text(found).replace(shlex.quote(AUTHORITY), shlex.quote(authority)))


def _recorded(path: Path, seq: str, application: str | None) -> Explanation:
    from acrmock.explain import explain, has_wrong
    from acrmock.explaindicom import explain_dicom, has_wrong_dicom
    from acrmock.record import AssociationEntry, DimseEntry, HttpEntry
    from conformance.recording import read

    def refused(entry: HttpEntry | AssociationEntry | DimseEntry) -> bool:
        return has_wrong(entry) if isinstance(entry, HttpEntry) else has_wrong_dicom(entry)

    with path.open("rb") as lines:
        entries = [entry for entry in read(lines).entries if isinstance(entry, HttpEntry | AssociationEntry | DimseEntry)]
    wanted = [
        entry
        for entry in entries
        if (refused(entry) and application in {None, entry.application} if seq == "last" else str(entry.seq) == seq)
    ]
    if not wanted:
        raise SetupError("the recording has no such exchange", where=str(path), actual=seq, fix="name an entry that stands in it")
    last = wanted[-1]
    return explain(last) if isinstance(last, HttpEntry) else explain_dicom(last)
