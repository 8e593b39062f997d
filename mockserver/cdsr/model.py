"""What is kept of a document: that it is there, so that the next of its id is an update. Its content is nowhere."""

from __future__ import annotations

from mockserver.store import Stored

DOCUMENT = "cdsr-document"
"""The kind under which documents are known, in the scope of their environment, keyed by a reference of their id."""


class Kept(Stored, frozen=True, kw_only=True):
    """A document that was ingested: how often it was posted, and its last version number."""

    posts: int
    version: int | None = None
