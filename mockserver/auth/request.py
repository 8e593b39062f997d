"""Reading an authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1, RFC 7636 section 4.3, fact U2).

Own code in place of Authlib's `get_consent_grant`: each wrong parameter must be told apart and all of them noted, the
extension parameters count too, and Authlib's own errors carry no field, are answered by a query redirect only, and end
in a `ValueError` when a hostile value stands in their description. PKCE's patterns are Authlib's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from authlib.oauth2.rfc7636.challenge import CODE_CHALLENGE_PATTERN

from acrmock.record import AuthorizeFacts, ClientFacts, FieldProblem
from mockserver.auth.clients import whose
from mockserver.auth.seal import AuthorizationRequest
from mockserver.context import Call

QUERY = "query"
FORM_POST = "form_post"
UNSUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
ONCE = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    *UNSUPPORTED,
)
SHOWN = 80


class PageRefusal(Exception):  # noqa: N818 - a refusal, not a fault
    """The request cannot be answered by a redirect, because nobody trustworthy would receive it."""

    def __init__(self, code: str, message: str, problem: FieldProblem, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.problem = problem
        self.hint = hint


@dataclass(slots=True)
class RedirectRefusal(Exception):  # noqa: N818 - a refusal, not a fault
    """The request is refused by an error answer to the redirect URI (RFC 6749 section 4.1.2.1)."""

    code: str
    error: str
    description: str
    redirect_uri: str
    state: str | None = None
    response_mode: str = QUERY
    problems: tuple[FieldProblem, ...] = ()
    hint: str = ""


@dataclass(slots=True)
class _Reader:
    """One authorization request being read; problems are gathered, the first one is answered."""

    call: Call
    values: Mapping[str, Sequence[str]]
    errors: list[tuple[str, str, str, FieldProblem, str]] = field(default_factory=list)

    def one(self, name: str) -> str | None:
        """The parameter's value; sent without a value it counts as left out (RFC 6749 section 3.1)."""
        values = self.values.get(name, ())
        return values[0] or None if values else None

    def twice(self, name: str) -> bool:
        return len(self.values.get(name, ())) > 1

    def wrong(
        self, code: str, error: str, name: str, reason: str, *, expected: str = "", actual: str = "", hint: str = ""
    ) -> None:
        problem = FieldProblem(
            pointer=f"/request/parameters/{name}", element=name, expected=expected, actual=actual[:SHOWN], reason=reason
        )
        self.errors.append((code, error, reason, problem, hint))


def read_request(call: Call, values: Mapping[str, Sequence[str]], *, signed_in: bool) -> AuthorizationRequest:
    """The request in `values` when it is valid; notes the client and the redirect URI on the way.

    `signed_in`: the answer needs no page (so `prompt=none` can be met). Raises `PageRefusal` or `RedirectRefusal`.
    """
    reader = _Reader(call, values)
    client_id = _client(reader)
    redirect_uri = _redirect_uri(reader)
    state = None if reader.twice("state") else reader.one("state")
    mode = _response_mode(reader)
    _duplicates(reader)
    _sizes(reader)
    _response_type(reader)
    _unsupported(reader)
    scopes = _scopes(reader)
    challenge, method = _pkce(reader)
    _prompt(reader, signed_in=signed_in)
    _max_age(reader)
    if reader.errors:
        code, error, description, _, hint = reader.errors[0]
        raise RedirectRefusal(
            code, error, description, redirect_uri, _echoed(reader, state), mode, tuple(item[3] for item in reader.errors), hint
        )
    return AuthorizationRequest(
        client_id=client_id,
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=state,
        nonce=reader.one("nonce"),
        response_mode=mode,
        code_challenge=challenge,
        code_challenge_method=method,
        login_hint=(reader.one("login_hint") or "")[:200],
    )


def _client(reader: _Reader) -> str:
    given = reader.one("client_id") or ""
    owner = whose(reader.call, given)
    reader.call.notes.client = ClientFacts(presented=bool(given), whose=owner)
    if owner == "own" and not reader.twice("client_id"):
        return given
    reason = "given more than once" if reader.twice("client_id") else "missing" if not given else "not the client ID issued here"
    raise PageRefusal(
        "authorize-client-unknown",
        "The application that sent you here is not known to this service.",
        _problem("client_id", "the client ID issued for this application and environment", owner, reason),
        "Send the client_id of the registration document, and to the environment that issued it.",
    )


def _redirect_uri(reader: _Reader) -> str:
    registration = reader.call.registration
    given = reader.one("redirect_uri")
    registered = given in registration.redirect_urls and not reader.twice("redirect_uri")
    reader.call.notes.authorize = AuthorizeFacts(redirect_registered=registered, scopes_expected=registry_scopes(reader.call))
    if given is not None and registered:
        return given
    reason = (
        "given more than once"
        if reader.twice("redirect_uri")
        else "missing"
        if given is None
        else "no registered redirect URL equals it byte for byte"
    )
    raise PageRefusal(
        "authorize-redirect-mismatch",
        "The address to which the answer should go is not registered for this application.",
        _problem("redirect_uri", " or ".join(registration.redirect_urls), given or "", reason),
        "Send redirect_uri exactly as it was registered; nothing is normalised, not even a trailing slash or the port.",
    )


def _problem(name: str, expected: str, actual: str, reason: str) -> FieldProblem:
    return FieldProblem(
        pointer=f"/request/parameters/{name}", element=name, expected=expected[:512], actual=actual[:SHOWN], reason=reason
    )


def registry_scopes(call: Call) -> tuple[str, ...]:
    """The scopes of the registries that the application is registered for."""
    found = (call.engine.facts.registry(slug) for slug in call.registration.registries)
    return tuple(registry.scope for registry in found if registry is not None and registry.scope)


