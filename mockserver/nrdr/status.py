"""Reading transactions back: the status of one, and the list of those accepted (facts N2.1, U11, U17, U20)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import flask
import msgspec

from acrmock.clock import rfc3339
from acrmock.record import FieldProblem, RecordProblem, StatusFacts
from mockserver.auth.tokens import authenticate_bearer
from mockserver.context import Call, Plain
from mockserver.nrdr.lifecycle import Lifecycle, Standing
from mockserver.nrdr.model import RECORDS, TRANSACTION, Counts, Transaction, Verdict, Verdicts, transaction_key
from mockserver.nrdr.names import Names
from mockserver.nrdr.reading import not_registered, registry_problem
from mockserver.nrdr.tables import Tables
from mockserver.plans import Polls, StatusKey, assigned
from mockserver.problem import Problem
from mockserver.store import Reader

if TYPE_CHECKING:
    from acrmock.facts import Registry

FACILITY, DAY, UPLOADED, AFTER = "facility", "date", "upload_date", "after"
QUERY = (FACILITY, DAY, UPLOADED, AFTER, "access_token")
COUNTS = ("received", "uploaded", "updated", "rejected", "warnings")
MESSAGES = {
    StatusKey.FAILED: "The transaction could not be created because of an error.",
    StatusKey.VALIDATION_FAIL: "Nothing was loaded.",
    StatusKey.PARTIALLY_SUCCESSFUL: "Some records were loaded, some were rejected.",
    StatusKey.UPDATED: "All records were replaced by later transactions.",
}


def answer_status(call: Call, tables: Tables, slug: str, transaction_id: str) -> Plain:
    """The status of one transaction; raises `Problem` 404 when it was never accepted here."""
    registry = call.engine.facts.registry(slug)
    word = registry.slug if registry is not None else slug[:64]
    interval = float(call.settings.integer("nrdr.status.retry_after"))
    kept = call.engine.redactor.kept(transaction_id[:200])
    call.notes.status = StatusFacts(registry=word, transaction_id=kept, interval=interval)
    _authorize(call, registry, slug)
    with call.engine.store.read() as reader:
        transaction = reader.get(TRANSACTION, call.scope, transaction_key(word, kept), Transaction)
        transaction = None if transaction is not None and transaction.file else transaction
        counting = transaction is not None and _counts_polls(reader, call, transaction)
        body, standing = _look(call, tables, reader, transaction) if transaction is not None and not counting else ({}, None)
    if transaction is None:
        wanted, actual = "the ID of an accepted transaction", transaction_id[:200]
        field = FieldProblem(pointer="/request/url", expected=wanted, actual=actual, reason="never accepted here")
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
    later = () if terminal else (("Retry-After", str(int(interval))),)
    return _json(tables, body | {tables.names.field["transaction_id"]: transaction_id}, *later)


def answer_list(call: Call, tables: Tables, request: flask.Request, slug: str) -> Plain:
    """The accepted transactions in the order of their IDs, by facility and by the days of submission and of loading.

    An extra of acrmock's in the manner of the published screen (fact N2.2); days are UTC, business time. Only so many
    transactions are looked through for one answer (`nrdr.list.examined`): where more are left, `next` says where to go on.
    """
    registry = call.engine.facts.registry(slug)
    _authorize(call, registry, slug)
    query = _query(request)
    page, most = call.settings.integer("nrdr.list.page"), call.settings.integer("nrdr.list.examined")
    word = registry.slug if registry is not None else ""
    rows: list[dict[str, Any]] = []
    last = ""
    with call.engine.store.read() as reader:
        life = Lifecycle(reader, call.scope, word, call.business)
        there = reader.scan(
            TRANSACTION, call.scope, Transaction, prefix=f"{word}/", after=transaction_key(word, query.after), limit=most + 1
        )
        for number, (_, item) in enumerate(there):
            fits = number < most and query.fits(item, life)
            if number == most or (fits and len(rows) == page):
                return _json(tables, {"transactions": rows, "next": last})
            if fits:
                rows.append(_listed(tables.names, item, life))
            last = item.id
    return _json(tables, {"transactions": rows})


def _authorize(call: Call, registry: Registry | None, slug: str) -> None:
    """Bearer first, then the registry of the path."""
    registered = registry is not None and registry.slug in call.registration.registries
    authenticate_bearer(call, registry.scope if registry is not None and registered else "")
    if registry is None:
        raise Problem("registry-unknown", fields=(registry_problem(call, slug),))
    if not registered:
        raise not_registered(call)


@dataclass(frozen=True, slots=True)
class _Query:
    """What a list is asked for."""

    submitted: date | None
    uploaded: date | None
    facility: str
    after: str

    def fits(self, item: Transaction, life: Lifecycle) -> bool:
        """Whether a transaction belongs into the list."""
        if item.file or self.facility not in {"", item.facility}:
            return False
        if self.submitted not in {None, item.accepted_at.date()}:
            return False
        loaded = life.loaded_at(item) if self.uploaded is not None else None
        return self.uploaded is None or (loaded is not None and loaded.date() == self.uploaded)


def _query(request: flask.Request) -> _Query:
    """What is asked for; raises `Problem` 400 for a day that is none and a parameter that is unknown or repeated."""
    for name, values in request.args.lists():
        if name not in QUERY or len(values) > 1:
            known = name in QUERY
            reason = "given twice" if known else f"no such parameter; there are {', '.join(QUERY[:4])}"
            expected = "at most once" if known else "left out"
            field = FieldProblem(pointer="/request/queryString", element=name[:64], expected=expected, reason=reason)
            raise Problem("list-query-invalid", fields=(field,))
    return _Query(_day(request, DAY), _day(request, UPLOADED), request.args.get(FACILITY, ""), request.args.get(AFTER, ""))


def _day(request: flask.Request, name: str) -> date | None:
    text = request.args.get(name)
    try:
        if text is not None and (len(text) != len("2026-04-30") or not text.isascii()):
            raise ValueError(text)
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        field = FieldProblem(pointer="/request/queryString", element=name, expected="a day as YYYY-MM-DD", reason="not a date")
        raise Problem("list-query-invalid", fields=(field,)) from None


def _counts_polls(reader: Reader, call: Call, transaction: Transaction) -> bool:
    """Whether the plan moves on by polls, so that this one must be counted."""
    return isinstance(assigned(reader, call.scope, transaction.assignment, transaction.default).plan, Polls)


def _count_poll(call: Call, tables: Tables, transaction: Transaction) -> tuple[Transaction, dict[str, Any], Standing]:
    """The status as of the polls before this one, which is then counted; in the unit, so that no poll is lost."""
    key = transaction_key(transaction.registry, transaction.id)
    fresh = call.unit.get(TRANSACTION, call.scope, key, Transaction) or transaction
    body, standing = _look(call, tables, call.unit, fresh)
    if not standing.key.terminal:
        counted = msgspec.structs.replace(fresh, polls=fresh.polls + 1)
        life = Lifecycle(call.unit, call.scope, fresh.registry, call.business)
        settled = call.business if life.own(counted).terminal else None
        call.unit.put(TRANSACTION, call.scope, key, msgspec.structs.replace(counted, settled_at=settled))
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
    body[names.field["records"]] = _records(names, transaction, ended=ended)
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


def _records(names: Names, transaction: Transaction, *, ended: bool) -> dict[str, int]:
    """The counts as far as they are known: before the end only how many records came."""
    counts = transaction.counts if ended else Counts(received=transaction.counts.received)
    return {names.field[name]: getattr(counts, name) for name in COUNTS}


def _listed(names: Names, transaction: Transaction, life: Lifecycle) -> dict[str, Any]:
    standing, loaded = life.standing(transaction), life.loaded_at(transaction)
    row = _row(names, transaction, standing)
    row[names.field["records"]] = _records(names, transaction, ended=standing.key.terminal)
    if loaded is not None:
        row[names.field["upload_date"]] = rfc3339(loaded)
    return row


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


def _json(tables: Tables, body: dict[str, Any], *headers: tuple[str, str]) -> Plain:
    return Plain.of(msgspec.json.encode(body), 200, tables.names.media_type, ("Cache-Control", "no-store"), *headers)
