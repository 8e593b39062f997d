"""The unmatched inbox: what belongs to nobody waits there, with the application that was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mockserver import Engine
from mockserver.control.unmatched import MOST

WHO = {"redirect_url": ["https://localhost:8765/callback"], "ip": ["198.51.100.7"], "registry": ["lcsr"]}


class House:
    """An engine with two applications, `default` and `second-reporter`."""

    def __init__(self, engine: Engine) -> None:
        assert engine.ready is not None
        self.url = engine.ready.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(engine.ready.ca_file)
        self.token = {"Authorization": f"Bearer {engine.ready.control_token}"}
        self.first, self.second = self.register("First Reporter"), self.register("Second Reporter")

    def register(self, name: str) -> dict[str, Any]:
        """The registration document of a new application."""
        body = {**WHO, "name": name}
        answer = self.session.post(f"{self.url}/_acrmock/applications", json=body, headers=self.token, timeout=10)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def send(self, method: str, path: str, **options: Any) -> int:
        """The status of a request below the server's URL."""
        return self.session.request(method, self.url + path, timeout=10, **options).status_code

    def inbox(self) -> dict[str, Any]:
        """What the inbox says."""
        answer = self.session.get(f"{self.url}/_acrmock/unmatched", headers=self.token, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def newest(self) -> dict[str, Any]:
        """The newest in the inbox."""
        return dict(self.inbox()["unmatched"][0])


@pytest.fixture
def house() -> Iterator[House]:
    """An engine with two applications."""
    with Engine() as engine:
        found = House(engine)
        yield found
        found.session.close()


def test_it_is_empty_at_first_and_needs_the_token(house: House) -> None:
    """Nothing waits where nothing was lost; without the token nobody reads it."""
    assert house.inbox() == {"unmatched": [], "more": False}
    assert house.send("GET", "/_acrmock/unmatched") == 401
    assert house.send("GET", "/_acrmock/unmatched?x=1", headers=house.token) == 422


def test_a_misspelt_application_is_recognised_by_its_path(house: House) -> None:
    """A path that is nearly an application's names it, with the prefix that would have been right."""
    assert house.send("GET", "/a/second-reportr/test/nrdr/lcsr/transactions") == 404
    stray = house.newest()
    assert (stray["method"], stray["path"], stray["status"]) == ("GET", "/a/second-reportr/test/nrdr/lcsr/transactions", 404)
    assert stray["nearest"] == {
        "application": "second-reporter",
        "environment": "test",
        "by": "path",
        "differs": "application",
        "expected": "/a/second-reporter/test",
        "actual": "/a/second-reportr/test",
    }


def test_an_identifier_says_who_was_meant(house: House) -> None:
    """A client ID or partner ID that the request carries ranks before the path; the wire answers as tersely as ever."""
    form = {"client_id": house.second["client_id"], "grant_type": "refresh_token"}
    assert house.send("POST", "/oauth2/default/v1/token", data=form) == 404
    nearest = house.newest()["nearest"]
    assert (nearest["application"], nearest["by"], nearest["differs"]) == ("second-reporter", "client_id", "prefix")
    header = {"Transaction_Header": {"Partner_ID": house.first["partner_id"]}}
    house.send("POST", "/a/second-reporter/tset/nrdr/lcsr/v1.8/transactions", json=header)
    nearest = house.newest()["nearest"]
    assert (nearest["application"], nearest["by"], nearest["expected"]) == ("default", "partner_id", "/test")


def test_another_environment_is_told(house: House) -> None:
    """The right application in an environment that it is not registered for."""
    house.send("GET", "/a/second-reporter/production/nrdr/lcsr/transactions")
    nearest = house.newest()["nearest"]
    assert (nearest["application"], nearest["environment"], nearest["differs"]) == ("second-reporter", "test", "environment")


@pytest.mark.parametrize(
    "path", ["/?x=1", "/a", "/a/", "/a/%00/x", "/a//test/", "/nothing/at/all", "/a/" + "x" * 5000 + "/test/"]
)
def test_what_resembles_nobody_has_no_suggestion(path: str, house: House) -> None:
    """Odd paths are kept as they came, without a guess."""
    house.send("GET", path)
    assert house.newest()["nearest"] is None


def test_only_the_newest_are_given(house: House) -> None:
    """The inbox is bounded; the journal keeps the rest."""
    for number in range(MOST + 1):
        house.send("GET", f"/lost/{number}")
    found = house.inbox()
    assert (len(found["unmatched"]), found["more"]) == (MOST, True)
    assert found["unmatched"][0]["path"] == f"/lost/{MOST}"
