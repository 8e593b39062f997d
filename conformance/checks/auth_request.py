"""The authorization request: what a client asks for, and how it binds the answer to the browser."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, inapplicable, passed, rule, unseen
from conformance.checks.guess import guessable, repeated
from conformance.flows.signins import SignIn
from conformance.flows.tokens import CODE_GRANT
from conformance.flows.wire import Param
from conformance.result import Evidence

REQUEST = Collection("auth")
NO_SIGN_IN = "no sign-in was seen"


def _where(story: SignIn, param: Param | None) -> tuple[int, str]:
    """The place of a parameter, or of the parameters where it is missing."""
    return story.seq, param.pointer if param else story.base


def _seen(stories: tuple[SignIn, ...], pointer: str = "") -> list[Evidence]:
    return [at(story.seq, pointer or story.base) for story in stories]


@REQUEST.check("auth-code-flow")
def auth_code_flow(case: Case) -> Ruling:
    """Authorization code flow with `openid` and the registry's scope (facts N1.14, N1.15); nothing implicit, no password.

    Fails for: any other `response_type`, also the hybrid `code id_token`, or none; a scope without `openid` or without any
    registry's scope; a registry claimed whose scope no sign-in asked for; a token request by `password`,
    `client_credentials` or another grant, even one that was refused.
    """
    words = case.rules.words
    expected = f"response_type code, scope with {' '.join(words.required_scopes)} and the registry's; no other grant"
    stories = case.flows.sign_ins
    faults = [fault for story in stories for fault in _code_flow(case, story)]
    faults += _never_asked(case, stories)
    faults += [
        Fault(entry=request.seq, pointer="/request/postData", actual=f"a token request by grant_type {request.grant_type[:60]}")
        for request in case.flows.token_requests
        if request.grant_type and request.grant_type not in words.grant_types
    ]
    return rule(expected, sorted(faults, key=lambda fault: fault.entry), _seen(stories), NO_SIGN_IN)


def _scopes(story: SignIn) -> frozenset[str]:
    return frozenset(story.scope.value.split()) if story.scope else frozenset()


def _registry_scopes(case: Case, story: SignIn) -> frozenset[str]:
    """The scopes of registries that this sign-in could ask for."""
    words = case.rules.words
    told = frozenset(story.facts.scopes_expected if story.facts else ()) - {*words.required_scopes, words.offline_scope}
    return told or frozenset(case.rules.scopes())


def _code_flow(case: Case, story: SignIn) -> Iterator[Fault]:
    types = case.rules.words.response_types
    asked = story.response_type.value if story.response_type else ""
    if asked not in types:
        entry, pointer = _where(story, story.response_type)
        yield Fault(
            entry=entry, pointer=pointer, actual=f"response_type {asked[:60] or 'is absent'}", correct=f"response_type={types[0]}"
        )
    scopes, registries = _scopes(story), _registry_scopes(case, story)
    missing = [scope for scope in case.rules.words.required_scopes if scope not in scopes]
    if registries and not scopes & registries:
        missing.append(" or ".join(sorted(registries)))
    if missing:
        entry, pointer = _where(story, story.scope)
        correct = "scope=" + " ".join([*case.rules.words.required_scopes, *sorted(registries)])
        yield Fault(entry=entry, pointer=pointer, actual=f"the scope lacks {', '.join(missing)}", correct=correct)


def _never_asked(case: Case, stories: tuple[SignIn, ...]) -> list[Fault]:
    """Registries claimed whose scope no sign-in asked for, though it asked for another's."""
    asked = frozenset(scope for story in stories for scope in _scopes(story))
    wanted = case.rules.scopes()
    if not stories or not asked & frozenset(wanted):
        return []
    story = stories[-1]
    entry, pointer = _where(story, story.scope)
    return [Fault(entry=entry, pointer=pointer, actual=f"no sign-in asked for {scope}") for scope in wanted if scope not in asked]


@REQUEST.check("auth-redirect-exact")
def auth_redirect_exact(case: Case) -> Ruling:
    """`redirect_uri` equals the registered one byte for byte, in both requests (RFC 6749 section 4.1.3, RFC 9700 2.1).

    Fails for: absent; another case, port, trailing slash, added query or percent-encoding; right at the authorization
    endpoint and absent or different at the token endpoint.
    """
    expected = "the registered redirect_uri, byte for byte, in both requests"
    faults, seen = [], []
    registered_urls = [url for attempt in case.flows.last_registrations() for url in attempt.redirect_urls]
    correct = f"redirect_uri={registered_urls[0]}" if registered_urls else ""
    for story in case.flows.sign_ins:
        entry, pointer = _where(story, story.redirect_uri)
        registered = story.facts.redirect_registered if story.facts else None
        if story.redirect_uri is None or registered is False:
            value = story.redirect_uri.value[:200] if story.redirect_uri else "no redirect_uri"
            faults.append(Fault(entry=entry, pointer=pointer, actual=f"{value} is not a registered one"))
        elif registered:
            seen.append(at(entry, pointer))
    for request in case.flows.token_requests:
        if request.grant_type == CODE_GRANT and request.facts.redirect_equal is False:
            pointer = request.redirect_uri.pointer if request.redirect_uri else "/request/postData"
            words = "differs from" if request.redirect_uri else "is absent, unlike in"
            actual = f"redirect_uri at the token endpoint {words} the authorization request"
            faults.append(Fault(entry=request.seq, pointer=pointer, actual=actual))
    return rule(expected, faults, seen, NO_SIGN_IN, correct=correct)


