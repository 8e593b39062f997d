"""Under each shipped overlay and the next guide, others' clients sign in, refresh and post; a whole run is ready."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from clients.command import acrmock
from clients.person import sign_in
from clients.server import Served
from clients.vendor import post_and_poll
from joserfc import jwt
from joserfc.jwk import KeySet
from requests_oauthlib import OAuth2Session as OauthlibSession

from acrmock.facts.shipped import overlays

ERAS = (*sorted(overlays()), "next")
"""Each shipped overlay by its name, and the guide that is to come."""


@pytest.fixture(scope="module", params=ERAS)
def era(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Served]]:
    """A running `acrmock serve` under that overlay; plainly served for the guide."""
    name: str = request.param
    server = Served(tmp_path_factory.mktemp(name) / "data", options=() if name == "next" else ("--overlay", name))
    yield name, server
    server.stop()


@pytest.fixture
def vendor(era: tuple[str, Served], request: pytest.FixtureRequest) -> dict[str, Any]:
    """The registration document of a new application of that era."""
    name, server = era
    return server.register(request.node.originalname[:60], *(("--guide", "next") if name == "next" else ()))


def _metadata(registration: dict[str, Any]) -> dict[str, Any]:
    url = registration["issuer"] + "/.well-known/openid-configuration"
    answer = requests.get(url, verify=registration["ca_file"], timeout=10)
    assert answer.status_code == 200, (url, answer.text)
    found: dict[str, Any] = answer.json()
    return found


def test_authlib(vendor: dict[str, Any]) -> None:
    """Authlib signs in with PKCE, its ID token verifies and names the discovered issuer; it refreshes twice, asks and posts."""
    metadata, ca = _metadata(vendor), vendor["ca_file"]
    session = AuthlibSession(
        vendor["client_id"],
        vendor["client_secret"],
        scope=" ".join(vendor["scopes"]),
        redirect_uri=vendor["redirect_url"],
        token_endpoint_auth_method="client_secret_post",
        code_challenge_method="S256",
    )
    session.verify = ca
    verifier = uuid.uuid4().hex * 2
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-era")
    landed = sign_in(url, vendor["users"][0], ca)
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=landed, state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], verify=ca, timeout=10).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (metadata["issuer"], vendor["client_id"], "n-era")
    seen = {token["access_token"]}
    for _ in range(2):
        token = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        seen.add(token["access_token"])
    assert len(seen) == 3
    assert session.get(metadata["userinfo_endpoint"], timeout=10).json()["sub"] == claims["sub"]
    assert post_and_poll(session, vendor)[-1] == "Posted"


def test_requests_oauthlib(vendor: dict[str, Any]) -> None:
    """requests-oauthlib does the same with HTTP Basic at the token endpoint."""
    metadata, ca = _metadata(vendor), vendor["ca_file"]
    session = OauthlibSession(vendor["client_id"], scope=vendor["scopes"], redirect_uri=vendor["redirect_url"], pkce="S256")
    session.verify = ca
    url, _state = session.authorization_url(metadata["authorization_endpoint"])
    landed = sign_in(url, vendor["users"][0], ca)
    basic = requests.auth.HTTPBasicAuth(vendor["client_id"], vendor["client_secret"])
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=landed, auth=basic, verify=ca)
    fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"], auth=basic, verify=ca)
    assert fresh["access_token"] != token["access_token"]
    assert post_and_poll(session, vendor)[-1] == "Posted"


def test_the_reference_vendor_is_ready(tmp_path: Path) -> None:
    """`acrmock demo` in the older era ends ready: an issuer of another name than its address is not held against a client."""
    done = acrmock("demo", "--overlay", "secureauth", "--out", str(tmp_path / "out"), "--format", "json", timeout=120)
    result = json.loads(done.stdout)
    failed = [finding["check"] for finding in result["findings"] if finding["outcome"] in {"failed", "harness-error"}]
    assert (done.returncode, result["verdict"], failed) == (0, "ready", []), done.stderr
