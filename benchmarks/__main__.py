"""`python -m benchmarks [--write] [PART ...]`: measure and print a table; with `--write`, put it into docs/speed.md as well."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

from benchmarks.measure import CLOCK, Row, table

PARTS = (
    "startup",
    "fixtures",
    "validation",
    "generation",
    "judging",
    "tokens",
    "submission",
    "registries",
    "reading",
    "dose_generation",
    "cstore",
)
PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
BEGIN, END = "<!-- begin: python -m benchmarks --write -->", "<!-- end -->"


def main(arguments: list[str]) -> int:
    """Measure the named parts (all by default); 2 for an unknown name, 1 where a part failed (its row says so)."""
    names = [name for name in arguments if name != "--write"]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.stderr.write(f"unknown part {', '.join(unknown)}; there are: {', '.join(PARTS)}\n")
        return 2
    rows: list[Row] = []
    failed: list[str] = []
    for name in names or PARTS:
        sys.stderr.write(f"measuring {name} ...\n")
        begun = CLOCK.monotonic()
        try:
            rows += importlib.import_module(f"benchmarks.{name}").rows()
        except Exception as error:  # noqa: BLE001 - the other parts are measured all the same
            failed.append(name)
            sys.stderr.write("".join(traceback.format_exception(error)))
            rows.append(Row(what=f"{name}: could not be measured: {type(error).__name__}", unit="-", ours=0.0))
        sys.stderr.write(f"  {CLOCK.monotonic() - begun:.0f} s\n")
    found = table(rows)
    sys.stdout.write(found + "\n")
    if "--write" in arguments:
        _write(found)
    return int(bool(failed))


def _write(found: str) -> None:
    """The table in the place of the one that the page has."""
    head, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE} has no place for the table: {BEGIN} … {END}")
    PAGE.write_text(f"{head}{begin}\n{found}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
