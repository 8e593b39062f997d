"""Clients that others wrote refuse answers that are wrong on purpose, as those libraries say of themselves that they do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oidc.core import CodeIDToken
from clients.person import sign_in
from clients.server import Served
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from oauthlib.oauth2 import MismatchingStateError as OauthlibMismatchingState
from requests_oauthlib import OAuth2Session as OauthlibSession
from witness import lacking

NEGATIVE = Path(__file__).parent / "node" / "negative.mjs"
NONCE = "n-0123456789"
OF_THE_ID_TOKEN = {
    "issuer": "iss",
    "audience": "aud",
    "nonce": "nonce",
    "no_nonce": "nonce",
    "at_hash": "at_hash",
    "expired": "expired",
    "future": "future",
    "signature": "bad_signature",
    "key": "",
}


def _go_wrong(served: Served, registration: dict[str, Any], name: str) -> None:
    """Let the application get answers that are wrong in the way named."""
    ready = served.ready
    answer = requests.post(
        f"{ready['url']}/_acrmock/applications/{registration['application']}/settings",
        json={"environment": "test", "settings": {f"auth.wrong.{name}": True}},
        headers={"Authorization": f"Bearer {ready['control_token']}"},
        verify=registration["ca_file"],
        timeout=10,
    )
    assert answer.status_code == 200, answer.text


def _metadata(registration: dict[str, Any]) -> dict[str, Any]:
    url = registration["issuer"] + "/.well-known/openid-configuration"
    found: dict[str, Any] = requests.get(url, verify=registration["ca_file"], timeout=10).json()
    return found


def _authlib_signs_in(registration: dict[str, Any]) -> dict[str, Any]:
    """The claims of an ID token that Authlib has found valid; raises what Authlib and joserfc raise."""
    metadata, ca = _metadata(registration), registration["ca_file"]
    client_id, secret = registration["client_id"], registration["client_secret"]
    scope, redirect = " ".join(registration["scopes"]), registration["redirect_url"]
    session = AuthlibSession(client_id, secret, scope=scope, redirect_uri=redirect, code_challenge_method="S256")
    session.verify = ca
    verifier = uuid.uuid4().hex * 2
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=NONCE)
    landed = sign_in(url, registration["users"][0], ca)
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=landed, state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], verify=ca, timeout=10).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        {"iss": {"values": [metadata["issuer"]]}, "aud": {"values": [client_id]}},
        {"nonce": NONCE, "client_id": client_id, "access_token": token["access_token"]},
    )
    claims.validate(leeway=120)
    return dict(claims)


def test_authlib_takes_the_right_answer(registration: dict[str, Any]) -> None:
    """With nothing wrong, the checks that refuse below are content."""
    assert _authlib_signs_in(registration)["aud"] == registration["client_id"]


@pytest.mark.parametrize(("name", "word"), OF_THE_ID_TOKEN.items())
def test_authlib_refuses(served: Served, registration: dict[str, Any], name: str, word: str) -> None:
    """Authlib refuses an ID token of a wrong issuer, audience, nonce, hash, time, signature or key, and says which."""
    _go_wrong(served, registration, name)
    with pytest.raises((AuthlibBaseError, JoseError, ValueError)) as caught:
        _authlib_signs_in(registration)
    assert word in repr(caught.value)


def test_authlib_refuses_another_state(served: Served, registration: dict[str, Any]) -> None:
    """Authlib refuses an answer that carries another state."""
    _go_wrong(served, registration, "state")
    with pytest.raises(AuthlibBaseError, match="mismatching_state"):
        _authlib_signs_in(registration)


def test_requests_oauthlib_refuses_another_state(served: Served, registration: dict[str, Any]) -> None:
    """requests-oauthlib refuses an answer that carries another state; ID tokens it leaves to others."""
    _go_wrong(served, registration, "state")
    metadata, ca = _metadata(registration), registration["ca_file"]
    session = OauthlibSession(
        registration["client_id"], scope=registration["scopes"], redirect_uri=registration["redirect_url"], pkce="S256"
    )
    url, _ = session.authorization_url(metadata["authorization_endpoint"])
    landed = sign_in(url, registration["users"][0], ca)
    with pytest.raises(OauthlibMismatchingState):
        session.fetch_token(metadata["token_endpoint"], authorization_response=landed, verify=ca)


def _openid_client(registration: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What openid-client says of one sign-in."""
    node = shutil.which("node")
    if node is None or not (NEGATIVE.parent / "node_modules" / "openid-client").is_dir():
        lacking(
            "node or openid-client is missing: run npm ci in tests/clients/node", "needs Node and `npm ci` in tests/clients/node"
        )
    registered = folder / "registration.json"
    registered.write_text(json.dumps(registration))
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": registration["ca_file"]}
    command = [node, str(NEGATIVE), str(registered)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_openid_client_takes_the_right_answer(registration: dict[str, Any], tmp_path: Path) -> None:
    """With nothing wrong, the checks that refuse below are content."""
    assert _openid_client(registration, tmp_path)["taken"] is True


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("issuer", "iss"),
        ("audience", "aud"),
        ("nonce", "nonce"),
        ("no_nonce", "nonce"),
        ("expired", "exp"),
        ("auth_time", "auth_time"),
        ("signature", "signature"),
        ("key", "key"),
        ("state", "state"),
        ("response_iss", "iss"),
        ("metadata_issuer", "issuer"),
    ],
)
def test_openid_client_refuses(served: Served, registration: dict[str, Any], tmp_path: Path, name: str, word: str) -> None:
    """openid-client refuses each of these, and its reason names what was wrong."""
    _go_wrong(served, registration, name)
    said = _openid_client(registration, tmp_path)
    assert said["taken"] is False, said
    assert word in json.dumps(said["reasons"]).lower()
