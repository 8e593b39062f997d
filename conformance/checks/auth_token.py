"""The token endpoint and the use of tokens: who the client says it is, redeeming, refreshing, calling."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from acrmock.record import Operation, SecretKind
from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, passed, rule, unseen
from conformance.flows import Presented
from conformance.flows.events import asked_in
from conformance.flows.tokens import CODE_GRANT, REFRESH_GRANT, TokenRequest
from conformance.flows.wire import path_of
from conformance.result import Evidence

TOKEN = Collection("auth")


@TOKEN.check("auth-client-id")
def auth_client_id(case: Case) -> Ruling:
    """The issued client ID and no other, in each environment (S2).

    Fails for: an unknown one, another application's, or the other environment's (a test value in production), at any
    endpoint and even once. Credentials are not judged here.
    """
    named = [item for item in case.flows.presented if item.client.presented and item.client.whose]
    faults = [
        Fault(entry=item.seq, pointer="/request", actual=f"a client ID that is {_whose(item)}")
        for item in named
        if item.client.whose != "own"
    ]
    seen = [at(item.seq, "/request") for item in named]
    return rule(
        "the client ID issued for this environment",
        faults,
        seen,
        "no client ID was seen",
        correct="the client_id of the registration",
    )


def _whose(item: Presented) -> str:
    words = {"other-environment": "the other environment's", "other-application": "another application's"}
    return words.get(item.client.whose, "unknown")


@TOKEN.check("auth-client-auth")
def auth_client_auth(case: Case) -> Ruling:
    """The secret by body or by Basic, never both, only where clients prove themselves (RFC 6749 section 2.3; fact N1.19).

    Fails for: both ways in one request; credentials at the authorization endpoint, at discovery, at user info or at a
    registry; a token request with none at all. A secret in a URL is auth-secret-private's.
    """
    expected = "client credentials by body or Basic, one way at a time, at token, introspection and revocation only"
    faults, seen = [], []
    exposed = {seq for item in case.flows.exposures if item.secret is SecretKind.CLIENT_SECRET for seq, _ in item.first}
    for item in case.flows.presented:
        methods = item.client.methods
        if len(methods) > 1:
            faults.append(Fault(entry=item.seq, pointer="/request", actual=f"credentials by {' and '.join(methods)} at once"))
        elif methods and not _proves(case, item):
            actual = f"credentials at {item.operation.value}"
            faults.append(Fault(entry=item.seq, pointer="/request", actual=actual))
        elif methods:
            seen.append(at(item.seq, "/request"))
        elif item.operation is Operation.TOKEN and item.seq not in exposed:
            faults.append(Fault(entry=item.seq, pointer="/request", actual="a token request without client credentials"))
    faults += _elsewhere(case)
    return rule(
        expected, faults, seen, "no client credentials were seen", correct="client_id and client_secret in the form alone"
    )


def _proves(case: Case, item: Presented) -> bool:
    """Whether a client may prove itself there: where tokens are got, looked into or given up, or below the server's path."""
    if item.operation is Operation.OTHER:
        return case.rules.words.auth_base in path_of(item.path)
    return item.operation in {Operation.TOKEN, Operation.INTROSPECT, Operation.REVOKE}


def _elsewhere(case: Case) -> list[Fault]:
    """The client secret in the body or Basic of a request that does not authenticate clients."""
    wrong = {Operation.AUTHORIZE, Operation.DISCOVERY, Operation.USERINFO, Operation.KEYS}
    wrong |= {Operation.NRDR_POST, Operation.NRDR_STATUS, Operation.NRDR_LIST}
    told = {item.seq for item in case.flows.presented if item.client.methods}
    return [
        Fault(entry=seq, pointer=pointer, actual=f"the client secret at {item.operation.value}")
        for item in case.flows.exposures
        if item.secret is SecretKind.CLIENT_SECRET and item.place in {"body", "header"} and item.name != "referer"
        if item.operation in wrong
        for seq, pointer in item.first
        if seq not in told
    ]


