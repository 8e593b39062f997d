"""Every way in which a post or a status is refused, and what the journal learns from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

JSON = "application/json"


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("code", "").removeprefix("acrmock:")


def test_address_not_allowed(house: Any) -> None:
    """An address that is not on the list gets nothing, before anything else."""
    party = house.test
    party.change(local_sources=("192.0.2.0/24",))
    answer = party.post("/nrdr/lcsr/v1.7/transactions", data=b"{}", content_type=JSON)
    assert _code(answer) == (403, "address-not-allowed")
    assert house.last().facts.allowed is False


def test_bearer_missing(house: Any) -> None:
    """Without a token a post is refused with a challenge, and what was posted is noted all the same."""
    party = house.test
    answer = party.submit(party.transaction(), bearer=None)
    assert _code(answer) == (401, "bearer-missing")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert house.last().facts.transaction.transaction_id == "T1"
    assert house.last().facts.transaction.records


@pytest.mark.parametrize(("kind", "known_as"), [("id_token", "id"), ("refresh_token", "refresh"), (None, "foreign")])
def test_not_an_access_token(house: Any, kind: str | None, known_as: str) -> None:
    """An ID token, a refresh token or an invented one opens nothing, and the journal says what it was."""
    party = house.test
    value = party.tokens()[kind] if kind else "invented"
    answer = party.submit(party.transaction(), bearer=value)
    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_token"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert house.last().facts.bearer.kind == known_as


def test_insufficient_scope(house: Any) -> None:
    """A token without the registry's scope is told which one is missing."""
    party = house.test
    answer = party.submit(party.transaction(), bearer=party.tokens(scope="openid")["access_token"])
    assert answer.status_code == 403
    assert 'scope="lcsr_data_submission"' in answer.headers["WWW-Authenticate"]
    assert house.last().facts.bearer.scope_sufficient is False


def test_token_in_the_query_is_left_to_the_judge(house: Any) -> None:
    """A token in the query is accepted (RFC 6750 section 2.3) and noted as what it is."""
    party = house.test
    path = f"/nrdr/lcsr/v1.7/transactions?access_token={party.bearer()}"
    assert party.submit(party.transaction(), bearer=None, path=path).status_code == 202
    assert house.last().facts.bearer.place == "query"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""])
def test_media_type(house: Any, kind: str) -> None:
    """Anything but JSON in UTF-8 is refused."""
    answer = house.test.submit(house.test.transaction(), content_type=kind)
    assert _code(answer) == (415, "media-type-unsupported")


def test_content_coding_and_accept(house: Any) -> None:
    """A coded body and a client that cannot read JSON are refused."""
    party = house.test
    coded = party.submit(party.transaction(), headers={"Content-Encoding": "gzip"})
    assert _code(coded) == (415, "encoding-unsupported")
    assert _code(party.submit(party.transaction(), headers={"Accept": "text/html"})) == (406, "not-acceptable")
    assert party.submit(party.transaction(), headers={"Accept": "*/*"}).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"{} {}", "not-json"),
        (b'\xef\xbb\xbf{"a":1}', "not-utf8"),
        (b'{"a":"\xff"}', "not-utf8"),
        (b'{"a":1,"a":2}', "json-not-strict"),
        (b'{"a":NaN}', "json-not-strict"),
        (b'{"a":1e999}', "json-not-strict"),
        (b'{"a":"\\ud800"}', "json-not-strict"),
        (b"[" * 10_000 + b"]" * 10_000, "json-too-deep"),
    ],
)
def test_strict_json(house: Any, body: bytes, code: str) -> None:
    """What is not JSON, or could be read in two ways, is refused by name."""
    assert _code(house.test.submit(body)) == (400, code)


@pytest.mark.parametrize("body", [b"null", b"1", b'"x"', b"[]", b"{}", b'{"Exams":{}}', b'{"Transaction_Header":[],"Exams":[1]}'])
def test_not_an_envelope(house: Any, body: bytes) -> None:
    """JSON that is no envelope is refused with pointers."""
    answer = house.test.submit(body)
    assert answer.status_code == 422
    assert answer.json["code"] in {"acrmock:envelope-invalid", "acrmock:header-invalid"}
    assert house.last().facts.transaction.envelope_valid is False


