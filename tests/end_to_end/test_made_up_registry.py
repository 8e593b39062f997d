"""A registry that nobody has heard of needs one data file and no code: it is taken, judged, generated and described."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
from clients.vendor import bearer_session
from oracle import oracle

from acrmock.facts import load_facts
from conformance.control import Control
from conformance.plugin import ServerUnderTest
from mockserver import Engine
from synthetic import matrix
from synthetic.exammaker import version_of
from synthetic.exams import exams

LAYER = Path(__file__).with_name("made_up.yaml")
FACTS = load_facts([LAYER])
AS_OF = date(2026, 3, 1)
BAD = 2
"""The place of the exam that is spoiled."""


@pytest.fixture(scope="module")
def server() -> Iterator[ServerUnderTest]:
    """A server with the made-up registry's layer on top."""
    with Engine(overlays=[LAYER]) as engine:
        assert engine.ready is not None
        yield ServerUnderTest(Control(engine.ready.url, engine.ready.control_token, str(engine.ready.ca_file)), process=False)


def test_its_records_are_made_and_each_violation_is_found() -> None:
    """Generated exams are complete, cover every value and branch, and each way to be wrong is answered as its rule says."""
    version = version_of(FACTS, "stripes", None, AS_OF)
    row = matrix.row(FACTS, version, as_of=AS_OF, found=matrix.cells(FACTS, version, as_of=AS_OF))
    assert (row.wrong, row.uncovered) == ((), ())
    assert row.accepted == row.covering > 0
    assert row.rejected > 20


def test_it_is_taken_over_the_wire(server: ServerUnderTest) -> None:
    """Its scope is granted, its transaction accepted, its status read; a wrong record is named by its pointer."""
    application = server.register(registry="zebra", ip="198.51.100.7", name="Stripe counter")
    assert "zebra_data_submission" in application.scopes
    made = list(exams(FACTS, "zebra", count=4, as_of=AS_OF))
    made[BAD]["Spots"][0]["Spot_Place"] = "X"
    header = {
        "Transaction_ID": "made-up-1", "Transaction_Date": "2026-03-01T10:00:00Z", "Partner_ID": application.partner_id,
        "App_ID": application.app_id, "Facility_ID": application.facility_id, "Registry": "ZEB", "Data_Version": "1.0",
        "Number_Of_Exams": len(made),
    }  # fmt: skip
    application.plan({"kind": "immediate"})
    with bearer_session(dict(application)) as session:
        body = {"Transaction_Header": header, "Exams": made}
        posted = session.post(f"{application.nrdr}/zebra/v1.0/transactions", json=body, timeout=30)
        assert posted.status_code == 202, posted.text
        status = session.get(posted.headers["Location"], timeout=30).json()
        obsolete = session.post(f"{application.nrdr}/stripes/v0.9/transactions", json=body, timeout=30)
    assert status["Status"] == "PartiallySuccessful"
    assert status["Records"] == {"Received": 4, "Uploaded": 3, "Updated": 0, "Rejected": 1, "Warnings": 0}
    rejected = [exam for exam in status["Exams"] if exam["Record_Status"] == "Rejected"]
    told = [(e["code"], e["pointer"]) for exam in rejected for e in exam["Errors"]]
    assert told == [("acrmock:ZEB-CODE-007", f"/Exams/{BAD}/Spots/0/Spot_Place")]
    assert obsolete.status_code == 422


def test_it_is_described(server: ServerUnderTest) -> None:
    """The OpenAPI document and the schema pages show it, and the schema judges its exams as a second validator does."""
    with requests.Session() as session:
        session.verify, session.trust_env = server.ca_file, False
        described: dict[str, Any] = session.get(f"{server.url}/openapi.json", timeout=30).json()
        assert "Transaction_ZEB" in described["components"]["schemas"]
        schema = session.get(f"{server.url}/schemas/zebra/1.0/complete.json", timeout=30).json()
    judge = oracle(schema)
    assert schema["properties"]["Spots"]["maxItems"] == 3
    good = next(iter(exams(FACTS, "zebra", count=1, as_of=AS_OF)))
    assert judge.is_valid(good)
    assert not judge.is_valid({**good, "Spots": []})
