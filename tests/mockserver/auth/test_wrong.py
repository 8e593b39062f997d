"""Answers that are wrong on purpose: each in just its own way, and only for the application that asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

CLAIMS = {
    "issuer": "iss",
    "audience": "aud",
    "nonce": "nonce",
    "no_nonce": "nonce",
    "at_hash": "at_hash",
    "auth_time": "auth_time",
}


def _claims(support: Any, token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, RSAKey.import_key(support.SIGNING), ["RS256"]).claims
    return found


def test_all_are_off(house: Any) -> None:
    """Unless asked for, nothing is wrong, and each wrong answer has a name in the layers that an application can set."""
    names = [key for key in house.core.facts.settings if key.startswith("auth.wrong.")]
    assert len(names) == 13
    assert not any(house.core.facts.flag(name) for name in names)


@pytest.mark.parametrize(("name", "claim"), CLAIMS.items())
def test_one_claim_is_wrong(house: Any, support: Any, name: str, claim: str) -> None:
    """Just that claim of the ID token changes."""
    party = house.test
    right = _claims(support, party.tokens()["id_token"])
    party.change(settings={f"auth.wrong.{name}": True})
    tokens = party.tokens(prompt="login")
    got = _claims(support, tokens["id_token"])
    volatile = {"jti", "at_hash"} - {claim}
    assert {key for key in right if right[key] != got.get(key)} - volatile == {claim}
    assert (
        party.get("/oauth2/default/v1/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200
    )


@pytest.mark.parametrize(("name", "low", "high"), [("expired", -3600, -3600), ("future", 7200, 7200)])
def test_times_are_wrong(house: Any, support: Any, name: str, low: int, high: int) -> None:
    """The ID token's life lies wholly before or after the moment it is issued."""
    house.test.change(settings={f"auth.wrong.{name}": True})
    got = _claims(support, house.test.tokens()["id_token"])
    assert low <= got["exp"] - int(support.START.timestamp()) <= high
    assert got["exp"] - got["iat"] == 3600


def test_signature_and_key(house: Any, support: Any) -> None:
    """A wrong signature does not verify; a wrong key ID is in no key set; the access token stays as it is."""
    party = house.test
    party.change(settings={"auth.wrong.signature": True})
    tokens = party.tokens()
    with pytest.raises(BadSignatureError):
        _claims(support, tokens["id_token"])
    assert _claims(support, tokens["access_token"])
    party.change(settings={"auth.wrong.key": True})
    token = jwt.decode(party.tokens()["id_token"], RSAKey.import_key(support.SIGNING), ["RS256"])
    assert token.header["kid"] not in {key["kid"] for key in party.get("/oauth2/default/v1/keys").json["keys"]}


def test_authorization_answer(house: Any, support: Any) -> None:
    """State and issuer of the authorization answer can be wrong, and the issuer of the discovery document."""
    party = house.test
    for name, field in (("state", "state"), ("response_iss", "iss")):
        party.change(settings={})
        right = support.returned(party.press(party.authorize()))
        party.change(settings={f"auth.wrong.{name}": True})
        got = support.returned(party.press(party.authorize()))
        assert {key for key in right if right[key] != got[key]} == {"code", field}
    party.change(settings={"auth.wrong.metadata_issuer": True})
    issuer = party.get("/oauth2/default/.well-known/openid-configuration").json["issuer"]
    assert issuer == "https://elsewhere.invalid"
    assert house.production.get("/oauth2/default/.well-known/openid-configuration").json["issuer"] != issuer
