# ruff: noqa: INP001 - a script, no package
"""Makes `docs/rfc9700.md`: runs the tests that carry the mark `rfc9700` and writes one row per point, with how they ended.

Usage: python tools/rfc9700.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = "tests/mockserver/auth/test_rfc9700.py"
HEAD = f"""# The sign-in service against RFC 9700

What the best current practice for OAuth 2.0 security (RFC 9700, BCP 240) asks of an authorization server, what acrmock does, and
the test in `{TESTS}` that shows it. Made by `python tools/rfc9700.py` from a run of these tests; not edited by hand.
What is asked of clients is the judge's matter: see the requirements of the group *auth*.

| section | asked | acrmock | test | result |
| --- | --- | --- | --- | --- |
"""


class Gatherer:
    """A pytest plugin that keeps each point's mark and the worst outcome of its tests."""

    def __init__(self) -> None:
        self.points: dict[str, tuple[str, ...]] = {}
        self.outcomes: dict[str, set[str]] = {}
        self._names: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Note the points."""
        for item in items:
            mark = item.get_closest_marker("rfc9700")
            if mark is not None:
                self.points[item.originalname] = tuple(map(str, mark.args))
                self._names[item.nodeid] = item.originalname

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note how a test ended."""
        if report.nodeid in self._names and (report.when == "call" or report.outcome != "passed"):
            self.outcomes.setdefault(self._names[report.nodeid], set()).add(report.outcome)


def order(section: str) -> list[int]:
    """The numbers of the first section named, to sort by."""
    return [int(number) for number in re.findall(r"\d+", section.partition(",")[0])]


def main() -> int:
    """Run the tests and write the table; the exit code is pytest's."""
    gathered = Gatherer()
    own = f"{TESTS}::test_the_table_is_up_to_date"
    code = pytest.main(["-q", "-p", "no:cacheprovider", str(ROOT / TESTS), "--deselect", own], plugins=[gathered])
    rows = sorted(gathered.points.items(), key=lambda row: order(row[1][0]))
    lines = [
        f"| {section} | {asked} | {does} | `{name}` | {'holds' if gathered.outcomes.get(name) == {'passed'} else 'FAILS'} |\n"
        for name, (section, asked, does) in rows
    ]
    (ROOT / "docs" / "rfc9700.md").write_text(HEAD + "".join(lines), encoding="utf-8", newline="\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
