"""Documents posted to the clinical decision support registry, through the gate."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

SAMPLE: dict[str, Any] = {
    "dartheader": {
        "partnerid": "ndsc",
        "appid": "dart",
        "dartprojectid": "479",
        "projectname": "cms demo",
        "programdartid": "29",
        "programname": "cdsr",
        "mediatype": "csv",
        "objecttype": "registry_data",
        "headertype": "cdsregistry",
        "id": "541eae10-150d-4135-a85d-9ac98e734055",
        "creationdate": "2015-10-28t20:17:56.487z",
        "modificationdate": "2015-10-28t20:17:56.487z",
        "versionno": "1",
        "programspecificdata": {
            "providertype": "fp",
            "dsn": "12236",
            "npifp": "1000203",
            "datefurnishedservice": "2015-10-28t20:17:56.487z",
            "subscriberid": "1002330",
        },
    },
    "payload": {},
}
"""The names and values of the published request (fact N5.4), its lost braces and comma restored."""

PATH = "/dartcs/cdsregistry/fp"


def places() -> Iterator[tuple[str, ...]]:
    """The place of each element of the header."""
    for name, value in SAMPLE["dartheader"].items():
        yield ("dartheader", name)
        if isinstance(value, dict):
            yield from (("dartheader", name, own) for own in value)


def without(place: tuple[str, ...], *, value: Any = ...) -> dict[str, Any]:
    """The sample with the element at `place` left out, or with another value."""
    made = copy.deepcopy(SAMPLE)
    parent = made
    for name in place[:-1]:
        parent = parent[name]
    if value is ...:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return made


def send(house: Any, document: Any, **headers: str) -> Any:
    """Post a document, or bytes as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return house.test.post(PATH, data=body, headers=given)


def test_the_published_sample(house: Any) -> None:
    """The published sample is created, then updated, and the record says so."""
    first = send(house, SAMPLE)
    assert (first.status_code, first.data) == (201, b"")
    facts = house.last().facts.document
    assert (facts.created, facts.updated, facts.id_uuid, facts.version, facts.missing, facts.date_problems) == (
        True,
        False,
        True,
        1,
        (),
        (),
    )
    assert send(house, SAMPLE).status_code == 200
    again = house.last().facts.document
    assert (again.created, again.updated) == (False, True)
    assert again.id == facts.id
    assert SAMPLE["dartheader"]["id"] not in again.id


@pytest.mark.parametrize("place", list(places()), ids="/".join)
def test_each_element_is_required(house: Any, place: tuple[str, ...]) -> None:
    """A header without an element is refused by name, nothing is kept, and the corrected document is new."""
    pointer = "/" + "/".join(place)
    for value in (..., None, ""):
        answer = send(house, without(place, value=value))
        assert answer.status_code == 400
        assert answer.json["code"] == "acrmock:document-header-missing"
        assert answer.json["errors"] == [{"pointer": pointer}]
        assert house.last().facts.document.missing == (".".join(place[1:]),)
        assert house.last().refusal.fields[0].element == ".".join(place[1:])
        assert house.last().facts.document.rejected == (".".join(place[1:]),)
    assert send(house, SAMPLE).status_code == 201


def test_case_does_not_matter(house: Any) -> None:
    """Names may be written as the format text or as the sample writes them (fact N5.2)."""
    shouted = json.loads(json.dumps(SAMPLE).replace('"dartheader"', '"DartHeader"').replace('"payload"', '"Payload"'))
    assert send(house, SAMPLE).status_code == 201
    assert send(house, shouted).status_code == 200
    upper = {"DARTHEADER": {name.upper(): value for name, value in SAMPLE["dartheader"].items()}, "PAYLOAD": []}
    assert send(house, upper).status_code == 200


def test_two_spellings_at_once(house: Any) -> None:
    """Two members that differ by case alone are ambiguous."""
    for document in (SAMPLE | {"DartHeader": {}}, {**SAMPLE, "dartheader": SAMPLE["dartheader"] | {"ID": "other"}}):
        assert send(house, document).json["code"] == "acrmock:document-not-json"


@pytest.mark.parametrize("payload", [{}, [], None, 0, "text", False, {"a": [{"b": None}]}])
def test_any_payload(house: Any, payload: Any) -> None:
    """Any JSON value is a payload."""
    assert send(house, SAMPLE | {"payload": payload}).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "document-not-json"),
        (b"{", "document-not-json"),
        (b"\xff\xfe{}", "document-not-json"),
        (b'{"payload": NaN}', "document-not-json"),
        (b'{"a": 1, "a": 2}', "document-not-json"),
        (b"[" * 100_000, "document-not-json"),
        (b"[]", "document-invalid"),
        (b"null", "document-invalid"),
        (b'"text"', "document-invalid"),
        (b"{}", "document-invalid"),
        (b'{"dartheader": {}}', "document-invalid"),
        (b'{"dartheader": [], "payload": {}}', "document-invalid"),
        (b'{"dartheader": null, "payload": {}}', "document-invalid"),
        (b'{"dartheader": {}, "payload": {}}', "document-header-missing"),
        (json.dumps(without(("dartheader", "headertype"), value="else")).encode(), "document-header-type"),
        (json.dumps(without(("dartheader", "programspecificdata"), value="text")).encode(), "document-header-missing"),
        (json.dumps(without(("dartheader", "partnerid"), value=["a"])).encode(), "document-header-missing"),
        (json.dumps(without(("dartheader", "partnerid"), value="x" * 3000)).encode(), "document-header-missing"),
    ],
)
def test_bad_documents(house: Any, body: bytes, code: str) -> None:
    """What is no document is a 400 that says why, and the record has the fields."""
    answer = send(house, body)
    assert (answer.status_code, answer.json["code"]) == (400, f"acrmock:{code}")
    assert house.last().refusal.fields


