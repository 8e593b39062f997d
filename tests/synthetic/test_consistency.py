"""Records of a registry say one thing throughout: what is said at one place fits what is said at another."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from acrmock.facts import load_facts
from synthetic.exams import exams, with_follow_up
from synthetic.hints import hints_for

AS_OF = date(2026, 3, 1)
FACTS = load_facts()
SUSPICIOUS = {"4", "4A", "4B", "4C", "5"}
CARCINOMA = {"3", "4"}
BIOPSY = {"2", "3", "4", "5"}


def some(registry: str, count: int = 1500, mapping: str | None = None) -> list[dict[str, Any]]:
    """Exams of a registry."""
    return [dict(exam) for exam in exams(FACTS, registry, mapping, count=count, seed=11, as_of=AS_OF)]


def test_grid_reports_are_signed_after_the_exam() -> None:
    """Turnaround is signed minus completed: from minutes to a few days, never negative."""
    times = [[datetime.fromisoformat(exam[f"{name}_Date_Time"]) for name in ("Exam_Completed", "Report_Signed")]
             for exam in some("grid")]  # fmt: skip
    turnaround = [signed - completed for completed, signed in times]
    assert min(turnaround) > timedelta()
    assert max(turnaround) <= timedelta(days=30)
    assert len(set(turnaround)) > 100


def test_ctc_polyps_go_with_the_answer_and_the_score() -> None:
    """Polyps are described where there are some of 10 mm or more, each that large; their C score is 3 or 4."""
    made = some("ctc")
    found = [exam for exam in made if exam.get("Polyps")]
    assert {exam["Polyp_10mm_Or_Larger"] for exam in found} == {"Y"}
    assert all("Polyps" in exam for exam in made if exam["Polyp_10mm_Or_Larger"] == "Y")
    assert all(polyp["Polyp_Size"] >= 10 for exam in found for polyp in exam["Polyps"])
    assert {exam["C_Score"] for exam in found} <= {"3", "4"}


def test_nmd_follow_ups_go_with_the_assessment() -> None:
    """A suspicious exam is biopsied, a negative one seldom followed up; results need a biopsy, stages a cancer."""
    made = some("nmd", 6000)
    share = {
        name: Counter(bool(exam.get("Follow_Ups")) for exam in made if exam["BI_RADS_Assessment"] in codes)
        for name, codes in {"suspicious": SUSPICIOUS, "negative": {"1", "2"}, "recalled": {"0"}}.items()
    }
    assert share["suspicious"][True] > 4 * share["suspicious"][False]
    assert share["recalled"][True] > 3 * share["recalled"][False]
    assert share["negative"][False] > 20 * share["negative"][True]
    for exam in made:
        for work_up in exam.get("Follow_Ups", ()):
            cancer = work_up.get("Pathology_Result") in CARCINOMA
            assert ("Pathology_Result" in work_up) <= (work_up["Follow_Up_Procedure"] in BIOPSY)
            assert {"Cancer_Stage", "Tumor_Size"} & set(work_up) == ({"Cancer_Stage", "Tumor_Size"} if cancer else set())
            assert not (cancer and exam["BI_RADS_Assessment"] in {"1", "2"})
            assert work_up.get("Lost_To_Follow_Up") != "Y"
    suspicious = next(exam for exam in made if exam["BI_RADS_Assessment"] == "5")
    version = FACTS.registry("nmd").version("3.4")
    assert version is not None
    later = with_follow_up(version, suspicious, as_of=AS_OF)
    assert later["Follow_Ups"][-1]["Follow_Up_Procedure"] in BIOPSY


def test_mips_numerators_go_with_the_denominator() -> None:
    """A numerator response stands where the exam counts, a reason where it does not."""
    measures = [measure for exam in some("mips", 400) for measure in exam["Measures"]]
    assert {measure["Denominator_Status"] for measure in measures} == {"1", "2", "3"}
    for measure in measures:
        counts = measure["Denominator_Status"] == "1"
        assert ("Numerator_Response" in measure, "Exclusion_Reason" in measure) == (counts, not counts)


def test_3dp_models_are_of_parts_of_the_digital_model() -> None:
    """What was printed was defined before."""
    for case in some("3dp", 400):
        for model in case.get("Models", ()):
            assert set(model.get("Model_Anatomic_Parts", ())) <= set(case["Anatomic_Parts"])


@pytest.mark.parametrize("slug", ["lcsr", "grid", "mips", "nmd", "ctc", "3dp"])
def test_outcomes_speak_of_elements_and_codes_that_there_are(slug: str) -> None:
    """What a list's hint says by an element of the exam names codes that a version of the registry has."""
    registry = FACTS.registry(slug)
    assert registry is not None
    for kind, hint in hints_for(slug).lists.items():
        known = {(e.record, e.name, code) for version in registry.versions for e in version.elements for code in e.code_set}
        assert {("exam", hint.by, code) for code in (*hint.shares, *hint.outcomes)} <= known
        named = {item for told in hint.outcomes.values() for outcome in told for item in outcome.elements.items()}
        assert {(kind, name, code) for name, code in named} <= known
