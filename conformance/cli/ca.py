"""`acrmock ca`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.options import NamedPath, data_option

if TYPE_CHECKING:
    from acrmock.tls import Authority


@click.group(epilog="\b\nExamples:\n  acrmock ca export > acrmock-ca.pem\n  acrmock ca issue localhost --out ./tls")
def ca() -> None:
    """Export the certificate authority, or issue a certificate."""


@ca.command(epilog="\b\nExamples:\n  acrmock ca export > acrmock-ca.pem\n  acrmock ca export --out acrmock-ca.pem")
@data_option
@click.option("--out", type=NamedPath(dir_okay=False, path_type=Path), help="A file; default: standard output.")
def export(data: Path, out: Path | None) -> None:
    """Print the authority's certificate, for clients to trust. Its private key stays where it is."""
    from conformance.runs.files import write_atomically

    pem = _authority(data).certificate
    if out is not None:
        write_atomically(out, pem)
        click.echo(str(out))
    else:
        sys.stdout.buffer.write(pem)


@ca.command(epilog="\b\nExamples:\n  acrmock ca issue localhost\n  acrmock ca issue app.test 127.0.0.1 --out ./tls")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@data_option
@click.option(
    "--out", type=NamedPath(file_okay=False, path_type=Path), default=Path(), show_default=".", help="Where the two files go."
)
def issue(names: tuple[str, ...], data: Path, out: Path) -> None:
    """Issue a certificate for host names or addresses, e.g. for your client's redirect listener."""
    from conformance.runs.files import write_atomically

    leaf = _authority(data).issue(names)
    stem = "".join(c if c.isalnum() or c in "-." else "_" for c in names[0])[:80]
    certificate, key = out / f"{stem}.pem", out / f"{stem}-key.pem"
    write_atomically(certificate, leaf.certificate)
    write_atomically(key, leaf.key, private=True)
    click.echo(f"certificate  {certificate}\nprivate key  {key}")


def _authority(data: Path) -> Authority:
    from acrmock.errors import SetupError
    from acrmock.tls import Authority

    keys = data / "keys"
    try:
        return Authority(certificate=(keys / "ca.pem").read_bytes(), key=(keys / "ca-key.pem").read_bytes())
    except OSError as error:
        raise SetupError(
            "there is no certificate authority",
            where=error.filename or str(keys),
            actual=error.strerror or str(error),
            fix="`acrmock serve` makes one at its first start; name its directory with --data",
        ) from error
