"""Reading an authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1, RFC 7636 section 4.3, fact U2).

Own code in place of Authlib's `get_consent_grant`: each wrong parameter must be told apart and all of them noted, the
extension parameters count too, and Authlib's own errors carry no field, are answered by a query redirect only, and end
in a `ValueError` when a hostile value stands in their description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import flask

from acrmock.record import AuthorizeFacts, ClientFacts, FieldProblem
from mockserver.auth.clients import whose
from mockserver.auth.forms import FORM, MOST_FIELDS, form_pairs
from mockserver.auth.parameters import (
    QUERY,
    Parameters,
    Standing,
    as_lists,
    duplicates,
    echoed,
    field_problem,
    max_age,
    pkce,
    prompt,
    response_mode,
    response_type,
    scopes,
    silent,
    sizes,
    unsupported,
)
from mockserver.auth.seal import AuthorizationRequest
from mockserver.context import Call


class PageRefusal(Exception):  # noqa: N818 - a refusal, not a fault
    """The request cannot be answered by a redirect, because nobody trustworthy would receive it."""

    def __init__(self, code: str, message: str, problem: FieldProblem, hint: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
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


def parameters_of(request: flask.Request, code: str) -> dict[str, list[str]]:
    """The parameters of a GET's query or a POST's form (OpenID Connect Core 3.1.2.1); raises `PageRefusal` of that code."""
    try:
        if request.method == "POST":
            if request.mimetype != FORM:
                raise ValueError(f"the body must be {FORM}")
            return as_lists(form_pairs(request.get_data()))
        query = request.query_string.decode("utf-8", "replace")
        return as_lists(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"))
    except ValueError as error:
        raise PageRefusal(
            code,
            "The request that sent you here cannot be read.",
            FieldProblem(pointer="/request", expected=f"at most {MOST_FIELDS} parameters, form-encoded", reason=str(error)),
            "Send the parameters in the query of a GET or in the form of a POST.",
        ) from None


def same_site(call: Call, request: flask.Request) -> None:
    """Refuse a form that another site's page posted, by what browsers say of themselves (RFC 9700 section 4.7, Fetch Metadata).

    Raises `PageRefusal`. A client that says nothing is no browser, and has no session that could be abused.
    """
    site, origin = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Origin", "")
    own = "://".join(urlsplit(call.base_url)[:2])
    # a page whose policy is no-referrer posts with the origin `null`
    foreign = site not in {"", "same-origin", "none"} or origin.lower() not in {"", "null", own.lower()}
    if foreign:
        actual = (origin or site)[:200]
        pointer = "/request/headers/Origin"
        problem = FieldProblem(pointer=pointer, element="Origin", expected=own, actual=actual, reason="another site")
        message = "This form was sent by another site's page."
        raise PageRefusal("sign-in-cross-site", message, problem, "Post the form from the page it stands in.")


def read_request(call: Call, values: Mapping[str, Sequence[str]], *, standing: Standing) -> AuthorizationRequest:
    """The request in `values` when it is valid; notes the client and the redirect URI on the way.

    `standing` says whether `prompt=none` can be met. Raises `PageRefusal` or `RedirectRefusal`.
    """
    sent = Parameters(call, values)
    client_id = _client(sent)
    redirect_uri = _redirect_uri(sent)
    state = None if sent.twice("state") else sent.one("state")
    mode = response_mode(sent)
    duplicates(sent)
    sizes(sent)
    response_type(sent)
    unsupported(sent)
    wanted = scopes(sent)
    challenge, method = pkce(sent)
    prompts, age = prompt(sent), max_age(sent)
    silent(sent, prompts, wanted, standing, age)
    if sent.faults:
        first, problems = sent.faults[0], tuple(fault.problem for fault in sent.faults)
        raise RedirectRefusal(
            first.code, first.error, first.description, redirect_uri, echoed(sent, state), mode, problems, first.hint
        )
    return AuthorizationRequest(
        client_id=client_id,
        redirect_uri=redirect_uri,
        scopes=wanted,
        state=state,
        nonce=sent.one("nonce"),
        response_mode=mode,
        code_challenge=challenge,
        code_challenge_method=method,
        login_hint=(sent.one("login_hint") or "")[:200],
        prompt=prompts,
        max_age=age,
    )


def _client(sent: Parameters) -> str:
    given = sent.one("client_id") or ""
    owner = whose(sent.call, given)
    sent.call.notes.client = ClientFacts(presented=bool(given), whose=owner)
    if owner == "own" and not sent.twice("client_id"):
        return given
    reason = "given more than once" if sent.twice("client_id") else "missing" if not given else "not the client ID issued here"
    raise PageRefusal(
        "authorize-client-unknown",
        "The application that sent you here is not known to this service.",
        field_problem("client_id", "the client ID issued for this application and environment", owner, reason),
        "Send the client_id of the registration document, and to the environment that issued it.",
    )


def _redirect_uri(sent: Parameters) -> str:
    registration = sent.call.registration
    given = sent.one("redirect_uri")
    registered = given in registration.redirect_urls and not sent.twice("redirect_uri")
    sent.call.notes.authorize = AuthorizeFacts(redirect_registered=registered, scopes_expected=registry_scopes(sent.call))
    if given is not None and registered:
        return given
    reason = (
        "given more than once"
        if sent.twice("redirect_uri")
        else "missing"
        if given is None
        else "no registered redirect URL equals it byte for byte"
    )
    raise PageRefusal(
        "authorize-redirect-mismatch",
        "The address to which the answer should go is not registered for this application.",
        field_problem("redirect_uri", " or ".join(registration.redirect_urls), given or "", reason),
        "Send redirect_uri exactly as it was registered; nothing is normalised, not even a trailing slash or the port.",
    )


def registry_scopes(call: Call) -> tuple[str, ...]:
    """The scopes that a sign-in is expected to ask for: those of the registries that the application is registered for."""
    found = (call.engine.facts.registry(slug) for slug in call.registration.registries)
    return tuple(registry.scope for registry in found if registry is not None and registry.scope)
