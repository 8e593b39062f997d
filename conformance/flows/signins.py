"""Sign-ins: an authorization request, the person's answer, the code that came back, and who redeemed it.

Entries are tied together by what they share: the code's reference, else the request's own parameters, else the `state`,
else a hidden value of the page, else (nothing shared) the latest request of that client still open. Several sign-ins may
be under way at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from acrmock.record import AuthorizeFacts, ClientFacts, HttpEntry, Operation, Struct
from conformance.flows.wire import Answer, Param, answer, hidden, parameters

KEYS = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method")
HANDLE = 8
"""The least length of a hidden value by which a page and its form are tied together."""


class SignIn(Struct, frozen=True, kw_only=True):
    """One sign-in; `repeats` are the same request sent again before its code was redeemed (a reload is no new sign-in).

    `code` is the reference of the code, `issued` the entry that carried it and `issued_at` its time in seconds since 1970;
    `redeemed` are the token requests that presented it.
    """

    seq: int
    t: float
    environment: str
    step: str
    moved: bool
    status: int
    base: str
    client_id: Param | None
    redirect_uri: Param | None
    response_type: Param | None
    scope: Param | None
    state: Param | None
    nonce: Param | None
    challenge: Param | None
    challenge_method: Param | None
    client: ClientFacts | None
    facts: AuthorizeFacts | None
    repeats: tuple[int, ...] = ()
    code: str = ""
    error: str = ""
    issued: int | None = None
    issued_at: float = 0.0
    redeemed: tuple[int, ...] = ()


@dataclass(slots=True)
class _Open:
    """A sign-in under construction."""

    first: HttpEntry
    t: float
    step: str
    found: dict[str, Param]
    key: tuple[str, ...]
    repeats: list[int] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)
    issued: int | None = None
    issued_at: float = 0.0
    redeemed: list[int] = field(default_factory=list)


class SignInsReader:
    """Builds sign-ins from the entries of the authorization and token endpoints, in order."""

    def __init__(self) -> None:
        self._all: list[_Open] = []
        self._by_key: dict[tuple[str, ...], _Open] = {}
        self._by_state: dict[tuple[str, str], _Open] = {}
        self._by_handle: dict[tuple[str, str], _Open] = {}
        self._by_code: dict[tuple[str, str], _Open] = {}
        self._latest: dict[tuple[str, str], _Open] = {}

    def entry(self, entry: HttpEntry, t: float, step: str) -> None:
        """Take an exchange of the authorization endpoint or of its page."""
        found = parameters(entry)
        asks = entry.facts.operation is Operation.AUTHORIZE and _is_request(found)
        if asks and not self._handled(entry, found):
            story: _Open | None = self._begin(entry, t, step, found)
        else:
            story = self._of(entry, found)
        if story is not None:
            self._answered(story, entry, t)

    def redeemed(self, environment: str, code: str, seq: int, *, succeeded: bool) -> SignIn | None:
        """Take a token request that presented `code`; the sign-in as known so far, or None when none gave that code."""
        story = self._by_code.get((environment, code))
        if story is None:
            return None
        story.redeemed.append(seq)
        if succeeded:
            self._forget(story)
        return _closed(story)

    def sign_ins(self) -> Iterator[SignIn]:
        """All sign-ins in the order in which they began."""
        return (_closed(story) for story in self._all)

    def _begin(self, entry: HttpEntry, t: float, step: str, found: dict[str, Param]) -> _Open:
        environment = entry.environment or ""
        key = (environment, *(found[name].value if name in found else "" for name in KEYS))
        known = self._by_key.get(key)
        if known is not None:
            known.repeats.append(entry.seq)
            self._remember(known, entry, found)
            return known
        story = _Open(first=entry, t=t, step=step, found=found, key=key)
        self._all.append(story)
        self._by_key[key] = story
        self._remember(story, entry, found)
        return story

    def _remember(self, story: _Open, entry: HttpEntry, found: dict[str, Param]) -> None:
        environment = entry.environment or ""
        if "state" in found:
            self._by_state[(environment, found["state"].value)] = story
        own = {param.value for param in found.values()}
        for value in _handles(entry):
            if value not in own:
                self._by_handle.setdefault((environment, value), story)
        self._latest[(environment, _value(found, "client_id"))] = story

    def _handled(self, entry: HttpEntry, found: dict[str, Param]) -> bool:
        """Whether the request carries a hidden value of a page shown before: it is that page's form, not a new request."""
        return any((entry.environment or "", param.value) in self._by_handle for param in found.values())

    def _of(self, entry: HttpEntry, found: dict[str, Param]) -> _Open | None:
        environment = entry.environment or ""
        for param in found.values():
            if (environment, param.value) in self._by_handle:
                return self._by_handle[(environment, param.value)]
        key = (environment, *(found[name].value if name in found else "" for name in KEYS))
        if key in self._by_key:
            return self._by_key[key]
        back = answer(entry.response)
        for state in (_value(found, "state"), back.state if back else ""):
            if state and (environment, state) in self._by_state:
                return self._by_state[(environment, state)]
        client = _value(found, "client_id")
        if client:
            return self._latest.get((environment, client))
        latest = [story for (where, _), story in self._latest.items() if where == environment]
        return max(latest, key=lambda story: story.first.seq, default=None)

    def _answered(self, story: _Open, entry: HttpEntry, t: float) -> None:
        back = answer(entry.response)
        if back is None:
            return
        story.answer, story.issued, story.issued_at = back, entry.seq, t
        if back.code:
            self._by_code[(entry.environment or "", back.code)] = story

    def _forget(self, story: _Open) -> None:
        """A redeemed sign-in is over: the same request sent again is a new one."""
        if self._by_key.get(story.key) is story:
            del self._by_key[story.key]
        environment = story.first.environment or ""
        state = (environment, _value(story.found, "state"))
        if self._by_state.get(state) is story:
            del self._by_state[state]
        client = (environment, _value(story.found, "client_id"))
        if self._latest.get(client) is story:
            del self._latest[client]


def _handles(entry: HttpEntry) -> Iterator[str]:
    """The hidden values of a page that are long enough to be its own."""
    page = entry.response.content.text
    return (value for _, value in hidden(page) if len(value) >= HANDLE) if "<form" in page else iter(())


def _is_request(found: dict[str, Param]) -> bool:
    """Whether these are the parameters of an authorization request (RFC 6749 section 4.1.1)."""
    return any(name in found for name in ("client_id", "response_type", "redirect_uri"))


def _value(found: dict[str, Param], name: str) -> str:
    return found[name].value if name in found else ""


def _closed(story: _Open) -> SignIn:
    entry, found = story.first, story.found
    return SignIn(
        seq=entry.seq,
        t=story.t,
        environment=entry.environment or "",
        step=story.step,
        moved=entry.facts.moved,
        status=entry.response.status,
        base="/request/queryString" if entry.request.postData is None else "/request/postData",
        client_id=found.get("client_id"),
        redirect_uri=found.get("redirect_uri"),
        response_type=found.get("response_type"),
        scope=found.get("scope"),
        state=found.get("state"),
        nonce=found.get("nonce"),
        challenge=found.get("code_challenge"),
        challenge_method=found.get("code_challenge_method"),
        client=entry.facts.client,
        facts=entry.facts.authorize,
        repeats=tuple(story.repeats),
        code=story.answer.code,
        error=story.answer.error,
        issued=story.issued,
        issued_at=story.issued_at,
        redeemed=tuple(story.redeemed),
    )
