"""Facts of an association, of its operations, and of a dose report that came by it."""

from __future__ import annotations

from enum import StrEnum

from acrmock.record.base import FieldProblem, Struct


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
    tags: dict[str, str] = {}  # noqa: RUF012 - msgspec copies an empty default
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
    tags: dict[str, str] = {}  # noqa: RUF012 - msgspec copies an empty default
