"""Whether endpoints come from discovery: seen best when they move."""

from __future__ import annotations

from conformance.checks.base import Case, Collection, Fault, Ruling, at, rule, unseen
from conformance.flows.events import Moved
from conformance.flows.tokens import REFRESH_GRANT, TokenRequest
from conformance.result import Evidence

DISCOVERY = Collection("auth")


@DISCOVERY.check("auth-discovery")
def auth_discovery(case: Case) -> Ruling:
    """Endpoints come from discovery (fact N1.13): where they moved, what comes after meets none that moved away.

    Fails where, after the move, a sign-in goes to the old authorization endpoint, or its code to the old token endpoint: a
    document that was read and ignored, or cached for ever, fails like a hard-coded path. A refresh that met the old one's
    end, and later succeeded at the new one, has found its way; so has a sign-in that was under way when the endpoints moved.
    Where nothing moved: discovery was read before the first use of an endpoint.
    """
    expected = "endpoints taken from the discovery document, read again after they moved"
    flows = case.flows
    if not flows.sign_ins and not flows.token_requests:
        return unseen(expected, "no endpoint was used")
    if not flows.moves:
        return _read_first(case, expected)
    faults: list[Fault] = []
    seen: list[Evidence] = []
    for index, move in enumerate(flows.moves):
        end = next((later.seq for later in flows.moves[index + 1 :] if later.environment == move.environment), None)
        held = _After(case, move, end)
        faults += [Fault(entry=seq, pointer="/request/url", actual=f"{what} {_OLD}") for seq, what in held.lost()]
        seen += [at(seq, "/request/url") for seq in held.found()]
    return rule(expected, faults, seen, "no sign-in or refresh was seen after the endpoints had moved", correct=_READ)


_READ = "a request to the endpoint that {issuer}/.well-known/openid-configuration names now"
_OLD = "went to an address from which the endpoint had moved"


class _After:
    """What was used after one move and before the next."""

    def __init__(self, case: Case, move: Moved, end: int | None) -> None:
        def within(seq: int, environment: str) -> bool:
            return environment == move.environment and move.seq < seq and (end is None or seq < end)

        self._move = move
        self._sign_ins = [story for story in case.flows.sign_ins if within(story.seq, story.environment)]
        self._tokens = [request for request in case.flows.token_requests if within(request.seq, request.environment)]

    def found(self) -> list[int]:
        """The uses of an endpoint where it is."""
        away = self._move.away
        stories = [story.seq for story in self._sign_ins if story.moved is away]
        return stories + [request.seq for request in self._tokens if request.moved is away]

    def lost(self) -> list[tuple[int, str]]:
        """The uses of an endpoint where it was, that show that discovery was not read."""
        stories = [(story.seq, "a sign-in") for story in self._sign_ins if story.moved is not self._move.away]
        return sorted(stories + [(request.seq, "a token request") for request in self._tokens if self._is_lost(request)])

    def _is_lost(self, request: TokenRequest) -> bool:
        away = self._move.away
        if request.moved is away or (request.sign_in is not None and request.sign_in < self._move.seq):
            return False
        found = any(other.seq > request.seq and other.moved is away and other.succeeded for other in self._tokens)
        return request.grant_type != REFRESH_GRANT or not found


def _read_first(case: Case, expected: str) -> Ruling:
    """Nothing moved: the document was read before the first use."""
    faults: list[Fault] = []
    seen: list[Evidence] = []
    uses = [(story.environment, story.seq) for story in case.flows.sign_ins]
    uses += [(request.environment, request.seq) for request in case.flows.token_requests]
    for environment in dict.fromkeys(where for where, _ in uses):
        first = min(seq for where, seq in uses if where == environment)
        read = [d for d in case.flows.discoveries if d.environment == environment and d.succeeded and d.seq < first]
        if read:
            seen.append(at(read[0].seq, "/request/url"))
        else:
            faults.append(Fault(entry=first, pointer="/request/url", actual="an endpoint was used before discovery was read"))
    return rule(expected, faults, seen, "no endpoint was used", note="the endpoints did not move in this run")