def test_other_media_type(house: Any) -> None:
    """A document that is not labelled JSON is a 400, the only refusal that the page knows."""
    assert send(house, SAMPLE, Content_Type="text/csv").json["code"] == "acrmock:document-media-type"
    assert send(house, SAMPLE, Content_Type="application/json; charset=utf-8").status_code == 201


def test_what_the_record_knows_of_doubtful_values(house: Any) -> None:
    """An id that is no UUID, an unreadable date and a version that is no number are accepted and noted."""
    document = without(("dartheader", "id"), value="seventeen")
    document["dartheader"] |= {"creationdate": "28.10.2015", "versionno": "one"}
    document["dartheader"]["programspecificdata"]["datefurnishedservice"] = "2015-02-30T00:00:00Z"
    assert send(house, document).status_code == 201
    facts = house.last().facts.document
    assert (facts.id_uuid, facts.version) == (False, None)
    assert [problem.element for problem in facts.date_problems] == ["creationdate", "datefurnishedservice"]


def test_applications_do_not_share_documents(house: Any) -> None:
    """The same id is new in another environment."""
    assert send(house, SAMPLE).status_code == 201
    body = json.dumps(SAMPLE).encode()
    answer = house.production.post(PATH, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201


def test_only_posts(house: Any) -> None:
    """Nothing else is offered at the path."""
    assert house.test.get(PATH).status_code == 405


def test_an_internal_error(house: Any) -> None:
    """A magic value asks for the 400 that stands for an internal error: it looks like any other, and nothing is kept."""
    document = without(("dartheader", "programspecificdata", "dsn"), value="acrmock-fault.document-not-ingested.1")
    answer = send(house, document)
    assert (answer.status_code, answer.json["code"]) == (400, "acrmock:document-not-ingested")
    assert house.last().facts.fault.name == "magic:document-not-ingested"
    assert house.last().facts.document.internal
    assert house.last().facts.document.missing == ()
    assert send(house, SAMPLE).status_code == 201


def settings(house: Any, **given: Any) -> None:
    """Change settings of the test environment."""
    application = house.core.applications.get("default")
    registration = msgspec.structs.replace(
        application.environments["test"], settings={name.replace("__", "."): value for name, value in given.items()}
    )
    environments = application.environments | {"test": registration}
    with house.core.store.write() as unit:
        house.core.applications.save(unit, msgspec.structs.replace(application, environments=environments))


def test_a_bare_refusal(house: Any) -> None:
    """By a setting a 400 comes without a body (U34); the record explains it all the same."""
    settings(house, cdsr__bare_refusal=True)
    answer = send(house, without(("dartheader", "appid")))
    assert (answer.status_code, answer.data) == (400, b"")
    assert house.last().refusal.code == "acrmock:document-header-missing"
    assert house.last().refusal.fields[0].element == "appid"
    assert send(house, SAMPLE).status_code == 201


def test_a_bearer_token_where_asked_for(house: Any) -> None:
    """By a setting an access token is asked for (U33)."""
    settings(house, cdsr__bearer_required=True, cdsr__scope="openid")
    assert send(house, SAMPLE).status_code == 401
    assert send(house, SAMPLE, Authorization="Bearer made-up").status_code == 401
    assert send(house, SAMPLE, Authorization=f"Bearer {house.test.bearer()}").status_code == 201


def test_the_content_of_a_document_is_all_but_its_id_and_times(house: Any) -> None:
    """Another id, other times of the header and another case of its names are the same content; anything else is not."""
    header = SAMPLE["dartheader"]

    def content(payload: Any = SAMPLE["payload"], **changes: Any) -> str:
        assert send(house, {"dartheader": {**header, **changes}, "payload": payload}).status_code in {200, 201}
        found: str = house.last().facts.document.content
        return found

    first = content()
    assert first.startswith("d:content:")
    assert content(id="6b1eae10-150d-4135-a85d-9ac98e734055", creationdate="2020-01-01T00:00:00Z") == first
    upper = {name.upper(): value for name, value in SAMPLE["dartheader"].items()}
    assert send(house, {"DartHeader": upper, "Payload": {}}).status_code in {200, 201}
    assert house.last().facts.document.content == first
    assert len({first, content(versionno="2"), content(payload={"a": 1}), content(payload=None)}) == 4
