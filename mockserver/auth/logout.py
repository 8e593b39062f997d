"""Signing a person out at the client's wish (OpenID Connect RP-Initiated Logout 1.0, fact N1.22).

Own code in place of Authlib's `EndSessionEndpoint`: that one passes over a wrong redirect URI in silence, and each fault must
be told apart here. Errors never redirect; what ends is the browser's session, not the tokens (those are for revocation).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

import flask
from joserfc import jwt
from joserfc.errors import JoseError

from acrmock.record import ClientFacts
from mockserver.auth import pages, sessions
from mockserver.auth.back import redirect, refuse_by_page
from mockserver.auth.clients import whose
from mockserver.auth.parameters import field_problem
from mockserver.auth.request import PageRefusal, parameters_of, same_site
from mockserver.auth.seal import SealedLogout, seal, unseal
from mockserver.auth.sessions import SignedIn, session_of
from mockserver.auth.settings import FormNames, form_names, issuer_of, paths_of
from mockserver.auth.signing import SigningKeys
from mockserver.auth.striking import strike_page
from mockserver.context import Call

INVALID = "logout-invalid-request"
ONCE = ("id_token_hint", "post_logout_redirect_uri", "state", "client_id")
Values = Mapping[str, Sequence[str]]


def answer_logout(signing: SigningKeys, call: Call) -> flask.Response:
    """The answer to a logout request, or to the page that asked the person about it."""
    names = form_names(call)
    try:
        values = parameters_of(flask.request, INVALID)
        strike_page(call)
        if flask.request.method == "POST" and names.request in values:
            same_site(call, flask.request)
            return _decided(call, values, names)
        return _asked(signing, call, values)
    except PageRefusal as refusal:
        return refuse_by_page(call, refusal)


def _asked(signing: SigningKeys, call: Call, values: Values) -> flask.Response:
    """A request: at once with a hint about the very person who is signed in, else the person is asked (section 2)."""
    _once(call, values)
    hinted = _hinted(signing, call, _one(values, "id_token_hint"))
    client = _client(call, _one(values, "client_id"))
    back = _back(call, values, known=bool(hinted or client))
    signed_in = session_of(call)
    if signed_in is None or signed_in.user.sub == hinted:
        return _end(call, back)
    return _ask(call, signed_in, back)


def _decided(call: Call, values: Values, names: FormNames) -> flask.Response:
    """The person's decision; it counts only in the session in which the page was shown."""
    tokens = values[names.request]
    sealed = unseal(call.engine.keys.cookie, tokens[0], SealedLogout) if len(tokens) == 1 else None
    signed_in = session_of(call)
    if (
        sealed is None
        or (sealed.application, sealed.environment) != call.scope
        or sealed.until <= call.wall.timestamp()
        or (signed_in is not None and not hmac.compare_digest(signed_in.mark, sealed.session))
    ):
        problem = field_problem(names.request, "the hidden value of the page", "", "not valid")
        raise PageRefusal("sign-in-expired", "This form was not made by this service, or it is too old.", problem, "Ask anew.")
    if _one(values, names.decision) == names.allow:
        return _end(call, sealed.back if sealed.back.partition("?")[0] in _bare_registered(call) else "")
    return pages.done_page(call, "You are still signed in", "Nothing was changed.")


def _end(call: Call, back: str) -> flask.Response:
    sessions.end(call)
    answer = redirect(call, back, []) if back else pages.done_page(call, "You are signed out", "You can close this page.")
    sessions.forget(call, answer)
    return answer


def _ask(call: Call, signed_in: SignedIn, back: str) -> flask.Response:
    sealed = SealedLogout(
        application=call.application.id,
        environment=call.environment,
        until=call.wall.timestamp() + call.settings.number("auth.session_lifetime"),
        session=signed_in.mark,
        back=back,
    )
    return pages.ask_sign_out_page(
        call,
        names=form_names(call),
        action=urlsplit(call.base_url).path + paths_of(call).logout,
        token=seal(call.engine.keys.cookie, sealed),
        name=signed_in.user.name,
        back=back,
    )


def _once(call: Call, values: Values) -> None:
    limit, names = call.settings.integer("auth.authorize_parameter_limit"), form_names(call)
    for name in (*ONCE, names.decision):
        given = values.get(name, ())
        if len(given) > 1 or any(len(value) > limit for value in given):
            reason = "given more than once" if len(given) > 1 else f"longer than {limit} characters"
            raise _refusal(INVALID, name, f"The parameter {name} is {reason}.", "at most once", "Send each parameter once.")


def _hinted(signing: SigningKeys, call: Call, hint: str) -> str:
    """The subject of the ID token, which may have expired; empty without a hint."""
    if not hint:
        return ""
    try:
        key = signing.of(call.engine.keys).jwk
        claims = jwt.decode(hint, key, [call.settings.text("auth.signing_alg")]).claims
    except (JoseError, ValueError, TypeError, KeyError):
        claims = {}
    if claims.get("iss") == issuer_of(call) and claims.get("aud") == call.registration.client_id and claims.get("nbf") is None:
        return str(claims.get("sub", ""))
    hint_text = "Send the ID token of the sign-in, unchanged."
    raise _refusal("logout-id-token-hint", "id_token_hint", "The id_token_hint was not issued here.", "an ID token", hint_text)


def _client(call: Call, given: str) -> str:
    """The client ID when it is this environment's own; empty when none was given."""
    if not given:
        return ""
    owner = whose(call, given)
    call.notes.client = ClientFacts(presented=True, whose=owner)
    if owner == "own":
        return given
    raise _refusal(INVALID, "client_id", "The client_id is not this application's.", "the issued client ID", "", actual=owner)


def _back(call: Call, values: Values, *, known: bool) -> str:
    """The registered address that follows, with the state; empty where none was asked for (section 3)."""
    uri, state = _one(values, "post_logout_redirect_uri"), _one(values, "state")
    if not uri:
        return ""
    registered = call.registration.post_logout_urls
    if uri in registered and known:
        return f"{uri}{'&' if '?' in uri else '?'}{urlencode([('state', state)])}" if state else uri
    reason = "without id_token_hint and client_id" if uri in registered else "not registered"
    raise _refusal(
        "logout-redirect-mismatch",
        "post_logout_redirect_uri",
        f"The address to which you should go is {reason}.",
        " or ".join(registered) or "none, because none was registered",
        "Register it (register --post-logout-url) and send it byte for byte, with the id_token_hint.",
        actual=uri,
    )


def _bare_registered(call: Call) -> set[str]:
    """The registered addresses without their queries: a page shown before one was taken away leads nowhere."""
    return {url.partition("?")[0] for url in call.registration.post_logout_urls}


def _one(values: Values, name: str) -> str:
    given = values.get(name, ())
    return given[0] if len(given) == 1 else ""


def _refusal(code: str, name: str, message: str, expected: str, hint: str, *, actual: str = "") -> PageRefusal:
    return PageRefusal(code, message, field_problem(name, expected, actual, message), hint)