@TOKEN.check("auth-code-once")
def auth_code_once(case: Case) -> Ruling:
    """A code is redeemed once and in time (RFC 6749 section 4.1.2).

    Fails for: a second redemption after a first that succeeded, even by a careful retry; one later than the code's life.
    A redemption that was refused for another reason (wrong secret) has not used the code, and a retry after an answer that a
    fault kept back is innocent.
    """
    expected = f"each code redeemed once, within {case.rules.words.code_lifetime} s"
    faults, seen = [], []
    used: dict[tuple[str, str], int] = {}
    lost: set[tuple[str, str]] = set()
    for request in case.flows.token_requests:
        if request.grant_type != CODE_GRANT or request.code is None:
            continue
        key = (request.environment, request.code.value)
        if request.lost:
            lost.add(key)  # the client never saw this answer: asking again is innocent
        wrong = "" if key in lost else _misused(case, request, used.get(key))
        if wrong:
            faults.append(Fault(entry=request.seq, pointer=request.code.pointer, actual=wrong))
        elif request.succeeded:
            seen.append(at(request.seq, request.code.pointer))
        if request.succeeded:
            used.setdefault(key, request.seq)
    return rule(expected, faults, seen, "no code was redeemed", correct="a new sign-in, and its code once")


def _misused(case: Case, request: TokenRequest, earlier: int | None) -> str:
    state = request.facts.grant_state
    if earlier is not None or state == "reused":
        return "a code was redeemed a second time" + (f" (first in entry {earlier})" if earlier else "")
    late = not state and request.code_age is not None and request.code_age > case.rules.words.code_lifetime
    return "a code was redeemed after its time" if state == "expired" or late else ""


@TOKEN.check("auth-refresh")
def auth_refresh(case: Case) -> Ruling:
    """Unattended work goes on by refresh token, without a person (fact N1.5).

    Passed when a refresh succeeded before any new authorization request, counted from the beginning of the step `refresh`
    or from the end of an access token's life. Fails where instead a person was asked for again in that step, where refreshes
    were tried and none succeeded, or where the step's work was tried with a dead token only. A refresh beside a new sign-in
    shows nothing; but a client that does its whole job in every step signs in in each, and passes by a refresh whose token
    then worked. Not claiming `offline` makes it not applicable.
    """
    expected = "after the access token's end a refresh grant succeeds and no person is asked"
    flows = case.flows
    good = [r for r in flows.token_requests if r.grant_type == REFRESH_GRANT and r.succeeded]
    seen = [at(request.seq, "/request/postData") for request in (_in_use(case, good) if _whole_job(case) else _unattended(case))]
    if seen:
        return passed(expected, seen)
    return _not_refreshed(case, expected, good)


def _not_refreshed(case: Case, expected: str, good: list[TokenRequest]) -> Ruling:
    """Why there was no unattended refresh."""
    flows = case.flows
    steps = asked_in(flows.steps, "refresh")
    asked = [] if _whole_job(case) else [s.seq for s in flows.sign_ins if any(step.holds(s.seq) for step in steps)]
    tried = [r.seq for r in flows.token_requests if r.grant_type == REFRESH_GRANT and not (r.succeeded or r.lost)]
    dead = [p.seq for p in flows.protected if p.expired and any(step.holds(p.seq) for step in steps)]
    for entries, actual in (
        (asked, "a person was asked to sign in although only the access token had ended"),
        (() if good else tried, "refresh was tried and did not succeed"),
        (dead, "work was tried with an expired access token and none was refreshed"),
    ):
        if entries:
            faults = [Fault(entry=seq, pointer="/request", actual=actual, correct="grant_type=refresh_token") for seq in entries]
            return failed(expected, faults)
    return unseen(expected, "no refresh was seen after an access token had ended")


def _whole_job(case: Case) -> bool:
    """Whether a person was asked in every step: a client that ignores the steps and does everything each time."""
    flows = case.flows
    return len(flows.steps) > 1 and all(any(step.holds(story.seq) for story in flows.sign_ins) for step in flows.steps)


