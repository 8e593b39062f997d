"""The record of what went over the wires: typed entries, their facts, and their JSON lines.

An entry never holds a secret: sensitive values are replaced by references (`acrmock.redaction`), so that equal values stay
equal and nothing can be read back. What a check must know about a sensitive value is stored beside it as a fact.
HTTP entries have the shape of a HAR 1.2 entry. A recording is a header, entries in the order of `seq`, and a footer.
"""

from __future__ import annotations

from acrmock.record.base import (
    FieldProblem,
    Struct,
)
from acrmock.record.dicomfacts import (
    AssociationEnd,
    AssociationFacts,
    ContextFacts,
    DimseFacts,
    PlantedFacts,
    ReportFacts,
)
from acrmock.record.entries import (
    RECORD_SCHEMA,
    AnyEntry,
    AssociationEntry,
    DimseEntry,
    Entry,
    EventEntry,
    Footer,
    Header,
    HttpEntry,
    Line,
    Refusal,
    TlsEntry,
    TlsFacts,
    decode_line,
    encode_line,
)
from acrmock.record.har import (
    Content,
    HttpRequest,
    HttpResponse,
    NameValue,
    PostData,
)
from acrmock.record.httpfacts import (
    AuthorizeFacts,
    BearerFacts,
    Channel,
    ClientFacts,
    DocumentFacts,
    Exposure,
    FaultFacts,
    FollowUpFacts,
    GrantFacts,
    HttpFacts,
    IdentityMark,
    Operation,
    RecordFacts,
    RecordProblem,
    SecretKind,
    StatusFacts,
    TransactionFacts,
)

__all__ = [
    "RECORD_SCHEMA",
    "AnyEntry",
    "AssociationEnd",
    "AssociationEntry",
    "AssociationFacts",
    "AuthorizeFacts",
    "BearerFacts",
    "Channel",
    "ClientFacts",
    "Content",
    "ContextFacts",
    "DimseEntry",
    "DimseFacts",
    "DocumentFacts",
    "Entry",
    "EventEntry",
    "Exposure",
    "FaultFacts",
    "FieldProblem",
    "FollowUpFacts",
    "Footer",
    "GrantFacts",
    "Header",
    "HttpEntry",
    "HttpFacts",
    "HttpRequest",
    "HttpResponse",
    "IdentityMark",
    "Line",
    "NameValue",
    "Operation",
    "PlantedFacts",
    "PostData",
    "RecordFacts",
    "RecordProblem",
    "Refusal",
    "ReportFacts",
    "SecretKind",
    "StatusFacts",
    "Struct",
    "TlsEntry",
    "TlsFacts",
    "TransactionFacts",
    "decode_line",
    "encode_line",
]
