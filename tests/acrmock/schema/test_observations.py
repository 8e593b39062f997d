"""What is read from exams beside their verdict: census, keys, dates of follow-ups, marks of real people, the envelope."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from acrmock.facts import MappingVersion, Registry, load_facts
from acrmock.record import FollowUpFacts
from acrmock.schema import (
    census,
    envelope_schema,
    exam_date,
    exam_key,
    follow_up_facts,
    identity_marks,
    patient_key,
    possible,
)

Exam = dict[str, Any]
HOSTILE = [None, 3, [], {}, {"Exam_Date": ["\ud800"]}, {"Follow_Ups": 3}, {"Follow_Ups": [None, {1: 2}]}, {1: 2}]


def test_census_counts_what_is_known(version: MappingVersion, exam: Exam) -> None:
    """Elements, codes and conditions that were exercised are counted once; unknown names and codes are not."""
    exam |= {"Patient_Race": ["6", "x"], "Other": "1", "Patient_Sex": "?"}
    found = census(version, [exam, exam, *HOSTILE])
    assert "Patient_Race=6" in found.values
    assert not {"Patient_Race=x", "Patient_Sex=?", "Other=1"} & set(found.values)
    assert "Other" not in found.elements
    assert "Tissue_Diagnosis" in found.elements
    assert found.branches == ("COND-014",)
    whole = possible(version)
    assert set(found.elements) <= set(whole.elements)
    assert set(found.values) <= set(whole.values)
    assert set(found.branches) <= set(whole.branches)


def test_census_of_nothing_is_empty(version: MappingVersion) -> None:
    """No exams, no counts."""
    assert census(version, []) == census(version, [None, 3]) != possible(version)


def test_keys(version: MappingVersion, exam: Exam) -> None:
    """An exam is named by facility, first identifier, date and indication; its other elements do not matter."""
    key = exam_key(version, exam, "1")
    assert key == exam_key(version, {**exam, "Smoking_Status": "2", "Follow_Ups": []}, "1")
    others = [{**exam, "Exam_Date": "2026-03-03"}, {**exam, "Indication_Of_Exam": "2"}, {**exam, "Patient_SSN": "666-12-3457"}]
    assert len({key, exam_key(version, exam, "2"), *(exam_key(version, other, "1") for other in others)}) == 5
    assert patient_key(version, exam, "1") == patient_key(version, others[0], "1")
    assert exam_date(version, exam) == "2026-03-02"


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_observations_never_raise(version: MappingVersion, value: Any) -> None:
    """Whatever stands in an exam's place has no key, no date and no mark."""
    assert exam_key(version, value, "1") == patient_key(version, value, "1") == ""
    assert exam_date(version, value) == ""
    assert identity_marks(version, value, 0) == ()
    assert all(found.days_after_exam is None for found in follow_up_facts(version, value, 0, date(2026, 1, 1)))


def test_follow_ups_are_dated(version: MappingVersion, exam: Exam) -> None:
    """Days after the exam and being in the future are read from the dates."""
    exam["Follow_Ups"].append({"Date_Of_Follow_Up": "soon"})
    assert follow_up_facts(version, exam, 2, date(2026, 3, 31)) == (
        FollowUpFacts(pointer="/Exams/2/Follow_Ups/0", days_after_exam=30, in_future=True),
        FollowUpFacts(pointer="/Exams/2/Follow_Ups/1"),
    )


def test_marks_of_real_people(version: MappingVersion, exam: Exam) -> None:
    """Numbers issued to patients are undeniable, wherever an identifier stands; a practitioner's or one in a text is doubtful."""
    assert identity_marks(version, exam, 0) == ()
    exam |= {
        "Patient_SSN": "123-45-6789",
        "New_Medicare_Beneficiary_ID": "1EG4TE5MK73",
        "Medicare_Beneficiary_ID": "123456789A",
        "Radiologist_Reading_NPI": "1234567893",
        "Other_ID": "123-45-6789",
    }
    exam["Follow_Ups"][0]["Tissue_Diagnosis_Other_Spec"] = "of 219-45-6789"
    marks = {(mark.pointer, mark.mark, mark.grade) for mark in identity_marks(version, exam, 1)}
    assert marks == {
        ("/Exams/1/Patient_SSN", "ssn", "undeniable"),
        ("/Exams/1/New_Medicare_Beneficiary_ID", "mbi", "undeniable"),
        ("/Exams/1/Medicare_Beneficiary_ID", "hicn", "undeniable"),
        ("/Exams/1/Radiologist_Reading_NPI", "npi", "doubtful"),
        ("/Exams/1/Other_ID", "ssn", "undeniable"),
        ("/Exams/1/Follow_Ups/0/Tissue_Diagnosis_Other_Spec", "ssn-in-text", "doubtful"),
    }


