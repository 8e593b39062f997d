"""Posting a transaction: 202 with its place, the same answer to the same bytes, and nothing half done (facts U11, U14)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from acrmock.record import FieldProblem, RecordFacts, RecordProblem
from mockserver import planwords
from mockserver.auth.tokens import Grant, authenticate_bearer
from mockserver.context import Call, Plain
from mockserver.journal import secrets_in
from mockserver.nrdr.loading import Loadable, load
from mockserver.nrdr.model import (
    EXAM,
    RECORDS,
    TRANSACTION,
    Counts,
    Exam,
    Transaction,
    transaction_key,
)
from mockserver.nrdr.reading import Reading, not_registered, read_transaction
from mockserver.nrdr.records import on_purpose, to_keep, without_form
from mockserver.nrdr.tables import Tables
from mockserver.plans import After, Assignment, StatusKey, assign, assigned, failure, status
from mockserver.problem import Problem


def answer_post(call: Call, tables: Tables, slug: str, mapping: str) -> Plain:
    """The answer to a posted transaction; notes its facts even where it is refused. Raises `Problem`."""
    registry = call.engine.facts.registry(slug)
    reading = read_transaction(call, tables, registry=registry, slug=slug, mapping=mapping)
    call.notes.transaction = reading.facts
    registered = registry is not None and registry.slug in call.registration.registries
    grant = authenticate_bearer(call, registry.scope if registry is not None and registered else "")
    _check_user(call, reading, grant, tables)
    if registry is not None and not registered:
        raise not_registered(call)
    if reading.refusals:
        raise reading.refusals[0]
    transaction, repeat = _accept(call, tables, reading, hashlib.sha256(call.body).hexdigest())
    call.notes.transaction = msgspec.structs.replace(reading.facts, accepted=True, repeat=repeat)
    return _accepted(call, tables, transaction, reading.header.transaction_id)


def _check_user(call: Call, reading: Reading, grant: Grant, tables: Tables) -> None:
    """Whether the token's user belongs to the facility of the data (fact U28)."""
    facility = reading.header.facility_id
    if not facility:
        return
    belongs = grant.user.facility_id == facility
    reading.facts = call.notes.transaction = msgspec.structs.replace(reading.facts, facility_of_user=belongs)
    if belongs or reading.facts.facility_issued is not True:
        return
    name = tables.names.header["facility_id"]
    field = FieldProblem(
        pointer=f"/{tables.names.envelope_header}/{name}",
        element=name,
        expected=grant.user.facility_id,
        actual=facility,
        reason="the token's user belongs to another facility",
    )
    refusal = Problem(
        "facility-not-of-user", fields=(field,), hint="Send each facility's data with the token of a user of that facility."
    )
    # after what is wrong with the request and the envelope, before the count and what follows it
    later = ("count-mismatch", "transaction-id-invalid", "header-invalid", "too-many-exams")
    place = next((at for at, item in enumerate(reading.refusals) if item.code in later), len(reading.refusals))
    reading.refusals.insert(place, refusal)


def _accept(call: Call, tables: Tables, reading: Reading, body: str) -> tuple[Transaction, bool]:
    """The transaction as stored, and whether it was there before; raises `Problem`: 409 for other bytes under its ID.

    An ID that holds a secret of ours is refused: it would stand in the store, in links and in the logs of whoever polls.
    """
    unit, facts = call.unit, reading.facts
    key = transaction_key(facts.registry, facts.transaction_id)
    known = unit.get(TRANSACTION, call.scope, key, Transaction)
    if known is not None:
        if known.body != body:
            raise _conflict(tables, reading.header.transaction_id)
        return known, True
    if call.engine.redactor.scanner.holds(reading.header.transaction_id, secrets_in(unit)) is not None:
        raise _secret(tables)
    asked = planwords.asked(call.settings, facts.transaction_id)
    assignment = Assignment() if asked is not None else assign(unit, call.scope, facts.registry)
    default = asked or After(seconds=call.settings.number("nrdr.status.terminal_after"))
    plan = assigned(unit, call.scope, assignment, default)
    _look_up_forms(call, tables, reading)
    records = on_purpose(reading.records, plan.plan, tables.names)
    accepted = [record for record in records if record.status != tables.names.rejected]
    end = _end(len(accepted), len(records))
    doomed = failure(plan.plan, assignment.ordinal) is not None
    updated = 0 if doomed else load(unit, call.scope, facts.registry, facts.transaction_id, _loadable(accepted))
    first = status(plan.plan, end=end, elapsed=0.0, polls=0, ordinal=assignment.ordinal, released=plan.released_at is not None)
    transaction = Transaction(
        id=facts.transaction_id,
        registry=facts.registry,
        mapping=facts.mapping,
        facility=reading.header.facility_id,
        accepted_at=call.business,
        body=body,
        end=end,
        first=first,
        default=default,
        assignment=assignment,
        counts=_counts(records, len(accepted), updated, doomed=doomed),
    )
    unit.put(TRANSACTION, call.scope, key, transaction)
    unit.put(RECORDS, call.scope, key, to_keep(call.engine.redactor, secrets_in(unit), records, call.body))
    return transaction, False


