"""NRDR's operations as Flask views, at the paths of the layers; a transaction cannot be deleted (facts N2.18, U22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
from werkzeug.exceptions import MethodNotAllowed

from acrmock.record import Channel, Operation
from mockserver.context import Call, Plain, current_call, wire
from mockserver.nrdr import address
from mockserver.nrdr.post import answer_post
from mockserver.nrdr.status import answer_list, answer_status
from mockserver.nrdr.tables import tables_for
from mockserver.problem import Problem

if TYPE_CHECKING:
    from acrmock.facts import Facts


def blueprint(facts: Facts) -> flask.Blueprint:
    """The operations of NRDR's web-based transmission, for every registry of the facts."""
    found = flask.Blueprint("nrdr", __name__)
    tables = tables_for(facts)
    names = tables.names

    def answer_posted(call: Call, registry: str = "", mapping: str = "") -> Plain:
        slug, version = address.of_post(call, tables, call.body, registry, mapping)
        return answer_post(call, tables, slug, version)

    def answer_polled(call: Call, transaction_id: str, registry: str = "") -> Plain:
        return answer_status(call, tables, address.of_status(call, registry, transaction_id), transaction_id)

    @wire(Operation.NRDR_POST, Channel.BACK, lean=answer_posted)
    def post(registry: str = "", mapping: str = "") -> Plain:
        return answer_posted(current_call(), registry, mapping)

    @wire(Operation.NRDR_STATUS, Channel.BACK, lean=answer_polled)
    def status(transaction_id: str, registry: str = "") -> Plain:
        return answer_polled(current_call(), transaction_id, registry)

    @wire(Operation.NRDR_LIST, Channel.BACK)
    def listing(registry: str = "") -> Plain:
        call = current_call()
        return answer_list(call, tables, flask.request, address.of_list(call, registry))

    @found.before_app_request
    def refuse_delete() -> None:
        # a route for it would make every Allow header name DELETE
        refused = flask.request.routing_exception
        here = flask.request.path.startswith(f"{names.base}/")
        if here and flask.request.method == "DELETE" and isinstance(refused, MethodNotAllowed):
            allowed = ", ".join(sorted(refused.valid_methods or ()))
            raise Problem("delete-not-offered", headers=(("Allow", allowed),))

    found.add_url_rule(rule(names.post_path), "post", post, methods=["POST"])
    found.add_url_rule(rule(names.status_path), "status", status, methods=["GET"])
    found.add_url_rule(rule(names.list_path), "list", listing, methods=["GET"])
    return found


def rule(path: str) -> str:
    """A layer's path template as a Flask rule."""
    return path.replace("{", "<").replace("}", ">")
