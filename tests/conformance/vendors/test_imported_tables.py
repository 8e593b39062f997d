"""Small element tables of somebody's own, of every shape: what is made of them is valid, accepted, and ends in a verdict."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import oracle

from acrmock.facts import Facts, load_facts
from acrmock.facts.importing import Origin, read_elements, read_table, shipped_columns, write_layer
from acrmock.facts.own import checked
from acrmock.schema import RecordValidator, record_schema, without_updates
from conformance.result import Outcome, Verdict
from conformance.runs.certification import certify
from conformance.runs.demo import order
from conformance.runs.inprocess import VendorThread
from synthetic.exams import exams, updated

DAY = date(2026, 2, 1)
VERSION = "1.8"
FACILITY = "200100"
YES, NO = "Yes", "No"
LISTS = ("1 = One; 2 = Two; 3 = Three", "A\nB\nC", "yes: Yes; no: No", "01 - First, or so; 02 - Second; 99 - Unknown", "X = only")
KNOWN = ("Other_ID", "Exam_Date", "Facility_ID", "Patient_Date_Of_Birth", "Smoking_Status", "Patient_SSN", "Exam_Unique_ID")
NAMES = st.one_of(st.sampled_from(KNOWN), st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,40}", fullmatch=True))


@st.composite
def rows(draw: st.DrawFn) -> dict[str, str]:
    """One row of a table: any type, with what such a type may say beside it."""
    kind = draw(st.sampled_from(("text", "date", "datetime", "number", "list", "yes/no", "")))
    row = {"Element Name": draw(NAMES), "Data Type": kind, "Required to Submit": draw(st.sampled_from((YES, NO, "")))}
    if draw(st.booleans()):
        row["Required to Complete"] = draw(st.sampled_from((YES, NO)))
    if kind == "list":
        row |= {"Valid Values": draw(st.sampled_from(LISTS)), "Multiple": draw(st.sampled_from((YES, NO, "")))}
    if kind == "number" and draw(st.booleans()):
        low = draw(st.integers(-50, 50))
        row |= {"Minimum": str(low), "Maximum": str(low + draw(st.integers(0, 200)))}
    if kind == "text" and row["Element Name"] not in KNOWN and draw(st.booleans()):
        row["Max Length"] = str(draw(st.integers(1, 60)))
    return row


TABLES = st.lists(rows(), min_size=1, max_size=7, unique_by=lambda row: row["Element Name"])


def imported(table: list[dict[str, str]], folder: Path) -> Path:
    """The overlay that an import of the table writes."""
    file = folder / "own.json"
    file.write_text(json.dumps(table), encoding="utf-8")
    elements = read_elements(read_table(file), shipped_columns())
    made = write_layer(load_facts(), "lcsr", VERSION, elements, Origin.of(file.name, file.read_bytes()))
    checked(made.text, "own.yaml", ())
    overlay = folder / "own.yaml"
    overlay.write_text(made.text, encoding="utf-8")
    return overlay


def of_kind(facts: Facts, kind: str) -> list[dict[str, Any]]:
    """Some synthetic exams of the imported version."""
    return [dict(one) for one in exams(facts, "lcsr", VERSION, seed=5, count=20, as_of=DAY, kind=kind, facility=FACILITY)]


@settings(max_examples=25, deadline=None)
@given(TABLES)
def test_exams_of_an_imported_table_are_complete(table: list[dict[str, str]]) -> None:
    """Exams by chance, those that cover the table, and a changed one: complete by the rules, valid for another validator too."""
    with tempfile.TemporaryDirectory() as folder:
        facts = load_facts([imported(table, Path(folder))])
    registry = facts.registry("lcsr")
    version = registry.version(VERSION) if registry is not None else None
    assert version is not None
    validator, other = RecordValidator(facts, version), oracle(record_schema(version))
    made = [*of_kind(facts, "complete"), *of_kind(facts, "coverage")]
    if not without_updates(version):
        made.append(dict(updated(version, made[0])))
        assert made[-1] != made[0]
    for exam in made:
        verdict = validator.check(exam, index=0, today=DAY, facility=FACILITY)
        assert (verdict.status, verdict.problems) == ("Complete", ())
        assert [error.message for error in other.iter_errors(exam)] == []


def element(name: str, kind: str, required: str = YES, **more: str) -> dict[str, str]:
    """A row."""
    return {"Element Name": name, "Data Type": kind, "Required to Submit": required} | more


SHAPES = {
    "six elements": [
        element("Patient_Label", "text"),
        element("Exam_Date", "date"),
        element("Smoking_Status", "code", **{"Valid Values": "1 = Current; 2 = Former; 3 = Never"}),
        element("Packs", "number", NO),
        element("Comment", "text", NO),
        element("Age", "integer", NO, Minimum="0", Maximum="120"),
    ],
    "the header's facility, and a key": [
        element("Facility_ID", "text"),
        element("Other_ID", "text"),
        element("Exam_Date", "date"),
        element("Remark", "text", NO),
    ],
    "nothing but the key": [element("Other_ID", "text"), element("Exam_Date", "date")],
    "only optional elements, no dates": [
        element("first_name", "text", NO),
        element("result", "list", NO, **{"Valid Values": "A = good, B = bad"}),
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_reference_vendor_is_ready_with_an_imported_table(shape: str, tmp_path: Path) -> None:
    """What the table lacks (follow-ups, what may change) does not apply; nothing fails, and the verdict is ready."""
    overlays = (imported(SHAPES[shape], tmp_path),)
    with order("lcsr", tmp_path / "out", overlays=overlays) as prepared:
        result = certify(dataclasses.replace(prepared, runner=VendorThread(None, overlays=overlays), package=False))
    assert {finding.check: finding.actual for finding in result.findings if finding.outcome is Outcome.FAILED} == {}
    assert result.verdict is Verdict.READY
    found = {finding.check: finding for finding in result.findings}
    assert found["tx-follow-up"].outcome is Outcome.NOT_APPLICABLE
    assert found["tx-follow-up"].actual == "mapping version 1.8 has no elements of follow-ups"
    keyed = shape == "the header's facility, and a key"
    assert found["tx-update"].outcome is (Outcome.PASSED if keyed else Outcome.NOT_APPLICABLE)
