"""Clock, plans, settings, endpoints, reset and giving up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver import plans
from mockserver.context import EngineCore
from mockserver.nrdr.model import TRANSACTION, Transaction, transaction_key

Register = Callable[..., dict[str, Any]]


def test_the_clock_is_the_application_s_own(house: Any, registered: Register) -> None:
    """Set, advance, freeze and resume move one application and leave another; each is an event."""
    registered()
    other = registered(name="Other")["application"]
    assert house.post("/clock", {"application": "default", "set": "2030-01-01T00:00:00Z"})["now"].startswith(
        "2030-01-01T00:00:00"
    )
    assert house.post("/clock", {"application": "default", "advance": 86400})["now"].startswith("2030-01-02")
    assert house.post("/clock", {"application": "default", "freeze": True})["frozen"]
    assert not house.post("/clock", {"application": "default", "resume": True})["frozen"]
    assert house.get(f"/clock?application={other}")["now"].startswith("2026-05-01")
    events = house.events("clock-changed")
    assert [event.data["action"] for event in events] == ["set", "advance", "freeze", "resume"]
    assert events[-1].at.startswith("2030-01-02")


@pytest.mark.parametrize(
    "change",
    [
        {"set": "0001-01-01T00:00:00Z"},
        {"set": "9999-12-31T00:00:00Z"},
        {"set": "yesterday"},
        {"set": ""},
        {"set": "2026-01-01T00:00:00"},
        {"advance": -1},
        {"advance": 1e300},
        {},
        {"freeze": True, "resume": True},
        {"set": "2026-01-01T00:00:00Z", "advance": 5},
        {"freeze": False},
    ],
)
def test_a_clock_that_cannot_be(house: Any, registered: Register, change: dict[str, Any]) -> None:
    """The year 1, a step back, two changes at once: each is refused, and the clock stays."""
    registered()
    before = house.get("/clock?application=default")
    assert house.post("/clock", {"application": "default", **change}, 422)["code"] == "acrmock:clock-invalid"
    assert house.get("/clock?application=default") == before
    assert house.events("clock-changed") == []


def test_registries_follow_the_business_clock(house: Any, registered: Register) -> None:
    """The other environment is held against the application's own day."""
    registered(registry=["lcsr:1.8"])
    house.post("/clock", {"application": "default", "set": "2025-01-01T00:00:00Z"})
    refused = house.post("/applications", {"application": "default", "environment": "production"}, 422)
    assert "comes into force" in refused["fields"][0]["reason"]


def test_plans_are_set_shown_and_released(house: Any, registered: Register, core: EngineCore) -> None:
    """A plan is in force for its registry; a hold is released once; bad plans are refused."""
    registered()
    where = {"application": "default", "environment": "test"}
    assert house.get("/plans?application=default")["plans"] == {}
    house.post("/plans", {**where, "plan": {"kind": "after", "seconds": 5}})
    house.post("/plans", {**where, "registry": "lcsr", "plan": {"kind": "hold"}})
    shown = house.get("/plans?application=default&environment=test")["plans"]
    assert {key: record["plan"]["kind"] for key, record in shown.items()} == {"*": "after", "lcsr": "hold"}
    with core.store.write() as unit:
        taken = plans.assign(unit, ("default", "test"), "lcsr")
    assert house.post("/plans", {**where, "registry": "lcsr", "release": True})["released_at"]
    with core.store.write() as unit:
        assert plans.assigned(unit, ("default", "test"), taken, plans.Immediate()).released_at is not None
    house.post("/plans", {**where, "release": True}, 422)
    for bad in (
        {},
        {"plan": {"kind": "never"}},
        {"plan": {"kind": "after", "seconds": -1}},
        {"plan": {"kind": "hold"}, "release": True},
    ):
        house.post("/plans", {**where, **bad}, 422)
    house.post("/plans", {**where, "registry": "xray", "plan": {"kind": "hold"}}, 422)
    house.post("/plans", {**where, "environment": "staging", "plan": {"kind": "hold"}}, 404)
    assert [event.data["released"] for event in house.events("plan-set")] == [False, False, True]


def test_settings_are_overridden_and_taken_back(house: Any, registered: Register) -> None:
    """An override holds until null takes it back; unknown keys and wrong types change nothing."""
    registered()
    answer = house.post(
        "/applications/default/settings", {"settings": {"auth.access_token_lifetime": 4, "auth.pkce_required": True}}
    )
    assert answer["settings"] == {"auth.access_token_lifetime": 4, "auth.pkce_required": True}
    refused = house.post("/applications/default/settings", {"settings": {"auth.pkce_required": "no", "no.such": 1}}, 422)
    assert len(refused["fields"]) == 2
    answer = house.post("/applications/default/settings", {"settings": {"auth.pkce_required": None}})
    assert answer["settings"] == {"auth.access_token_lifetime": 4}
    house.post("/applications/default/settings", {"settings": {}}, 422)
    house.post("/applications/nobody/settings", {"settings": {"auth.pkce_required": True}}, 404)
    assert len(house.events("settings-changed")) == 2


def test_endpoints_move_and_move_back(house: Any, registered: Register, core: EngineCore) -> None:
    """Each move is an event that tells the segment."""
    registered()
    assert house.post("/applications/default/move", {"environment": "test"})["segment"] == "v2"
    application = core.applications.get("default")
    assert application is not None
    assert application.environments["test"].endpoints_moved
    assert house.post("/applications/default/move", {})["segment"] == "v1"
    house.post("/applications/default/move", {"environment": "production"}, 404)
    assert [event.data["moved"] for event in house.events("endpoints-moved")] == [True, False]


def test_reset_forgets_one_application_alone(house: Any, registered: Register) -> None:
    """Reset drops plans, clock and overrides of one application; registration and journal stay."""
    registered(settings={"auth.pkce_required": True})
    registered(name="Other")
    for application in ("default", "other"):
        house.post("/plans", {"application": application, "plan": {"kind": "hold"}})
        house.post("/clock", {"application": application, "advance": 1000})
    before = len(house.events())
    assert house.post("/reset", {"application": "default"}) == {"reset": ["default"]}
    assert house.get("/plans?application=default")["plans"] == {}
    assert house.get("/plans?application=other")["plans"] != {}
    assert house.get("/clock?application=default")["offset"] == 0
    assert house.get("/applications/default")["environments"]["test"].get("settings", {}) == {}
    assert len(house.events()) == before + 1
    house.post("/reset", {"application": "nobody"}, 404)
    assert house.post("/reset", {}) == {"reset": ["default", "other"]}


def test_giving_up_is_written_down(house: Any, registered: Register, core: EngineCore) -> None:
    """Who gave an accepted transaction up, and why, is an event; one that was never accepted is refused."""
    registered()
    accepted = Transaction(
        id="t-1",
        registry="lcsr",
        mapping="1.8",
        facility="1",
        accepted_at=core.clock.now(),
        body="d",
        end=plans.StatusKey.POSTED,
        first=plans.StatusKey.LOADING,
        default=plans.Immediate(),
    )
    with core.store.write() as unit:
        unit.put(TRANSACTION, ("default", "test"), transaction_key("lcsr", "t-1"), accepted)
    body = {"application": "default", "environment": "test", "transaction": "t-1", "who": "Ann", "why": "patient withdrew"}
    house.post("/acknowledge", body)
    (event,) = house.events("acknowledged")
    assert event.data == {"transaction": "t-1", "who": "Ann", "why": "patient withdrew"}
    house.post("/acknowledge", {**body, "who": ""}, 422)
    house.post("/acknowledge", {**body, "transaction": "t-2"}, 404)
