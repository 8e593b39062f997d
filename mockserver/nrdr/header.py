"""The transaction header: read leniently, so that as much as possible is noted, and checked field by field (fact U13)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from acrmock.record import FieldProblem
from mockserver.nrdr.names import Names
from mockserver.onboarding.model import Registration

SHOWN = 64
MOST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header as far as it could be read: texts, empty where an element is absent or no text."""

    present: frozenset[str] = frozenset()
    transaction_id: str = ""
    transaction_date: str = ""
    partner_id: str = ""
    app_id: str = ""
    facility_id: str = ""
    registry: str = ""
    data_version: str = ""
    number_of_exams: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a correct header says: the path's registry word and mapping, and how many exams there are."""

    registry: str
    mapping: str
    exams: int | None
    id_pattern: str


@dataclass(frozen=True, slots=True)
class HeaderFault:
    """One thing wrong with the header: the error's code in the catalogue, and where."""

    code: str
    problem: FieldProblem


def read_header(value: Any, names: Names) -> Header:
    """The header in `value`, the value of the envelope's header member, whatever it is."""
    if not isinstance(value, Mapping):
        return Header()
    wire = names.header
    texts = {name: _text(value.get(wire[name])) for name in wire if name != "number_of_exams"}
    return Header(
        present=frozenset(name for name in wire if wire[name] in value),
        number_of_exams=_count(value.get(wire["number_of_exams"])),
        **texts,
    )


def header_faults(header: Header, names: Names, expected: Expected, registration: Registration) -> Iterator[HeaderFault]:
    """What is wrong with the elements that are there; absence and type are the envelope schema's.

    In the order of the answers: equal to the path, issued, true count, pattern, date.
    """

    def fault(code: str, element: str, wanted: str, actual: str, reason: str) -> HeaderFault:
        name = names.header[element]
        pointer = f"/{names.envelope_header}/{name}"
        return HeaderFault(
            code, FieldProblem(pointer=pointer, element=name, expected=wanted, actual=actual[:SHOWN], reason=reason)
        )

    if header.registry and header.registry != expected.registry:
        yield fault("registry-mismatch", "registry", expected.registry, header.registry, "differs from the path's registry")
    if header.data_version and header.data_version != expected.mapping:
        yield fault("mapping-mismatch", "data_version", expected.mapping, header.data_version, "differs from the path's mapping")
    if header.partner_id and header.partner_id != registration.partner_id:
        yield fault("partner-not-issued", "partner_id", registration.partner_id, header.partner_id, "not the issued partner ID")
    if header.app_id and header.app_id != registration.app_id:
        yield fault("app-not-issued", "app_id", registration.app_id, header.app_id, "not the issued application ID")
    if header.facility_id and header.facility_id not in registration.facilities:
        wanted = " or ".join(registration.facilities)[:SHOWN]
        yield fault("facility-not-issued", "facility_id", wanted, header.facility_id, "not an issued test facility")
    count = header.number_of_exams
    if count is not None and expected.exams is not None and count != expected.exams:
        yield fault("count-mismatch", "number_of_exams", str(expected.exams), str(count), "not the number of exams sent")
    if header.transaction_id and not re.fullmatch(expected.id_pattern, header.transaction_id):
        yield fault(
            "transaction-id-invalid",
            "transaction_id",
            f"text of the form {expected.id_pattern}",
            header.transaction_id,
            "not a transaction ID",
        )
    if header.transaction_date and not is_date(header.transaction_date):
        yield fault(
            "header-invalid",
            "transaction_date",
            "a day or an instant of RFC 3339",
            header.transaction_date,
            "neither a date nor an instant",
        )


def is_date(text: str) -> bool:
    """Whether `text` is an ISO date or an RFC 3339 instant with its zone (fact U23)."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}([Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2}))?", text, re.ASCII) is None:
        return False
    try:
        if len(text) == len("2026-04-30"):
            date.fromisoformat(text)
        else:
            datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    """A count written as a number or as digits (fact U23)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS:
        return int(value)
    return None
