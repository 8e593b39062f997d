"""What a client may learn by itself: the provider's metadata and its public keys (OpenID Connect Discovery, RFC 8414)."""

from __future__ import annotations

from typing import Any

import flask
import msgspec

from mockserver.auth import wrong
from mockserver.auth.settings import issuer_of, paths_of
from mockserver.auth.signing import SigningKeys
from mockserver.context import Call

KEYS_MAX_AGE = 300
METADATA_MAX_AGE = 60


def metadata(call: Call) -> dict[str, Any]:
    """The provider's metadata; every endpoint from here and none to be hard-coded (facts N1.11, N1.13)."""
    paths, settings = paths_of(call), call.settings
    issuer = issuer_of(call)
    base = call.base_url
    outside = settings.text("auth.path.registration")
    return ({"registration_endpoint": base + outside} if outside else {}) | {
        "issuer": wrong.metadata_issuer(call, issuer),
        "authorization_endpoint": base + paths.authorize,
        "token_endpoint": base + paths.token,
        "userinfo_endpoint": base + paths.userinfo,
        "jwks_uri": base + paths.keys,
        "end_session_endpoint": base + paths.logout,
        "introspection_endpoint": base + paths.introspect,
        "revocation_endpoint": base + paths.revoke,
        "scopes_supported": list(call.registration.scopes),
        "response_types_supported": list(settings.texts("auth.response_types")),
        "response_modes_supported": list(settings.texts("auth.response_modes")),
        "grant_types_supported": list(settings.texts("auth.grant_types")),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [settings.text("auth.signing_alg")],
        "token_endpoint_auth_methods_supported": list(settings.texts("auth.client_auth_methods")),
        "introspection_endpoint_auth_methods_supported": list(settings.texts("auth.client_auth_methods")),
        "revocation_endpoint_auth_methods_supported": list(settings.texts("auth.client_auth_methods")),
        "code_challenge_methods_supported": list(settings.texts("auth.pkce_methods")),
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "at_hash", "name", "preferred_username"],
        "prompt_values_supported": ["none", "login", "consent"],
        "authorization_response_iss_parameter_supported": settings.flag("auth.response_iss"),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_parameter_supported": False,
    }


def answer_metadata(call: Call) -> flask.Response:
    """The metadata as JSON; kept for a minute at most, since endpoints may move."""
    return _json(metadata(call), METADATA_MAX_AGE)


def answer_keys(call: Call, signing: SigningKeys) -> flask.Response:
    """The public keys as a JWK Set (RFC 7517 section 5)."""
    key = signing.of(call.engine.keys).jwk.as_dict(private=False)
    return _json({"keys": [{**key, "alg": call.settings.text("auth.signing_alg")}]}, KEYS_MAX_AGE)


def _json(value: dict[str, Any], max_age: int) -> flask.Response:
    answer = flask.Response(msgspec.json.encode(value), 200, content_type="application/json")
    answer.headers["Cache-Control"] = f"public, max-age={max_age}"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
