"""The record of what went over the wires: typed entries, their facts, and their JSON lines.

An entry never holds a secret: sensitive values are replaced by references (`acrmock.redaction`), so that equal values stay
equal and nothing can be read back. What a check must know about a sensitive value is stored beside it as a fact.
HTTP entries have the shape of a HAR 1.2 entry. A recording is a header, entries in the order of `seq`, and a footer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

RECORD_SCHEMA = "acrmock/record/1"


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of what stands in a record: frozen, by keyword, defaults left out."""


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


class FieldProblem(Struct, frozen=True, kw_only=True):
    """One field that was wrong: where it stands, what was expected and what was there (redacted), and why."""

    pointer: str
    element: str = ""
    expected: str = ""
    actual: str = ""
    reason: str = ""


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
    answer named. `created` (201) and `updated` (200) say what became of it; `internal`: the 400 stood for its own error.
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


class Refusal(Struct, frozen=True, kw_only=True):
    """Why acrmock refused, field by field: the catalogue's code, a sentence, and what a correct client would have sent."""

    code: str
    message: str
    fields: tuple[FieldProblem, ...] = ()
    hint: str = ""


class NameValue(Struct, frozen=True, kw_only=True):
    """A HAR name-value pair."""

    name: str
    value: str


class PostData(Struct, frozen=True, kw_only=True):
    """The body of a request as text (HAR 1.2 `postData`); `params` for a form."""

    mimeType: str = ""  # noqa: N815 - HAR's own name
    text: str = ""
    params: tuple[NameValue, ...] = ()
    truncated: bool = False


class HttpRequest(Struct, frozen=True, kw_only=True):
    """A request in the shape of HAR 1.2, its headers in the order of the wire."""

    method: str
    url: str
    httpVersion: str = "HTTP/1.1"  # noqa: N815 - HAR's own name
    headers: tuple[NameValue, ...] = ()
    queryString: tuple[NameValue, ...] = ()  # noqa: N815 - HAR's own name
    postData: PostData | None = None  # noqa: N815 - HAR's own name
    bodySize: int = 0  # noqa: N815 - HAR's own name


class Content(Struct, frozen=True, kw_only=True):
    """The body of an answer as text (HAR 1.2 `content`)."""

    size: int = 0
    mimeType: str = ""  # noqa: N815 - HAR's own name
    text: str = ""
    truncated: bool = False


class HttpResponse(Struct, frozen=True, kw_only=True):
    """An answer in the shape of HAR 1.2."""

    status: int
    statusText: str = ""  # noqa: N815 - HAR's own name
    httpVersion: str = "HTTP/1.1"  # noqa: N815 - HAR's own name
    headers: tuple[NameValue, ...] = ()
    content: Content = Content()
    redirectURL: str = ""  # noqa: N815 - HAR's own name
    bodySize: int = 0  # noqa: N815 - HAR's own name


class TlsFacts(Struct, frozen=True, kw_only=True):
    """The connection's TLS as negotiated, or why it was not: `version`, `cipher`, SNI, and `error` of a failed handshake."""

    version: str = ""
    cipher: str = ""
    server_name: str = ""
    error: str = ""


class Entry(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every entry has: `at` is business time, `t` protocol time, both RFC 3339; `matched` says what decided whose it is."""

    seq: int
    at: str
    t: str
    application: str | None = None
    environment: str | None = None
    run: str | None = None
    peer: str | None = None
    traceparent: str | None = None
    matched: str | None = None


class HttpEntry(Entry, frozen=True, kw_only=True, tag="http"):
    """One HTTP exchange; `time` is its duration in milliseconds."""

    request: HttpRequest
    response: HttpResponse
    time: float = 0.0
    facts: HttpFacts = HttpFacts()
    tls: TlsFacts | None = None
    refusal: Refusal | None = None


class TlsEntry(Entry, frozen=True, kw_only=True, tag="tls"):
    """A TLS handshake that failed, so that no request came of it."""

    tls: TlsFacts


class EventEntry(Entry, frozen=True, kw_only=True, tag="event"):
    """Something beside the wires: a registration, a step, a clock move, a gap; `data` is the event's own, free of secrets."""

    name: str
    data: dict[str, Any] = {}


class ContextFacts(Struct, frozen=True, kw_only=True):
    """A presentation context as proposed and as answered (PS3.8 sections 9.3.2.2 and 9.3.3.2).

    `result`: 0 accepted, 1 user rejection, 2 no reason, 3 abstract syntax not supported, 4 transfer syntaxes not supported;
    None where the association was refused. `accepted` is the transfer syntax chosen. `dose`: a class of dose reports.
    """

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...] = ()
    result: int | None = None
    accepted: str = ""
    dose: bool = False


class AssociationEnd(StrEnum):
    """How an association ended."""

    RELEASED = "released"
    ABORTED = "aborted"
    ABORTED_BY_US = "aborted-by-us"
    REJECTED = "rejected"
    LOST = "lost"
    TIMED_OUT = "timed-out"


