"""What was wrong with a token request, field by field, for the journal; the wire says only RFC 6749's word."""

from __future__ import annotations

from authlib.oauth2 import OAuth2Error

from acrmock.record import FieldProblem, GrantFacts, Refusal
from mockserver.auth.clients import client_problem
from mockserver.auth.grants import CodeGrant, TokenRequest
from mockserver.context import Call

FORM = "/request/postData"
HINTS = {
    "invalid_request": "Send each parameter once, form-encoded in the body (RFC 6749 sections 4.1.3 and 6).",
    "invalid_client": "Send the issued client ID and secret by body or by Basic, not both (RFC 6749 section 2.3).",
    "invalid_scope": "When refreshing, leave scope out or ask for no more than was granted (RFC 6749 section 6).",
    "unsupported_grant_type": "Use authorization_code, then refresh_token (facts N1.5, N1.20).",
}
STATES = {
    "unknown": "was not issued here",
    "reused": "was used before",
    "expired": "has expired",
    "revoked": "was revoked",
}


def explain(call: Call, request: TokenRequest, error: OAuth2Error) -> Refusal:
    """The refusal that `error` stands for, with the fields that caused it."""
    word = str(error.error)
    facts = call.notes.grant or GrantFacts()
    if word == "invalid_client" and call.notes.client is not None:
        problem = client_problem(request.presented, call.notes.client)
        return Refusal(code="invalid-client", message=error.description, fields=(problem,), hint=HINTS[word])
    fields = _grant_problems(facts)
    if fields:
        return Refusal(code=_code(facts), message=fields[0].reason, fields=fields, hint=_hint(facts))
    field = FieldProblem(pointer=FORM, reason=error.description or word, actual=facts.grant_type if "grant" in word else "")
    return Refusal(
        code=word.replace("_", "-"), message=error.description or word, fields=(field,), hint=HINTS.get(word, "")
    )


def _grant_problems(facts: GrantFacts) -> tuple[FieldProblem, ...]:
    """What the grant's facts say was wrong; empty when the fault lies elsewhere."""
    found: list[FieldProblem] = []
    if facts.grant_state in STATES:
        name = "code" if facts.grant_type == CodeGrant.GRANT_TYPE else "refresh_token"
        found.append(_field(name, f"The {name} {STATES[facts.grant_state]}.", "one that is live", facts.grant_state))
    if facts.redirect_equal is False:
        reason = "The redirect_uri differs from the authorization request's."
        found.append(_field("redirect_uri", reason, "the same, byte for byte", "another"))
    if facts.verifier not in {"not-used", "match"}:
        expected = "none, because no challenge was sent" if facts.verifier == "unexpected" else "the challenge's verifier"
        found.append(_field("code_verifier", f"The code_verifier: {facts.verifier}.", expected, facts.verifier))
    return tuple(found)


def _field(name: str, reason: str, expected: str, actual: str) -> FieldProblem:
    return FieldProblem(pointer=f"{FORM}/{name}", element=name, expected=expected, actual=actual, reason=reason)


def _code(facts: GrantFacts) -> str:
    if facts.grant_state in STATES:
        return f"{'code' if facts.grant_type == CodeGrant.GRANT_TYPE else 'refresh-token'}-{facts.grant_state}"
    return "redirect-uri-mismatch" if facts.redirect_equal is False else "pkce-verifier"


def _hint(facts: GrantFacts) -> str:
    if facts.grant_type != CodeGrant.GRANT_TYPE:
        return "A dead refresh token needs a new sign-in by a person (fact N1.30)."
    return "Redeem a code once, at once, with the redirect_uri and the PKCE verifier of its authorization request."
