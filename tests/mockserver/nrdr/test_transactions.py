"""Posting transactions and reading their statuses, through the gate."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from mockserver.plans import After, Fail, Hold, Immediate, Polls


def test_post_and_status(house: Any) -> None:
    """A post is accepted with its place; its status goes from Loading to Posted with the business clock."""
    party = house.test
    answer = party.submit(party.transaction())
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == "https://localhost:8443/test/nrdr/lcsr/transactions/T1"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {"Transaction_ID": "T1", "Status": "Loading"}
    words = []
    for _ in range(4):
        status = party.status("T1")
        words.append(status.json["Status"])
        assert ("Retry-After" in status.headers) is (words[-1] != "Posted")
        house.clock.wait(0.7)
    assert words == ["Loading", "Received", "ValidationSuccessful", "Posted"]
    body = party.status("T1").json
    assert body["Records"] == {"Received": 1, "Uploaded": 1, "Updated": 0, "Rejected": 0, "Warnings": 1}
    assert body["Exams"][0]["Record_Status"] == "Incomplete"
    assert body["Exams"][0]["Errors"] == []
    assert body["Exams"][0]["Warnings"][0]["pointer"].startswith("/Exams/0/")


def test_facts_of_a_good_post(house: Any, support: Any) -> None:
    """The journal knows the header, the records, the census and that it was accepted."""
    party = house.test
    party.submit(party.transaction(support.exam(Follow_Ups=[{"Date_Of_Follow_Up": "2026-02-11"}])))
    facts = house.last().facts.transaction
    assert (facts.registry, facts.mapping, facts.mapping_state, facts.transaction_id) == ("lcsr", "1.7", "in-force", "T1")
    assert (facts.accepted, facts.envelope_valid, facts.repeat, facts.header_problems) == (True, True, False, ())
    assert (facts.partner_issued, facts.app_issued, facts.facility_issued, facts.facility_of_user) == (True,) * 4
    record = facts.records[0]
    assert record.key.startswith("d:exam:")
    assert record.exam_date == "2026-02-01"
    assert record.follow_ups[0].days_after_exam == 10
    assert "Smoking_Status=1" in facts.values
    assert "Smoking_Status" in facts.elements
    assert house.last().facts.bearer.scope_sufficient is True


def test_status_facts(house: Any) -> None:
    """A status answer is noted with its word, whether it is terminal, and the minimum interval."""
    party = house.test
    party.submit(party.transaction())
    party.status("T1")
    facts = house.last().facts.status
    assert (facts.registry, facts.transaction_id, facts.known, facts.status) == ("lcsr", "T1", True, "Loading")
    assert (facts.terminal, facts.interval) == (False, 1.0)
    house.clock.wait(3)
    party.status("T1")
    assert house.last().facts.status.terminal is True


def test_mixed_and_bad_batches(house: Any, support: Any) -> None:
    """Some bad records make PartiallySuccessful, only bad ones ValidationFail; each error says where."""
    party = house.test
    bad = support.exam(2, Smoking_Status=None)
    party.submit(party.transaction(support.exam(1), bad, transaction_id="mixed"))
    party.submit(party.transaction(bad, transaction_id="bad"))
    house.clock.wait(3)
    mixed, none = party.status("mixed").json, party.status("bad").json
    assert mixed["Status"] == "PartiallySuccessful"
    assert mixed["Records"]["Rejected"] == 1
    assert [item["Record_Status"] for item in mixed["Exams"]] == ["Incomplete", "Rejected"]
    assert mixed["Exams"][1]["Errors"][0]["pointer"] == "/Exams/1/Smoking_Status"
    assert none["Status"] == "ValidationFail"
    assert none["Records"]["Uploaded"] == 0


def test_same_exam_twice_in_one_transaction(house: Any, support: Any) -> None:
    """The second of two equal exams is rejected as a duplicate."""
    party = house.test
    party.submit(party.transaction(support.exam(1), support.exam(1)))
    house.clock.wait(3)
    body = party.status("T1").json
    assert body["Status"] == "PartiallySuccessful"
    assert "DUP" in body["Exams"][1]["Errors"][0]["code"]


def test_retry_is_idempotent(house: Any) -> None:
    """The same bytes under the same ID get the same answer, whenever they come, and change nothing."""
    party = house.test
    body = json.dumps(party.transaction()).encode()
    first = party.submit(body)
    house.clock.wait(5)
    again = party.submit(body)
    assert (again.status_code, again.data, again.headers["Location"]) == (202, first.data, first.headers["Location"])
    assert house.last().facts.transaction.repeat is True
    assert party.status("T1").json["Records"]["Updated"] == 0


def test_same_id_other_bytes_conflicts(house: Any) -> None:
    """Other bytes under an accepted ID are a conflict, even if they mean the same."""
    party = house.test
    party.submit(party.transaction())
    answer = party.submit(json.dumps(party.transaction(), indent=1).encode())
    assert answer.status_code == 409
    assert answer.json["code"] == "acrmock:transaction-conflict"
    assert house.last().facts.transaction.accepted is False


def test_update_supersedes(house: Any, support: Any) -> None:
    """A transaction is replaced once all its exams were, and only when the later one is loaded."""
    party = house.test
    party.plan(Immediate())
    party.submit(party.transaction(support.exam(1), support.exam(2), transaction_id="A"))
    party.submit(party.transaction(support.exam(1, Smoking_Status="2"), transaction_id="B"))
    assert party.status("A").json["Status"] == "Posted"
    assert party.status("B").json["Records"]["Updated"] == 1
    party.plan(After(seconds=10))
    party.submit(party.transaction(support.exam(2, Smoking_Status="2"), transaction_id="C"))
    assert party.status("A").json["Status"] == "Posted"
    house.clock.wait(11)
    body = party.status("A").json
    assert body["Status"] == "UpdatedWithNewTransaction"
    assert body["Replaced_By"] == "C"
    assert party.status("B").json["Status"] == "Posted"
    assert party.status("C").json["Status"] == "Posted"


def test_failed_successor_replaces_nothing(house: Any, support: Any) -> None:
    """A transaction that fails replaces nothing; the next good one does."""
    party = house.test
    party.plan(Immediate())
    party.submit(party.transaction(support.exam(1), transaction_id="A"))
    party.plan(Fail(step=1))
    party.submit(party.transaction(support.exam(1), transaction_id="B"))
    assert party.status("A").json["Status"] == "Posted"
    party.plan(Hold(at=2))
    party.submit(party.transaction(support.exam(1), transaction_id="C"))
    assert party.status("A").json["Status"] == "Posted"
    party.plan(Immediate())
    party.submit(party.transaction(support.exam(1), transaction_id="D"))
    assert party.status("A").json["Status"] == "UpdatedWithNewTransaction"
    assert party.status("C").json["Status"] == "Received"


def test_rejected_records_replace_nothing(house: Any, support: Any) -> None:
    """A later record that is rejected leaves the earlier one in place."""
    party = house.test
    party.plan(Immediate())
    party.submit(party.transaction(support.exam(1), transaction_id="A"))
    party.submit(party.transaction(support.exam(1, Smoking_Status="no"), transaction_id="B"))
    assert party.status("A").json["Status"] == "Posted"
    assert party.status("B").json["Status"] == "ValidationFail"


@pytest.mark.parametrize(
    ("plan", "waits", "words"),
    [
        (Immediate(), 0, ["Posted"]),
        (After(seconds=3), 1, ["Loading", "Received", "ValidationSuccessful", "Posted"]),
        (Polls(count=3), 0, ["Loading", "Received", "ValidationSuccessful", "Posted", "Posted"]),
        (Hold(at=2), 10, ["Received", "Received"]),
        (Fail(step=1), 0, ["Failed"]),
        (Fail(step=2), 0, ["ValidationFail"]),
        (Fail(step=3, seconds=3), 1, ["Loading", "Received", "ValidationSuccessful", "Failed"]),
    ],
)
def test_plans(house: Any, plan: Any, waits: float, words: list[str]) -> None:
    """Each plan shows its statuses, by clock or by polls."""
    party = house.test
    party.plan(plan)
    party.submit(party.transaction())
    seen = []
    for _ in words:
        seen.append(party.status("T1").json["Status"])
        house.clock.wait(waits)
    assert seen == words


def test_release(house: Any) -> None:
    """A hold ends when it is lifted."""
    party = house.test
    party.plan(Hold(at=3))
    party.submit(party.transaction())
    assert party.status("T1").json["Status"] == "ValidationSuccessful"
    party.release()
    assert party.status("T1").json["Status"] == "Posted"


def test_heal_after(house: Any) -> None:
    """A plan that heals fails the first transactions only."""
    party = house.test
    party.plan(Fail(step=1, heal_after=1))
    party.submit(party.transaction(transaction_id="A"))
    party.submit(party.transaction(transaction_id="B"))
    assert [party.status(name).json["Status"] for name in "AB"] == ["Failed", "Posted"]
    assert party.status("A").json["Records"]["Uploaded"] == 0


def test_business_clock_alone_moves_statuses(house: Any) -> None:
    """Setting the application's business clock ends a transaction at once."""
    party = house.test
    party.submit(party.transaction())
    application = house.core.applications.get("default")
    import msgspec  # noqa: PLC0415 - used here only

    moved = application.business.set(house.clock.now(), house.clock.now() + timedelta(days=1))
    with house.core.store.write() as unit:
        house.core.applications.save(unit, msgspec.structs.replace(application, business=moved))
    assert party.status("T1").json["Status"] == "Posted"


