"""The sign-in form, its second step where a layer asks for one, and what comes of them (fact U3).

A posted form counts only with the hidden value of a page shown here; where it spares the password, only in the very browser
session that the page was shown in.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import flask
import msgspec

from acrmock.record import AuthorizeFacts, ClientFacts, FieldProblem
from mockserver.auth import pages, sessions
from mockserver.auth.back import allow, deny, refuse_by_page, refuse_by_redirect
from mockserver.auth.request import PageRefusal, RedirectRefusal, parameters_of, registry_scopes, same_site
from mockserver.auth.seal import AuthorizationRequest, Sealed, one_time_code, seal, unseal
from mockserver.auth.sessions import SignedIn, session_of
from mockserver.auth.settings import FormNames, form_names, paths_of
from mockserver.auth.striking import SECOND_FACTOR, SIGN_IN_FAILED, strike, struck_by
from mockserver.context import Call
from mockserver.onboarding.model import User

TRY_AGAIN = "The user name or the password is wrong. Both stand in the registration document."
CHOOSE = "Press one of the two buttons: to sign in and allow, or to deny."
WRONG_CODE = "The one-time code is wrong. The right one stands above."


def show_form(
    call: Call, wanted: AuthorizationRequest, *, signed_in: SignedIn | None = None, username: str = "", problem: str = ""
) -> flask.Response:
    """The sign-in page; who is signed in already may leave name and password empty. `problem` says why it is shown again."""
    sealed = _sealed(call, wanted, session=signed_in.mark if signed_in else "")
    return pages.sign_in_page(
        call,
        wanted,
        names=form_names(call),
        action=_action(call),
        token=seal(call.engine.keys.cookie, sealed),
        username=username,
        signed_in=signed_in.user.name if signed_in else "",
        problem=problem,
    )


def answer_sign_in(call: Call) -> flask.Response:
    """The answer to a posted sign-in form: back to the application with a code or a denial, or a form again."""
    names = form_names(call)
    try:
        same_site(call, flask.request)
        form = parameters_of(flask.request, "authorize-invalid-request")
        sealed = _unsealed(call, form.get(names.request, []))
        call.notes.client = ClientFacts(presented=True, whose="own")
        call.notes.authorize = AuthorizeFacts(redirect_registered=True, scopes_expected=registry_scopes(call))
        strike(call, sealed.request)
    except PageRefusal as refusal:
        return refuse_by_page(call, refusal)
    except RedirectRefusal as refusal:
        return refuse_by_redirect(call, refusal)
    decision = _only(form, names.decision)
    if decision == names.deny:
        return deny(call, sealed.request)
    if decision != names.allow:
        return _again(call, sealed.request, CHOOSE, names.decision, username=_only(form, names.username))
    if sealed.username:
        return _second(call, sealed, _only(form, names.passcode), names)
    return _first(call, sealed, _only(form, names.username), _only(form, names.password), names)


def _first(call: Call, sealed: Sealed, username: str, password: str, names: FormNames) -> flask.Response:
    """Name and password, or the session that the page was shown in."""
    if sealed.session and not username and not password:
        signed_in = session_of(call)
        if signed_in is not None and hmac.compare_digest(signed_in.mark, sealed.session):
            sessions.widen(call, signed_in, sealed.request.scopes)
            return allow(call, sealed.request, signed_in.user, auth_time=signed_in.session.auth_time)
    user = None if struck_by(call, SIGN_IN_FAILED) else _proved(call, username, password)
    if user is None:
        return _again(call, sealed.request, TRY_AGAIN, names.username, username=username)
    if struck_by(call, SECOND_FACTOR):
        return _wrong_code(call, sealed.request, user, names)
    if call.settings.flag("auth.second_factor"):
        return _ask_for_code(call, sealed.request, user)
    return _enter(call, sealed.request, user)


def _second(call: Call, sealed: Sealed, passcode: str, names: FormNames) -> flask.Response:
    """The one-time code of the page that was shown after the password."""
    user = next((user for user in call.registration.users if user.username == sealed.username), None)
    if user is None:
        return _again(call, sealed.request, TRY_AGAIN, names.username)
    right = one_time_code(call.engine.keys.cookie, sealed)
    if not struck_by(call, SECOND_FACTOR) and hmac.compare_digest(right.encode(), passcode.strip().encode("utf-8", "replace")):
        return _enter(call, sealed.request, user)
    return _wrong_code(call, sealed.request, user, names)


def _wrong_code(call: Call, wanted: AuthorizationRequest, user: User, names: FormNames) -> flask.Response:
    field = FieldProblem(pointer=f"/request/postData/{names.passcode}", element=names.passcode, reason=WRONG_CODE)
    call.notes.refusal(f"acrmock:{SECOND_FACTOR}", WRONG_CODE, fields=(field,))
    return _ask_for_code(call, wanted, user, problem=WRONG_CODE)


def _enter(call: Call, wanted: AuthorizationRequest, user: User) -> flask.Response:
    answer = allow(call, wanted, user, auth_time=call.wall.timestamp())
    sessions.begin(call, answer, user, wanted.scopes)
    return answer


def _again(call: Call, wanted: AuthorizationRequest, problem: str, name: str, *, username: str = "") -> flask.Response:
    field = FieldProblem(pointer=f"/request/postData/{name}", element=name, reason=problem)
    call.notes.refusal(f"acrmock:{SIGN_IN_FAILED}", problem, fields=(field,))
    return show_form(call, wanted, username=username, problem=problem)


def _ask_for_code(call: Call, wanted: AuthorizationRequest, user: User, *, problem: str = "") -> flask.Response:
    sealed = msgspec.structs.replace(_sealed(call, wanted), username=user.username)
    key = call.engine.keys.cookie
    return pages.second_factor_page(
        call,
        wanted,
        names=form_names(call),
        action=_action(call),
        token=seal(key, sealed),
        passcode=one_time_code(key, sealed),
        problem=problem,
    )


def _sealed(call: Call, wanted: AuthorizationRequest, *, session: str = "") -> Sealed:
    return Sealed(
        request=wanted,
        application=call.application.id,
        environment=call.environment,
        until=call.wall.timestamp() + call.settings.number("auth.session_lifetime"),
        salt=secrets.token_urlsafe(12),
        session=session,
    )


def _action(call: Call) -> str:
    return urlsplit(call.base_url).path + paths_of(call).sign_in


def _unsealed(call: Call, tokens: Sequence[str]) -> Sealed:
    """What the posted form was shown for; raises `PageRefusal` for a forged, foreign or old form."""
    sealed = unseal(call.engine.keys.cookie, tokens[0], Sealed) if len(tokens) == 1 else None
    ours = sealed is not None and (sealed.application, sealed.environment) == call.scope
    registered = sealed is not None and sealed.request.redirect_uri in call.registration.redirect_urls
    if sealed is not None and ours and registered and sealed.until > call.wall.timestamp():
        return sealed
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
