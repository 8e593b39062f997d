"""Reading a posted transaction (facts N2.5, U13 to U15, U19, U28, U29).

Leniently, so that the journal gets all that can be known, and strictly, so that each fault is found in the order in which
it is answered.

Nothing here touches the call's unit: reading and validating are the heavy part and run beside other calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from acrmock.record import FieldProblem, TransactionFacts
from acrmock.schema import census, identity_marks
from acrmock.strictjson import JsonProblem, JsonReason, loads
from mockserver.context import Call
from mockserver.nrdr.header import Expected, Header, header_faults, read_header
from mockserver.nrdr.records import Need, judge_records, needs
from mockserver.nrdr.tables import Tables
from mockserver.problem import Problem

if TYPE_CHECKING:
    from acrmock.facts import MappingVersion, Registry
    from acrmock.record import RecordFacts

JSON_CODES = {
    JsonReason.EMPTY: "not-json",
    JsonReason.SYNTAX: "not-json",
    JsonReason.TRAILING: "not-json",
    JsonReason.NOT_UTF8: "not-utf8",
    JsonReason.BYTE_ORDER_MARK: "not-utf8",
    JsonReason.TOO_DEEP: "json-too-deep",
    JsonReason.TOO_MANY: "json-too-large",
}
OUTSIDE = 64


@dataclass(slots=True)
class Reading:
    """A transaction as read: its facts, its records' verdicts, and the refusals that it earns, first one first."""

    facts: TransactionFacts
    header: Header = field(default_factory=Header)
    records: tuple[RecordFacts, ...] = ()
    needs: tuple[Need, ...] = ()
    refusals: list[Problem] = field(default_factory=list)


def read_transaction(call: Call, tables: Tables, *, registry: Registry | None, slug: str, mapping: str) -> Reading:
    """The transaction in the call's body, posted to `registry` (`slug` in the path) under `mapping`."""
    today = call.business.date()
    version = registry.version(mapping) if registry is not None else None
    reading = Reading(
        TransactionFacts(
            registry=registry.slug if registry is not None else slug[:OUTSIDE],
            mapping=mapping[:OUTSIDE],
            mapping_state=str(version.state(today)) if version is not None else "unknown",
        )
    )
    reading.refusals += _wrong_request(call, tables)
    value = _parse(call, reading, call.body)
    reading.refusals += _wrong_version(call, registry, version, today, slug=slug, mapping=mapping)
    if value is not None and registry is not None:
        _read_envelope(call, tables, reading, registry=registry, mapping=mapping, value=value.held)
        if version is not None and version.described:
            _read_records(call, tables, reading, version=version, exams=_exams(tables, value.held), today=today)
    return reading


def _wrong_request(call: Call, tables: Tables) -> Iterator[Problem]:
    """Media type and content coding (fact U19); the gate has refused what is too large."""
    wanted = tables.names.media_type
    environ = call.environ
    if environ.get("CONTENT_TYPE") == wanted and not ("HTTP_ACCEPT" in environ or "HTTP_CONTENT_ENCODING" in environ):
        return
    request = call.request
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != wanted or charset not in {"utf-8", "utf8"}:
        yield _problem(
            "media-type-unsupported", "/request/headers/Content-Type", wanted, request.content_type or "", "another media type"
        )
    coding = request.headers.get("Content-Encoding", "identity").strip()
    if coding.lower() not in {"", "identity"}:
        yield _problem("encoding-unsupported", "/request/headers/Content-Encoding", "none", coding, "the body is coded")
    accepted = request.accept_mimetypes
    if accepted and not any(accepted.quality(kind) > 0 for kind in (wanted, "application/problem+json")):
        yield _problem("not-acceptable", "/request/headers/Accept", wanted, str(accepted), "JSON is not accepted")


def read_json(call: Call, body: bytes) -> Any:
    """The value of a body within the limits of the layers; raises `JsonProblem`."""
    limits = call.settings
    return loads(body, max_depth=limits.integer("nrdr.limit.depth"), max_values=limits.integer("nrdr.limit.values"))


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A JSON value; there so that a body of `null` is told from none."""

    held: Any


def _parse(call: Call, reading: Reading, body: bytes) -> _Parsed | None:
    try:
        return _Parsed(read_json(call, body))
    except JsonProblem as error:
        code = JSON_CODES.get(error.reason, "json-not-strict")
        where = f"at {error.position}" if error.position is not None else error.detail
        reading.refusals.append(_problem(code, "/request/postData/text", "strict JSON in UTF-8", where, str(error.reason)))
        return None


def registry_problem(call: Call, slug: str) -> FieldProblem:
    """What is wrong with a path whose registry does not exist; right is one for which the application is registered."""
    usable = " or ".join(call.registration.registries)
    return FieldProblem(pointer="/request/url", expected=usable, actual=slug[:OUTSIDE], reason="there is no such registry")


def not_registered(call: Call) -> Problem:
    """The refusal of a registry that the registration does not name."""
    reason = f"the application is registered for {', '.join(call.registration.registries)}"
    field = FieldProblem(pointer="/request/url", expected="a registry of the registration", reason=reason)
    return Problem("registry-not-registered", fields=(field,), hint="Register the application for this registry.")


def _wrong_version(
    call: Call, registry: Registry | None, version: MappingVersion | None, today: date, *, slug: str, mapping: str
) -> Iterator[Problem]:
    """The path's registry and mapping: known, and in force on the business date (fact U29)."""
    if registry is None:
        yield Problem("registry-unknown", fields=(registry_problem(call, slug),))
        return
    if version is not None and version.state(today) == "in-force" and version.described:
        return
    usable = " or ".join(item.version for item in registry.in_force(today))
    if version is None:
        yield _problem("mapping-unknown", "/request/url", usable, mapping, "there is no such mapping version")
    elif version.state(today) == "obsolete":
        yield _problem("mapping-obsolete", "/request/url", usable, mapping, f"in force until {version.in_force_until}")
    elif version.state(today) == "not-yet":
        yield _problem("mapping-not-yet", "/request/url", usable, mapping, f"in force from {version.in_force_from}")
    else:
        yield _problem("mapping-unknown", "/request/url", usable, mapping, "its elements are not known")


