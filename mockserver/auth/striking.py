"""Faults at the authorization endpoint: a good request refused on purpose, in the way in which its error is refused."""

from __future__ import annotations

from acrmock.record import FieldProblem
from mockserver.auth.request import PageRefusal, RedirectRefusal
from mockserver.auth.seal import AuthorizationRequest
from mockserver.context import Call

SIGN_IN_FAILED = "sign-in-failed"
SECOND_FACTOR = "sign-in-second-factor"
_THE_FORMS = frozenset({SIGN_IN_FAILED, SECOND_FACTOR})


def struck_by(call: Call, code: str) -> bool:
    """Whether a fault says that this error is to be answered."""
    return call.struck is not None and call.struck.error == code


def strike_page(call: Call) -> None:
    """Refuse by a page where a fault says so (raises `PageRefusal`); for requests that no redirect could answer."""
    if call.struck is None or not call.struck.error:
        return
    spec = call.engine.facts.errors[call.struck.error]
    hint = f"the fault {call.struck.name} answers so on purpose"
    raise PageRefusal(call.struck.error, spec.title, FieldProblem(pointer="/request", reason=hint), hint, spec.status)


def strike(call: Call, wanted: AuthorizationRequest) -> None:
    """Refuse a good request where a fault says so; what is the form's to say, which is shown again, is left to it.

    Raises `PageRefusal` or `RedirectRefusal`, as the catalogue says that the error looks.
    """
    code = call.struck.error if call.struck is not None else ""
    if call.struck is None or not code or code in _THE_FORMS:
        return
    spec = call.engine.facts.errors[code]
    if spec.look != "redirect":
        strike_page(call)
    hint = f"the fault {call.struck.name} answers so on purpose"
    raise RedirectRefusal(code, spec.oauth_error, spec.title, wanted.redirect_uri, wanted.state, wanted.response_mode, (), hint)
