"""Faults through the control API: strict, typed, told to the journal, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.context import EngineCore

Register = Callable[..., dict[str, Any]]


def test_set_show_and_clear(house: Any, registered: Register) -> None:
    """A rule is answered as stored, shown with its counts, told to the journal, and taken back by name or all at once."""
    registered()
    made = house.post("/faults", {"application": "default", "error": "unavailable", "trigger": {"kind": "once"}}, 201)
    assert (made["name"], made["error"], made["trigger"], made["met"]) == ("unavailable", "unavailable", {"kind": "once"}, 0)
    again = house.post("/faults", {"application": "default", "error": "unavailable", "operation": "nrdr.post"}, 201)
    assert again["name"] == "unavailable-2"
    effect = {"kind": "truncate", "keep": 3}
    house.post("/faults", {"application": "default", "effect": effect, "registry": "LCSR", "name": "cut"}, 201)
    shown = house.get("/faults?application=default")["faults"]
    assert [(rule["name"], rule["registry"]) for rule in shown] == [
        ("unavailable", None),
        ("unavailable-2", None),
        ("cut", "lcsr"),
    ]
    assert [event.data["name"] for event in house.events("fault-set")] == ["unavailable", "unavailable-2", "cut"]
    assert house.call("DELETE", "/_acrmock/faults?application=default&name=cut").json == {"cleared": ["cut"]}
    assert house.call("DELETE", "/_acrmock/faults?application=default&name=cut").status_code == 404
    assert len(house.call("DELETE", "/_acrmock/faults?application=default").json["cleared"]) == 2
    assert house.get("/faults?application=default") == {"faults": []}
    assert len(house.events("fault-cleared")) == 2


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"error": "unavailable", "effect": {"kind": "drop"}},
        {"error": "no-such-error"},
        {"error": "acrmock:unavailable"},
        {"error": "transaction-conflict", "operation": "auth.token"},
        {"error": "control-token-wrong"},
        {"error": "unavailable", "operation": "browser.visit"},
        {"effect": {"kind": "drop"}, "operation": "no.such"},
        {"effect": {"kind": "drop"}, "operation": "control", "application": None},
        {"error": "run-unknown", "operation": "control"},
        {"effect": {"kind": "busy", "status": 500}},
        {"effect": {"kind": "delay", "seconds": -1}},
        {"effect": {"kind": "delay", "seconds": 1e9}},
        {"effect": {"kind": "delay"}},
        {"effect": {"kind": "explode"}},
        {"effect": {"kind": "content-type", "value": "text/html\r\nX: y"}},
        {"error": "unavailable", "trigger": {"kind": "first"}},
        {"error": "unavailable", "trigger": {"kind": "percent", "percent": 101}},
        {"error": "unavailable", "trigger": {"kind": "every", "count": 0}},
        {"error": "unavailable", "registry": "nowhere"},
        {"error": "unavailable", "value": {"name": "x"}},
        {"error": "unavailable", "name": "../x"},
        {"error": "unavailable", "colour": "red"},
        {"error": "unavailable", "environment": "elsewhere"},
        {"error": "unavailable", "application": "nobody"},
        {"error": "unavailable", "application": None},
    ],
)
def test_what_cannot_be_followed_is_refused(house: Any, registered: Register, change: dict[str, Any]) -> None:
    """A rule that could never strike, or that says too much or too little, is refused with its reason; nothing is stored."""
    registered()
    answer = house.call("POST", "/_acrmock/faults", {"application": "default", **change})
    assert answer.status_code in {404, 422}, answer.text
    assert answer.json["detail"]
    assert house.get("/faults?application=default") == {"faults": []}


def test_rules_of_the_control_api(house: Any, core: EngineCore) -> None:
    """A rule of the control API strikes every call but those that can take it back."""
    house.post("/faults", {"operation": "control", "error": "run-closed", "trigger": {"kind": "first", "count": 2}}, 201)
    assert house.get("/applications", 409)["code"] == "acrmock:run-closed"
    assert house.get("/faults")["faults"][0]["struck"] == 1
    assert house.get("/applications", 409)
    assert house.get("/applications") == {"applications": []}
    assert len(house.events("fault-struck")) == 2
    assert core.faults.rules(("", ""))[0][1].met >= 3
    assert house.call("DELETE", "/_acrmock/faults").json == {"cleared": ["run-closed"]}


def test_reset_takes_an_applications_faults_back(house: Any, registered: Register) -> None:
    """Resetting an application forgets its faults."""
    registered()
    house.post("/faults", {"application": "default", "error": "unavailable"}, 201)
    house.post("/reset", {"application": "default"})
    assert house.get("/faults?application=default") == {"faults": []}


def test_the_catalogue(house: Any, core: EngineCore) -> None:
    """Every error is listed with surface, look, status, source, trigger, where it can be met, and how by name."""
    errors = house.get("/errors")["errors"]
    assert [error["code"] for error in errors] == [f"acrmock:{code}" for code in sorted(core.facts.errors)]
    for error in errors:
        assert error["surface"]
        assert error["look"]
        assert error["sources"]
        assert error["trigger"]
        assert error["operations"]
    conflict = next(error for error in errors if error["code"] == "acrmock:transaction-conflict")
    assert conflict["magic"] == "acrmock-fault.transaction-conflict"
    assert conflict["rule"] == {"error": "transaction-conflict"}