def test_too_large(house: Any) -> None:
    """A body above the limit is refused."""
    party = house.test
    bearer = party.bearer()
    party.change(settings={"nrdr.limit.body_bytes": 1024})
    answer = party.submit(b"[" + b" " * 2000 + b"]", bearer=bearer)
    assert answer.status_code == 413


def test_too_many_exams(house: Any, support: Any) -> None:
    """More exams than the limit are refused, and not validated."""
    party = house.test
    bearer = party.bearer()
    party.change(settings={"nrdr.limit.exams": 1})
    answer = party.submit(party.transaction(support.exam(1), support.exam(2)), bearer=bearer)
    assert _code(answer) == (413, "too-many-exams")
    assert house.last().facts.transaction.records == ()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nrdr/nosuch/v1.7/transactions", 404, "registry-unknown"),
        ("/nrdr/lcsr/v9.9/transactions", 404, "mapping-unknown"),
        ("/nrdr/lcsr/v1.6/transactions", 422, "mapping-obsolete"),
        ("/nrdr/lcsr/v1.0/transactions", 422, "mapping-obsolete"),
    ],
)
def test_path(house: Any, path: str, status: int, code: str) -> None:
    """A registry or mapping that is unknown or obsolete is named."""
    assert _code(house.test.submit(house.test.transaction(), path=path)) == (status, code)
    assert house.last().facts.transaction is not None


def test_version_by_business_clock(house: Any) -> None:
    """Whether a mapping version is in force is a matter of business time."""
    party = house.test
    bearer = party.bearer()
    application = house.core.applications.get("default")
    for day, status, code in (
        (datetime(2026, 5, 1, tzinfo=UTC), 422, "mapping-obsolete"),
        (datetime(2024, 1, 1, tzinfo=UTC), 422, "mapping-not-yet"),
    ):
        moved = application.business.set(house.clock.now(), day)
        with house.core.store.write() as unit:
            house.core.applications.save(unit, msgspec.structs.replace(application, business=moved))
        assert _code(party.submit(party.transaction(), bearer=bearer)) == (status, code)
        assert house.last().facts.transaction.mapping_state == code.removeprefix("mapping-")


@pytest.mark.parametrize(
    ("change", "status", "code", "element"),
    [
        ({"Registry": "GRID"}, 422, "registry-mismatch", "Registry"),
        ({"Data_Version": "1.8"}, 422, "mapping-mismatch", "Data_Version"),
        ({"Partner_ID": "x"}, 403, "partner-not-issued", "Partner_ID"),
        ({"App_ID": "x"}, 403, "app-not-issued", "App_ID"),
        ({"Facility_ID": "x"}, 403, "facility-not-issued", "Facility_ID"),
        ({"Number_Of_Exams": 2}, 422, "count-mismatch", "Number_Of_Exams"),
        ({"Number_Of_Exams": "2"}, 422, "count-mismatch", "Number_Of_Exams"),
        ({"Transaction_ID": "a/b"}, 422, "transaction-id-invalid", "Transaction_ID"),
        ({"Transaction_ID": "x" * 65}, 422, "transaction-id-invalid", "Transaction_ID"),
        ({"Transaction_Date": "yesterday"}, 422, "header-invalid", "Transaction_Date"),
        ({"Transaction_Date": "2026-02-30"}, 422, "header-invalid", "Transaction_Date"),
        ({"Transaction_ID": None}, 422, "header-invalid", "Transaction_ID"),
        ({"Partner_ID": 5}, 422, "header-invalid", "Partner_ID"),
        ({"Number_Of_Exams": "many"}, 422, "header-invalid", "Number_Of_Exams"),
        ({"Surprise": "x"}, 422, "header-invalid", ""),
    ],
)
def test_header(house: Any, change: dict[str, Any], status: int, code: str, element: str) -> None:
    """Each fault of the header has its status and code, and the journal says which element."""
    answer = house.test.submit(house.test.transaction(**change))
    assert _code(answer) == (status, code)
    problems = house.last().facts.transaction.header_problems
    assert problems
    if element:
        assert element in {item.element for item in problems}
    assert house.last().refusal.code == f"acrmock:{code}"
    assert house.last().refusal.fields


