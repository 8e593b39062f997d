"""The command `acrmock`: verbs that read flags, call the rooms below and print; nothing here judges or serves."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script's entry: runs the command line and leaves with its exit code."""
    from conformance.cli.app import run

    sys.exit(run(sys.argv[1:]))