def test_applications_and_environments_are_apart(house: Any) -> None:
    """The same ID in another application or environment is another transaction."""
    party = house.test
    party.submit(party.transaction())
    for other in (house.production, house.other):
        assert other.status("T1").status_code == 404
        assert other.submit(other.transaction()).status_code == 202
        assert other.status("T1").status_code == 200


def test_list(house: Any, support: Any) -> None:
    """The list gives what was accepted, by facility and day, in pages."""
    party = house.test
    party.change(settings={"nrdr.list.page": 2})
    for number in range(3):
        party.submit(party.transaction(support.exam(number), transaction_id=f"T{number}"))
    bearer = {"Authorization": f"Bearer {party.bearer()}"}
    first = party.get("/nrdr/lcsr/transactions", headers=bearer).json
    assert [row["Transaction_ID"] for row in first["transactions"]] == ["T0", "T1"]
    second = party.get(f"/nrdr/lcsr/transactions?after={first['next']}", headers=bearer).json
    assert [row["Transaction_ID"] for row in second["transactions"]] == ["T2"]
    assert "next" not in second
    assert party.get("/nrdr/lcsr/transactions?facility=none", headers=bearer).json == {"transactions": []}
    assert len(party.get("/nrdr/lcsr/transactions?date=2026-03-02", headers=bearer).json["transactions"]) == 2
    for query in ("date=", "date=yesterday", "date=2026-13-01", "date=2026-03-02&date=2026-03-02"):
        answer = party.get(f"/nrdr/lcsr/transactions?{query}", headers=bearer)
        assert (answer.status_code, answer.json["code"]) == (400, "acrmock:list-query-invalid")


def test_identity_marks_are_noted_but_accepted(house: Any, support: Any) -> None:
    """What may be a real person's number is noted for the judge, and posted all the same."""
    party = house.test
    assert party.submit(party.transaction(support.exam(Patient_SSN="123456789"))).status_code == 202
    assert house.last().facts.transaction.identity[0].element == "Patient_SSN"
