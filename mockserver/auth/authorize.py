"""The authorization endpoint and its sign-in form (RFC 6749 section 4.1, OpenID Connect Core 3.1.2, facts U2 to U4).

An answer goes to a redirect URI only when that is registered; everything else is shown to the person as a page.
Errors and codes go out by query or by form post, with `iss` beside them (RFC 9207).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

import flask

from acrmock.record import AuthorizeFacts, ClientFacts, FieldProblem, Operation, Refusal, SecretKind
from mockserver.auth import pages
from mockserver.auth.endings import forget_ended, note_ending
from mockserver.auth.forms import FORM, MOST_FIELDS, form_pairs
from mockserver.auth.model import CODE, AuthorizationCode
from mockserver.auth.parameters import FORM_POST, as_lists
from mockserver.auth.request import PageRefusal, RedirectRefusal, read_request, registry_scopes
from mockserver.auth.seal import AuthorizationRequest, Sealed, seal, unseal
from mockserver.auth.settings import form_names, issuer_of, paths_of
from mockserver.context import Call
from mockserver.onboarding.model import User

AUTO_CONSENT = "auth.auto_consent"
TRY_AGAIN = "The user name or the password is wrong. Both stand in the registration document."
CHOOSE = "Press one of the two buttons: to sign in and allow, or to deny."


def answer_authorize(call: Call) -> flask.Response:
    """The answer to an authorization request: the sign-in page, a redirect, or the error page."""
    try:
        values = as_lists(_parameters(flask.request))
        automatic = auto_consent(call)
        wanted = read_request(call, values, signed_in=automatic is not None)
    except PageRefusal as refusal:
        return _refuse_by_page(call, refusal)
    except RedirectRefusal as refusal:
        return _refuse_by_redirect(call, refusal)
    if automatic is not None:
        return _allow(call, wanted, automatic)
    return _show_form(call, wanted, username=wanted.login_hint)


def answer_sign_in(call: Call) -> flask.Response:
    """The answer to a posted sign-in form: back to the application with a code or a denial, or the form again."""
    names = form_names(call)
    try:
        form = as_lists(_parameters(flask.request))
        wanted = _unsealed(call, form.get(names.request, []))
    except PageRefusal as refusal:
        return _refuse_by_page(call, refusal)
    call.notes.client = ClientFacts(presented=True, whose="own")
    call.notes.authorize = AuthorizeFacts(redirect_registered=True, scopes_expected=registry_scopes(call))
    username, password, decision = (_only(form, name) for name in (names.username, names.password, names.decision))
    if decision == names.deny:
        return _deny(call, wanted)
    user = _proved(call, username, password)
    if decision == names.allow and user is not None:
        return _allow(call, wanted, user)
    problem, name = (TRY_AGAIN, names.username) if decision == names.allow else (CHOOSE, names.decision)
    field = FieldProblem(pointer=f"/request/postData/{name}", element=name, reason=problem)
    call.notes.refusal("acrmock:sign-in-failed", problem, fields=(field,))
    return _show_form(call, wanted, username=username, problem=problem)


def auto_consent(call: Call) -> User | None:
    """The user who signs in by itself where the server or the application was told so; else None."""
    if not call.registration.settings.get(AUTO_CONSENT, call.engine.auto_consent) or not call.registration.users:
        return None
    return call.registration.users[0]


def _parameters(request: flask.Request) -> list[tuple[str, str]]:
    """The parameters of a GET's query or a POST's form (OpenID Connect Core 3.1.2.1)."""
    try:
        if request.method == "POST":
            if request.mimetype != FORM:
                raise ValueError(f"the body must be {FORM}")
            return form_pairs(request.get_data())
        query = request.query_string.decode("utf-8", "replace")
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
    except ValueError as error:
        raise PageRefusal(
            "authorize-invalid-request",
            "The request that sent you here cannot be read.",
            FieldProblem(pointer="/request", expected=f"at most {MOST_FIELDS} parameters, form-encoded", reason=str(error)),
            "Send the parameters in the query of a GET or in the form of a POST.",
        ) from None


def _show_form(call: Call, wanted: AuthorizationRequest, *, username: str = "", problem: str = "") -> flask.Response:
    until = call.wall.timestamp() + call.settings.number("auth.session_lifetime")
    sealed = Sealed(
        request=wanted, application=call.application.id, environment=call.environment, until=until, salt=secrets.token_urlsafe(12)
    )
    return pages.sign_in_page(
        call,
        wanted,
        names=form_names(call),
        action=urlsplit(call.base_url).path + paths_of(call).sign_in,
        token=seal(call.engine.keys.cookie, sealed),
        username=username,
        problem=problem,
    )


def _unsealed(call: Call, tokens: Sequence[str]) -> AuthorizationRequest:
    """The authorization request that the form was shown for; raises `PageRefusal` for a forged, foreign or old form."""
    sealed = unseal(call.engine.keys.cookie, tokens[0]) if len(tokens) == 1 else None
    ours = sealed is not None and (sealed.application, sealed.environment) == call.scope
    registered = sealed is not None and sealed.request.redirect_uri in call.registration.redirect_urls
    if sealed is not None and ours and registered and sealed.until > call.wall.timestamp():
        return sealed.request
    raise PageRefusal(
        "sign-in-expired",
        "This form was not made by this service, or it is too old.",
        FieldProblem(
            pointer="/request/postData/request", element="request", expected="the hidden value of the page", reason="not valid"
        ),
        "Get the sign-in page anew and post the form that stands in it.",
    )


def _only(form: Mapping[str, Sequence[str]], name: str) -> str:
    values = form.get(name, ())
    return values[0] if len(values) == 1 else ""


def _proved(call: Call, username: str, password: str) -> User | None:
    for user in call.registration.users:
        if user.username == username:
            return user if call.engine.digester.same(user.password_digest, password) else None
    return None


def _allow(call: Call, wanted: AuthorizationRequest, user: User) -> flask.Response:
    code, now = secrets.token_urlsafe(32), call.wall.timestamp()
    record = AuthorizationCode(
        client_id=wanted.client_id,
        redirect_uri=wanted.redirect_uri,
        scopes=wanted.scopes,
        username=user.username,
        family=secrets.token_urlsafe(16),
        auth_time=now,
        expires_at=now + call.settings.number("auth.code_lifetime"),
        nonce=wanted.nonce,
        code_challenge=wanted.code_challenge,
        code_challenge_method=wanted.code_challenge_method,
    )
    mark = call.issue(SecretKind.CODE, code)
    call.unit.put(CODE, call.scope, mark, record)
    note_ending(call, CODE, mark, record.expires_at)
    forget_ended(call)
    return _send_back(call, wanted.redirect_uri, wanted.response_mode, [("code", code)], wanted.state)


def _deny(call: Call, wanted: AuthorizationRequest) -> flask.Response:
    call.notes.refusal(
        "acrmock:authorize-denied",
        "The person denied the request.",
        hint="End politely; ask again only when the person wants to.",
    )
    fields = [("error", "access_denied"), ("error_description", "The user denied the request.")]
    return _send_back(call, wanted.redirect_uri, wanted.response_mode, fields, wanted.state)


def _refuse_by_page(call: Call, refusal: PageRefusal) -> flask.Response:
    call.notes.refused = Refusal(
        code=f"acrmock:{refusal.code}", message=refusal.message, fields=(refusal.problem,), hint=refusal.hint
    )
    return pages.error_page(call, refusal.message)


def _refuse_by_redirect(call: Call, refusal: RedirectRefusal) -> flask.Response:
    call.notes.refused = Refusal(
        code=f"acrmock:{refusal.code}", message=refusal.description, fields=refusal.problems, hint=refusal.hint
    )
    fields = [("error", refusal.error), ("error_description", refusal.description)]
    return _send_back(call, refusal.redirect_uri, refusal.response_mode, fields, refusal.state)


def _send_back(call: Call, redirect_uri: str, mode: str, fields: list[tuple[str, str]], state: str | None) -> flask.Response:
    """The answer on its way to the redirect URI; 303 after the form, so that no browser posts it on (RFC 9700 4.12)."""
    if state is not None:
        fields = [*fields, ("state", state)]
    fields = [*fields, ("iss", issuer_of(call))]
    if mode == FORM_POST:
        return pages.form_post_page(call, redirect_uri, fields)
    answer = flask.Response("", 303 if call.notes.operation is Operation.SIGN_IN else 302)
    # the registered URI's own query is kept byte for byte (RFC 6749 section 3.1.2)
    answer.headers["Location"] = f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(fields)}"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Pragma"] = "no-cache"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.autocorrect_location_header = False
    return answer
