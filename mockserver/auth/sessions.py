"""A person's browser session: a cookie of this environment's own path, new with every sign-in (RFC 9700 section 4.7).

It spares the password, never the question whether the application may. `auth.session_lifetime` says how long it lasts.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import flask
import msgspec

from acrmock.record import SecretKind
from mockserver.auth.endings import note_ending
from mockserver.auth.model import SESSION, Session
from mockserver.auth.settings import paths_of
from mockserver.context import Call
from mockserver.onboarding.model import User

LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that lives, its mark, and its user."""

    mark: str
    session: Session
    user: User


def session_of(call: Call) -> SignedIn | None:
    """The session of the browser that sent this request, or None; expired ones and such of users who are gone count as none."""
    value = flask.request.cookies.get(call.settings.text("auth.session_cookie"), "")
    if not 0 < len(value) <= LONGEST_VALUE:
        return None
    mark = call.engine.digester.mark(value)
    with call.engine.store.read() as reader:
        session = reader.get(SESSION, call.scope, mark, Session)
    if session is None or session.until <= call.wall.timestamp():
        return None
    user = next((user for user in call.registration.users if user.username == session.username), None)
    return SignedIn(mark, session, user) if user is not None else None


def begin(call: Call, answer: flask.Response, user: User, scopes: tuple[str, ...]) -> None:
    """Sign `user` in with this browser: whatever session it had ends, and a new cookie goes out with `answer`."""
    end(call)
    value, now = secrets.token_urlsafe(32), call.wall.timestamp()
    until = now + call.settings.number("auth.session_lifetime")
    session = Session(username=user.username, auth_time=now, until=until, consented=scopes)
    mark = call.issue(SecretKind.COOKIE, value)
    call.unit.put(SESSION, call.scope, mark, session)
    note_ending(call, SESSION, mark, until)
    _set(call, answer, value)


def widen(call: Call, signed_in: SignedIn, scopes: tuple[str, ...]) -> None:
    """Remember that the person allowed `scopes` too."""
    consented = tuple(dict.fromkeys((*signed_in.session.consented, *scopes)))
    if consented != signed_in.session.consented:
        call.unit.put(SESSION, call.scope, signed_in.mark, msgspec.structs.replace(signed_in.session, consented=consented))


def end(call: Call) -> None:
    """End the session of the browser that sent this request, if it has one."""
    signed_in = session_of(call)
    if signed_in is not None:
        call.unit.delete(SESSION, call.scope, signed_in.mark)


def forget(call: Call, answer: flask.Response) -> None:
    """Take the cookie back."""
    _set(call, answer, "", max_age=0)


def _set(call: Call, answer: flask.Response, value: str, *, max_age: int | None = None) -> None:
    parts = urlsplit(call.base_url)
    answer.set_cookie(
        call.settings.text("auth.session_cookie"),
        value,
        max_age=max_age,
        path=parts.path + paths_of(call).issuer,
        secure=parts.scheme == "https",
        httponly=True,
        samesite="Lax",
    )