@REQUEST.check("auth-csrf")
def auth_csrf(case: Case) -> Ruling:
    """Each sign-in is bound to the browser by `state`, PKCE or `nonce` (RFC 9700 section 2.1); empty values bind nothing."""
    bound = ("state", "code_challenge", "nonce")
    faults = [
        Fault(entry=story.seq, pointer=story.base, actual=f"none of {', '.join(bound)}", correct="state=<new random value>")
        for story in case.flows.sign_ins
        if not any(param and param.value for param in (story.state, story.challenge, story.nonce))
    ]
    return rule("state, a code challenge or a nonce in each sign-in", faults, _seen(case.flows.sign_ins), NO_SIGN_IN)


@REQUEST.check("auth-state-present")
def auth_state_present(case: Case) -> Ruling:
    """`state` is sent in each sign-in (RFC 6749 section 10.12); an empty one is none."""
    faults = [
        Fault(
            entry=story.seq, pointer=_where(story, story.state)[1], actual="state is absent", correct="state=<new random value>"
        )
        for story in case.flows.sign_ins
        if story.state is None or not story.state.value
    ]
    return rule("state in each sign-in", faults, _seen(case.flows.sign_ins), NO_SIGN_IN)


@REQUEST.check("auth-state-unique")
def auth_state_unique(case: Case) -> Ruling:
    """`state`, where sent, is unguessable and new at each sign-in (RFC 6749 section 10.10); it takes two to see that.

    Fails for: the same value twice; short values; counters, times and other values that differ in a few characters only,
    however long the constant rest is; values of few different characters. The same request loaded again before its code
    was redeemed is one sign-in. Where none was sent there is nothing to judge: auth-state-present says so.
    """
    expected = "a new unguessable state at each sign-in"
    stories = [story for story in case.flows.sign_ins if story.state is not None and story.state.value]
    if not case.flows.sign_ins:
        return unseen(expected, NO_SIGN_IN)
    if not stories:
        return inapplicable(expected, "no state was sent")
    values = [(story, story.state.value) for story in stories if story.state]
    faults = _repeats(values, "state") or [
        Fault(entry=story.seq, pointer=_where(story, story.state)[1], actual=f"state is guessable: {why}")
        for (story, _), why in zip(values, guessable([value for _, value in values]), strict=True)
        if why
    ]
    if faults:
        return failed(expected, faults, correct="state=<new value of at least 128 random bits>")
    seen = [at(*_where(story, story.state)) for story in stories]
    if len(stories) < 2:
        return unseen(expected, "only one sign-in with a state was seen", evidence=seen)
    return passed(expected, seen)


def _repeats(values: list[tuple[SignIn, str]], name: str) -> list[Fault]:
    """A value that was seen at an earlier sign-in."""
    faults = []
    for index, first in repeated([value for _, value in values]):
        story, param = values[index][0], getattr(values[index][0], name)
        actual = f"the same {name} as in entry {values[first][0].seq}"
        faults.append(Fault(entry=story.seq, pointer=_where(story, param)[1], actual=actual))
    return faults


@REQUEST.check("auth-nonce")
def auth_nonce(case: Case) -> Ruling:
    """`nonce` is sent and new each time (OpenID Connect Core section 3.1.2.1); it takes two sign-ins to see that."""
    expected = "a new nonce in each sign-in"
    stories = case.flows.sign_ins
    faults = [
        Fault(
            entry=story.seq, pointer=_where(story, story.nonce)[1], actual="nonce is absent", correct="nonce=<new random value>"
        )
        for story in stories
        if story.nonce is None or not story.nonce.value
    ]
    faults += _repeats([(story, story.nonce.value) for story in stories if story.nonce and story.nonce.value], "nonce")
    if not faults and len(stories) == 1:
        return unseen(expected, "only one sign-in was seen", evidence=_seen(stories))
    return rule(expected, faults, _seen(stories), NO_SIGN_IN)


@REQUEST.check("auth-pkce")
def auth_pkce(case: Case) -> Ruling:
    """An S256 challenge that is new each time, and a matching verifier (RFC 9700 section 2.1.1, RFC 7636).

    Fails for: no challenge; `plain`, also by leaving the method out; the same challenge at two sign-ins; a verifier that is
    absent, wrong, or sent without a challenge. Not exercised where no code was redeemed.
    """
    expected = "code_challenge_method S256 with a new challenge, and a matching code_verifier"
    stories = case.flows.sign_ins
    faults = [fault for story in stories for fault in _challenge(story)]
    faults += _repeats([(story, story.challenge.value) for story in stories if story.challenge], "challenge")
    redeemed = [r for r in case.flows.token_requests if r.grant_type == CODE_GRANT and r.facts.grant_state in {"fresh", ""}]
    for request in redeemed:
        verifier = request.facts.verifier
        if verifier in {"mismatch", "absent", "unexpected"} and not (faults and verifier == "unexpected"):
            pointer = request.verifier.pointer if request.verifier else "/request/postData"
            faults.append(Fault(entry=request.seq, pointer=pointer, actual=f"the code_verifier: {verifier}"))
    seen = [at(r.seq, r.verifier.pointer) for r in redeemed if r.verifier and r.facts.verifier == "match"]
    return rule(expected, faults, seen, "no code was redeemed", correct="code_verifier=<the one made for this sign-in>")


def _challenge(story: SignIn) -> Iterator[Fault]:
    method = story.challenge_method.value if story.challenge_method else "plain"
    if story.challenge is None or not story.challenge.value:
        entry, pointer = _where(story, story.challenge)
        yield Fault(entry=entry, pointer=pointer, actual="no code_challenge", correct="code_challenge_method=S256")
    elif method != "S256":
        entry, pointer = _where(story, story.challenge_method)
        actual = f"code_challenge_method is {method[:20]}"
        yield Fault(entry=entry, pointer=pointer, actual=actual, correct="code_challenge_method=S256")