def _in_use(case: Case, refreshes: list[TokenRequest]) -> Iterator[TokenRequest]:
    """The refreshes whose access token was then accepted."""
    accepted = {use.granted for use in case.flows.protected if 200 <= use.status < 300}
    return (request for request in refreshes if request.seq in accepted)


def _unattended(case: Case) -> Iterator[TokenRequest]:
    """The refreshes that stand in a window in which no person had been asked before them."""
    steps = asked_in(case.flows.steps, "refresh")
    asked = sorted(seq for story in case.flows.sign_ins for seq in (story.seq, *story.repeats))
    granted: dict[str, TokenRequest] = {}
    for request in case.flows.token_requests:
        if request.grant_type == REFRESH_GRANT and request.succeeded:
            index = bisect_left(asked, request.seq)
            latest = asked[index - 1] if index else 0
            last = granted.get(request.environment)
            ended = last is not None and last.expires_in and request.t >= last.t + last.expires_in and latest < last.seq
            if ended or any(step.holds(request.seq) and latest < step.began for step in steps):
                yield request
        if request.succeeded:
            granted[request.environment] = request


@TOKEN.check("auth-bearer-header")
def auth_bearer_header(case: Case) -> Ruling:
    """The access token in `Authorization: Bearer`, nowhere else (fact N1.5, RFC 6750 section 2).

    Fails for: in the query or the form of a protected request, in a path, in another header, in a cookie, in a URL of the
    vendor's own, by another scheme (`Token`, `Basic`, none), or twice at once; a refresh token in its place. An ID token is
    auth-id-token-not-api's, a page or Referer auth-secret-private's.
    """
    expected = "the access token in Authorization: Bearer and nowhere else"
    faults, seen = [], []
    for use in case.flows.protected:
        facts = use.facts
        if facts is None or not facts.place or facts.kind == "id":
            continue
        if facts.place != "header":
            faults.append(Fault(entry=use.seq, pointer="/request", actual=f"the token in the {facts.place}"))
        elif facts.kind == "refresh":
            faults.append(Fault(entry=use.seq, pointer="/request", actual="a refresh token where the access token belongs"))
        else:
            seen.append(at(use.seq, "/request/headers"))
    schemes = {use.seq for use in case.flows.protected if use.facts is None or not use.facts.place}
    faults += _misplaced(case, schemes)
    return rule(expected, faults, seen, "no access token was used", correct="Authorization: Bearer <access_token>")


def _misplaced(case: Case, schemes: set[int]) -> list[Fault]:
    """The access token where it was seen beside the right place."""
    told = {Operation.TOKEN, Operation.AUTHORIZE, Operation.SIGN_IN}
    faults = []
    for item in case.flows.exposures:
        if item.secret is not SecretKind.ACCESS_TOKEN or item.place == "page" or item.name == "referer":
            continue
        for seq, pointer in item.first:
            if item.place == "header" and item.name == "authorization":
                wrong = seq in schemes
            else:
                wrong = item.place != "body" or (item.operation is not Operation.OTHER and item.operation not in told)
            if wrong and not (
                item.operation is Operation.BROWSER and item.place in {"header", "body"} and item.name != "location"
            ):
                faults.append(Fault(entry=seq, pointer=pointer, actual=f"the access token in the {item.place} ({item.name})"))
    return faults


@TOKEN.check("auth-id-token-not-api")
def auth_id_token_not_api(case: Case) -> Ruling:
    """An ID token is never used as access token (OpenID Connect Core section 2: it is about a person, for the client).

    Fails for one single use, at a registry or at user info, also when the right token was sent afterwards.
    """
    used = [use for use in case.flows.protected if use.facts is not None and use.facts.place]
    faults = [
        Fault(entry=use.seq, pointer="/request/headers", actual="an ID token as access token", correct="Bearer <access_token>")
        for use in used
        if use.facts is not None and use.facts.kind == "id"
    ]
    seen: list[Evidence] = [
        at(use.seq, "/request/headers") for use in used if use.facts is not None and use.facts.kind == "access"
    ]
    return rule("access tokens only", faults, seen, "no access token was used")
