"""The robot user (`acrmock-browser URL`): what `BROWSER` names while a client is driven without a person.

It returns at once; a detached child opens the page, signs in as the user of the registration document named in
`ACRMOCK_REGISTRATION`, presses *allow*, and follows where it is sent: inside the issuer's origin with its certificate
verified, and to a registered redirect URL, where on a loopback address any certificate will do. It may begin on another page of
that URL's origin, as people do with a client that is a web site. It goes nowhere else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

USAGE = """usage: acrmock-browser URL

Signs in as the test user of the registration document named in ACRMOCK_REGISTRATION.
Example: ACRMOCK_REGISTRATION=./registration.json acrmock-browser "https://localhost:8443/…/authorize?…"
ACRMOCK_BROWSER_LOG names a file for what it did."""

WORK = "--in-the-foreground"


def main(arguments: Sequence[str] | None = None) -> None:
    """Start the robot in the background and leave; with `--in-the-foreground`, be the robot."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    foreground = WORK in given
    urls = [one for one in given if one != WORK]
    if len(urls) != 1 or urls[0].startswith("-"):
        wants_help = urls in (["-h"], ["--help"])
        (sys.stdout if wants_help else sys.stderr).write(USAGE + "\n")
        sys.exit(0 if wants_help else 2)
    if not os.environ.get("ACRMOCK_REGISTRATION"):
        sys.stderr.write("acrmock-browser: ACRMOCK_REGISTRATION names no registration document\n")
        sys.exit(2)
    if foreground:
        from conformance.runs.robot import run_from_environment

        sys.exit(run_from_environment(urls[0]))
    _detach(urls[0])


def _detach(url: str) -> None:
    from conformance.runs.python import command, detached

    log = os.environ.get("ACRMOCK_BROWSER_LOG")
    with Path(log or os.devnull).open("ab") as out:
        subprocess.Popen(  # type: ignore[call-overload] # noqa: S603 - our own module
            command("conformance.runs.browser", WORK, url),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            close_fds=True,
            **detached(),
        )


if __name__ == "__main__":
    main()
