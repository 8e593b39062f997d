"""The answers of an authorization: a code, a denial, a refusal, each on its way to the registered redirect URI or as a page."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

import flask

from acrmock.record import Operation, Refusal, SecretKind
from mockserver.auth import pages, wrong
from mockserver.auth.endings import forget_ended, note_ending
from mockserver.auth.model import CODE, AuthorizationCode
from mockserver.auth.parameters import FORM_POST
from mockserver.auth.request import PageRefusal, RedirectRefusal
from mockserver.auth.seal import AuthorizationRequest
from mockserver.auth.settings import issuer_of
from mockserver.context import Call
from mockserver.onboarding.model import User


def allow(call: Call, wanted: AuthorizationRequest, user: User, *, auth_time: float) -> flask.Response:
    """A code for `user`, who signed in at `auth_time` (seconds since 1970), to the redirect URI."""
    code = secrets.token_urlsafe(32)
    record = AuthorizationCode(
        client_id=wanted.client_id,
        redirect_uri=wanted.redirect_uri,
        scopes=wanted.scopes,
        username=user.username,
        family=secrets.token_urlsafe(16),
        auth_time=auth_time,
        expires_at=call.wall.timestamp() + call.settings.number("auth.code_lifetime"),
        nonce=wanted.nonce,
        code_challenge=wanted.code_challenge,
        code_challenge_method=wanted.code_challenge_method,
    )
    mark = call.issue(SecretKind.CODE, code)
    call.unit.put(CODE, call.scope, mark, record)
    note_ending(call, CODE, mark, record.expires_at)
    forget_ended(call)
    return send_back(call, wanted.redirect_uri, wanted.response_mode, [("code", code)], wanted.state)


def deny(call: Call, wanted: AuthorizationRequest) -> flask.Response:
    """The person's no, to the redirect URI."""
    call.notes.refusal(
        "acrmock:authorize-denied",
        "The person denied the request.",
        hint="End politely; ask again only when the person wants to.",
    )
    fields = [("error", "access_denied"), ("error_description", "The user denied the request.")]
    return send_back(call, wanted.redirect_uri, wanted.response_mode, fields, wanted.state)


def refuse_by_page(call: Call, refusal: PageRefusal) -> flask.Response:
    """A page that says why it cannot go on."""
    call.notes.refused = Refusal(
        code=f"acrmock:{refusal.code}", message=refusal.message, fields=(refusal.problem,), hint=refusal.hint
    )
    return pages.error_page(call, refusal.message, refusal.status)


def refuse_by_redirect(call: Call, refusal: RedirectRefusal) -> flask.Response:
    """An error to the redirect URI (RFC 6749 section 4.1.2.1)."""
    call.notes.refused = Refusal(
        code=f"acrmock:{refusal.code}", message=refusal.description, fields=refusal.problems, hint=refusal.hint
    )
    fields = [("error", refusal.error), ("error_description", refusal.description)]
    return send_back(call, refusal.redirect_uri, refusal.response_mode, fields, refusal.state)


def send_back(call: Call, redirect_uri: str, mode: str, fields: list[tuple[str, str]], state: str | None) -> flask.Response:
    """The answer on its way to the redirect URI, with `state` and the issuer (RFC 9207) beside it."""
    state = wrong.state(call, state)
    if state is not None:
        fields = [*fields, ("state", state)]
    if call.settings.flag("auth.response_iss"):
        fields = [*fields, ("iss", wrong.response_issuer(call, issuer_of(call)))]
    if mode == FORM_POST:
        return pages.form_post_page(call, redirect_uri, fields)
    return redirect(call, redirect_uri, fields)


def redirect(call: Call, uri: str, fields: list[tuple[str, str]]) -> flask.Response:
    """A redirect to a registered `uri`; 303 after a form, so that no browser posts it on (RFC 9700 section 4.12)."""
    posted = flask.request.method == "POST" and call.notes.operation in {Operation.SIGN_IN, Operation.LOGOUT}
    answer = flask.Response("", 303 if posted else 302)
    # the registered URI's own query is kept byte for byte (RFC 6749 section 3.1.2)
    separator = "&" if "?" in uri else "?"
    answer.headers["Location"] = f"{uri}{separator}{urlencode(fields)}" if fields else uri
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Pragma"] = "no-cache"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.autocorrect_location_header = False
    return answer
