"""Facts of an HTTP exchange: what a check must know and the redacted text cannot say."""

from __future__ import annotations

from enum import StrEnum

from acrmock.record.base import FieldProblem, Struct


class Channel(StrEnum):
    """Who is at the other end: the vendor's software (back), a person's browser (front), or nobody who is judged."""

    BACK = "back"
    FRONT = "front"
    EXEMPT = "exempt"


class Operation(StrEnum):
    """What an HTTP exchange was for."""

    DISCOVERY = "auth.discovery"
    AUTHORIZE = "auth.authorize"
    SIGN_IN = "auth.sign-in"
    TOKEN = "auth.token"
    KEYS = "auth.keys"
    USERINFO = "auth.userinfo"
    INTROSPECT = "auth.introspect"
    REVOKE = "auth.revoke"
    LOGOUT = "auth.logout"
    NRDR_POST = "nrdr.post"
    NRDR_STATUS = "nrdr.status"
    NRDR_LIST = "nrdr.list"
    CDSR_POST = "cdsr.post"
    BROWSER = "browser.visit"
    OTHER = "other"


class SecretKind(StrEnum):
    """A value issued by acrmock that must be guarded."""

    CLIENT_SECRET = "client_secret"
    ACCESS_TOKEN = "access_token"
    REFRESH_TOKEN = "refresh_token"
    ID_TOKEN = "id_token"
    CODE = "code"
    PASSWORD = "password"
    COOKIE = "cookie"
    CONTROL_TOKEN = "control_token"


class Exposure(Struct, frozen=True, kw_only=True):
    """One place in a request where a value issued by acrmock was seen, raw, percent-encoded or inside Basic.

    `place` is `query`, `path`, `header`, `body` or `page` (the body of an answer); `name` the parameter's or header's name.
    """

    secret: SecretKind
    place: str
    name: str
    pointer: str


class ClientFacts(Struct, frozen=True, kw_only=True):
    """How a client named and proved itself (RFC 6749 section 2.3).

    `whose` is `own`, `other-environment`, `other-application` or `unknown`; empty when no client ID was presented.
    `methods` are those used: `basic`, `body`.
    """

    presented: bool = False
    whose: str = ""
    methods: tuple[str, ...] = ()
    authenticated: bool = False


class AuthorizeFacts(Struct, frozen=True, kw_only=True):
    """What the authorization endpoint saw that redaction or configuration hides (RFC 6749 section 4.1.1)."""

    redirect_registered: bool | None = None
    scopes_expected: tuple[str, ...] = ()


class GrantFacts(Struct, frozen=True, kw_only=True):
    """What the token endpoint saw of the grant (RFC 6749 sections 4.1.3 and 6, RFC 7636 section 4.6).

    `grant_state` of the code or refresh token: `fresh`, `reused`, `expired`, `revoked`, `unknown`.
    `verifier`: `match`, `mismatch`, `absent` (a challenge was given), `unexpected` (none was given), `not-used`.
    `redirect_equal`: the redirect URI equals the authorization request's byte for byte.
    """

    grant_type: str = ""
    grant_state: str = ""
    verifier: str = "not-used"
    redirect_equal: bool | None = None


class BearerFacts(Struct, frozen=True, kw_only=True):
    """The credential on a protected request (RFC 6750 section 2), or the token that an introspection or revocation is about.

    `place`: `header`, `query`, `body` or empty. `kind`: `access`, `id`, `refresh`, `foreign` or empty.
    `state`: `active`, `expired`, `revoked`, `unknown` or empty.
    """

    place: str = ""
    kind: str = ""
    state: str = ""
    scope_sufficient: bool | None = None
    other_environment: bool = False


class RecordProblem(Struct, frozen=True, kw_only=True):
    """One rule that one exam record broke; `pointer` is relative to the transaction's body (RFC 6901)."""

    code: str
    severity: str
    pointer: str
    element: str
    message: str
    provenance: str = "mock-choice"


class FollowUpFacts(Struct, frozen=True, kw_only=True):
    """A follow-up as far as it can be judged: days after its exam, and whether it lies in the future (business time)."""

    pointer: str
    days_after_exam: int | None = None
    in_future: bool = False