def lcsr() -> Registry:
    """The registry LCSR."""
    found = load_facts().registry("lcsr")
    assert found is not None
    return found


def envelope(**changes: Any) -> Exam:
    """A good envelope with changes to its header; None removes an element."""
    header = {
        "Transaction_ID": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "Transaction_Date": "2026-03-02T10:00:00Z",
        "Partner_ID": "P1",
        "App_ID": "A1",
        "Facility_ID": "100001",
        "Registry": "LCSR",
        "Data_Version": "1.8",
        "Number_Of_Exams": 1,
        **changes,
    }
    return {"Transaction_Header": {key: value for key, value in header.items() if value is not None}, "Exams": [{}]}


GOOD = [
    {},
    {"Number_Of_Exams": "1"},
    {"Transaction_Date": "2026-03-02"},
    {"Transaction_Date": "2026-03-02T10:00:00.5-05:00"},
    {"Previous_Transaction_ID": "x"},
    {"Data_Version": "1.0"},
]
BAD = [
    {"Transaction_ID": None},
    {"Transaction_ID": "a b"},
    {"Transaction_ID": "x" * 65},
    {"Transaction_ID": "x\n"},
    {"Registry": "NMD"},
    {"Data_Version": "9.9"},
    {"Data_Version": 1.8},
    {"Number_Of_Exams": "one"},
    {"Number_Of_Exams": 1.5},
    {"Number_Of_Exams": -1},
    {"Partner_ID": ""},
    {"Extra": "x"},
    {"Transaction_Date": "March"},
]


@pytest.mark.parametrize(("header", "good"), [(header, True) for header in GOOD] + [(header, False) for header in BAD])
def test_the_envelope(header: Exam, good: bool) -> None:  # noqa: FBT001 - a parameter
    """The envelope's schema accepts what is right and refuses each wrong header; two validators agree."""
    schema = envelope_schema(load_facts(), lcsr())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema_rs.validator_for(schema).is_valid(envelope(**header)) is good
    if header.get("Transaction_ID") != "x\n":
        assert jsonschema.Draft202012Validator(schema).is_valid(envelope(**header)) is good


def test_the_envelope_holds_objects() -> None:
    """Exams are objects, at least one, and nothing else stands beside them."""
    valid = jsonschema_rs.validator_for(envelope_schema(load_facts(), lcsr())).is_valid
    good = envelope()
    assert valid({**good, "Exams": [{"anything": 1}]})
    for body in (
        {**good, "Exams": []},
        {**good, "Exams": [1]},
        {**good, "Exams": {}},
        {**good, "More": 1},
        {"Exams": [{}]},
        [],
        None,
    ):
        assert not valid(body)


def test_envelope_names_come_from_the_facts(tmp_path: Path) -> None:
    """An overlay renames header, list and header elements."""
    path = tmp_path / "names.yaml"
    path.write_text(
        "schema: acrmock/layer/1\nkind: settings\nsettings:\n"
        "  nrdr.envelope.header: {value: Head, provenance: mock-choice, sources: [MOCK]}\n"
        "  nrdr.header.partner_id: {value: Partner, provenance: mock-choice, sources: [MOCK]}\n",
    )
    facts = load_facts([path])
    registry = facts.registry("lcsr")
    assert registry is not None
    schema = envelope_schema(facts, registry)
    assert "Head" in schema["required"]
    assert "Partner" in schema["properties"]["Head"]["required"]
