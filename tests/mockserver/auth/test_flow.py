"""The sign-in from discovery to a used access token."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet


def test_whole_flow(house: Any, support: Any) -> None:
    """A sign-in by code gives tokens that open userinfo, and ID and access token say what they must."""
    party = house.test
    tokens = party.tokens()
    assert set(tokens) == {"token_type", "expires_in", "access_token", "scope", "refresh_token", "id_token"}
    assert tokens["token_type"] == "Bearer"
    keys = KeySet.import_key_set(party.get("/oauth2/default/v1/keys").json)
    access = jwt.decode(tokens["access_token"], keys, ["RS256"])
    assert access.header["typ"] == "at+jwt"
    claims = access.claims
    assert claims["cid"] == claims["client_id"] == party.client_id
    assert claims["scp"] == ["openid", "offline_access", "lcsr_data_submission"]
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 3600
    identity = jwt.decode(tokens["id_token"], keys, ["RS256"]).claims
    assert identity["nonce"] == "n-1"
    assert identity["aud"] == party.client_id
    assert identity["iss"] == claims["iss"] == "https://localhost:8443/test/oauth2/default"
    assert {"auth_time", "at_hash"} <= identity.keys()
    user = party.get("/oauth2/default/v1/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert user.json == {"sub": "00u1", "name": "User 1", "preferred_username": "user1"}
    assert support.REDIRECT


def test_facts_of_the_flow(house: Any) -> None:
    """The journal knows of a good sign-in what redaction hides."""
    house.test.tokens()
    authorize, sign_in, token = house.entries()
    assert [str(entry.facts.operation) for entry in house.entries()] == ["auth.authorize", "auth.sign-in", "auth.token"]
    assert authorize.facts.client.whose == "own"
    assert authorize.facts.authorize.redirect_registered is True
    assert authorize.facts.authorize.scopes_expected == ("lcsr_data_submission",)
    assert sign_in.response.status == 303
    assert token.facts.grant.grant_state == "fresh"
    assert token.facts.grant.verifier == "match"
    assert token.facts.grant.redirect_equal is True
    assert token.facts.client.authenticated is True
    assert token.facts.client.methods == ("body",)
    assert not token.refusal


def test_no_secret_in_the_journal(house: Any) -> None:
    """No code, token, secret or password stands in the journal."""
    party = house.test
    code = party.code()
    tokens = party.redeem(code).json
    party.get("/oauth2/default/v1/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    with house.core.store.read() as snapshot:
        lines = b"\n".join(line for _, line in snapshot.entries())
    for secret in (code, tokens["access_token"], tokens["refresh_token"], tokens["id_token"], party.secret, "pass1"):
        assert secret.encode() not in lines


def test_discovery_names_live_endpoints(house: Any) -> None:
    """Both forms of discovery give the same document, and the endpoints in it answer."""
    party = house.test
    found = party.get("/oauth2/default/.well-known/openid-configuration")
    other = house.client.get("/.well-known/oauth-authorization-server/test/oauth2/default")
    assert found.status_code == other.status_code == 200
    assert found.json == other.json
    assert found.json["issuer"] == "https://localhost:8443/test/oauth2/default"
    assert found.json["token_endpoint"] == "https://localhost:8443/test/oauth2/default/v1/token"
    assert "max-age" in party.get("/oauth2/default/v1/keys").headers["Cache-Control"]


def test_discovery_of_another_application(house: Any) -> None:
    """Another application's issuer has its own base path, in both forms."""
    issuer = "https://localhost:8443/a/other/test/oauth2/default"
    assert house.other.get("/oauth2/default/.well-known/openid-configuration").json["issuer"] == issuer
    assert house.client.get("/.well-known/oauth-authorization-server/a/other/test/oauth2/default").json["issuer"] == issuer


def test_moved_endpoints(house: Any) -> None:
    """Once the endpoints moved, the old ones are gone, discovery names the new ones, and those work."""
    party = house.test
    assert party.authorize(segment="v2").status_code == 404
    assert house.last().refusal.code == "acrmock:path-unknown"
    party.change(endpoints_moved=True)
    metadata = party.get("/oauth2/default/.well-known/openid-configuration").json
    assert metadata["token_endpoint"].endswith("/v2/token")
    assert party.authorize().status_code == 404
    assert house.last().facts.moved is False
    assert house.last().refusal.code == "acrmock:endpoint-moved-away"
    answer = party.press(party.authorize(segment="v2"))
    assert answer.status_code == 303
    assert [entry.facts.moved for entry in house.entries()[-2:]] == [True, True]


def test_refresh_is_persistent_by_default(house: Any) -> None:
    """A refresh gives a new access token and hands back the same refresh token, which goes on working."""
    party = house.test
    first = party.tokens()
    second = party.refresh(first["refresh_token"]).json
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert party.refresh(first["refresh_token"]).status_code == 200
    assert house.last().facts.grant.grant_type == "refresh_token"


