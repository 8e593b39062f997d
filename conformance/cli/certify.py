"""`acrmock certify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from conformance.cli.options import (
    NamedPath,
    format_option,
    judging_options,
    out_option,
    overlay_option,
    profile_option,
    registration_options,
    server_options,
)


@click.command(
    epilog="""\b
Examples:
  acrmock certify --profile lcsr --launch "python my_client.py"
  acrmock certify --profile lcsr --launch "./client --all" --once --redirect-url https://localhost:9000/cb --format junit
  acrmock certify --profile lcsr --pull --timeout 600
  acrmock certify --profile lcsr --server https://localhost:8443
  acrmock certify --profile dir-pacs --plant-to MYPACS@localhost:104 --station CT1 --dicom MYPACS
  acrmock certify --profile dir-rdim --plant-dir ./inbox --launch ./my-forwarder
  acrmock certify --profile dir-direct --expect 12 --dicom CT1 --station CT1

\b
Exit codes: 0 ready, 1 not ready, 2 usage or setup, 3 incomplete, 4 void."""
)
@profile_option("What is judged")
@click.option(
    "--launch", metavar="CMD", help="Your client; run once per step, without a shell. Without it, the run waits for you."
)
@click.option(
    "--pull", is_flag=True, help="Your client takes each step with a GET of a URL that is printed (and in private/pull.json)."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="With --pull: the port of that URL; default: a free one."
)
@click.option("--once", is_flag=True, help="Run the client a single time for everything.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 86400), metavar="SECONDS", help="Window of each step, instead of the profile's."
)
@click.option(
    "--plant-to", metavar="AE@HOST:PORT", help="Where your RDIM or PACS takes the dose reports that are planted with it."
)
@click.option(
    "--plant-dir", type=NamedPath(path_type=Path), metavar="DIR", help="The folder in which it finds them, in its stead."
)
@click.option(
    "--expect", metavar="N|FILE", help="Dose reports that a modality will send: a number, or a file of SOP Instance UIDs."
)
@click.option("--seed", type=click.IntRange(0, 2**53), metavar="N", help="Which reports are planted; default: others each time.")
@click.option(
    "--fault",
    multiple=True,
    metavar="WORDS",
    help='A fault that your client is to survive: "nrdr.post busy 503 1 first 2", "nrdr.post unavailable first 1"; repeats.',
)
@out_option
@format_option()
@judging_options
@overlay_option
@registration_options
@server_options
@click.pass_context
def certify(ctx: click.Context, /, **flags: Any) -> None:
    """Run your client through a profile and judge it.

    With --launch a private server is started, your client is run once per step (its task in ACRMOCK_STEP, the registration
    in the file that ACRMOCK_REGISTRATION names, a robot user in BROWSER), and its traffic is judged. SSL_CERT_FILE and
    REQUESTS_CA_BUNDLE name acrmock's authority alone.

    The profiles dir-rdim and dir-pacs plant dose reports with your system, and compare what it passes on; dir-direct waits
    for those of your modality.
    """
    from acrmock.facts import load_facts
    from conformance.cli.options import Format
    from conformance.cli.printing import print_result, print_silence
    from conformance.runs.certification import certify as run
    from conformance.runs.judging import exit_code, read_recording
    from conformance.runs.package import JOURNAL
    from conformance.runs.progress import Progress
    from conformance.runs.silence import Listener

    if flags["pull"] and (flags["launch"] is not None or flags["once"]):
        raise click.UsageError("--pull goes with neither --launch nor --once: the client asks for its steps.")
    if flags["port"] is not None and not flags["pull"]:
        raise click.UsageError("--port is that of --pull.")
    order = _order(flags)
    listener = Listener()
    result = run(order, (Progress(), listener))
    format_ = Format(flags["format_"])
    if listener.heard is None or not print_silence(listener.heard, result, order.out, format_):
        print_result(result, read_recording(order.out / JOURNAL), load_facts(order.overlays), format_)
    ctx.exit(exit_code(result, order.baseline))


def _order(flags: dict[str, Any]) -> Any:
    from dataclasses import fields

    from conformance.cli.faults import rule_of
    from conformance.runs.application import ApplicationRequest
    from conformance.runs.certification import Order
    from conformance.runs.client import split_command
    from conformance.runs.servers import ServerChoice

    described = {item.name: flags[item.name] for item in fields(ApplicationRequest) if item.name in flags}
    return Order(
        profile=flags["profile"],
        out=flags["out"],
        command=tuple(split_command(flags["launch"])) if flags["launch"] is not None else None,
        once=flags["once"],
        pull=(flags["port"] or 0) if flags["pull"] else None,
        timeout=flags["timeout"],
        application=ApplicationRequest(**described),
        claims=tuple(flags["claims"]) or None,
        only=tuple(flags["only"]),
        baseline=flags["baseline"],
        overlays=tuple(flags["overlays"]),
        doses=_doses(flags),
        faults=tuple(rule_of(text) for text in flags["fault"]),
        server=ServerChoice(url=flags["server"], token=flags["token"], ca_file=flags["ca_file"], data=flags["data"]),
    )


def _doses(flags: dict[str, Any]) -> Any:
    import secrets

    from conformance.runs.doses import DosesGiven, read_expected
    from conformance.runs.planting import target_of

    return DosesGiven(
        target=target_of(flags["plant_to"], flags["plant_dir"]),
        seed=secrets.randbelow(2**31) if flags["seed"] is None else flags["seed"],
        expect=read_expected(flags["expect"]),
    )
