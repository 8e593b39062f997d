"""`python -m conformance.vendors`: the reference vendor, or with `--broken CHECK` one that is wrong in just that way.

It is started like any client under test: registration document in ACRMOCK_REGISTRATION, step in ACRMOCK_STEP, robot user in
BROWSER. `--once` does the whole job whatever the step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from acrmock.clock import SystemClock
from acrmock.errors import AcrmockError, SetupError
from conformance.vendors.senders.address import DEFAULT_CALLING_AE


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the vendor and leave with its exit code: 0 done, 1 it could not go on, 2 it cannot begin."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except AcrmockError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(options: argparse.Namespace) -> None:
    from acrmock.facts import load_facts
    from conformance.vendors.config import read_registration, surroundings
    from conformance.vendors.kinds import Surroundings, vendor_of

    if bool(options.cert) != bool(options.key):
        raise SetupError("--cert and --key go together")
    around = surroundings()
    facts = load_facts(tuple(options.overlay))
    made = Surroundings(
        registration=read_registration(options.registration or around.registration),
        state=options.state or around.state,
        facts=facts,
        clock=SystemClock(),
        say=_say,
        certificate=(options.cert, options.key) if options.cert else None,
        listen=_listen(options.listen),
        folder=options.folder,
        calling_ae=options.calling,
    )
    vendor = vendor_of(facts.profile(around.profile or "lcsr"), options.broken, made)
    vendor.run("" if options.once else around.step)


def _listen(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    title, _, port = text.rpartition(":")
    if not title or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise SetupError("this is no place to listen", where="--listen", expected="AE:PORT", actual=text[:80])
    from conformance.vendors.senders.address import checked_title

    return checked_title(title, "--listen"), int(port)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance.vendors", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--broken", metavar="CHECK[:VARIANT]", help="be wrong in just the way that this check finds")
    parser.add_argument("--once", action="store_true", help="do the whole job, whatever ACRMOCK_STEP says")
    parser.add_argument(
        "--registration", type=Path, metavar="FILE", help="the registration document (default: ACRMOCK_REGISTRATION)"
    )
    parser.add_argument("--state", type=Path, metavar="FILE", help="where to keep tokens and what was sent")
    parser.add_argument(
        "--overlay", type=Path, action="append", default=[], metavar="FILE", help="facts to put over the published ones"
    )
    parser.add_argument("--listen", metavar="AE:PORT", help="where a forwarder of dose reports takes them")
    parser.add_argument(
        "--calling", default=DEFAULT_CALLING_AE, metavar="AE", help="the calling AE title of a sender of dose reports"
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="the folder in which a forwarder finds them")
    parser.add_argument("--cert", type=Path, metavar="PEM", help="certificate of the redirect listener (see `acrmock ca issue`)")
    parser.add_argument("--key", type=Path, metavar="PEM", help="its private key")
    return parser


if __name__ == "__main__":
    main()