def test_refresh_rotation_and_reuse(house: Any) -> None:
    """In rotation mode the old refresh token is used up; its reuse kills the family."""
    party = house.test
    party.change(settings={"auth.refresh_mode": "rotate"})
    first = party.tokens()
    second = party.refresh(first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert party.refresh(first["refresh_token"]).json["error"] == "invalid_grant"
    assert house.last().facts.grant.grant_state == "reused"
    assert party.refresh(second["refresh_token"]).json["error"] == "invalid_grant"
    assert house.last().facts.grant.grant_state == "revoked"
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 401


def test_refresh_rotation_with_grace(house: Any) -> None:
    """In the mode with grace, the old refresh token works a little longer, then no more."""
    party = house.test
    party.change(settings={"auth.refresh_mode": "rotate-with-grace"})
    first = party.tokens()
    party.refresh(first["refresh_token"])
    assert party.refresh(first["refresh_token"]).status_code == 200
    house.clock.wait(31)
    assert party.refresh(first["refresh_token"]).status_code == 400


def test_no_refresh_token_without_offline_access(house: Any) -> None:
    """A refresh token needs the scope that asks for it."""
    assert "refresh_token" not in house.test.tokens(scope="openid lcsr_data_submission")


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 400)])
def test_code_lifetime(house: Any, seconds: float, status: int) -> None:
    """A code lives for sixty seconds."""
    code = house.test.code()
    house.clock.wait(seconds)
    assert house.test.redeem(code).status_code == status
    assert house.last().facts.grant.grant_state == ("fresh" if status == 200 else "expired")


def test_lifetime_override_and_expiry(house: Any) -> None:
    """An application's own lifetime counts, and an expired access token is refused as such."""
    party = house.test
    party.change(settings={"auth.access_token_lifetime": 4})
    tokens = party.tokens()
    assert tokens["expires_in"] == 4
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 200
    house.clock.wait(5)
    refused = party.get("/oauth2/default/v1/userinfo", headers=bearer)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert house.last().facts.bearer.state == "expired"


def test_refresh_token_expires_absolutely(house: Any) -> None:
    """A rotated refresh token keeps the first one's end."""
    party = house.test
    party.change(settings={"auth.refresh_mode": "rotate", "auth.refresh_token_lifetime": 100})
    first = party.tokens()
    house.clock.wait(60)
    second = party.refresh(first["refresh_token"]).json
    house.clock.wait(60)
    assert party.refresh(second["refresh_token"]).status_code == 400
    assert house.last().facts.grant.grant_state == "expired"


def test_opaque_access_token(house: Any) -> None:
    """An access token of another form works as well."""
    party = house.test
    party.change(settings={"auth.access_token_format": "opaque"})
    token = party.tokens()["access_token"]
    assert "." not in token
    assert party.get("/oauth2/default/v1/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_auto_consent(house: Any, support: Any) -> None:
    """Where told so, the first user allows without a page, and prompt=none can be met."""
    party = house.test
    party.change(settings={"auth.auto_consent": True})
    back = support.returned(party.authorize(prompt="none"))
    assert back["state"] == "st-1"
    assert party.redeem(back["code"]).status_code == 200


def test_form_post_mode(house: Any, support: Any) -> None:
    """In form_post mode the answer comes as a form that posts itself to the redirect URI."""
    answer = house.test.press(house.test.authorize(response_mode="form_post"))
    assert answer.status_code == 200
    fields = support.hidden(answer.text)
    assert fields["state"] == "st-1"
    assert f'action="{support.REDIRECT}"' in answer.text
    assert house.test.redeem(fields["code"]).status_code == 200


def test_authorize_by_post(house: Any) -> None:
    """An authorization request may come by POST, with its parameters in the form."""
    party = house.test
    page = party.post("/oauth2/default/v1/authorize", data=party.parameters())
    assert page.status_code == 200
    assert party.press(page).status_code == 303


def test_redirect_uri_with_query_keeps_it(house: Any) -> None:
    """A registered redirect URI's own query comes back byte for byte, with the answer after it."""
    uri = "https://[::1]:8765/callback?fixed=a%20b"
    page = house.test.authorize(redirect_uri=uri)
    assert "form-action 'self' https:" in page.headers["Content-Security-Policy"]
    assert house.test.press(page).headers["Location"].startswith(uri + "&code=")


def test_environments_and_applications_are_apart(house: Any) -> None:
    """A code, a refresh token or an access token is nothing in another environment or application."""
    code, tokens = house.test.code(), house.test.tokens()
    for party in (house.production, house.other):
        assert party.redeem(code).json["error"] == "invalid_grant"
        assert party.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 401
        assert house.last().facts.bearer.other_environment is (party is house.production)
        assert house.last().facts.bearer.kind == "access"
