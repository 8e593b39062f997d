"""`acrmock send`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from acrmock.errors import SetupError
from conformance.cli.options import READABLE, Format, NamedPath, format_option

if TYPE_CHECKING:
    from conformance.vendors.senders.address import Peer
    from conformance.vendors.senders.scu import Answer


@click.command(
    epilog="""\b
Examples (with `acrmock serve --dicom-port 11112` in another terminal):
  acrmock generate rdsr --count 3 --seed 1 --station CT1 --out reports
  acrmock send reports --to DIRLINK@localhost:11112
  acrmock send reports --registration registration.json --calling CT1 --each --format json

\b
Exit codes: 0 all taken, 1 something was not, 2 usage or setup."""
)
@click.argument("paths", nargs=-1, metavar="[FILE|DIR…]", type=NamedPath(path_type=Path))
@click.option("--to", "target", metavar="AE@HOST:PORT", help="Whom to call.")
@click.option(
    "--registration", type=READABLE, metavar="FILE", help="Take host, port, AE title and, for TLS, the authority from this one."
)
@click.option("--calling", default="MODALITY", show_default=True, metavar="AE", help="Our own AE title.")
@click.option("--echo", is_flag=True, help="Verify the connection first (C-ECHO); without files nothing else is done.")
@click.option("--each", is_flag=True, help="One association for each object, as a modality does after each exam.")
@click.option("--tls", is_flag=True, help="Speak TLS.")
@click.option("--ca-file", type=READABLE, metavar="PEM", help="With --tls: the authority to trust.")
@format_option(Format.TEXT, Format.JSON)
@click.pass_context
def send(
    ctx: click.Context,
    paths: tuple[Path, ...],
    target: str | None,
    registration: Path | None,
    *,
    calling: str,
    echo: bool,
    each: bool,
    tls: bool,
    ca_file: Path | None,
    format_: str,
) -> None:
    """Send DICOM objects as a modality does: C-STORE of their bytes as they are.

    What the peer answered to each object is printed; an object that is refused does not keep the others from going.
    """
    from conformance.vendors.senders.address import checked_title
    from conformance.vendors.senders.objects import files_of, read_object
    from conformance.vendors.senders.scu import NotSent, Scu, deliver

    peer, authority = _peer(target, registration, tls=tls)
    checked_title(calling, "--calling")
    if ca_file and not tls:
        raise SetupError("an authority is of use with TLS only", where="--ca-file", fix="add --tls")
    options: dict[str, Any] = {"context": _context(ca_file or authority)} if tls else {}
    if echo:
        try:
            with Scu(peer, calling, (), **options) as scu:
                status = scu.echo()
        except NotSent as error:
            raise SetupError("the peer cannot be verified", where=_shown(peer), actual=str(error)) from error
        click.echo(f"C-ECHO of {_shown(peer)}: {'success' if status == 0 else status}", err=True)
    elif not paths:
        raise SetupError("there is nothing to send", fix="name files or folders, or --echo")
    objects = [read_object(path) for path in files_of(paths)]
    batches = [[item] for item in objects] if each else [objects] if objects else []
    answers: list[Answer] = []
    with click.progressbar(
        batches, label="sending", file=sys.stderr, hidden=len(batches) < 2 or not sys.stderr.isatty()
    ) as shown:
        for batch in shown:
            answers += deliver(peer, calling, batch, **options)
    _print(answers, format_)
    ctx.exit(0 if all(answer.stored for answer in answers) else 1)


def _peer(target: str | None, registration: Path | None, *, tls: bool) -> tuple[Peer, Path | None]:
    """Whom to call, and the authority that a registration names."""
    from conformance.vendors.senders.address import Peer, checked_title, peer_of

    if bool(target) == bool(registration):
        raise SetupError("whom to call?", expected="either --to or --registration")
    if target:
        return peer_of(target, "--to"), None
    try:
        text = (registration or Path()).read_text(encoding="utf-8")
        if not text.strip():
            fix = "make it with `acrmock register … --format json`"
            raise SetupError("the file is empty, and no registration", where=str(registration), fix=fix)
        document = json.loads(text)
        peer = msgspec.convert(document["dicom_tls" if tls else "dicom"], Peer)
        authority = str(document.get("ca_file") or "")
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        where = str(registration)
        what = "the registration has no DICOM address" + (" for TLS" if tls else "")
        raise SetupError(what, where=where, actual=str(error)[:200]) from error
    checked_title(peer.ae_title, str(registration))
    return peer, Path(authority) if authority else None


def _context(ca_file: Path | None) -> Any:
    import ssl

    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:  # ssl.SSLError is one
        raise SetupError("this is no certificate authority", where="--ca-file", actual=str(ca_file)) from error


def _shown(peer: Peer) -> str:
    return f"{peer.ae_title}@{peer.host}:{peer.port}"


def _print(answers: list[Answer], format_: str) -> None:
    if format_ == "json":
        rows = [
            {
                "name": answer.object.name,
                "sop_instance": answer.object.sop_instance,
                "sop_class": answer.object.sop_class,
                "stored": answer.stored,
                "status": None if answer.status is None else f"{answer.status:04X}",
                "comment": answer.comment,
            }
            for answer in answers
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for answer in answers:
        status = "----" if answer.status is None else f"{answer.status:04X}"
        click.echo(f"{status}  {answer.object.name}  {answer.comment}".rstrip())
    if answers:
        click.echo(f"{sum(answer.stored for answer in answers)} of {len(answers)} taken")
