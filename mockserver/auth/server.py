"""The endpoints that authenticate the client: Authlib's authorization server with a thin adapter to `Call`.

The token endpoint is RFC 6749's (sections 3.2, 5 and 6); introspection and revocation stand in `management`.

The form is read before Authlib sees it: a repeated or missing parameter and a wrong media type are `invalid_request`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, InvalidRequestError, UnsupportedGrantTypeError

from acrmock.record import GrantFacts
from mockserver.auth.clients import Client, client_facts, read_credentials
from mockserver.auth.explain import explain
from mockserver.auth.forms import FORM, form_pairs
from mockserver.auth.grants import CodeGrant, RefreshGrant, TokenRequest, extension, rotates, still_active, still_fresh
from mockserver.auth.management import Introspection, Revocation
from mockserver.auth.mint import draft, family_of, issue
from mockserver.auth.signing import SigningKeys
from mockserver.context import Call, Plain

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class TokenServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server, answering from a call's state; one per blueprint, without state of its own."""

    def __init__(self, signing: SigningKeys) -> None:
        super().__init__()
        self._signing = signing
        self.register_grant(CodeGrant, extension())
        self.register_grant(RefreshGrant)
        self.register_endpoint(Introspection)
        self.register_endpoint(Revocation)

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """The request; it has Authlib's form already."""
        return request

    def query_client(self, client_id: str) -> Client:
        """The client of that ID; who it is was decided when it was authenticated."""
        return Client(client_id)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def save_token(self, token: dict[str, Any], request: TokenRequest) -> None:
        """Nothing: a token is remembered when it is minted."""

    def authenticate_client(self, request: TokenRequest, methods: list[str], endpoint: str = "token") -> Client:  # noqa: ARG002 - Authlib's own hook
        """The client, proved by exactly one method; raises `InvalidClientError` or `InvalidRequestError`."""
        facts = request.call.notes.client
        if facts is not None and len(facts.methods) > 1:
            raise InvalidRequestError("The client used two authentication methods.")
        if facts is None or not facts.authenticated:
            raise InvalidClientError("Client authentication failed.", status_code=401)
        return Client(request.call.registration.client_id)

    def mint_for(self, request: TokenRequest, grant_type: str, scopes: tuple[str, ...]) -> dict[str, Any]:
        """The token response's members for a request that its grant found valid."""
        if grant_type == CodeGrant.GRANT_TYPE:
            return self._first(request, scopes)
        return self._again(request, scopes)

    def _first(self, request: TokenRequest, scopes: tuple[str, ...]) -> dict[str, Any]:
        call, code = request.call, request.authorization_code
        asked = call.settings.text("auth.scope.offline") in scopes
        offline = asked or not call.settings.flag("auth.refresh_needs_offline")
        key = self._signing.of(call.engine.keys)
        tokens = draft(call, key, family_of(call, code), scopes, nonce=code.nonce, renew=offline)
        still_fresh(request)
        return issue(call, tokens)

    def _again(self, request: TokenRequest, scopes: tuple[str, ...]) -> dict[str, Any]:
        call, family = request.call, request.family
        if family is None:
            raise RuntimeError("a refresh has a family")
        key = self._signing.of(call.engine.keys)
        tokens = draft(call, key, family, scopes, refresh=request.form["refresh_token"], renew=rotates(call))
        still_active(request)
        return issue(call, tokens)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Plain:  # noqa: ARG002 - Authlib's own hook
        """The answer, never to be stored (RFC 6749 section 5.1)."""
        return Plain.of(msgspec.json.encode(body), status, "application/json", *NO_STORE)

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> Plain:
        """The error of RFC 6749 section 5.2, explained in the journal and terse on the wire."""
        call = request.call
        refusal = call.notes.refused = explain(call, request, error)
        spec = call.engine.facts.errors[refusal.code.removeprefix("acrmock:")]
        body = {"error": spec.oauth_error, "error_description": spec.title}
        headers = {name.lower(): (name, value) for name, value in (*NO_STORE, *spec.headers.items())}
        return Plain.of(msgspec.json.encode(body), spec.status, "application/json", *headers.values())


def answer_token_request(server: TokenServer, call: Call) -> Plain:
    """The answer of the token endpoint; notes the client, the grant and why it was refused."""
    return _answered(server, call, server.create_token_response, grant=True)


def answer_endpoint(server: TokenServer, name: str, call: Call) -> Plain:
    """The answer of another endpoint that authenticates the client: introspection or revocation, by Authlib's name."""
    return _answered(server, call, lambda request: server.create_endpoint_response(name, request), grant=False)


def _answered(server: TokenServer, call: Call, answer: Callable[[TokenRequest], Any], *, grant: bool) -> Plain:
    authorization = call.environ.get("HTTP_AUTHORIZATION")
    request = TokenRequest(call, call.base_url, {}, authorization)
    try:
        form = _read_form(call)
        request.fill(form)
        request.presented = read_credentials(authorization, form)
        call.notes.client = client_facts(call, request.presented)
        if grant:
            call.notes.grant = GrantFacts(grant_type=form.get("grant_type", "")[:64])
            _known_grant(call, form)
    except OAuth2Error as error:
        return server.handle_error_response(request, error)
    answered: Plain = answer(request)
    return answered


def _read_form(call: Call) -> dict[str, str]:
    """The form's fields, each once and within the limit; raises `InvalidRequestError`."""
    if call.environ.get("CONTENT_TYPE") != FORM and call.request.mimetype != FORM:
        raise InvalidRequestError(f"The body must be {FORM}.")
    try:
        pairs = form_pairs(call.body)
    except ValueError:
        raise InvalidRequestError("The body has too many fields.") from None
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise InvalidRequestError("A parameter is given more than once.")
    limit = call.settings.integer("auth.authorize_parameter_limit")
    if any(len(value) > limit for _, value in pairs):
        raise InvalidRequestError("A parameter is too long.")
    return {name: value for name, value in pairs if value}


def _known_grant(call: Call, form: dict[str, str]) -> None:
    """Raise `InvalidRequestError` or `UnsupportedGrantTypeError`; Authlib would echo a hostile grant type."""
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise InvalidRequestError("The parameter grant_type is missing.")
    if grant_type not in call.settings.texts("auth.grant_types"):
        raise UnsupportedGrantTypeError("")