def test_facility_of_another_user(house: Any) -> None:
    """An issued facility needs a token of one of its users."""
    party = house.test
    answer = party.submit(party.transaction(facility=1))
    assert _code(answer) == (403, "facility-not-of-user")
    assert house.last().facts.transaction.facility_of_user is False
    second = party.tokens(user=2)["access_token"]
    assert party.submit(party.transaction(facility=1), bearer=second).status_code == 202


def test_unknown_transaction(house: Any) -> None:
    """A status of an ID that was never accepted is 404, and noted as unknown."""
    assert _code(house.test.status("never")) == (404, "transaction-unknown")
    assert house.last().facts.status.known is False


def test_status_needs_a_bearer(house: Any) -> None:
    """A status without a token is refused, and noted."""
    answer = house.test.get("/nrdr/lcsr/transactions/T1")
    assert answer.status_code == 401
    assert house.last().facts.status.transaction_id == "T1"


def test_no_delete(house: Any) -> None:
    """A transaction cannot be deleted, nor put."""
    party = house.test
    answer = house.client.delete(party.prefix + "/nrdr/lcsr/transactions/T1")
    assert _code(answer) == (405, "delete-not-offered")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert house.client.put(party.prefix + "/nrdr/lcsr/transactions/T1").status_code == 405


def test_not_registered_for_the_registry(house: Any) -> None:
    """A registry of the facts that the application did not register for is refused by name."""
    party = house.test
    bearer = party.bearer()
    party.change(registries={})
    assert _code(party.submit(party.transaction(), bearer=bearer)) == (403, "registry-not-registered")


def test_nothing_is_stored_by_a_refusal(house: Any) -> None:
    """After a refusal the ID is free."""
    party = house.test
    party.submit(party.transaction(Number_Of_Exams=5))
    assert party.status("T1").status_code == 404
    assert party.submit(party.transaction()).status_code == 202


def test_wire_is_terse(house: Any) -> None:
    """The wire names places only; what was expected stays in the journal."""
    party = house.test
    answer = party.submit(party.transaction(Partner_ID="x"))
    assert party.partner_id not in answer.text
    assert answer.json["errors"] == [{"pointer": "/Transaction_Header/Partner_ID"}]
    assert party.partner_id in json.dumps(msgspec.to_builtins(house.last().refusal))


@pytest.mark.parametrize(
    "exam", [None, 1, "x", [], [[]], {}, {"Follow_Ups": 1}, {"Follow_Ups": [1, None]}, {"Exam_Date": {"a": []}}]
)
def test_odd_exams(house: Any, exam: Any) -> None:
    """Whatever an exam is, the answer is a refusal or a rejected record, never an error of the server."""
    party = house.test
    body = party.transaction(1)
    body["Exams"] = [exam]
    answer = party.submit(body)
    assert answer.status_code in {202, 422}
    house.clock.wait(3)
    if answer.status_code == 202:
        assert party.status("T1").json["Status"] == "ValidationFail"


def test_a_secret_is_no_transaction_id(house: Any) -> None:
    """An ID that holds a secret which was issued is refused, stands nowhere in the journal, and asking for it finds nothing."""
    party = house.test
    code = party.code()
    for identifier in (code, f"T-{code[:60]}"):
        answer = party.submit(party.transaction(transaction_id=identifier))
        assert (answer.status_code, answer.json["code"]) == (422, "acrmock:transaction-id-invalid")
        assert code not in json.dumps(msgspec.to_builtins(house.last()))
        assert party.status(identifier).status_code == 404
        assert code not in json.dumps(msgspec.to_builtins(house.last()))
