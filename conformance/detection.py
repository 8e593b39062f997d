"""The proof of the judge as data: which vendor was judged how, and whether each fault was found and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from acrmock.record import Struct
from conformance.result import Outcome, Result, Verdict, Weight

DETECTION_SCHEMA = "acrmock/detection/1"
REFERENCE = "reference"


class Cell(Struct, frozen=True, kw_only=True):
    """What one check said of one vendor; `blocked_by` is what kept it from being exercised."""

    outcome: Outcome
    weight: Weight
    actual: str = ""
    blocked_by: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """One vendor: its name, the check that it must fail (empty for the reference), what it does wrong, and its run.

    `faults` is empty when the judge saw it just as it is. `seconds` is the length of its run, `log` where its output is.
    """

    vendor: str
    check: str
    wrong: str
    verdict: Verdict | None
    cells: Mapping[str, Cell]
    faults: tuple[str, ...]
    seconds: float = 0.0
    log: str = ""

    @property
    def proved(self) -> bool:
        """Whether the judge saw this vendor just as it is."""
        return not self.faults


class Detection(Struct, frozen=True, kw_only=True):
    """The whole matrix: `checks` are the scored ones in the profile's order, `missing` those without a broken vendor.

    `seconds` is the wall time of all runs.
    """

    schema: str
    profile: str
    revision: str
    version: str
    checks: tuple[str, ...]
    missing: tuple[str, ...]
    rows: tuple[Row, ...]
    seconds: float = 0.0

    @property
    def proved(self) -> bool:
        """Whether every scored check was seen both ways and no vendor was judged wrongly."""
        return bool(self.rows) and not self.missing and all(row.proved for row in self.rows)

    @property
    def caught(self) -> tuple[str, ...]:
        """The scored checks that found every vendor made for them."""
        wrong = {row.check for row in self.rows if not row.proved}
        mine = {row.check for row in self.rows}
        return tuple(check for check in self.checks if check in mine and check not in wrong)


def row(
    vendor: str,
    check: str,
    wrong: str,
    result: Result,
    *,
    seconds: float = 0.0,
    log: str = "",
    inapplicable: frozenset[str] = frozenset(),
) -> Row:
    """The row of a vendor that must fail `check` (empty: none) from its judged run; `inapplicable` need not apply to it."""
    cells = {
        finding.check: Cell(
            outcome=finding.outcome, weight=finding.weight, actual=finding.actual, blocked_by=finding.blocked_by or ""
        )
        for finding in reversed(result.findings)  # what a check says of its own subject comes first, and counts
    }
    faults = tuple(_broken_faults(check, cells, result) if check else _reference_faults(cells, result, inapplicable))
    return Row(
        vendor=vendor, check=check, wrong=wrong, verdict=result.verdict, cells=cells, faults=faults, seconds=seconds, log=log
    )


def lost(vendor: str, check: str, wrong: str, why: str) -> Row:
    """The row of a vendor whose run came to no result."""
    return Row(vendor=vendor, check=check, wrong=wrong, verdict=None, cells={}, faults=(f"its run came to no result: {why}",))


def _reference_faults(cells: Mapping[str, Cell], result: Result, inapplicable: frozenset[str]) -> list[str]:
    scored = {
        check: cell
        for check, cell in cells.items()
        if cell.weight is not Weight.NOT_SCORED and not (check in inapplicable and cell.outcome is Outcome.NOT_APPLICABLE)
    }
    faults = [f"{check}: {cell.outcome}: {cell.actual}" for check, cell in scored.items() if cell.outcome is not Outcome.PASSED]
    faults += [f"{check}: failed: {cell.actual}" for check, cell in _failed(cells).items() if check not in scored]
    if result.verdict is not Verdict.READY:
        faults.append(f"the verdict is {result.verdict}")
    return faults


def _broken_faults(check: str, cells: Mapping[str, Cell], result: Result) -> list[str]:
    failed = _failed(cells)
    own = cells.get(check)
    faults = []
    if own is None or own.outcome is not Outcome.FAILED:
        faults.append(f"not caught: {check} is {own.outcome if own else 'not judged'}" + (f": {own.actual}" if own else ""))
    faults += [f"false alarm: {other}: {cell.actual}" for other, cell in failed.items() if other != check]
    for other, cell in cells.items():
        scored = cell.weight is not Weight.NOT_SCORED
        if scored and cell.outcome is Outcome.NOT_EXERCISED and not cell.blocked_by:
            faults.append(f"unexplained: {other} was not exercised, and nothing blocked it: {cell.actual}")
        if scored and cell.outcome in {Outcome.NEEDS_REVIEW, Outcome.HARNESS_ERROR}:
            faults.append(f"undecided: {other} is {cell.outcome}: {cell.actual}")
    expected = Verdict.NOT_READY if own is not None and own.weight is Weight.MUST else Verdict.READY
    if own is not None and result.verdict is not expected:
        faults.append(f"the verdict is {result.verdict}, not {expected}")
    return faults


def _failed(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    return {check: cell for check, cell in cells.items() if cell.outcome is Outcome.FAILED}