def _exams(tables: Tables, value: Any) -> list[Any] | None:
    exams = value.get(tables.names.envelope_exams) if isinstance(value, dict) else None
    return exams if isinstance(exams, list) else None


def _read_envelope(call: Call, tables: Tables, reading: Reading, *, registry: Registry, mapping: str, value: Any) -> None:
    """The envelope against its schema and the header against what was issued; notes and refuses what is wrong."""
    names = tables.names
    exams = _exams(tables, value)
    header = read_header(value.get(names.envelope_header) if isinstance(value, dict) else None, names)
    schema = tuple(tables.envelope_problems(registry, value))
    expected = Expected(
        registry=registry.header_word,
        mapping=mapping,
        exams=None if exams is None else len(exams),
        id_pattern=call.settings.text("nrdr.transaction_id_pattern"),
    )
    faults = tuple(header_faults(header, names, expected, call.registration))
    told = {fault.problem.pointer for fault in faults} | ({f"/{names.envelope_exams}"} if _too_many(call, exams) else set())
    rest = tuple(item for item in schema if item.pointer not in told)
    inside = f"/{names.envelope_header}"
    of_header = tuple(item for item in rest if item.pointer == inside or item.pointer.startswith(inside + "/"))
    registration = call.registration
    reading.header = header
    reading.facts = msgspec.structs.replace(
        reading.facts,
        transaction_id=call.engine.redactor.kept(header.transaction_id[:200]),
        declared_registry=header.registry[:OUTSIDE],
        declared_mapping=header.data_version[:OUTSIDE],
        exams=len(exams or ()),
        declared_exams=header.number_of_exams,
        header_problems=(*of_header, *(fault.problem for fault in faults)),
        envelope_valid=not schema,
        partner_issued=_issued(header, "partner_id", header.partner_id == registration.partner_id),
        app_issued=_issued(header, "app_id", header.app_id == registration.app_id),
        facility_issued=_issued(header, "facility_id", header.facility_id in registration.facilities),
    )
    if rest:
        code = "header-invalid" if len(of_header) == len(rest) else "envelope-invalid"
        reading.refusals.append(_listed(code, rest))
    reading.refusals += [_listed(fault.code, (fault.problem,)) for fault in faults]
    if _too_many(call, exams):
        limit = call.settings.integer("nrdr.limit.exams")
        place = f"/{names.envelope_exams}"
        sent = str(len(exams or ()))
        reading.refusals.append(_problem("too-many-exams", place, f"at most {limit}", sent, "more than the limit"))


def _too_many(call: Call, exams: list[Any] | None) -> bool:
    return exams is not None and len(exams) > call.settings.integer("nrdr.limit.exams")


def _issued(header: Header, element: str, issued: bool) -> bool | None:  # noqa: FBT001 - a private helper
    return issued if element in header.present else None


def _read_records(
    call: Call, tables: Tables, reading: Reading, *, version: MappingVersion, exams: list[Any] | None, today: date
) -> None:
    """The verdict on each exam, and what the exams exercised; not beyond the limit, so that the work is bounded."""
    if not exams or _too_many(call, exams):
        return
    validator, facility = tables.records(version), reading.header.facility_id
    reading.records = judge_records(call.engine.digester, validator, version, exams, today=today, facility=facility)
    reading.needs = needs(call.engine.digester, version, exams, facility=facility)
    counted = census(version, exams)
    reading.facts = msgspec.structs.replace(
        reading.facts,
        records=reading.records,
        elements=tuple(counted.elements),
        values=tuple(counted.values),
        branches=tuple(counted.branches),
        identity=tuple(mark for index, exam in enumerate(exams) for mark in identity_marks(version, exam, index)),
    )


def _problem(code: str, pointer: str, expected: str, actual: str, reason: str) -> Problem:
    return _listed(code, (FieldProblem(pointer=pointer, expected=expected, actual=actual[:OUTSIDE], reason=reason),))


def _listed(code: str, fields: tuple[FieldProblem, ...]) -> Problem:
    """A refusal whose wire form names only the places (fact U19: terse), while the journal has the fields in full."""
    pointers = [{"pointer": item.pointer} for item in fields if item.pointer and not item.pointer.startswith("/request/")]
    return Problem(code, fields=fields, body={"errors": pointers} if pointers else None)
