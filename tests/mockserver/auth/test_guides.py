"""Versions of the sign-in guide side by side, and the overlays for older eras."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.facts.shipped import overlays
from mockserver import guides
from mockserver.auth.settings import paths_for
from mockserver.auth.views import blueprint
from mockserver.onboarding.issue import Shapes, opaque_id
from mockserver.onboarding.overrides import check_settings

NEXT = "/oauth2/next"


def test_next_beside_the_current(house: Any, support: Any) -> None:
    """An application of the next guide has its own issuer, needs PKCE, rotates, and has shorter tokens; others stay."""
    party = house.test
    party.change(guide="next")
    metadata = party.get(f"{NEXT}/.well-known/openid-configuration").json
    assert metadata["issuer"] == "https://localhost:8443/test/oauth2/next"
    assert metadata["token_endpoint"] == "https://localhost:8443/test/oauth2/next/v1/token"
    assert house.client.get("/.well-known/oauth-authorization-server/test/oauth2/next").json == metadata
    page = party.get(f"{NEXT}/v1/authorize", query_string=party.parameters())
    back = support.returned(party.press(page))
    assert back["iss"] == metadata["issuer"]
    form = party.parameters(code_challenge=None, code_challenge_method=None)
    refused = support.returned(party.get(f"{NEXT}/v1/authorize", query_string=form))
    assert refused["error"] == "invalid_request"
    fields = {"client_id": party.client_id, "client_secret": party.secret}
    code = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": support.REDIRECT}
    tokens = party.post(f"{NEXT}/v1/token", data=fields | code | {"code_verifier": support.VERIFIER}).json
    assert tokens["expires_in"] == 300
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert party.post(f"{NEXT}/v1/token", data=fields | again).json["refresh_token"] != tokens["refresh_token"]
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert party.get(f"{NEXT}/v1/userinfo", headers=bearer).status_code == 200
    assert house.other.tokens()["expires_in"] == 3600


def test_each_guide_has_its_own_door(house: Any) -> None:
    """The other guide's paths are not there for an application, and neither are its discovery documents."""
    assert house.test.get(f"{NEXT}/.well-known/openid-configuration").status_code == 404
    assert house.test.get(f"{NEXT}/v1/keys").status_code == 404
    assert house.last().refusal.code == "acrmock:path-unknown"
    house.test.change(guide="next")
    assert house.test.authorize().status_code == 404
    assert house.test.get("/oauth2/default/.well-known/openid-configuration").status_code == 404
    assert house.client.get("/.well-known/oauth-authorization-server/test/oauth2/default").status_code == 404


def test_endpoints_of_the_next_guide_move_too(house: Any) -> None:
    """Moving the endpoints works in every guide; discovery stays where it is."""
    house.test.change(guide="next", endpoints_moved=True)
    metadata = house.test.get(f"{NEXT}/.well-known/openid-configuration").json
    assert metadata["jwks_uri"].endswith("/oauth2/next/v2/keys")
    assert house.last().facts.moved is False
    assert house.test.get(f"{NEXT}/v2/keys").status_code == 200
    assert house.test.get(f"{NEXT}/v1/keys").status_code == 404


def test_settings_of_an_application_go_over_its_guide(house: Any) -> None:
    """What an application sets for itself counts more than its guide."""
    house.test.change(guide="next", settings={"auth.access_token_lifetime": 7})
    application = house.core.applications.get("default")
    settings = house.core.settings_for(application.environments["test"])
    assert (settings.integer("auth.access_token_lifetime"), settings.text("auth.refresh_mode")) == (7, "rotate")


def test_a_guide_must_fit(tmp_path: Path) -> None:
    """A guide that says something impossible, or of no setting, is refused with its name."""
    layer = tmp_path / "guide.yaml"
    entry = "{value: VALUE, new: true, title: t, provenance: mock-choice, sources: [MOCK]}"
    for key, value in (("auth.refresh_mode", "sometimes"), ("auth.no_such", "1")):
        text = f"schema: acrmock/layer/1\nkind: settings\nsettings:\n  guide.next.{key}: {entry.replace('VALUE', value)}\n"
        layer.write_text(text.replace("new: true, ", "new: true, replace: true, "))
        with pytest.raises(SetupError, match=f"guide.next.{key}"):
            guides.overrides(load_facts([layer]), "next")


def test_guides_are_the_whole_servers(house: Any) -> None:
    """What a guide says cannot be overridden under its own name by one application."""
    assert check_settings({"auth.guides": ["x"]}, house.core.facts)
    assert check_settings({"guide.next.auth.pkce_required": False}, house.core.facts)


@pytest.mark.parametrize("name", sorted(overlays()))
def test_shipped_overlays_load(name: str) -> None:
    """Every shipped overlay is valid, gives other facts, and its paths can be served."""
    facts = load_facts([overlays()[name]])
    assert facts.digest != load_facts().digest
    assert blueprint(facts)


def test_secureauth_era() -> None:
    """The older era as published: another issuer than the authority, OidcToken.aspx, client IDs of 32 hexadecimal digits."""
    facts = load_facts([overlays()["secureauth"]])
    paths = paths_for(facts.text, "v1")
    assert paths.token == "/acrid-userlogin/OidcToken.aspx"
    assert facts.text("auth.issuer_path") == "/SecureAuth17"
    shapes = Shapes.of(facts)
    assert re.fullmatch("[0-9a-f]{32}", opaque_id(shapes.client_prefix, shapes.client_length, shapes.client_alphabet))
    assert facts.flag("auth.refresh_needs_offline") is False


def test_okta_outside() -> None:
    """With the overlay one discovered endpoint lies outside the authority."""
    facts = load_facts([overlays()["okta-outside"]])
    assert not facts.text("auth.path.registration").startswith(facts.text("auth.base_path"))
