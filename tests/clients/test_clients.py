"""Clients that others wrote sign in, refresh, post and poll against a served acrmock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from clients.person import sign_in
from clients.vendor import TERMINAL, post_and_poll, post_path, transaction
from joserfc import jwt
from joserfc.jwk import KeySet
from requests_oauthlib import OAuth2Session as OauthlibSession
from witness import lacking

NODE_CLIENT = Path(__file__).parent / "node" / "client.mjs"


def test_authlib_signs_in_refreshes_posts_and_polls(registration: dict[str, Any]) -> None:
    """Authlib's client completes the whole flow with PKCE, state and nonce, and its ID token verifies against the keys."""
    ca = registration["ca_file"]
    metadata = requests.get(registration["issuer"] + "/.well-known/openid-configuration", verify=ca, timeout=10).json()
    session = AuthlibSession(
        registration["client_id"],
        registration["client_secret"],
        scope=" ".join(registration["scopes"]),
        redirect_uri=registration["redirect_url"],
        token_endpoint_auth_method="client_secret_post",
        code_challenge_method="S256",
    )
    session.verify = ca
    verifier = uuid.uuid4().hex * 2
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-authlib")
    landed = sign_in(url, registration["users"][0], ca)
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=landed, state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], verify=ca, timeout=10).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (metadata["issuer"], registration["client_id"], "n-authlib")
    fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert fresh["access_token"] != token["access_token"]
    assert session.get(metadata["userinfo_endpoint"], timeout=10).json()["sub"] == claims["sub"]
    words = post_and_poll(session, registration)
    assert words[-1] == "Posted"
    assert not TERMINAL & set(words[:-1])


def test_requests_oauthlib_signs_in_refreshes_posts_and_polls(registration: dict[str, Any]) -> None:
    """requests-oauthlib completes the whole flow with HTTP Basic at the token endpoint and PKCE."""
    ca = registration["ca_file"]
    metadata = requests.get(registration["issuer"] + "/.well-known/openid-configuration", verify=ca, timeout=10).json()
    session = OauthlibSession(
        registration["client_id"], scope=registration["scopes"], redirect_uri=registration["redirect_url"], pkce="S256"
    )
    session.verify = ca
    url, _state = session.authorization_url(metadata["authorization_endpoint"])
    landed = sign_in(url, registration["users"][0], ca)
    basic = requests.auth.HTTPBasicAuth(registration["client_id"], registration["client_secret"])
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=landed, auth=basic, verify=ca)
    fresh = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"], auth=basic, verify=ca)
    assert fresh["access_token"] != token["access_token"]
    assert post_and_poll(session, registration)[-1] == "Posted"


def test_openid_client_signs_in_refreshes_posts_and_polls(registration: dict[str, Any], tmp_path: Path) -> None:
    """The npm package openid-client completes the whole flow, its checks of issuer, state, nonce, PKCE and ID token on."""
    node = shutil.which("node")
    if node is None or not (NODE_CLIENT.parent / "node_modules" / "openid-client").is_dir():
        lacking(
            "node or openid-client is missing: run npm ci in tests/clients/node", "needs Node and `npm ci` in tests/clients/node"
        )
    registered, body = tmp_path / "registration.json", tmp_path / "transaction.json"
    registered.write_text(json.dumps(registration))
    body.write_text(json.dumps(transaction(registration)))
    done = subprocess.run(
        [node, str(NODE_CLIENT), str(registered), str(body), post_path(registration)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": registration["ca_file"]},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["posted"] == 202
    assert said["statuses"][-1] == "Posted"
    assert said["sub"] == said["id_sub"]
    assert said["rotated"]
