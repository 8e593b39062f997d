"""The names that stand in NRDR's paths, envelopes and answers, read from the facts once per blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acrmock.errors import SetupError
from acrmock.schema import HEADER_PARTS
from mockserver.plans import StatusKey

if TYPE_CHECKING:
    from acrmock.facts import Facts

FIELDS = (
    "transaction_id", "status", "submission_date", "registry", "data_version", "message", "records", "received", "uploaded",
    "updated", "rejected", "warnings", "exams", "index", "key", "record_status", "errors", "exam_warnings", "code", "severity",
    "pointer", "element", "text", "replaced_by",
    "upload_date",
)  # fmt: skip

TERMINAL = "nrdr.status.terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names by what they mean: of the envelope, its header, the status body, statuses and records (facts U13, U15, U17)."""

    envelope_header: str
    envelope_exams: str
    header: Mapping[str, str]
    field: Mapping[str, str]
    status: Mapping[StatusKey, str]
    complete: str
    incomplete: str
    rejected: str
    media_type: str
    base: str
    post_path: str
    status_path: str
    registries: Mapping[str, str]
    list_path: str


def read_names(facts: Facts) -> Names:
    """The names in force; raises the facts' own error when a layer lacks one, `SetupError` for other terminal statuses."""
    if set(facts.texts(TERMINAL)) != {key.value for key in StatusKey if key.terminal}:
        raise SetupError(
            "a layer cannot change which statuses end a transaction",
            where=TERMINAL,
            expected=", ".join(key.value for key in StatusKey if key.terminal),
            actual=", ".join(facts.texts(TERMINAL)),
            fix="rename the words with nrdr.status.word.*",
        )
    base = facts.text("nrdr.base_path")
    return Names(
        envelope_header=facts.text("nrdr.envelope.header"),
        envelope_exams=facts.text("nrdr.envelope.exams"),
        header={name: facts.text(f"nrdr.header.{name}") for name in HEADER_PARTS},
        field={name: facts.text(f"nrdr.status.field.{name}") for name in FIELDS},
        status={key: facts.text(f"nrdr.status.word.{key}") for key in StatusKey},
        complete=facts.text("nrdr.record.word.complete"),
        incomplete=facts.text("nrdr.record.word.incomplete"),
        rejected=facts.text("nrdr.record.word.rejected"),
        media_type=facts.text("nrdr.media_type"),
        base=base,
        post_path=base + facts.text("nrdr.path.post"),
        status_path=base + facts.text("nrdr.path.status"),
        registries={registry.slug: registry.header_word for registry in facts.registries},
        list_path=base + facts.text("nrdr.path.list"),
    )
