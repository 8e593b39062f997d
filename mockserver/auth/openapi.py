"""The OpenAPI 3.1 description of the authentication service, true to what the views answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver._describe import COMPONENTS, Json, answers, contents, parameter
from mockserver.auth.forms import FORM, MOST_FIELDS
from mockserver.auth.settings import paths_for

if TYPE_CHECKING:
    from acrmock.facts import Facts

TEXT: Json = {"type": "string"}
PAGE: Json = {"type": "string"}
SOME: Json = {"type": "string", "minLength": 1, "maxLength": 1024}
CLIENT: Json = {"client_id": SOME, "client_secret": SOME}
ONCE: Json = {"additionalProperties": SOME, "maxProperties": MOST_FIELDS}
"""What is not known is ignored, but nothing may be sent twice (RFC 6749 section 3.2)."""
ASKED = ("response_type", "client_id", "redirect_uri", "scope")
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The challenge of RFC 7636 appendix B."""

MOVED = ("endpoint-moved-away", "path-unknown")


def openapi(facts: Facts) -> Json:
    """Paths below an application's environment, and components."""
    paths = paths_for(facts.text, facts.text("auth.version_segment"))
    token = {
        "token_type": TEXT,
        "expires_in": {"type": "integer"},
        "access_token": TEXT,
        "scope": TEXT,
        "refresh_token": TEXT,
        "id_token": TEXT,
    }
    schemas = {
        "TokenResponse": _object(token, ("token_type", "expires_in", "access_token", "scope", "id_token")),
        "ProviderMetadata": _object({}, ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")),
        "JwkSet": _object({"keys": {"type": "array", "items": {"type": "object"}}}, ("keys",)),
        "UserInfo": _object({"sub": TEXT, "name": TEXT}, ("sub",)),
    }
    metadata = _document(facts, "Provider metadata", "ProviderMetadata", ())
    environment = parameter("path", "environment", "of the default application", _one_of(facts, "gate.environments"))
    return {
        "paths": {
            paths.issuer + facts.text("auth.discovery_path"): {"get": metadata | {"operationId": "discovery"}},
            facts.text("auth.metadata_path") + "/{environment}" + facts.text("auth.base_path"): {
                "get": metadata | {"operationId": "metadata", "parameters": [environment | {"example": "test"}]},
            },
            paths.authorize: _authorize(facts),
            paths.sign_in: {"post": _sign_in(facts)},
            paths.token: {"post": _token(facts)},
            paths.keys: {"get": _document(facts, "Public keys", "JwkSet", MOVED) | {"operationId": "keys"}},
            paths.userinfo: {"get": _userinfo(facts, "get"), "post": _userinfo(facts, "post")},
        },
        "components": {
            "schemas": COMPONENTS["schemas"] | schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "client": {"type": "http", "scheme": "basic", "description": "client ID and secret"},
            },
        },
    }


def _object(properties: Json, required: tuple[str, ...]) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def _document(facts: Facts, title: str, schema: str, codes: tuple[str, ...]) -> Json:
    ok = {"description": title, "content": contents(("application/json", {"$ref": f"#/components/schemas/{schema}"}))}
    return {"tags": ["auth"], "summary": title, "responses": answers(facts, {200: ok}, codes, back_channel=False)}


def _authorize_parameters(facts: Facts) -> dict[str, tuple[str, Json, Any]]:
    """What an authorization request can hold: what it is for, its schema, and an example (None: none)."""
    limit = facts.integer("auth.authorize_parameter_limit")
    text: Json = {"type": "string", "maxLength": limit}
    given: Json = {"type": "string", "minLength": 1}
    scope = " ".join((*facts.texts("auth.scopes.required"), facts.text("auth.scope.offline")))
    return {
        "response_type": ("`code`", _one_of(facts, "auth.response_types"), "code"),
        "client_id": ("the issued client ID", given, "0oa2m5x8r1c4t7w0z3b6"),
        "redirect_uri": ("a registered redirect URL, byte for byte", given, "https://localhost:8765/callback"),
        "scope": ("`openid` and what else is wanted, separated by spaces", text | given, scope),
        "state": ("comes back unchanged", text, "af0ifjsldkj"),
        "nonce": ("stands in the ID token", text, "n-0S6_WzA2Mj"),
        "response_mode": ("`query` or `form_post`", _one_of(facts, "auth.response_modes"), "query"),
        "code_challenge": ("PKCE (RFC 7636)", {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}, CHALLENGE),
        "code_challenge_method": ("how it was made of the verifier", _one_of(facts, "auth.pkce_methods"), "S256"),
        "prompt": ("`none`, `login`, `consent`, separated by spaces", TEXT, "login"),
        "max_age": ("seconds", {"type": "string", "pattern": "^[0-9]{1,9}$"}, "3600"),
        "login_hint": ("the user name to begin with", TEXT, None),
    }


def _one_of(facts: Facts, key: str) -> Json:
    return {"type": "string", "enum": list(facts.texts(key))}


