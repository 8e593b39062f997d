"""`acrmock serve`."""

from __future__ import annotations

import ipaddress
import os
import signal
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from acrmock.errors import SetupError
from conformance.cli.options import data_option, overlay_option

if TYPE_CHECKING:
    from mockserver.engine import Ready

LOCAL_SOURCES = "ACRMOCK_LOCAL_SOURCES"


@click.command(
    epilog="""\b
Examples:
  acrmock serve --port 8443
  acrmock serve --port 0 --data ./data --overlay my-facts.yaml
  acrmock serve --dicom-port 11112"""
)
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0 picks a free one.")
@data_option
@click.option("--bind", default="127.0.0.1", show_default=True, metavar="ADDR", help="Address to listen on.")
@click.option("--public-url", metavar="URL", help="The URL under which clients reach it, if not https://localhost:PORT.")
@click.option("--auto-consent", is_flag=True, help="Sign in and allow without asking: for clients without a person.")
@overlay_option
@click.option(
    "--local-source",
    "local_sources",
    multiple=True,
    metavar="CIDR",
    help="Addresses that clients have here by default; repeats. Default: loopback. Env: ACRMOCK_LOCAL_SOURCES.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="CIDR",
    help="A proxy whose PROXY header, Forwarded and X-Forwarded-For are believed; repeats. Default: none.",
)
@click.option(
    "--dicom-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Receive dose reports over DICOM on this port, e.g. 11112; 0 picks a free one. Default: no DICOM.",
)
@click.option(
    "--dicom-tls-port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="The same over TLS, e.g. 2762; 0 picks a free one. Default: none.",
)
@click.option(
    "--accept-real-data",
    is_flag=True,
    help="Take dose reports that are neither planted nor recognisably synthetic: they may be of real people.",
)
def serve(
    port: int,
    data: Path,
    bind: str,
    public_url: str | None,
    auto_consent: bool,
    overlays: tuple[Path, ...],
    local_sources: tuple[str, ...],
    trusted_proxies: tuple[str, ...],
    dicom_port: int | None,
    dicom_tls_port: int | None,
    accept_real_data: bool,
) -> None:
    """Run the simulated ACR until it is stopped (Ctrl-C, SIGTERM)."""
    from mockserver import Engine
    from mockserver.arenas import share_arenas, spare_what_is_loaded

    share_arenas()

    options: dict[str, Any] = {"bind": bind, "public_url": public_url, "overlays": overlays}
    if auto_consent:
        options["auto_consent"] = True
    if sources := _sources(local_sources):
        options["local_sources_default"] = sources
    if trusted_proxies:
        options["trusted_proxies"] = tuple(str(_network(source, "--trusted-proxy")) for source in trusted_proxies)
    if dicom_port is not None or dicom_tls_port is not None:
        options.update(dicom_port=dicom_port, dicom_tls_port=dicom_tls_port, accept_real_data=accept_real_data, read_apart=True)
    elif accept_real_data:
        raise SetupError("nothing receives dose reports", where="--accept-real-data", fix="add --dicom-port 11112")
    stop = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    # pydicom warns of what a peer sent, in its words, and Python remembers every such text: a hostile peer's would never end.
    warnings.filterwarnings("ignore", module=r"(?:pydicom|pynetdicom)(?:\.|$)")
    engine = Engine(data, port, **options)
    ready = engine.start()
    try:
        spare_what_is_loaded()
        click.echo(summary(ready, data))
        while not stop.wait(1.0):  # a bounded wait lets Windows deliver Ctrl-C
            pass
        click.echo("stopping", err=True)
    finally:
        engine.stop()


def _sources(given: tuple[str, ...]) -> tuple[str, ...]:
    """The default local sources by flags, else by the environment; raises `SetupError` for no CIDR or one too wide."""
    from mockserver.onboarding.limits import WIDEST_SOURCE

    sources = given or tuple(os.environ.get(LOCAL_SOURCES, "").replace(",", " ").split())
    where = "--local-source" if given else LOCAL_SOURCES
    for source in sources:
        least = WIDEST_SOURCE[_network(source, where).version]
        if _network(source, where).prefixlen < least:
            expected = f"/{least} or narrower"
            raise SetupError("the range is too wide for an allowlist", where=where, expected=expected, actual=source)
    return sources


def _network(source: str, where: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """An address or a range; raises `SetupError` where it is none."""
    try:
        return ipaddress.ip_network(source, strict=False)
    except ValueError as error:
        raise SetupError("not an address or a range", where=where, expected="e.g. 10.0.0.0/8", actual=source[:80]) from error


def summary(ready: Ready, data: Path) -> str:
    """What a person needs to know of a server that has just started."""
    where = "" if data == Path("acrmock-data") else f" --data {data}"
    ports = ((ready.dicom_port, ""), (ready.dicom_tls_port, " over TLS"))
    dicom = "".join(
        f"\n  dose reports   DICOM port {port}{how}, AE title {ready.ae_title}" for port, how in ports if port is not None
    )
    pages = f"\n                 {ready.url}/_acrmock/dirlink (dose reports), and /central below it" if dicom else ""
    return f"""acrmock is ready (a simulation, not ACR's)

  server         {ready.url} (a browser is told there where to go on)
  description    {ready.url}/openapi.json
  health         {ready.url}/healthz
  pages          {ready.url}/_acrmock/upload (data files){pages}
                 they ask for the control token; a user's name, where one is asked for, may be any{dicom}
  ready file     {Path(ready.data or data) / "ready.json"} (URLs, control token)
  authority      {ready.ca_file}
                 clients must trust it: SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS; `acrmock doctor` says how

  register       acrmock register{where} --name "My app" --redirect-url https://localhost:8765/callback \\
                     --ip 203.0.113.7 --registry lcsr
  stop           Ctrl-C"""
