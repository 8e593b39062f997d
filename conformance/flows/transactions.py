"""Transactions: each with its posts (a retry repeats the ID) and its polls, by environment, registry and ID."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from acrmock.record import HttpEntry, Refusal, Struct, TransactionFacts
from conformance.flows.wire import Param, header, retry_after


class Post(Struct, frozen=True, kw_only=True):
    """One posted body; `body` is the digest of its bytes, `wait` the seconds that the answer's Retry-After asked for.

    `lost`: a fault kept the answer from the client.
    """

    seq: int
    t: float
    environment: str
    step: str
    status: int
    body: str
    body_bytes: int
    body_json: bool | None
    body_utf8: bool | None
    content_type: Param | None
    facts: TransactionFacts
    refusal: Refusal | None
    wait: float | None
    lost: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the transaction was taken."""
        return self.facts.accepted


class Poll(Struct, frozen=True, kw_only=True):
    """One request for a transaction's status; `wait` in seconds, `word` the status given."""

    seq: int
    t: float
    step: str
    status: int
    known: bool
    word: str
    terminal: bool
    interval: float
    wait: float | None


class Transaction(Struct, frozen=True, kw_only=True):
    """A transaction as the client knows it: its posts and polls in order; an unposted one has only polls."""

    environment: str
    registry: str
    transaction_id: str
    posts: tuple[Post, ...]
    polls: tuple[Poll, ...]

    @property
    def accepted(self) -> Post | None:
        """The post by which it was first taken, or None."""
        return next((post for post in self.posts if post.accepted), None)


@dataclass(slots=True)
class _Open:
    posts: list[Post] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)


class TransactionsReader:
    """Builds transactions from posts and polls, in order; a post without an ID is a transaction of its own."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, str], _Open] = {}
        self.posts: list[Post] = []

    def post(self, entry: HttpEntry, t: float, step: str) -> None:
        """Take a posted body."""
        facts = entry.facts.transaction or TransactionFacts(registry="", mapping="")
        posted = Post(
            seq=entry.seq,
            t=t,
            environment=entry.environment or "",
            step=step,
            status=entry.response.status,
            body=entry.facts.body_digest,
            body_bytes=entry.facts.body_bytes,
            body_json=entry.facts.body_json,
            body_utf8=entry.facts.body_utf8,
            content_type=header(entry.request.headers, "content-type"),
            facts=facts,
            refusal=entry.refusal,
            wait=None if _lost(entry) else retry_after(entry, t),
            lost=_lost(entry),
        )
        self.posts.append(posted)
        name = facts.transaction_id or f"\0{entry.seq}"
        self._open.setdefault((posted.environment, facts.registry, name), _Open()).posts.append(posted)

    def poll(self, entry: HttpEntry, t: float, step: str) -> None:
        """Take a request for a status."""
        facts = entry.facts.status
        if facts is None or _lost(entry):
            return  # an answer that never came tells the client nothing
        poll = Poll(
            seq=entry.seq,
            t=t,
            step=step,
            status=entry.response.status,
            known=facts.known and 200 <= entry.response.status < 300,
            word=facts.status,
            terminal=facts.terminal,
            interval=facts.interval,
            wait=retry_after(entry, t),
        )
        key = (entry.environment or "", facts.registry, facts.transaction_id)
        self._open.setdefault(key, _Open()).polls.append(poll)

    def transactions(self) -> Iterator[Transaction]:
        """All transactions in the order of their first entry."""
        for (environment, registry, name), story in self._open.items():
            yield Transaction(
                environment=environment,
                registry=registry,
                transaction_id="" if name.startswith("\0") else name,
                posts=tuple(story.posts),
                polls=tuple(story.polls),
            )


def _lost(entry: HttpEntry) -> bool:
    """Whether a fault kept the answer from the client."""
    return entry.facts.fault is not None and entry.facts.fault.lost
