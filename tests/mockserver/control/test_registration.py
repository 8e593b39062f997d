"""Registration over the control API: what is issued, what is kept, what is written down."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from mockserver.context import EngineCore
from mockserver.onboarding.issue import whose
from mockserver.onboarding.model import APPLICATION, Application
from mockserver.store import GLOBAL

Register = Callable[..., dict[str, Any]]


def test_the_document_names_everything_once(registered: Register) -> None:
    """The document holds credentials, IDs and URLs, each in the shape of the real one."""
    document = registered()
    assert document["application"] == "default"
    assert re.fullmatch(r"0oa[a-z0-9]{17}", document["client_id"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", document["client_secret"])
    assert document["issuer"] == "https://localhost:8443/test/oauth2/default"
    assert document["nrdr"] == "https://localhost:8443/test/nrdr"
    assert document["redirect_url"] == document["redirect_urls"][0]
    assert document["facility_id"] == document["facilities"][0]
    assert len(document["facilities"]) == len(document["users"]) == 2
    for value in (document["partner_id"], document["app_id"], *document["facilities"]):
        assert re.fullmatch(r"[1-9][0-9]+", value)
    for user in document["users"]:
        text = user["password"]
        assert len(text) >= 10
        assert all(any(map(kind, text)) for kind in (str.islower, str.isupper, str.isdigit))


def test_the_document_meets_its_published_schema(registered: Register) -> None:
    """What is given out is what the published schema promises, remarks included."""
    schema = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "registration-1.json").read_bytes())
    for document in (registered(), registered(name="With a remark", link="https://example.org/")):
        jsonschema.Draft202012Validator(schema).validate(document)
    assert document["remarks"]


def test_ids_of_further_applications_are_slugs(registered: Register, core: EngineCore) -> None:
    """The first is `default`, others are slugs with a number where one is taken; AE titles follow and differ."""
    ids = [registered(name=name)["application"] for name in ("A", "Süd & Nord", "sud  nord", "肺", "肺")]
    assert ids == ["default", "sud-nord", "sud-nord-2", "app", "app-2"]
    titles = [application.ae_title for application in core.applications.all()]
    assert len(set(titles)) == 5
    assert all(len(title) <= 14 for title in titles)
    assert "DIRLINK" in titles


def test_every_issued_value_differs_between_environments(house: Any, registered: Register) -> None:
    """Production is added by application alone and shares no issued value with test (requirement srv-credentials)."""
    test = registered()
    production = house.post("/applications", {"application": "default", "environment": "production"}, 201)
    assert production["issuer"] == "https://localhost:8443/production/oauth2/default"
    assert production["redirect_urls"] == test["redirect_urls"]
    for key in ("client_id", "client_secret", "partner_id", "app_id"):
        assert test[key] != production[key]
    assert not set(test["facilities"]) & set(production["facilities"])
    for key in ("username", "password"):
        assert not {user[key] for user in test["users"]} & {user[key] for user in production["users"]}
    house.post("/applications", {"application": "default", "environment": "production"}, 409)
    house.post("/applications", {"application": "nobody", "environment": "production"}, 404)


def test_no_secret_is_stored_shown_or_written_down(house: Any, registered: Register, core: EngineCore) -> None:
    """Neither state nor journal nor the list of applications holds a secret; the marks answer for them."""
    document = registered(user=["ann:1"])
    secrets = [document["client_secret"], *(user["password"] for user in document["users"])]
    stored = "".join(str(row) for row in core.store.connection.iterdump())  # type: ignore[attr-defined]
    shown = house.call("GET", "/_acrmock/applications").text + house.call("GET", "/_acrmock/applications/default").text
    written = house.call("GET", "/_acrmock/journal").text
    for secret in secrets:
        assert secret not in stored + shown + written
    with core.store.write() as unit:
        application = unit.get(APPLICATION, GLOBAL, "default", Application)
        assert application is not None
        registration = application.environments["test"]
        assert core.digester.same(registration.client_secret_digest, document["client_secret"])
        assert core.digester.same(registration.users[0].password_digest, document["users"][0]["password"])
        assert registration.client_secret_digest not in shown + written
        owner = whose(unit, document["client_id"])
    assert owner is not None
    assert (owner.what, owner.application, owner.environment) == ("client_id", "default", "test")


def test_the_event_holds_what_the_judge_needs(house: Any, registered: Register, logo: str) -> None:
    """An accepted attempt tells what was declared, given and issued."""
    document = registered(logo=logo, link="https://vendor.example/", local_source=["10.0.0.0/8"], given=["name", "ip"])
    (event,) = house.events("registration-attempted")
    data = event.data
    assert data["accepted"]
    assert data["given"] == ["name", "ip"]
    assert data["declared"]["redirect_urls"] == ["https://localhost:8765/callback"]
    assert data["declared"]["addresses"] == ["8.8.4.4"]
    assert data["declared"]["logo"] == {"width": 150, "height": 40, "format": "png", "link": "https://vendor.example/"}
    assert data["issued"]["client_id"] == document["client_id"]
    assert data["issued"]["registries"] == {"lcsr": "1.8"}
    assert data["refused"] == []
    assert (event.application, event.environment) == ("default", "test")


def test_a_refused_attempt_is_written_down_with_all_reasons(house: Any, good: dict[str, Any]) -> None:
    """A refusal names all reasons on the wire and in the journal, shows no password, and stores nothing."""
    bad = {**good, "name": "", "redirect_url": ["http://u:geheim@a.example/cb"], "ip": ["0.0.0.0/0"], "registry": ["lcsr:1.6"]}
    answer = house.call("POST", "/_acrmock/applications", bad)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == "acrmock:registration-refused"
    pointers = {field["pointer"] for field in answer.json["fields"]}
    assert pointers == {"/name", "/redirect_url/0", "/ip/0", "/registry/0"}
    (event,) = house.events("registration-attempted")
    assert not event.data["accepted"]
    assert {field["pointer"] for field in event.data["refused"]} == pointers
    assert event.data["issued"] is None
    assert "geheim" not in answer.text + str(event.data)
    assert house.get("/applications") == {"applications": []}


def test_a_huge_redirect_url_is_answered(house: Any, good: dict[str, Any]) -> None:
    """A redirect URL of a megabyte is refused by name and not written down at length."""
    answer = house.call("POST", "/_acrmock/applications", {**good, "redirect_url": ["https://a.example/" + "x" * 1_000_000]})
    assert answer.status_code == 422
    assert answer.json["fields"][0]["pointer"] == "/redirect_url/0"
    (event,) = house.events("registration-attempted")
    assert len(msgspec.json.encode(event)) < 10_000


def test_wrong_types_are_named(house: Any, good: dict[str, Any]) -> None:
    """A field of another type or an unknown one is refused with its place."""
    for field, value in (("name", 5), ("ip", [1]), ("facility", "two"), ("settings", []), ("dicom", 5), ("titles", "AE")):
        answer = house.call("POST", "/_acrmock/applications", {**good, field: value})
        assert answer.status_code == 422
        assert field in answer.text


def test_settings_hold_for_the_environment_registered(house: Any, registered: Register) -> None:
    """Overrides given at registration are in force and shown."""
    registered(settings={"auth.access_token_lifetime": 4})
    assert house.get("/applications/default")["environments"]["test"]["settings"] == {"auth.access_token_lifetime": 4}


def test_post_logout_urls(house: Any, good: dict[str, Any]) -> None:
    """Addresses for after a logout are weighed like redirect URLs, written down, given back and taken over."""
    urls = ["https://localhost:8765/bye", "https://localhost:8765/bye?all=1"]
    document = house.call("POST", "/_acrmock/applications", {**good, "post_logout_url": urls}).json
    assert document["post_logout_urls"] == urls
    more = {"application": document["application"], "environment": "production"}
    assert house.call("POST", "/_acrmock/applications", more).json["post_logout_urls"] == urls
    bad = {**good, "name": "Another", "post_logout_url": ["http://a.example/", urls[0], urls[0], "/relative"]}
    refused = house.call("POST", "/_acrmock/applications", bad)
    assert refused.status_code == 422
    assert {field["pointer"] for field in refused.json["fields"]} == {f"/post_logout_url/{index}" for index in (0, 2, 3)}


def test_guide(house: Any, good: dict[str, Any]) -> None:
    """A version of the guide is chosen at registration, shows in the issuer, and holds for the other environment too."""
    assert house.call("POST", "/_acrmock/applications", {**good, "guide": "1.5"}).json["guide"] == "1.5"
    document = house.call("POST", "/_acrmock/applications", {**good, "name": "Early", "guide": "next"}).json
    assert document["guide"] == "next"
    assert document["issuer"].endswith("/oauth2/next")
    more = {"application": document["application"], "environment": "production"}
    assert house.call("POST", "/_acrmock/applications", more).json["issuer"].endswith("/oauth2/next")
    for wrong in ("", "2.0", "x" * 1000):
        refused = house.call("POST", "/_acrmock/applications", {**good, "name": "Late", "guide": wrong})
        assert [field["pointer"] for field in refused.json["fields"]] == ["/guide"]


def test_documents_alone_need_neither_mapping_nor_redirect_url(house: Any, good: dict[str, Any], core: EngineCore) -> None:
    """Who claims the registry of documents needs no other registry and no sign-in; production takes the claim over."""
    told = {key: value for key, value in good.items() if key != "redirect_url"} | {"registry": "cdsr"}
    document = house.call("POST", "/_acrmock/applications", told).json
    assert document["registries"] == {}
    assert document["redirect_urls"] == []
    assert document["cdsr"].endswith("/test/dartcs/cdsregistry/fp")
    more = {"application": document["application"], "environment": "production"}
    assert house.call("POST", "/_acrmock/applications", more).status_code == 201
    found = core.applications.get(document["application"])
    assert found is not None
    assert [one.documents for one in found.environments.values()] == [True, True]
    both = house.call("POST", "/_acrmock/applications", {**good, "name": "Both", "registry": ["lcsr", "CDSR"]}).json
    assert list(both["registries"]) == ["lcsr"]
    token = {**told, "name": "Token", "settings": {"cdsr.bearer_required": True}}
    refused = house.call("POST", "/_acrmock/applications", token)
    assert [field["pointer"] for field in refused.json["fields"]] == ["/redirect_url"]
    signed_in = house.call("POST", "/_acrmock/applications", {**token, "redirect_url": good["redirect_url"]}).json
    assert "cdsr" in signed_in["scopes"]


def test_claims_of_the_registry_of_documents_that_make_no_sense(house: Any, good: dict[str, Any]) -> None:
    """It has no mapping versions and is named once; without any registry, and without dose reports, one is asked for."""
    for registry, pointer in ((["cdsr:1.0"], "/registry/0"), (["cdsr", "lcsr", "CDSR"], "/registry/2"), ([], "/registry")):
        refused = house.call("POST", "/_acrmock/applications", {**good, "registry": registry})
        assert refused.status_code == 422
        assert [field["pointer"] for field in refused.json["fields"]] == [pointer]
        assert "cdsr" in refused.text.lower()
