"""The detection matrix is hard to please: every way in which the judge could be wrong about a vendor is named."""

from __future__ import annotations

import msgspec
import pytest
from builder import good_run
from catalogue import FACTS, LCSR

from conformance import detection
from conformance.detection import DETECTION_SCHEMA, REFERENCE, Detection, Row
from conformance.judge import judge
from conformance.recording import read
from conformance.reports import detection as pages
from conformance.result import Finding, Outcome, Result, Verdict, Weight

CHECK = "auth-pkce"


@pytest.fixture
def result() -> Result:
    """A run in which all is well."""
    judged = judge(read(good_run().lines()), FACTS, LCSR)
    findings = tuple(
        msgspec.structs.replace(f, outcome=Outcome.PASSED, blocked_by=None) if f.weight is not Weight.NOT_SCORED else f
        for f in judged.findings
    )
    return msgspec.structs.replace(judged, findings=findings, verdict=Verdict.READY)


def changed(result: Result, check: str, **changes: object) -> Result:
    """The result with another finding for a check."""
    findings: tuple[Finding, ...] = tuple(
        msgspec.structs.replace(f, **changes) if f.check == check else f for f in result.findings
    )
    return msgspec.structs.replace(result, findings=findings)


def row(result: Result, check: str = "") -> Row:
    """The row of a vendor that must fail `check`."""
    return detection.row(check or REFERENCE, check, "Does something.", result)


def matrix(*rows: Row, missing: tuple[str, ...] = ()) -> Detection:
    """A matrix of these rows."""
    checks = tuple(check for check, weight in LCSR.weights.items() if weight != "not-scored")
    return Detection(
        schema=DETECTION_SCHEMA, profile="lcsr", revision="1", version="0", checks=checks, missing=missing, rows=rows
    )


def test_a_clean_reference_and_a_caught_fault_are_proved(result: Result) -> None:
    """The reference with nothing but passed, and a vendor with its own check failed alone (a should stays ready)."""
    caught = changed(result, CHECK, outcome=Outcome.FAILED)
    assert row(result).proved
    assert row(caught, CHECK).proved
    assert matrix(row(result), row(caught, CHECK)).proved


def test_a_reference_that_is_not_clean_is_named(result: Result) -> None:
    """A scored check that did not pass, and a verdict that is not ready, are faults of the judge or of the mock."""
    assert row(changed(result, CHECK, outcome=Outcome.NOT_EXERCISED)).faults
    assert row(changed(result, "auth-tls", outcome=Outcome.FAILED)).faults
    assert row(msgspec.structs.replace(result, verdict=Verdict.VOID)).faults == ("the verdict is void",)


def test_what_is_wrong_with_a_broken_vendors_row_is_named(result: Result) -> None:
    """Not caught, a false alarm, something not exercised for no reason, something undecided, another verdict."""
    caught = changed(result, CHECK, outcome=Outcome.FAILED)
    assert row(result, CHECK).faults[0].startswith("not caught")
    assert row(changed(caught, "tx-schema", outcome=Outcome.FAILED), CHECK).faults[0].startswith("false alarm: tx-schema")
    assert row(changed(caught, "tx-schema", outcome=Outcome.NOT_EXERCISED), CHECK).faults[0].startswith("unexplained: tx-schema")
    assert not row(changed(caught, "tx-schema", outcome=Outcome.NOT_EXERCISED, blocked_by=CHECK), CHECK).faults
    assert row(changed(caught, "tx-schema", outcome=Outcome.NEEDS_REVIEW), CHECK).faults[0].startswith("undecided: tx-schema")
    assert row(msgspec.structs.replace(caught, verdict=Verdict.VOID), CHECK).faults == ("the verdict is void, not ready",)
    assert row(result, "no-such-check").faults == ("not caught: no-such-check is not judged",)


def test_a_matrix_without_a_vendor_for_each_check_proves_nothing(result: Result) -> None:
    """A missing vendor, a lost run and no run at all are no proof."""
    assert not matrix(row(result), missing=("auth-tls",)).proved
    assert not matrix(row(result), detection.lost("auth-tls", "auth-tls", "", "it broke off")).proved
    assert not matrix().proved


def test_the_pages_say_what_was_proved_and_what_was_not(result: Result) -> None:
    """Text, Markdown and JSON name each vendor, its outcomes by check, and each fault; text stays one line a vendor."""
    lost = detection.lost("auth-tls", "auth-tls", "Has | a pipe.\nAnd a line.", "it broke off")
    found = matrix(row(result), row(changed(result, CHECK, outcome=Outcome.FAILED), CHECK), lost, missing=("tx-header",))
    text, markdown = pages.as_text(found), pages.as_markdown(found)
    for page in (text, markdown):
        assert "1 of 36 scored checks" in page
        assert "it broke off" in page
        assert "no vendor is broken for" in page
        assert "X" in page
    assert text.splitlines()[2] == "WRONG  auth-tls   Has | a pipe. And a line."
    assert r"Has \| a pipe. And a line." in markdown
    assert msgspec.json.decode(pages.as_json(found), type=Detection) == found
