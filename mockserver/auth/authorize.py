"""The authorization endpoint (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2, facts U2 to U4).

An answer goes to a redirect URI only when that is registered; everything else is shown to the person as a page.
Errors and codes go out by query or by form post, with `iss` beside them (RFC 9207).
"""

from __future__ import annotations

import flask

from mockserver.auth.back import allow, refuse_by_page, refuse_by_redirect
from mockserver.auth.parameters import Standing
from mockserver.auth.request import PageRefusal, RedirectRefusal, parameters_of, read_request
from mockserver.auth.sessions import SignedIn, session_of
from mockserver.auth.signin import show_form
from mockserver.auth.striking import strike
from mockserver.context import Call
from mockserver.onboarding.model import User

AUTO_CONSENT = "auth.auto_consent"


def answer_authorize(call: Call) -> flask.Response:
    """The answer to an authorization request: the sign-in page, a redirect, or the error page."""
    automatic = auto_consent(call)
    signed_in = session_of(call) if automatic is None else None
    standing = _standing(call, automatic, signed_in)
    try:
        wanted = read_request(call, parameters_of(flask.request, "authorize-invalid-request"), standing=standing)
        strike(call, wanted)
    except PageRefusal as refusal:
        return refuse_by_page(call, refusal)
    except RedirectRefusal as refusal:
        return refuse_by_redirect(call, refusal)
    if automatic is not None:
        return allow(call, wanted, automatic, auth_time=call.wall.timestamp())
    if "login" in wanted.prompt or not standing.signed_in(wanted.max_age):
        signed_in = None
    if signed_in is not None and wanted.prompt == ("none",):
        return allow(call, wanted, signed_in.user, auth_time=signed_in.session.auth_time)
    return show_form(call, wanted, signed_in=signed_in, username=wanted.login_hint)


def auto_consent(call: Call) -> User | None:
    """The user who signs in by itself where the server or the application was told so; else None."""
    if not call.registration.settings.get(AUTO_CONSENT, call.engine.auto_consent) or not call.registration.users:
        return None
    return call.registration.users[0]


def _standing(call: Call, automatic: User | None, signed_in: SignedIn | None) -> Standing:
    if signed_in is None:
        return Standing(automatic=automatic is not None)
    return Standing(age=call.wall.timestamp() - signed_in.session.auth_time, consented=signed_in.session.consented)
