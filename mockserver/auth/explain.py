"""What was wrong with a token request, field by field, for the journal; the wire says only RFC 6749's word."""

from __future__ import annotations

import re

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
    "unsupported_token_type": "Revoke access and refresh tokens; an ID token ends by itself (RFC 7009 section 2.2.1).",
    "unsupported_grant_type": "Use authorization_code, then refresh_token (facts N1.5, N1.20).",
}
_MISSING = re.compile(r"Missing '(\w+)' in request|The parameter (\w+) is missing")
_FIELDS = {
    "unsupported_grant_type": ("grant_type", "authorization_code or refresh_token"),
    "unsupported_token_type": ("token", "an access token or a refresh token"),
    "invalid_scope": ("scope", "left out"),
}
"""The one field that a word of RFC 6749 or RFC 7009 is about, and what belongs there."""
STATES = {
    "unknown": "was not issued here",
    "reused": "was used before",
    "expired": "has expired",
    "revoked": "was revoked",
}


def explain(call: Call, request: TokenRequest, error: OAuth2Error) -> Refusal:
    """The refusal that `error` stands for, with the fields that caused it; its code is the catalogue's, prefixed."""
    word = str(error.error)
    facts, client = call.notes.grant or GrantFacts(), call.notes.client
    if word == "invalid_client" and client is not None:
        problem = client_problem(request.presented, client)
        return _refusal("token-client-authentication", problem.reason, (problem,), HINTS[word])
    if client is not None and len(client.methods) > 1:
        problem = FieldProblem(
            pointer=FORM,
            element="client_secret",
            expected="left out, as Basic says it",
            actual="Basic and body",
            reason="sent twice",
        )
        return _refusal("token-client-two-methods", error.description, (problem,), HINTS["invalid_client"])
    fields = _grant_problems(facts)
    if fields and word in {"invalid_grant", "invalid_request"}:
        return _refusal(_code(facts), fields[0].reason, fields, _hint(facts))
    field = _of_word(word, error.description or word, facts)
    return _refusal("token-" + word.replace("_", "-"), error.description or word, (field,), HINTS.get(word, ""))


def _refusal(code: str, message: str, fields: tuple[FieldProblem, ...], hint: str) -> Refusal:
    return Refusal(code=f"acrmock:{code}", message=message, fields=fields, hint=hint)


def _of_word(word: str, said: str, facts: GrantFacts) -> FieldProblem:
    """What OAuth's word says about one field, where the grant's own facts say nothing."""
    missing = _MISSING.search(said)
    if missing is not None:
        name = missing[1] or missing[2]
        return FieldProblem(pointer=f"{FORM}/{name}", element=name, expected=f"the {name}", reason=said)
    if word in _FIELDS:
        name, expected = _FIELDS[word]
        actual = facts.grant_type if name == "grant_type" else ""
        return FieldProblem(pointer=f"{FORM}/{name}", element=name, expected=expected, actual=actual, reason=said)
    return FieldProblem(pointer=FORM, reason=said)


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
    grant_is_sound = facts.grant_state not in STATES and facts.redirect_equal is not False
    return "token-pkce-mismatch" if grant_is_sound else "token-invalid-grant"


def _hint(facts: GrantFacts) -> str:
    if facts.grant_type != CodeGrant.GRANT_TYPE:
        return "A dead refresh token needs a new sign-in by a person (fact N1.30)."
    return "Redeem a code once, at once, with the redirect_uri and the PKCE verifier of its authorization request."
