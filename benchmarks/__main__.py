"""`python -m benchmarks [PART ...]`: measure and print a table."""

from __future__ import annotations

import importlib
import sys

from benchmarks.measure import table

PARTS = ("startup", "validation", "generation", "judging", "submission", "reading", "cstore")


def main(arguments: list[str]) -> int:
    """Measure the named parts (all by default); 2 for an unknown name."""
    unknown = [name for name in arguments if name not in PARTS]
    if unknown:
        sys.stderr.write(f"unknown part {', '.join(unknown)}; there are: {', '.join(PARTS)}\n")
        return 2
    rows = []
    for name in arguments or PARTS:
        sys.stderr.write(f"measuring {name} ...\n")
        rows += importlib.import_module(f"benchmarks.{name}").rows()
    sys.stdout.write(table(rows) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
