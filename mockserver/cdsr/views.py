"""Posting a document: 201 when it is new, 200 when it is an update, 400 when it was not ingested (facts N5.1 to N5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
import msgspec

from acrmock.record import Channel, DocumentFacts, FieldProblem, Operation
from acrmock.strictjson import JsonProblem, loads
from mockserver.auth.tokens import authenticate_bearer
from mockserver.cdsr.document import Ambiguous, Document, read_document
from mockserver.cdsr.model import DOCUMENT, Kept
from mockserver.cdsr.names import Names, read_names
from mockserver.context import Call, current_call, wire
from mockserver.problem import Problem

if TYPE_CHECKING:
    from acrmock.facts import Facts

_SHOWN = 64
_ELEMENT_SHOWN = 80


def blueprint(facts: Facts) -> flask.Blueprint:
    """The endpoint at the path of the layers."""
    found = flask.Blueprint("cdsr", __name__)
    names = read_names(facts)

    def answered(call: Call) -> flask.Response:
        return answer_post(call, names, call.request)

    @wire(Operation.CDSR_POST, Channel.BACK, lean=answered)
    def post() -> flask.Response:
        return answered(current_call())

    found.add_url_rule(names.path, "post", post, methods=["POST"])
    return found


def answer_post(call: Call, names: Names, request: flask.Request) -> flask.Response:
    """The answer to a posted document; notes its facts even where it is refused. Raises `Problem`."""
    if call.settings.flag("cdsr.bearer_required"):
        authenticate_bearer(call, call.settings.text("cdsr.scope"))
    try:
        created = _ingest(call, names, request)
    except Problem as refused:
        if not call.settings.flag("cdsr.bare_refusal"):
            raise
        call.notes.refusal(f"acrmock:{refused.code}", _title(call, refused.code), fields=refused.fields, hint=refused.hint)
        return flask.Response(status=call.engine.facts.errors[refused.code].status)
    return flask.Response(status=201 if created else 200)


def _ingest(call: Call, names: Names, request: flask.Request) -> bool:
    """Keep the document; whether it is new. Raises `Problem`."""
    body = request.get_data()
    call.notes.document = DocumentFacts(readable=False)
    if request.mimetype != names.media_type:
        where = "/request/headers/Content-Type"
        actual = (request.content_type or "")[:_SHOWN]
        raise _refused(
            "document-media-type",
            (FieldProblem(pointer=where, expected=names.media_type, actual=actual, reason="another media type"),),
        )
    document = _parsed(call, names, body)
    key = call.engine.digester.ref("document", document.id) if document.id else ""
    facts = call.notes.document = DocumentFacts(
        id=key,
        id_uuid=document.id_is_uuid,
        readable=document.whole,
        present=document.present,
        missing=tuple(problem.element for problem in document.missing),
        date_problems=document.dates,
        version=document.version,
        content=call.engine.digester.ref("content", document.content) if document.content else "",
    )
    if call.struck is not None and call.struck.error:
        call.notes.document = msgspec.structs.replace(facts, internal=True)
        raise Problem(call.struck.error, hint=f"the fault {call.struck.name} answers so on purpose")
    _check(call, document, names)
    kept = call.unit.get(DOCUMENT, call.scope, key, Kept)
    posts = 1 if kept is None else kept.posts + 1
    call.unit.put(DOCUMENT, call.scope, key, Kept(posts=posts, version=document.version))
    call.notes.document = msgspec.structs.replace(facts, created=kept is None, updated=kept is not None)
    return kept is None


def _parsed(call: Call, names: Names, body: bytes) -> Document:
    limits = call.settings
    try:
        value = loads(body, max_depth=limits.integer("cdsr.limit.depth"), max_values=limits.integer("cdsr.limit.values"))
        return read_document(value, names)
    except JsonProblem as error:
        raise _not_json(str(error.reason), "" if error.position is None else f"at {error.position}") from None
    except Ambiguous as error:
        raise _not_json("two member names differ by nothing but case", str(error)) from None


def _not_json(reason: str, actual: str) -> Problem:
    problem = FieldProblem(pointer="/request/postData/text", expected="strict JSON in UTF-8", actual=actual, reason=reason)
    return _refused("document-not-json", (problem,))


def _check(call: Call, document: Document, names: Names) -> None:
    """Refuse what is not to be ingested (fact N5.4)."""
    if not document.whole:
        raise _refused("document-invalid", document.problems)
    if document.missing:
        if call.notes.document is not None:
            call.notes.document = msgspec.structs.replace(call.notes.document, rejected=call.notes.document.missing)
        raise _refused("document-header-missing", document.missing)
    if not document.known:
        place = f"/{names.header}/{names.type}"
        expected = ", ".join(sorted(names.types))[:_ELEMENT_SHOWN]
        actual = document.header_type[:_SHOWN]
        problem = FieldProblem(pointer=place, element=names.type, expected=expected, actual=actual, reason="not described")
        raise _refused("document-header-type", (problem,))


def _refused(code: str, fields: tuple[FieldProblem, ...]) -> Problem:
    """A refusal that lists the header elements concerned (U34) and is else as terse as the published page."""
    listed = [{"pointer": field.pointer} for field in fields if not field.pointer.startswith("/request/")]
    return Problem(code, fields=fields, body={"errors": listed} if listed else None)


def _title(call: Call, code: str) -> str:
    return call.engine.facts.errors[code].title
