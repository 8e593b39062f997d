"""Looking into tokens and giving them up (RFC 7662, RFC 7009)."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import pytest

FORM = "application/x-www-form-urlencoded"


def _send(party: Any, name: str, *, authorization: str | None = None, **form: Any) -> Any:
    """A request about a token, the client's credentials in the body; None takes a field away."""
    fields = {"client_id": party.client_id, "client_secret": party.secret} | form
    body = urlencode({key: value for key, value in fields.items() if value is not None})
    headers = {"Authorization": authorization} if authorization else {}
    return party.post(f"/oauth2/default/v1/{name}", data=body, content_type=FORM, headers=headers)


def _alive(party: Any, access: str) -> bool:
    answer = party.get("/oauth2/default/v1/userinfo", headers={"Authorization": f"Bearer {access}"})
    return bool(answer.status_code == 200)


def test_discovery_names_the_endpoints(house: Any) -> None:
    """Discovery names introspection and revocation with the ways in which a client may prove itself there."""
    found = house.test.get("/oauth2/default/.well-known/openid-configuration").json
    base = "https://localhost:8443/test/oauth2/default/v1/"
    assert (found["introspection_endpoint"], found["revocation_endpoint"]) == (base + "introspect", base + "revoke")
    methods = ["client_secret_post", "client_secret_basic"]
    assert (
        found["introspection_endpoint_auth_methods_supported"] == found["revocation_endpoint_auth_methods_supported"] == methods
    )


def test_introspect_live_tokens(house: Any) -> None:
    """Of a live token its scope, user, client, time and issuer are told, and nothing is stored on the way."""
    party = house.test
    tokens = party.tokens()
    answer = _send(party, "introspect", token=tokens["access_token"], token_type_hint="access_token")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    said = answer.json
    assert (said["active"], said["token_type"], said["client_id"], said["username"]) == (True, "Bearer", party.client_id, "user1")
    assert (said["scope"], said["sub"], said["uid"]) == (tokens["scope"], "00u1", "00u1")
    assert said["exp"] - said["iat"] == 3600
    assert said["iss"].endswith("/test/oauth2/default")
    assert str(house.last().facts.operation) == "auth.introspect"
    assert house.last().facts.client.authenticated is True
    assert (house.last().facts.bearer.kind, house.last().facts.bearer.state) == ("access", "active")
    refresh = _send(party, "introspect", token=tokens["refresh_token"]).json
    assert refresh["active"] is True
    assert refresh["exp"] - refresh["iat"] == 7776000
    assert "token_type" not in refresh


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "id_token", "nonsense"])
def test_a_hint_changes_nothing(house: Any, hint: str) -> None:
    """A wrong or unknown hint about the type is ignored (RFC 7009 section 2.2, RFC 7662 section 2.1)."""
    party = house.test
    access = party.tokens()["access_token"]
    assert _send(party, "introspect", token=access, token_type_hint=hint).json["active"] is True
    assert _send(party, "revoke", token=access, token_type_hint=hint).status_code == 200
    assert not _alive(party, access)


def test_introspect_dead_tokens(house: Any) -> None:
    """Of what is not live, invented, an ID token or another's, no more is told than that."""
    party = house.test
    tokens = party.tokens()
    for value in ("invented", tokens["id_token"], "\N{SNOWMAN}" * 100):
        assert _send(party, "introspect", token=value).json == {"active": False}
    assert _send(house.other, "introspect", token=tokens["access_token"]).json == {"active": False}
    assert house.last().facts.bearer.other_environment is False
    assert _send(house.production, "introspect", token=tokens["access_token"]).json == {"active": False}
    assert house.last().facts.bearer.other_environment is True
    house.clock.wait(3601)
    assert _send(party, "introspect", token=tokens["access_token"]).json == {"active": False}
    assert house.last().facts.bearer.state == "expired"


def test_introspect_a_rotated_token(house: Any) -> None:
    """A refresh token that was rotated away is no longer active."""
    party = house.test
    party.change(settings={"auth.refresh_mode": "rotate"})
    first = party.tokens()["refresh_token"]
    second = party.refresh(first).json["refresh_token"]
    assert _send(party, "introspect", token=first).json == {"active": False}
    assert _send(party, "introspect", token=second).json["active"] is True


