"""The refusals of the control API: codes of the error catalogue, with all reasons on the wire, for who asks holds the token."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from acrmock.record import FieldProblem
from mockserver.problem import Problem

Headers = tuple[tuple[str, str], ...]


class Code(StrEnum):
    """The codes of the error catalogue that the control API answers with."""

    TOKEN_MISSING = "control-token-missing"
    TOKEN_WRONG = "control-token-wrong"
    ORIGIN_REFUSED = "control-origin-refused"
    MEDIA_TYPE = "media-type-unsupported"
    BODY_TOO_LARGE = "body-too-large"
    NOT_JSON = "control-not-json"
    INVALID = "control-body-invalid"
    APPLICATION_UNKNOWN = "control-application-unknown"
    ENVIRONMENT_UNKNOWN = "environment-unknown"
    ENVIRONMENT_EXISTS = "environment-exists"
    REGISTRATION_REFUSED = "registration-refused"
    RUN_UNKNOWN = "run-unknown"
    RUN_CLOSED = "run-closed"
    RUN_OPEN = "run-open"
    PROFILE_UNKNOWN = "profile-unknown"
    SETTING_INVALID = "setting-invalid"
    CLOCK_INVALID = "clock-invalid"
    PLAN_INVALID = "plan-invalid"
    TRANSACTION_UNKNOWN = "control-transaction-unknown"
    AWAIT_TIMEOUT = "await-timeout"
    PATH_UNKNOWN = "control-path-unknown"
    METHOD_NOT_ALLOWED = "control-method-not-allowed"
    FAULT_INVALID = "fault-invalid"
    FAULT_UNKNOWN = "fault-unknown"
    FILE_NAME_INVALID = "file-name-invalid"
    FILE_NAME_USED = "file-name-used"
    FILE_TOO_LARGE = "file-too-large"
    FILE_MAPPING_INVALID = "file-mapping-invalid"
    FILE_UNKNOWN = "file-unknown"
    FILE_DECIDED = "file-decided"
    FILE_LOG_MISSING = "file-log-missing"
    ENTRY_UNKNOWN = "entry-unknown"
    STATION_UNKNOWN = "station-unknown"
    REPORT_UNKNOWN = "report-unknown"
    STORE_FULL = "store-full"
    UNAVAILABLE = "unavailable"


def refuse(
    code: Code, detail: str = "", *, fields: Iterable[FieldProblem] = (), hint: str = "", headers: Headers = ()
) -> Problem:
    """The refusal as a problem document with its reasons (`fields`, each with an RFC 6901 pointer) and a hint."""
    reasons = tuple(fields)
    body = {"fields": msgspec.to_builtins(reasons)} if reasons else {}
    if hint:
        body["hint"] = hint
    return Problem(code, detail, fields=reasons, hint=hint, headers=headers, body=body or None)


def invalid(field: str, reason: str, *, expected: str = "", actual: str = "", code: Code = Code.INVALID) -> Problem:
    """A refusal that names one field of the body or query."""
    problem = FieldProblem(pointer=f"/{field}", element=field, reason=reason, expected=expected, actual=actual[:200])
    return refuse(code, f"{field}: {reason}", fields=(problem,))


def unknown(code: Code, value: str, *, hint: str = "") -> Problem:
    """A refusal because `value` names nothing of the kind that `code` is about."""
    return refuse(code, repr(value[:80]), hint=hint)
