"""Reading transactions back: the status of one, and the list of those accepted (facts N2.1, U11, U17, U20)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import flask
import msgspec

from acrmock.clock import rfc3339
from acrmock.record import FieldProblem, RecordProblem, StatusFacts
from mockserver.auth.tokens import authenticate_bearer
from mockserver.context import Call
from mockserver.nrdr.lifecycle import Lifecycle, Standing
from mockserver.nrdr.model import RECORDS, TRANSACTION, Counts, Transaction, Verdict, Verdicts, transaction_key
from mockserver.nrdr.names import Names
from mockserver.nrdr.tables import Tables
from mockserver.plans import Polls, StatusKey, assigned
from mockserver.problem import Problem
from mockserver.store import Reader

if TYPE_CHECKING:
    from acrmock.facts import Registry

FACILITY, DAY, AFTER = "facility", "date", "after"
QUERY = (FACILITY, DAY, AFTER, "access_token")
MESSAGES = {
    StatusKey.FAILED: "The transaction could not be created because of an error.",
    StatusKey.VALIDATION_FAIL: "Nothing was loaded.",
    StatusKey.PARTIALLY_SUCCESSFUL: "Some records were loaded, some were rejected.",
    StatusKey.UPDATED: "All records were replaced by later transactions.",
}


def answer_status(call: Call, tables: Tables, slug: str, transaction_id: str) -> flask.Response:
    """The status of one transaction; raises `Problem` 404 when it was never accepted here."""
    registry = call.engine.facts.registry(slug)
    word = registry.slug if registry is not None else slug[:64]
    interval = float(call.settings.integer("nrdr.status.retry_after"))
    kept = call.engine.redactor.kept(transaction_id[:200])
    call.notes.status = StatusFacts(registry=word, transaction_id=kept, interval=interval)
    _authorize(call, registry)
    with call.engine.store.read() as reader:
        transaction = reader.get(TRANSACTION, call.scope, transaction_key(word, kept), Transaction)
        counting = transaction is not None and _counts_polls(reader, call, transaction)
        body, standing = _look(call, tables, reader, transaction) if transaction is not None and not counting else ({}, None)
    if transaction is None:
        field = FieldProblem(pointer="/request/url", expected="the ID of an accepted transaction", reason="never accepted here")
        raise Problem("transaction-unknown", fields=(field,), hint="Ask at the Location of the 202, with the accepted ID.")
    if counting:
        transaction, body, standing = _count_poll(call, tables, transaction)
    if standing is None:
        raise RuntimeError("a known transaction stands somewhere")
    status_word = tables.names.status[standing.key]
    terminal = standing.key.terminal
    call.notes.status = StatusFacts(
        registry=word, transaction_id=kept, known=True, status=status_word, terminal=terminal, interval=interval
    )
    answer = _json(tables, body | {tables.names.field["transaction_id"]: transaction_id})
    if not terminal:
        answer.headers["Retry-After"] = str(int(interval))
    return answer


def answer_list(call: Call, tables: Tables, request: flask.Request, slug: str) -> flask.Response:
    """The accepted transactions in the order of their IDs, by facility and day of submission (an extra of acrmock's)."""
    registry = call.engine.facts.registry(slug)
    _authorize(call, registry)
    wanted_day, facility, after = _query(request)
    page = call.settings.integer("nrdr.list.page")
    word = registry.slug if registry is not None else ""
    with call.engine.store.read() as reader:
        life = Lifecycle(reader, call.scope, word, call.business)
        found: list[Transaction] = []
        for _, item in reader.scan(TRANSACTION, call.scope, Transaction, prefix=f"{word}/"):
            fits = item.id > after and facility in {"", item.facility} and wanted_day in {None, item.accepted_at.date()}
            if fits:
                found.append(item)
            if len(found) > page:
                break
        rows = [_row(tables.names, item, life.standing(item)) for item in found[:page]]
    body: dict[str, Any] = {"transactions": rows}
    if len(found) > page:
        body["next"] = found[page - 1].id
    return _json(tables, body)


def _authorize(call: Call, registry: Registry | None) -> None:
    """Bearer first, then the registry of the path."""
    registered = registry is not None and registry.slug in call.registration.registries
    authenticate_bearer(call, registry.scope if registry is not None and registered else "")
    if registry is None:
        raise Problem("registry-unknown", fields=(FieldProblem(pointer="/request/url", reason="there is no such registry"),))
    if not registered:
        raise Problem("registry-not-registered", hint="Register the application for this registry.")


def _query(request: flask.Request) -> tuple[date | None, str, str]:
    """Day, facility and cursor; raises `Problem` 400 for a day that is none and a parameter that is unknown or repeated."""
    for name, values in request.args.lists():
        if name not in QUERY or len(values) > 1:
            reason = "given twice" if name in QUERY else "no such parameter"
            field = FieldProblem(pointer="/request/queryString", element=name[:64], expected=", ".join(QUERY[:3]), reason=reason)
            raise Problem("list-query-invalid", fields=(field,))
    text = request.args.get(DAY)
    try:
        if text is not None and (len(text) != len("2026-04-30") or not text.isascii()):
            raise ValueError(text)
        day = date.fromisoformat(text) if text is not None else None
    except ValueError:
        field = FieldProblem(pointer="/request/queryString", element=DAY, expected="YYYY-MM-DD", reason="not a date")
        raise Problem("list-query-invalid", fields=(field,)) from None
    return day, request.args.get(FACILITY, ""), request.args.get(AFTER, "")


def _counts_polls(reader: Reader, call: Call, transaction: Transaction) -> bool:
    """Whether the plan moves on by polls, so that this one must be counted."""
    return isinstance(assigned(reader, call.scope, transaction.assignment, transaction.default).plan, Polls)


def _count_poll(call: Call, tables: Tables, transaction: Transaction) -> tuple[Transaction, dict[str, Any], Standing]:
    """The status as of the polls before this one, which is then counted; in the unit, so that no poll is lost."""
    key = transaction_key(transaction.registry, transaction.id)
    fresh = call.unit.get(TRANSACTION, call.scope, key, Transaction) or transaction
    body, standing = _look(call, tables, call.unit, fresh)
    if not standing.key.terminal:
        call.unit.put(TRANSACTION, call.scope, key, msgspec.structs.replace(fresh, polls=fresh.polls + 1))
    return fresh, body, standing


def _look(call: Call, tables: Tables, reader: Reader, transaction: Transaction) -> tuple[dict[str, Any], Standing]:
    """The status body and where the transaction stands; records are read only once it has ended."""
    names = tables.names
    standing = Lifecycle(reader, call.scope, transaction.registry, call.business).standing(transaction)
    ended = standing.key.terminal
    body = _row(names, transaction, standing)
    body[names.field["data_version"]] = transaction.mapping
    if standing.key in MESSAGES:
        body[names.field["message"]] = MESSAGES[standing.key]
    if standing.replaced_by:
        body[names.field["replaced_by"]] = standing.replaced_by
    counts = transaction.counts if ended else Counts(received=transaction.counts.received)
    body[names.field["records"]] = {
        names.field[name]: getattr(counts, name) for name in ("received", "uploaded", "updated", "rejected", "warnings")
    }
    explained = ended and standing.key is not StatusKey.FAILED
    body[names.field["exams"]] = list(_exams(names, reader, call, transaction)) if explained else []
    return body, standing


def _row(names: Names, transaction: Transaction, standing: Standing) -> dict[str, Any]:
    return {
        names.field["transaction_id"]: transaction.id,
        names.field["status"]: names.status[standing.key],
        names.field["submission_date"]: rfc3339(transaction.accepted_at),
        names.field["registry"]: names.registries.get(transaction.registry, transaction.registry),
    }


def _exams(names: Names, reader: Reader, call: Call, transaction: Transaction) -> Iterator[dict[str, Any]]:
    key = transaction_key(transaction.registry, transaction.id)
    stored = reader.get(RECORDS, call.scope, key, Verdicts)
    for verdict in stored.records if stored is not None else ():
        yield _exam(names, verdict)


def _exam(names: Names, verdict: Verdict) -> dict[str, Any]:
    errors = [_problem(names, item) for item in verdict.problems if item.severity == "error"]
    warnings = [_problem(names, item) for item in verdict.problems if item.severity != "error"]
    return {
        names.field["index"]: verdict.index,
        names.field["key"]: verdict.key,
        names.field["record_status"]: verdict.status,
        names.field["errors"]: errors,
        names.field["exam_warnings"]: warnings,
    }


def _problem(names: Names, item: RecordProblem) -> dict[str, Any]:
    return {
        names.field["code"]: item.code,
        names.field["severity"]: item.severity,
        names.field["pointer"]: item.pointer,
        names.field["element"]: item.element,
        names.field["text"]: item.message,
    }


def _json(tables: Tables, body: dict[str, Any]) -> flask.Response:
    answer = flask.Response(msgspec.json.encode(body), 200, content_type=tables.names.media_type)
    answer.headers["Cache-Control"] = "no-store"
    return answer