def _response_mode(reader: _Reader) -> str:
    given = reader.one("response_mode") or QUERY
    modes = reader.call.settings.texts("auth.response_modes")
    if given in modes:
        return given
    reader.wrong(
        "authorize-unsupported-response-mode",
        "invalid_request",
        "response_mode",
        "The response_mode is not supported.",
        expected=" or ".join(modes),
        actual=given,
    )
    return QUERY


def _duplicates(reader: _Reader) -> None:
    for name in ONCE:
        if reader.twice(name):
            reader.wrong(
                "authorize-invalid-request",
                "invalid_request",
                name,
                f"The parameter {name} is given more than once.",
                expected="at most once",
                actual=f"{len(reader.values[name])} times",
                hint="Request parameters must not be included more than once (RFC 6749 section 3.1).",
            )


def _sizes(reader: _Reader) -> None:
    limit = reader.call.settings.integer("auth.authorize_parameter_limit")
    for name in ONCE:
        if any(len(value) > limit for value in reader.values.get(name, ())):
            reader.wrong(
                "authorize-invalid-request",
                "invalid_request",
                name,
                f"The parameter {name} is too long.",
                expected=f"at most {limit} characters",
                actual=f"{max(map(len, reader.values[name]))} characters",
            )


def _echoed(reader: _Reader, state: str | None) -> str | None:
    """`state` as it may be echoed; one that is over the limit would make an answer that nobody can receive."""
    limit = reader.call.settings.integer("auth.authorize_parameter_limit")
    return state if state is None or len(state) <= limit else None


def _response_type(reader: _Reader) -> None:
    given = reader.one("response_type")
    if given is None:
        reader.wrong(
            "authorize-invalid-request",
            "invalid_request",
            "response_type",
            "The parameter response_type is missing.",
            expected="code",
        )
    elif given not in reader.call.settings.texts("auth.response_types"):
        reader.wrong(
            "authorize-unsupported-response-type",
            "unsupported_response_type",
            "response_type",
            "The response_type is not supported.",
            expected="code",
            actual=given,
            hint="Only the authorization code flow is offered (fact N1.14).",
        )


def _unsupported(reader: _Reader) -> None:
    for name, error in UNSUPPORTED.items():
        if reader.one(name) is not None:
            reader.wrong("authorize-invalid-request", error, name, f"The parameter {name} is not supported.", expected="left out")


def _scopes(reader: _Reader) -> tuple[str, ...]:
    given = tuple(dict.fromkeys((reader.one("scope") or "").split()))
    required = reader.call.settings.texts("auth.scopes.required")
    for missing in (scope for scope in required if scope not in given):
        reader.wrong(
            "authorize-invalid-scope",
            "invalid_scope",
            "scope",
            f"The scope {missing} is missing.",
            expected=" ".join(required),
            actual=" ".join(given),
        )
    allowed = reader.call.registration.scopes
    unknown = [scope for scope in given if scope not in allowed]
    if unknown:
        reader.wrong(
            "authorize-invalid-scope",
            "invalid_scope",
            "scope",
            "A scope is not granted to this application.",
            expected="of " + " ".join(allowed),
            actual=" ".join(unknown),
            hint="Ask only for the scopes of the registration document.",
        )
    return given


def _pkce(reader: _Reader) -> tuple[str | None, str | None]:
    challenge, method = reader.one("code_challenge"), reader.one("code_challenge_method")

    def wrong(name: str, reason: str, expected: str, actual: str = "", code: str = "authorize-pkce-method") -> None:
        reader.wrong(
            code,
            "invalid_request",
            name,
            reason,
            expected=expected,
            actual=actual,
            hint="Send the base64url SHA-256 of the verifier and code_challenge_method=S256 (RFC 7636 section 4.2).",
        )

    if challenge is None:
        if method is not None:
            wrong("code_challenge", "The code_challenge is missing.", "43 characters of base64url")
        elif reader.call.settings.flag("auth.pkce_required"):
            wrong("code_challenge", "PKCE is required here.", "43 characters of base64url", code="authorize-pkce-required")
        return None, None
    if method not in reader.call.settings.texts("auth.pkce_methods"):
        wrong("code_challenge_method", "The code_challenge_method must be S256.", "S256", method or "left out, which means plain")
    if len(challenge) != 43 or not CODE_CHALLENGE_PATTERN.fullmatch(challenge):
        wrong("code_challenge", "The code_challenge is malformed.", "43 characters of base64url", f"{len(challenge)} characters")
    return challenge, "S256"


def _prompt(reader: _Reader, *, signed_in: bool) -> None:
    prompts = (reader.one("prompt") or "").split()
    if "none" not in prompts:
        return
    if len(prompts) > 1:
        reader.wrong(
            "authorize-invalid-request",
            "invalid_request",
            "prompt",
            "The prompt none stands with another.",
            expected="none alone",
            actual=" ".join(prompts),
        )
    elif not signed_in:
        reader.wrong(
            "authorize-prompt-none",
            "login_required",
            "prompt",
            "The user must sign in.",
            expected="a request without prompt=none",
            actual="none",
            hint="No session is kept: each authorization shows the sign-in page.",
        )


def _max_age(reader: _Reader) -> None:
    given = reader.one("max_age")
    if given is not None and not (given.isascii() and given.isdigit()):
        reader.wrong(
            "authorize-invalid-request",
            "invalid_request",
            "max_age",
            "The max_age is not a number of seconds.",
            expected="digits",
            actual=given,
        )


def as_lists(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Parameters by name, each with all the values that were sent."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
