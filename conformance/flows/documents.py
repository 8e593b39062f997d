"""The stories of documents: every post to the decision support registry, and all posts of one id together."""

from __future__ import annotations

from acrmock.record import DocumentFacts, HttpEntry, Struct
from conformance.flows.wire import seconds


class DocumentPost(Struct, frozen=True, kw_only=True):
    """A document was posted; `t` in seconds since 1970, `body` its digest; `lost`: the client did not get the answer."""

    seq: int
    t: float
    environment: str
    step: str
    status: int
    facts: DocumentFacts
    body: str
    lost: bool = False

    @property
    def stored(self) -> bool:
        """Whether the document was taken."""
        return self.facts.created or self.facts.updated


class Document(Struct, frozen=True, kw_only=True):
    """A document by its id, with its posts in order."""

    id: str
    environment: str
    posts: tuple[DocumentPost, ...]


def document_post(entry: HttpEntry, step: str) -> DocumentPost | None:
    """The post that an exchange is, or None when nothing was read of it."""
    facts = entry.facts.document
    if facts is None:
        return None
    fault = entry.facts.fault
    return DocumentPost(
        seq=entry.seq,
        t=seconds(entry.t),
        environment=entry.environment or "",
        step=step,
        status=entry.response.status,
        facts=facts,
        body=entry.facts.body_digest,
        lost=fault is not None and fault.lost,
    )


def documents(posts: tuple[DocumentPost, ...]) -> tuple[Document, ...]:
    """The documents in the order of their first post; a post without an id belongs to none."""
    found: dict[tuple[str, str], list[DocumentPost]] = {}
    for post in posts:
        if post.facts.id:
            found.setdefault((post.environment, post.facts.id), []).append(post)
    return tuple(Document(id=key[1], environment=key[0], posts=tuple(items)) for key, items in found.items())
