"""The top of the command line: the verbs, and how every error reaches a person.

Exit codes: 0 ready or done, 1 not ready, 2 usage or setup error, 3 incomplete, 4 void or a fault of acrmock's own,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from acrmock import __version__
from acrmock.errors import AcrmockError
from conformance.cli.lazy import LazyGroup, Verb

INTERRUPTED = 130
FAULT = 4

VERBS = {
    "serve": Verb("conformance.cli.serve:serve", "Run the simulated ACR until it is stopped."),
    "register": Verb("conformance.cli.register:register", "Register an application with a running server."),
    "demo": Verb("conformance.cli.demo:demo", "See a whole certification run with the reference vendor, in seconds."),
    "certify": Verb("conformance.cli.certify:certify", "Run your client through a profile and judge it."),
    "score": Verb("conformance.cli.score:score", "Judge recorded traffic."),
    "report": Verb("conformance.cli.report:report", "Write a judged run as text, JSON, JUnit, HTML or Markdown."),
    "resolve": Verb("conformance.cli.resolve:resolve", "Decide a finding that needs a person, or give a transaction up."),
    "stations": Verb("conformance.cli.stations:stations", "Say whose dose reports DIR Link sends on, by Station Name."),
    "faults": Verb("conformance.cli.faults:faults", "Make requests fail on purpose: set rules, list them, take them back."),
    "why": Verb("conformance.cli.why:why", "Say why a request was refused, and what a correct one looks like."),
    "generate": Verb("conformance.cli.generate:generate", "Make synthetic data from a seed."),
    "upload": Verb(
        "conformance.cli.upload:upload", "Upload a data file, as the NRDR portal takes them; list files, decide about one."
    ),
    "send": Verb("conformance.cli.send:send", "Send DICOM objects, as a modality does."),
    "facts": Verb("conformance.cli.facts:facts", "Show what is known of ACR, with its provenance; check an overlay."),
    "doctor": Verb("conformance.cli.doctor:doctor", "Check this machine: Python, TLS, ports, disk, clock, server."),
    "selftest": Verb("conformance.cli.selftest:selftest", "Prove the judge: run every broken vendor, and print what was caught."),
    "ca": Verb("conformance.cli.ca:ca", "Export the certificate authority, or issue a certificate."),
}

EPILOG = """\b
Examples:
  acrmock demo
  acrmock serve --port 8443
  acrmock certify --profile lcsr --launch "python my_client.py"
  acrmock VERB --help
\b
Completion for your shell (bash, zsh or fish):
  eval "$(_ACRMOCK_COMPLETE=bash_source acrmock)\""""


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="acrmock", message="%(prog)s %(version)s")
def cli() -> None:
    """A simulated American College of Radiology test environment, and a judge behind it.

    A self-test: nothing that acrmock says is an ACR certification.
    """


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one way out per family of errors
    """Run the command line with `arguments` and give its exit code; no error leaves as a traceback."""
    try:
        code = cli.main(args=list(arguments), prog_name="acrmock", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("\ninterrupted")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AcrmockError as error:
        _say(f"acrmock: {error}")
        return error.exit_code
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:
        return _system_error(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def _closed_pipe() -> int:
    # the reader has gone (`acrmock … | head`): nothing more can be said, and Python must not try at exit
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _system_error(error: OSError) -> int:
    if os.environ.get("ACRMOCK_DEBUG"):
        raise error
    where = f"{error.filename}: " if error.filename else ""
    _say(f"acrmock: {where}{error.strerror or error}")
    return 2


def _unexpected(error: Exception) -> int:
    if os.environ.get("ACRMOCK_DEBUG"):
        raise error
    _say(
        f"acrmock: a fault of acrmock's own: {type(error).__name__}: {error}\n"
        "  fix: set ACRMOCK_DEBUG=1 to see where, and report it with the command and that output"
    )
    return FAULT


def _say(text: str) -> None:
    try:
        click.echo(text, err=True)
    except OSError:
        return
