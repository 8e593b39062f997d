"""Two requests at once: a code is redeemed once, a refresh token is rotated once, a transaction is stored once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any


def _together(count: int, act: Callable[[], Any]) -> list[Any]:
    """What `count` threads get that act at the same time."""
    gate, found = threading.Barrier(count), []

    def run() -> None:
        gate.wait(timeout=30)
        found.append(act())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return found


def test_a_code_is_redeemed_once(house: Any) -> None:
    """Of several redemptions at once one at most succeeds, and what it got is revoked, for the others were reuse."""
    party = house.test
    code = party.code()
    answers = _together(4, lambda: party.redeem(code))
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    assert {answer.json["error"] for answer in answers if answer not in good} == {"invalid_grant"}
    bearer = {"Authorization": f"Bearer {good[0].json['access_token']}"}
    assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 401


def test_a_refresh_token_is_rotated_once(house: Any) -> None:
    """In rotation mode only one of several refreshes at once succeeds."""
    party = house.test
    party.change(settings={"auth.refresh_mode": "rotate"})
    token = party.tokens()["refresh_token"]
    answers = _together(4, lambda: party.refresh(token))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


def test_a_transaction_is_stored_once(house: Any) -> None:
    """Equal posts at once get equal answers; of two different bodies under one ID one is a conflict."""
    party = house.test
    bearer = party.bearer()
    body = json.dumps(party.transaction()).encode()
    answers = _together(4, lambda: party.submit(body, bearer=bearer))
    assert {(answer.status_code, answer.data) for answer in answers} == {(202, answers[0].data)}
    repeats = [entry.facts.transaction.repeat for entry in house.entries() if entry.facts.transaction]
    assert sorted(repeats) == [False, True, True, True]
    house.clock.wait(3)
    assert party.status("T1").json["Records"]["Updated"] == 0
    bodies = iter([json.dumps(party.transaction(transaction_id="T2"), indent=n).encode() for n in range(3)])
    answers = _together(3, lambda: party.submit(next(bodies), bearer=bearer))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