class RecordFacts(Struct, frozen=True, kw_only=True):
    """One exam of a transaction: `key`, `patient` and `content` are references; `status` Complete, Incomplete, Rejected."""

    index: int
    key: str
    patient: str
    content: str
    status: str
    exam_date: str = ""
    problems: tuple[RecordProblem, ...] = ()
    follow_ups: tuple[FollowUpFacts, ...] = ()


class IdentityMark(Struct, frozen=True, kw_only=True):
    """A value that may belong to a real person; `grade` is `undeniable` or `doubtful`, `mark` says what it looks like."""

    pointer: str
    element: str
    mark: str
    grade: str


class TransactionFacts(Struct, frozen=True, kw_only=True):
    """A posted transaction, read leniently (facts N2.5, U13, U15).

    `mapping_state`: `in-force`, `obsolete`, `not-yet`, `unknown`. `*_issued` are None when the header lacks the element.
    `elements`, `values` (`Element=code`) and `branches` (rule ids whose condition held) are what the exams exercised.
    """

    registry: str
    mapping: str
    transaction_id: str = ""
    declared_registry: str = ""
    declared_mapping: str = ""
    mapping_state: str = ""
    exams: int = 0
    declared_exams: int | None = None
    header_problems: tuple[FieldProblem, ...] = ()
    envelope_valid: bool = False
    partner_issued: bool | None = None
    app_issued: bool | None = None
    facility_issued: bool | None = None
    facility_of_user: bool | None = None
    accepted: bool = False
    repeat: bool = False
    records: tuple[RecordFacts, ...] = ()
    elements: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    identity: tuple[IdentityMark, ...] = ()


class StatusFacts(Struct, frozen=True, kw_only=True):
    """A status answer: the word given, whether it is terminal, and whether the transaction is known to the application."""

    registry: str
    transaction_id: str
    known: bool = False
    status: str = ""
    terminal: bool = False
    interval: float = 0.0


class DocumentFacts(Struct, frozen=True, kw_only=True):
    """A document posted to the clinical decision support registry, read leniently (facts N5.1 to N5.6).

    `id` is a reference of the document's key (empty: absent), `version` its number where it can be read. `present` and
    `missing` are names of header elements, in the spelling of the facts, nested ones with a dot; `rejected` are those that the
    answer named. `created` (201) and `updated` (200) say what became of it; `internal`: the 400 was the service's own error.
    `content` is a reference of all that it says but its id and the header's times.
    """

    id: str = ""
    id_uuid: bool = False
    readable: bool = True
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    date_problems: tuple[FieldProblem, ...] = ()
    version: int | None = None
    created: bool = False
    updated: bool = False
    rejected: tuple[str, ...] = ()
    internal: bool = False
    content: str = ""


class FaultFacts(Struct, frozen=True, kw_only=True):
    """That a fault rule had a hand in the answer; `name` is the rule's, or the magic value's.

    `instead`: the answer stands in place of the service's own, which never saw the request. `lost`: the client did not get the
    answer as it stands here (dropped, reset, cut short, mislabelled).
    """

    name: str
    instead: bool = False
    lost: bool = False


class HttpFacts(Struct, frozen=True, kw_only=True):
    """What is known of one HTTP exchange beyond its redacted text.

    `moved`: an endpoint of the authorization server was used at the address that it has after a move. `fault`: the answer is
    not the service's own doing. `forwarded`: what became of the peer that a proxy named: empty (none was named), `believed`
    (by a listed proxy), `ignored` (by anybody else, or not to be understood).
    """

    operation: Operation = Operation.OTHER
    channel: Channel = Channel.EXEMPT
    allowed: bool | None = None
    moved: bool = False
    body_digest: str = ""
    body_bytes: int = 0
    body_json: bool | None = None
    body_utf8: bool | None = None
    exposures: tuple[Exposure, ...] = ()
    client: ClientFacts | None = None
    authorize: AuthorizeFacts | None = None
    grant: GrantFacts | None = None
    bearer: BearerFacts | None = None
    transaction: TransactionFacts | None = None
    status: StatusFacts | None = None
    document: DocumentFacts | None = None
    fault: FaultFacts | None = None
    forwarded: str = ""
