"""The refusals of the control API, each with its own code; the error catalogue may state them too and then decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from acrmock.record import FieldProblem
from mockserver.problem import Problem


class Code(StrEnum):
    """The codes of the control API in the error catalogue (surface `control`)."""

    TOKEN_REQUIRED = "control-token-required"
    TOKEN_WRONG = "control-token-wrong"
    HOST_REFUSED = "control-host-refused"
    ORIGIN_REFUSED = "control-origin-refused"
    MEDIA_TYPE = "control-media-type"
    BODY_TOO_LARGE = "control-body-too-large"
    NOT_JSON = "control-not-json"
    INVALID = "control-invalid"
    UNKNOWN = "control-unknown"
    CONFLICT = "control-conflict"
    REGISTRATION_REFUSED = "registration-refused"
    STORE_FULL = "store-full"
    STORE_FAILED = "store-failed"


@dataclass(frozen=True, slots=True)
class Spec:
    """How a code looks on the wire: HTTP status, title, headers."""

    status: int
    title: str


SPECS = {
    Code.TOKEN_REQUIRED: Spec(401, "The control API needs its token"),
    Code.TOKEN_WRONG: Spec(401, "This is not this server's control token"),
    Code.HOST_REFUSED: Spec(421, "The Host header names another server"),
    Code.ORIGIN_REFUSED: Spec(403, "A page of another origin may not use the control API"),
    Code.MEDIA_TYPE: Spec(415, "The body must be JSON"),
    Code.BODY_TOO_LARGE: Spec(413, "The body is too large"),
    Code.NOT_JSON: Spec(400, "The body is not JSON"),
    Code.INVALID: Spec(422, "The request cannot be carried out"),
    Code.UNKNOWN: Spec(404, "There is no such thing"),
    Code.CONFLICT: Spec(409, "The request conflicts with what is there"),
    Code.REGISTRATION_REFUSED: Spec(422, "The registration was refused"),
    Code.STORE_FULL: Spec(507, "There is no room left"),
    Code.STORE_FAILED: Spec(500, "The store failed"),
}
"""What the catalogue need not say: these answers are this server's own and no fact about ACR."""


def refuse(
    code: Code,
    detail: str = "",
    *,
    fields: Iterable[FieldProblem] = (),
    hint: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> Problem:
    """The refusal as a problem document with its reasons and hint on the wire: who asks holds the token."""
    reasons = tuple(fields)
    body = {"fields": msgspec.to_builtins(reasons)} if reasons else {}
    if hint:
        body["hint"] = hint
    return Problem(code, detail, fields=reasons, hint=hint, headers=headers, body=body or None)


def invalid(field: str, reason: str, *, expected: str = "", actual: str = "") -> Problem:
    """A refusal that names one field of the body or query."""
    problem = FieldProblem(pointer=f"/{field}", element=field, reason=reason, expected=expected, actual=actual[:200])
    return refuse(Code.INVALID, f"{field}: {reason}", fields=(problem,))


def unknown(what: str, value: str, *, hint: str = "") -> Problem:
    """A refusal because `value` names nothing of that kind."""
    return refuse(Code.UNKNOWN, f"there is no {what} {value[:80]!r}", hint=hint)
