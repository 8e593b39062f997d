"""Runs and their steps, the journal and waiting, and what the robot user saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.context import EngineCore

Register = Callable[..., dict[str, Any]]


@pytest.fixture
def profile(core: EngineCore) -> dict[str, Any]:
    """The start of a run of the first shipped profile."""
    if not core.facts.profiles:
        pytest.skip("no profile is shipped")
    chosen = core.facts.profile("lcsr")
    return {"profile": chosen.name, "revision": chosen.revision, "claims": list(chosen.default_claims)}


def test_a_run_s_life(house: Any, registered: Register, core: EngineCore, profile: dict[str, Any]) -> None:
    """A run begins before its application, goes through steps and ends; every turn is an event of the run."""
    run = house.post("/runs", {**profile, "launch": True}, 201)["run"]
    first, second = (step.name for step in core.facts.profile("lcsr").steps[:2])
    registered(run=run)
    assert house.get(f"/runs/{run}")["application"] == "default"
    assert house.get("/applications/default")["run"] == run
    house.post(f"/runs/{run}/steps", {"step": first})
    house.post(f"/runs/{run}/events", {"name": "client-exited", "data": {"code": 1}})
    house.post(f"/runs/{run}/steps", {"step": second})
    assert house.post(f"/runs/{run}/finish", {})["state"] == "ended"
    names = [event.name for event in house.events()]
    assert names == [
        "run-started",
        "registration-attempted",
        "step-began",
        "client-exited",
        "step-ended",
        "step-began",
        "step-ended",
        "run-ended",
    ]
    assert {event.run for event in house.events()} == {run}
    assert house.get("/applications/default")["run"] is None
    assert house.post(f"/runs/{run}/steps", {"step": first}, 409)["code"] == "acrmock:run-closed"
    house.post(f"/runs/{run}/finish", {}, 409)
    house.post(f"/runs/{run}/events", {"name": "client-exited"}, 409)


def test_what_a_run_refuses(house: Any, registered: Register, profile: dict[str, Any]) -> None:
    """Unknown profile, claim, run, step, event and application are refused by name."""
    house.post("/runs", {"profile": "nope"}, 404)
    house.post("/runs", {**profile, "revision": "99"}, 404)
    house.post("/runs", {**profile, "claims": ["flying"]}, 422)
    house.post("/runs", {**profile, "application": "nobody"}, 404)
    house.post("/runs/nope/steps", {"step": "sign-in"}, 404)
    house.get("/runs/nope", 404)
    run = house.post("/runs", profile, 201)["run"]
    house.post(f"/runs/{run}/steps", {"step": "dance"}, 422)
    house.post(f"/runs/{run}/events", {"name": "run-ended"}, 422)
    house.post(f"/runs/{run}/events", {"name": "client-exited", "data": {"x": "y" * 70_000}}, 422)
    registered(run=run)
    assert house.post("/runs", {**profile, "application": "default"}, 409)["code"] == "acrmock:run-open"


def test_refused_attempts_belong_to_the_run(house: Any, good: dict[str, Any], profile: dict[str, Any]) -> None:
    """An attempt that was refused is evidence of its run; the last registration decides whose run it is."""
    run = house.post("/runs", profile, 201)["run"]
    house.post("/applications", {**good, "ip": ["10.0.0.1"], "run": run}, 422)
    house.post("/applications", {**good, "run": run}, 201)
    house.post("/applications", {**good, "name": "Second", "run": run}, 201)
    assert [event.data["accepted"] for event in house.events("registration-attempted")] == [False, True, True]
    assert {event.run for event in house.events("registration-attempted")} == {run}
    assert house.get(f"/runs/{run}")["application"] == "second"
    assert house.get("/applications/default")["run"] is None
    house.post("/applications", {**good, "run": "nope"}, 404)


def test_waiting_for_an_entry(house: Any, registered: Register) -> None:
    """Waiting answers at once where the entry is there, and 408 where it does not come."""
    registered()
    there = house.get("/journal/await?application=default&name=registration-attempted&timeout=0")
    assert there["matched"] == 1
    absent = house.get(f"/journal/await?application=default&name=registration-attempted&after={there['seq']}&timeout=0", 408)
    assert absent["matched"] == 0
    house.get("/journal/await?application=nobody", 404)
    for bad in ("timeout=-1", "timeout=x", "count=0", "after=-1", "timeout=nan", "count=1&count=2"):
        house.get(f"/journal/await?{bad}", 422)


def test_the_recording_has_header_and_footer(house: Any, registered: Register) -> None:
    """The journal is exported as a whole recording, one line each."""
    registered()
    answer = house.call("GET", "/_acrmock/journal?application=default")
    assert answer.mimetype == "application/x-ndjson"
    lines = answer.data.splitlines()
    assert b'"kind":"header"' in lines[0]
    assert b'"kind":"footer"' in lines[-1]
    assert len(lines) == 3
    house.get("/journal?run=nope", 404)


def test_what_the_robot_user_saw_is_redacted(house: Any, registered: Register) -> None:
    """An observation becomes an entry without the secret that the vendor showed, which is a fact instead."""
    document = registered()
    body = {
        "application": "default",
        "environment": "test",
        "request": {"method": "GET", "url": "https://localhost:8765/callback?code=x", "headers": []},
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "text/html"}],
            "content": {"text": f"<p>{document['client_secret']}", "mimeType": "text/html"},
        },
    }
    house.post("/observations", body, 201)
    text = house.call("GET", "/_acrmock/journal").text
    assert document["client_secret"] not in text
    assert "browser.visit" in text
    assert '"secret":"client_secret"' in text
    house.post("/observations", {**body, "run": "nope"}, 422)
    house.post("/observations", {**body, "application": "nobody"}, 404)
    house.post("/observations", {**body, "request": {"url": "x"}}, 422)