class AssociationFacts(Struct, frozen=True, kw_only=True):
    """An association from A-ASSOCIATE-RQ to its end (PS3.8 section 9.3).

    AE titles stand as they came, without the padding. `called_state`: `own` (an AE title of an application), `unknown`, or
    `malformed`. `allowed` is the allowlist's word. `rejection` is (result, source, reason) of an A-ASSOCIATE-RJ. `began` and
    the entry's `t` are protocol time. `stored` counts the C-STOREs answered with success.
    """

    association: str
    calling_ae: str = ""
    called_ae: str = ""
    called_state: str = ""
    allowed: bool | None = None
    end: AssociationEnd = AssociationEnd.RELEASED
    rejection: tuple[int, int, int] | None = None
    contexts: tuple[ContextFacts, ...] = ()
    maximum_length: int = 0
    implementation_uid: str = ""
    implementation_version: str = ""
    began: str = ""
    operations: int = 0
    stored: int = 0
    secure: bool = False
    error: str = ""


class DimseFacts(Struct, frozen=True, kw_only=True):
    """One DIMSE operation with its answer (PS3.7 sections 9.1.1 and 9.1.5).

    `service` is `C-STORE`, `C-ECHO` or what else was asked for. `status` is the answer's status, None where none was sent.
    `sha256` is that of the data set as it was on the wire, `bytes` its length. `repeat`: the same object came before with success
    (`same`: with the same bytes). `delivered`: the answer was handed to the network before the association broke.
    """

    association: str
    service: str
    message_id: int = 0
    context: int = 0
    sop_class: str = ""
    sop_instance: str = ""
    transfer_syntax: str = ""
    dose: bool = False
    status: int | None = None
    comment: str = ""
    bytes: int = 0
    sha256: str = ""
    repeat: bool = False
    same: bool | None = None
    delivered: bool = True


class AssociationEntry(Entry, frozen=True, kw_only=True, tag="association"):
    """One association, written when it ended; its operations stand before it."""

    facts: AssociationFacts
    tls: TlsFacts | None = None
    refusal: Refusal | None = None


class DimseEntry(Entry, frozen=True, kw_only=True, tag="dimse"):
    """One DIMSE operation; `time` is its duration in milliseconds, from the command to the answer."""

    facts: DimseFacts
    time: float = 0.0
    refusal: Refusal | None = None


class ReportFacts(Struct, frozen=True, kw_only=True):
    """What was read of a received object, as the data of the event `dir-report` (it follows the C-STORE by a job).

    `dose` says whether it is a dose report; `modality` is `CT`, `RF`, `DX`, `MG`, `NM` or empty. `study`, `events` and
    `patient` are references. `station` stands in clear, padding kept. `planted`: the harness planted it. `tags` are keyed
    digests by tag path of the normalised data set, for planted objects only, so that a changed tag can be named without the
    report. `ended` is the end of the irradiation, else the time of the content, as RFC 3339 or as DICOM writes it (DT), without
    an offset where the report has none (empty: unknown; then `study_time`, date and time together, must do). `missing`: what the
    registry needs and is not there; `template`: mandatory rows that are not there.
    """

    sop_instance: str
    sha256: str
    sop_class: str = ""
    transfer_syntax: str = ""
    readable: bool = True
    dose: bool = False
    modality: str = ""
    station: str | None = None
    station_configured: bool = False
    station_near: str = ""
    study: str = ""
    patient: str = ""
    events: tuple[str, ...] = ()
    study_time: str = ""
    ended: str = ""
    planted: bool = False
    synthetic: bool = True
    digest: str = ""
    tags: dict[str, str] = {}
    missing: tuple[FieldProblem, ...] = ()
    template: tuple[FieldProblem, ...] = ()
    warnings: tuple[str, ...] = ()
    state: str = ""


class PlantedFacts(Struct, frozen=True, kw_only=True):
    """A report that the harness planted, as the data of the event `dir-planted`: what to expect of who forwards it.

    `expected`: False for one whose station the forwarder was told not to send. Digests are as in `ReportFacts`.
    """

    sop_instance: str
    sha256: str
    digest: str
    station: str
    modality: str = ""
    transfer_syntax: str = ""
    expected: bool = True
    tags: dict[str, str] = {}


AnyEntry = HttpEntry | TlsEntry | AssociationEntry | DimseEntry | EventEntry


class Header(Struct, frozen=True, kw_only=True, tag_field="kind", tag="header"):
    """The first line of a recording: what makes it self-contained."""

    schema: str
    created: str
    acrmock: str
    facts_digest: str = ""
    application: str | None = None
    run: str | None = None


class Footer(Struct, frozen=True, kw_only=True, tag_field="kind", tag="footer"):
    """The last line: how many entries there are and the SHA-256 of their lines; a recording without one was cut off."""

    entries: int
    sha256: str


Line = Header | HttpEntry | TlsEntry | AssociationEntry | DimseEntry | EventEntry | Footer

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode_line(line: Line) -> bytes:
    """One line of a recording as JSON, without the line feed."""
    return _encoder.encode(line)


def decode_line(data: bytes | str) -> Line:
    """The line written in `data`; raises `msgspec.DecodeError` or `msgspec.ValidationError`, which say where."""
    line: Line = _decoder.decode(data)
    return line