def test_revoking_an_access_token(house: Any) -> None:
    """An access token that is given up is worth nothing, while its refresh token lives on; again is no error."""
    party = house.test
    tokens = party.tokens()
    for _ in range(2):
        answer = _send(party, "revoke", token=tokens["access_token"])
        assert (answer.status_code, answer.json) == (200, {})
        assert not _alive(party, tokens["access_token"])
    assert house.last().facts.bearer.state == "revoked"
    assert party.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("mode", ["persistent", "rotate", "rotate-with-grace"])
def test_revoking_a_refresh_token(house: Any, mode: str) -> None:
    """A refresh token that is given up takes every token of its sign-in with it, and no other sign-in's."""
    party = house.test
    party.change(settings={"auth.refresh_mode": mode})
    bystander, tokens = party.tokens(), party.tokens()
    renewed = party.refresh(tokens["refresh_token"]).json
    assert _send(party, "revoke", token=renewed["refresh_token"], token_type_hint="refresh_token").status_code == 200
    assert str(house.last().facts.operation) == "auth.revoke"
    for access in (tokens["access_token"], renewed["access_token"]):
        assert not _alive(party, access)
        assert _send(party, "introspect", token=access).json == {"active": False}
    assert party.refresh(renewed["refresh_token"]).json["error"] == "invalid_grant"
    assert _alive(party, bystander["access_token"])


def test_revoking_what_is_not_ours(house: Any) -> None:
    """An unknown token is no error, another client's is refused and lives on, an ID token cannot be revoked."""
    party = house.test
    tokens = party.tokens()
    assert _send(party, "revoke", token="invented").status_code == 200
    for other in (house.other, house.production):
        refused = _send(other, "revoke", token=tokens["refresh_token"])
        assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert party.refresh(tokens["refresh_token"]).status_code == 200
    refused = _send(party, "revoke", token=tokens["id_token"])
    assert (refused.status_code, refused.json["error"]) == (400, "unsupported_token_type")
    assert house.last().refusal.code == "acrmock:token-unsupported-token-type"


@pytest.mark.parametrize("name", ["introspect", "revoke"])
def test_who_may_ask(house: Any, name: str) -> None:
    """The client must prove itself, by one method, from an address on the list; a token must be sent, once, in a form."""
    party = house.test
    token = party.tokens()["access_token"]
    basic = "Basic " + base64.b64encode(f"{party.client_id}:{party.secret}".encode()).decode()
    good = _send(party, name, authorization=basic, token=token, client_id=None, client_secret=None)
    assert good.status_code == 200
    assert _send(party, name, authorization=basic, token=token).json["error"] == "invalid_request"
    for change in ({"client_secret": "x"}, {"client_secret": None}, {"client_id": None}, {"client_id": house.other.client_id}):
        refused = _send(party, name, token=token, **change)
        assert (refused.status_code, refused.json["error"]) == (401, "invalid_client")
        assert "WWW-Authenticate" in refused.headers
    assert _send(party, name).json["error"] == "invalid_request"
    assert house.last().refusal.fields[0].reason == "The parameter token is missing."
    twice = f"token=a&token=b&client_id={party.client_id}&client_secret={party.secret}"
    assert party.post(f"/oauth2/default/v1/{name}", data=twice, content_type=FORM).json["error"] == "invalid_request"
    assert party.post(f"/oauth2/default/v1/{name}", json={"token": token}).json["error"] == "invalid_request"
    assert party.get(f"/oauth2/default/v1/{name}?token={token}").status_code == 405
    party.change(local_sources=("192.0.2.0/24",))
    assert _send(party, name, token=token).status_code == 403


def test_no_token_in_the_journal(house: Any) -> None:
    """What was looked into or given up does not stand in the journal."""
    party = house.test
    tokens = party.tokens()
    for value in (tokens["access_token"], tokens["refresh_token"], tokens["id_token"]):
        _send(party, "introspect", token=value)
        _send(party, "revoke", token=value)
    with house.core.store.read() as snapshot:
        lines = b"\n".join(line for _, line in snapshot.entries())
    for name in ("access_token", "refresh_token", "id_token"):
        assert tokens[name].encode() not in lines