def _look_up_forms(call: Call, tables: Tables, reading: Reading) -> None:
    """Reject the records that need another form which was never loaded (a rule of kind `needs-form`)."""
    missing: dict[int, list[RecordProblem]] = {}
    for need in reading.needs:
        key = f"{reading.facts.registry}/{need.key}"
        if call.unit.get(EXAM, call.scope, key, Exam) is None:
            missing.setdefault(need.index, []).append(need.problem)
    if missing:
        rejected = tables.names.rejected
        reading.records = tuple(without_form(item, missing.get(item.index, []), rejected) for item in reading.records)
        reading.facts = msgspec.structs.replace(reading.facts, records=reading.records)


def _loadable(records: list[RecordFacts]) -> Iterator[Loadable]:
    return (Loadable(item.index, item.key, item.content, len(item.follow_ups)) for item in records)


def _end(accepted: int, received: int) -> StatusKey:
    """Where the content leads: all, some or none of the records can be loaded (fact N2.2)."""
    if accepted == 0:
        return StatusKey.VALIDATION_FAIL
    return StatusKey.POSTED if accepted == received else StatusKey.PARTIALLY_SUCCESSFUL


def _counts(records: tuple[RecordFacts, ...], accepted: int, updated: int, *, doomed: bool) -> Counts:
    """The counts once the transaction has ended; one that is doomed loads nothing."""
    if doomed:
        return Counts(received=len(records), rejected=len(records))
    warned = sum(1 for record in records if any(problem.severity == "warning" for problem in record.problems))
    return Counts(
        received=len(records), uploaded=accepted - updated, updated=updated, rejected=len(records) - accepted, warnings=warned
    )


def _conflict(tables: Tables, transaction_id: str) -> Problem:
    name = tables.names.header["transaction_id"]
    field = FieldProblem(
        pointer=f"/{tables.names.envelope_header}/{name}",
        element=name,
        expected="a new ID, or the same bytes as before",
        actual=transaction_id,
        reason="accepted before with another body",
    )
    return Problem("transaction-conflict", fields=(field,))


def _secret(tables: Tables) -> Problem:
    name = tables.names.header["transaction_id"]
    field = FieldProblem(
        pointer=f"/{tables.names.envelope_header}/{name}",
        element=name,
        expected="an ID of your own, e.g. a UUID",
        reason="holds a secret that was issued to a client",
    )
    return Problem("transaction-id-invalid", fields=(field,), hint="Never send a secret as an identifier.")


def _accepted(call: Call, tables: Tables, transaction: Transaction, identifier: str) -> Plain:
    names = tables.names
    body = {names.field["transaction_id"]: identifier, names.field["status"]: names.status[transaction.first]}
    settings, text = call.settings, msgspec.json.encode(body)
    path = names.status_path.format(registry=transaction.registry, transaction_id=identifier)
    headers = (
        ("Location", call.base_url + path),
        ("Retry-After", str(settings.integer("nrdr.status.retry_after"))),
        ("Cache-Control", "no-store"),
    )
    return Plain.of(text, settings.integer("nrdr.accepted_status"), names.media_type, *headers)
