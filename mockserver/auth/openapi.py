"""The OpenAPI 3.1 description of the authentication service, true to what the views answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver._describe import COMPONENTS, Json, answers, contents, parameter
from mockserver.auth.forms import FORM
from mockserver.auth.settings import paths_for

if TYPE_CHECKING:
    from acrmock.facts import Facts

TEXT: Json = {"type": "string"}
PAGE: Json = {"type": "string"}
AUTHORIZE = (
    ("response_type", "`code`"),
    ("client_id", "the issued client ID"),
    ("redirect_uri", "a registered redirect URL, byte for byte"),
    ("scope", "`openid` and what else is wanted, separated by spaces"),
    ("state", "comes back unchanged"),
    ("nonce", "stands in the ID token"),
    ("response_mode", "`query` or `form_post`"),
    ("code_challenge", "PKCE (RFC 7636)"),
    ("code_challenge_method", "`S256`"),
    ("prompt", "`none`, `login`, `consent`"),
    ("max_age", "seconds"),
    ("login_hint", "the user name to begin with"),
)
TOKEN = ("grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id", "client_secret")
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
    return {
        "paths": {
            paths.issuer + facts.text("auth.discovery_path"): {"get": metadata | {"operationId": "discovery"}},
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
    form = _object({name: TEXT for name, _ in AUTHORIZE}, ())
    return {
        "get": shared | {"operationId": "authorize", "parameters": [parameter("query", name, text) for name, text in AUTHORIZE]},
        "post": shared | {"operationId": "authorizeByPost", "requestBody": {"content": contents((FORM, form))}},
    }


def _sign_in(facts: Facts) -> Json:
    names = (*(facts.text(f"auth.form.{name}") for name in ("username", "password", "decision")), "request")
    responses = _pages(facts)
    responses.pop("302")
    responses["303"] = {"description": "to the redirect URI, with a code or a denial"}
    responses["401"] = {"description": "the form again", "content": contents(("text/html", PAGE))}
    return {
        "operationId": "signIn",
        "tags": ["auth"],
        "summary": "The sign-in form",
        "requestBody": {"content": contents((FORM, _object(dict.fromkeys(names, TEXT), ())))},
        "responses": responses,
    }


def _token(facts: Facts) -> Json:
    ok = {"description": "Tokens", "content": contents(("application/json", {"$ref": "#/components/schemas/TokenResponse"}))}
    codes = (*(code for code in facts.errors if code.startswith("token-")), *MOVED)
    return {
        "operationId": "token",
        "tags": ["auth"],
        "summary": "Tokens for a code or a refresh token",
        "security": [{"client": []}, {}],
        "requestBody": {"required": True, "content": contents((FORM, _object(dict.fromkeys(TOKEN, TEXT), ())))},
        "responses": answers(facts, {200: ok}, codes, back_channel=True),
    }


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