def _pages(facts: Facts) -> Json:
    page = {"description": "the sign-in page, or the form that posts the answer on", "content": contents(("text/html", PAGE))}
    refused = {
        "description": "a page: there is no registered address for an answer",
        "content": contents(("text/html", PAGE), ("application/problem+json", {"$ref": "#/components/schemas/Problem"})),
    }
    back = {"description": "to the redirect URI with an error (RFC 6749 section 4.1.2.1) or, without a page, a code"}
    return answers(facts, {200: page, 302: back, 400: refused}, MOVED, back_channel=False)


def _authorize(facts: Facts) -> Json:
    shared: Json = {"tags": ["auth"], "summary": "Authorization request", "responses": _pages(facts)}
    taken = _authorize_parameters(facts)
    query = [
        parameter("query", name, text, schema, required=name in ASKED) | ({"example": example} if example else {})
        for name, (text, schema, example) in taken.items()
    ]
    form = _object({name: schema | {"description": text} for name, (text, schema, _) in taken.items()}, ASKED)
    example = {name: example for name, (_, _, example) in taken.items() if example}
    return {
        "get": shared | {"operationId": "authorize", "parameters": query},
        "post": shared | {"operationId": "authorizeByPost", "requestBody": _form(form, example)},
    }


def _form(schema: Json, *examples: Json) -> Json:
    """A form as a request's body, with an example of each kind."""
    named = {f"example-{number}": {"value": example} for number, example in enumerate(examples, 1)}
    return {"required": True, "content": {FORM: {"schema": schema, "examples": named}}}


def _sign_in(facts: Facts) -> Json:
    username, password, decision = (facts.text(f"auth.form.{name}") for name in ("username", "password", "decision"))
    allow, deny = facts.text("auth.form.allow"), facts.text("auth.form.deny")
    limited: Json = {"type": "string", "maxLength": 256}
    form = _object(
        {
            username: limited,
            password: limited,
            decision: {"type": "string", "enum": [allow, deny]},
            "request": SOME | {"description": "the hidden value of the page"},
        },
        (username, password, decision, "request"),
    )
    example = {username: "ada", password: "not-a-secret", decision: allow, "request": "the hidden value of the page"}
    responses = _pages(facts)
    responses.pop("302")
    responses["303"] = {"description": "to the redirect URI, with a code or a denial"}
    responses["401"] = {"description": "the form again", "content": contents(("text/html", PAGE))}
    return {
        "operationId": "signIn",
        "tags": ["auth"],
        "summary": "The sign-in form",
        "requestBody": _form(form, example),
        "responses": responses,
    }


def _token(facts: Facts) -> Json:
    ok = {"description": "Tokens", "content": contents(("application/json", {"$ref": "#/components/schemas/TokenResponse"}))}
    codes = (*(code for code in facts.errors if code.startswith("token-")), *MOVED)
    client = {"client_id": "0oa2m5x8r1c4t7w0z3b6", "client_secret": "not-a-secret"}
    redeemed = {"code": "not-a-code", "redirect_uri": "https://localhost:8765/callback", "code_verifier": "v" * 43}
    return {
        "operationId": "token",
        "tags": ["auth"],
        "summary": "Tokens for a code or a refresh token",
        "security": [{"client": []}, {}],
        "requestBody": _form(
            {"oneOf": [_code_grant(), _refresh_grant()]},
            {"grant_type": "authorization_code", **redeemed, **client},
            {"grant_type": "refresh_token", "refresh_token": "not-a-token", **client},
        ),
        "responses": answers(facts, {200: ok}, codes, back_channel=True),
    }


def _code_grant() -> Json:
    """The form of RFC 6749 section 4.1.3 with the verifier of RFC 7636."""
    verifier = {"type": "string", "pattern": "^[A-Za-z0-9._~-]{43,128}$"}
    own = {"grant_type": _only("authorization_code"), "code": SOME, "redirect_uri": SOME, "code_verifier": verifier}
    return _object(own | CLIENT, ("grant_type", "code", "redirect_uri")) | ONCE


def _refresh_grant() -> Json:
    """The form of RFC 6749 section 6."""
    own = {"grant_type": _only("refresh_token"), "refresh_token": SOME, "scope": SOME}
    return _object(own | CLIENT, ("grant_type", "refresh_token")) | ONCE


def _only(word: str) -> Json:
    return {"type": "string", "enum": [word]}


def _userinfo(facts: Facts, method: str) -> Json:
    ok = {"description": "Claims", "content": contents(("application/json", {"$ref": "#/components/schemas/UserInfo"}))}
    codes = ("bearer-missing", "bearer-invalid-token", "bearer-insufficient-scope", *MOVED)
    return {
        "operationId": f"userinfo{method.title()}",
        "tags": ["auth"],
        "summary": "Claims about the user",
        "security": [{"bearer": []}],
        "responses": answers(facts, {200: ok}, codes, back_channel=True),
    }
