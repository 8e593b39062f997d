"""What has long ended leaves the store, a few at a time, and nothing sooner."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.auth.endings import AT_ONCE, ENDING, Ending
from mockserver.auth.model import CODE, FAMILY, TOKEN, AuthorizationCode, Family, IssuedToken
from mockserver.journal import SECRET, IssuedSecret
from mockserver.store import GLOBAL

MEMORY = 7 * 24 * 3600


def counts(house: Any) -> dict[str, int]:
    """How much there is of each kind."""
    scope = ("default", "test")
    with house.core.store.read() as snapshot:
        return {
            "codes": len(list(snapshot.scan(CODE, scope, AuthorizationCode))),
            "tokens": len(list(snapshot.scan(TOKEN, scope, IssuedToken))),
            "families": len(list(snapshot.scan(FAMILY, scope, Family))),
            "endings": len(list(snapshot.scan(ENDING, GLOBAL, Ending))),
            "secrets": len(list(snapshot.scan(SECRET, GLOBAL, IssuedSecret))),
        }


def test_what_has_ended_is_known_for_a_week(house: Any) -> None:
    """An expired token is told from an invented one until the week is over."""
    party = house.test
    bearer = {"Authorization": f"Bearer {party.tokens()['access_token']}"}
    house.clock.wait(MEMORY)
    party.tokens()
    assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 401
    assert house.last().facts.bearer.state == "expired"
    house.clock.wait(3601)
    party.tokens()
    assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 401
    assert house.last().facts.bearer.state == "unknown"


@pytest.mark.parametrize("settings", [{}, {"auth.id_token_lifetime": 7200}, {"auth.refresh_mode": "rotate-with-grace"}])
def test_the_store_stays_bounded(house: Any, settings: dict[str, Any]) -> None:
    """However many refreshes there are, what is kept of them is what a week of them leaves; ID tokens that end later too."""
    party = house.test
    party.change(settings=settings)
    refresh = party.tokens()["refresh_token"]
    sizes = []
    for _ in range(6):
        for _ in range(2 * AT_ONCE):
            party.refresh(refresh)
        sizes.append(counts(house))
        house.clock.wait(MEMORY + 3601)
    assert sizes[2] == sizes[3] == sizes[4] == sizes[5]


@pytest.mark.parametrize("lifetime", [1200, 3600, 7200])
def test_an_id_token_is_known_until_a_week_after_its_own_end(house: Any, lifetime: int) -> None:
    """Whether it ends before its access token, with it or after it: the recorder knows it so long, and no longer."""
    party, core = house.test, house.core
    party.change(settings={"auth.id_token_lifetime": lifetime})
    mark = core.digester.mark(party.tokens()["id_token"])

    def known() -> bool:
        with core.store.read() as snapshot:
            return snapshot.get(SECRET, GLOBAL, mark, IssuedSecret) is not None

    house.clock.wait(MEMORY + lifetime - 1)
    party.tokens()
    assert known()
    house.clock.wait(2)
    party.tokens()
    assert not known()


def test_a_family_outlives_its_refresh_token(house: Any) -> None:
    """The family goes a week after its refresh token's end, and the refresh token with it."""
    party = house.test
    refresh = party.tokens()["refresh_token"]
    house.clock.wait(90 * 24 * 3600 + 1)
    assert party.refresh(refresh).status_code == 400
    assert house.last().facts.grant.grant_state == "expired"
    house.clock.wait(MEMORY)
    party.tokens()
    assert counts(house)["families"] == 1
    assert party.refresh(refresh).status_code == 400
    assert house.last().facts.grant.grant_state == "unknown"


def test_what_ends_is_found_after_a_start(house: Any) -> None:
    """What ends first is sought where nobody knows it any more, and is no later than what is noted since."""
    party, core = house.test, house.core
    refresh = party.tokens()["refresh_token"]
    party.refresh(refresh)
    known = core.first_ending
    core.first_ending = ""
    party.refresh(refresh)
    assert core.first_ending == known
    house.clock.wait(MEMORY + 3601)
    party.refresh(refresh)
    assert counts(house)["tokens"] == 2


def test_what_ends_is_sought_again_where_forgetting_was_undone(start: Any) -> None:
    """That nothing is to be forgotten before some time is no longer believed once a unit was undone."""
    core = start().engine.core
    core.first_ending = "~"
    with pytest.raises(RuntimeError), core.store.unit():
        raise RuntimeError
    assert core.first_ending == ""
