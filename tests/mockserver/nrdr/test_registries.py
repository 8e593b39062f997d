"""Registries whose rules need more than one record: a form that needs another form, and a warning that rejects nothing."""

from __future__ import annotations

from typing import Any

import pytest

from acrmock.facts import load_facts
from synthetic.exammaker import ExamMaker

SLUGS = {"grid": "2.2", "mips": "1.0"}
GRID = "monthly-facility-1.1"


@pytest.fixture
def party(house: Any, support: Any) -> Any:
    """A party that is registered for GRID and MIPS."""
    scopes = tuple(f"{slug}_data_submission" for slug in SLUGS)
    house.test.change(registries=SLUGS, scopes=(*support.SCOPES, *scopes))
    house.bearers.clear()
    token = house.test.tokens(scope=" ".join(("openid", "offline_access", *scopes)))
    house.bearers["default", "test"] = token["access_token"]
    return house.test


def made(house: Any, slug: str, text: str, index: int = 0) -> dict[str, Any]:
    """A complete record of a mapping version."""
    registry = load_facts().registry(slug)
    version = registry.version(text) if registry else None
    assert version is not None
    return ExamMaker(version, seed=4, as_of=house.clock.now().date()).exam(index)


def sent(house: Any, party: Any, slug: str, text: str, *exams: Any, identifier: str) -> dict[str, Any]:
    """The status of a transaction once it has ended."""
    body = party.transaction(*exams, transaction_id=identifier, Registry=slug.upper(), Data_Version=text)
    answer = party.submit(body, path=f"/nrdr/{slug}/v{text}/transactions")
    assert answer.status_code == 202, answer.text
    house.clock.wait(3)
    path = answer.headers["Location"].partition("/test")[2]
    return dict(party.get(path, headers={"Authorization": f"Bearer {party.bearer()}"}).json)


def test_a_monthly_form_needs_the_facility_form_of_its_year(house: Any, party: Any) -> None:
    """Without the facility form of its year a monthly form is rejected at its year; once that form is there it is taken."""
    monthly = made(house, "grid", GRID)
    refused = sent(house, party, "grid", GRID, monthly, identifier="M1")
    assert refused["Status"] == "ValidationFail"
    told = [(e["code"], e["pointer"]) for e in refused["Exams"][0]["Errors"]]
    assert told == [("acrmock:GRID-FORM-001", "/Exams/0/Form_Year")]
    assert house.entries()[-2].facts.transaction.records[0].status == "Rejected"
    facility = {**made(house, "grid", "facility-1.1"), "Form_Year": monthly["Form_Year"]}
    assert sent(house, party, "grid", "facility-1.1", facility, identifier="F1")["Status"] == "Posted"
    assert sent(house, party, "grid", GRID, monthly, identifier="M2")["Status"] == "Posted"
    again = sent(house, party, "grid", GRID, monthly, identifier="M3")
    assert again["Records"]["Updated"] == 1


def test_a_wrong_numerator_response_only_warns(house: Any, party: Any) -> None:
    """A numerator response that the measure does not have, or none, keeps the record: loaded, with a warning."""
    exam = made(house, "mips", "1.0")
    measure = {"Measure_ID": "76", "Measure_Kind": "1", "Denominator_Status": "1"}
    exam["Measures"] = [{**measure, "Numerator_Response": "maybe"}, {**measure, "Measure_ID": "145"}]
    status = sent(house, party, "mips", "1.0", exam, identifier="P1")
    assert status["Status"] == "Posted"
    assert status["Records"]["Warnings"] == 1
    told = [(w["code"], w["pointer"]) for w in status["Exams"][0]["Warnings"]]
    assert told == [
        ("acrmock:MIPS-NUM-002", "/Exams/0/Measures/0/Numerator_Response"),
        ("acrmock:MIPS-NUM-001", "/Exams/0/Measures/1/Numerator_Response"),
    ]
