"""Refusals on the wire: a terse RFC 9457 problem document or an RFC 6749 section 5.2 error, from the error catalogue.

The journal and the page explain field by field; the wire stays as terse as the real service.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from acrmock.record import FieldProblem

PROBLEM_JSON = "application/problem+json"


class ErrorSpec(Protocol):
    """What the catalogue knows of one error (`acrmock.facts`): its look on the wire.

    `oauth_error` is the RFC 6749 error word for answers of the token endpoint, empty elsewhere.
    """

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def title(self) -> str:
        """One short sentence."""
        ...


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """A refusal, raised by a handler: `code` names it in the error catalogue (without the prefix `acrmock:`).

    `detail` goes onto the wire and must hold no secret; `fields` and `hint` go into the journal; `headers` are added to the
    answer, those named in `without` (lower case) are left out. State changed before it was raised is kept: a refusal is an
    answer like any other.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        fields: tuple[FieldProblem, ...] = (),
        hint: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        body: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.fields = fields
        self.hint = hint
        self.headers = headers
        self.body = body
        self.without: tuple[str, ...] = ()


class BuiltIn(msgspec.Struct, frozen=True):
    """What is known of an error where the catalogue lacks it."""

    status: int
    title: str


BUILT_IN = {
    "application-unknown": BuiltIn(404, "No such application or environment"),
    "address-not-allowed": BuiltIn(403, "Forbidden"),
    "body-too-large": BuiltIn(413, "The body is too large"),
    "request-malformed": BuiltIn(400, "The request cannot be read"),
    "uri-too-long": BuiltIn(414, "The URL is too long"),
    "headers-too-large": BuiltIn(431, "The header fields are too large"),
    "path-unknown": BuiltIn(404, "Not found"),
    "method-not-allowed": BuiltIn(405, "Method not allowed"),
    "too-many-requests": BuiltIn(429, "Too many requests"),
    "internal": BuiltIn(500, "Internal error"),
    "unavailable": BuiltIn(503, "Not stored"),
    "store-full": BuiltIn(507, "Insufficient storage"),
}
"""The gate's own errors: plain HTTP (RFC 9110), nothing of ACR's."""


class Answer(msgspec.Struct, frozen=True):
    """A problem as it goes onto the wire."""

    status: int
    media_type: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answer(problem: Problem, spec: ErrorSpec | BuiltIn | None, *, status: int | None = None) -> Answer:
    """The wire form of `problem`; `spec` None (a code that the catalogue lacks) gives a plain 500.

    `status`, where given, replaces the catalogue's.

    `problem.body` replaces members of the document. A spec with an OAuth word gives RFC 6749 section 5.2 JSON.
    """
    spec = spec or BUILT_IN.get(problem.code)
    status = status or (spec.status if spec is not None else 500)
    title = spec.title if spec is not None else "Internal error"
    extra: tuple[tuple[str, str], ...] = ()
    word = str(getattr(spec, "oauth_error", "") or "")
    if word:
        document: dict[str, Any] = {"error": word, "error_description": problem.detail or title}
        media, extra = "application/json", (("Cache-Control", "no-store"),)
    else:
        document = {"type": f"urn:acrmock:error:{problem.code}", "title": title, "status": status}
        if problem.detail:
            document["detail"] = problem.detail
        document["code"] = f"acrmock:{problem.code}"
        media = PROBLEM_JSON
    if problem.body:
        document.update(problem.body)
    extra += tuple((getattr(spec, "headers", None) or {}).items())
    given = {name.lower() for name, _ in problem.headers}
    given.update(problem.without)
    kept = tuple(pair for pair in extra if pair[0].lower() not in given)
    return Answer(status, media, (*kept, *problem.headers), msgspec.json.encode(document))
