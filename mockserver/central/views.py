"""The central server's one operation, at the path of the layer below an application's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
import msgspec

from acrmock.record import Channel, Operation
from mockserver.context import current_call, wire

if TYPE_CHECKING:
    from acrmock.facts import Facts


def blueprint(facts: Facts) -> flask.Blueprint:
    """The DIR Central Server."""
    central = flask.Blueprint("central", __name__)

    @wire(Operation.OTHER, Channel.EXEMPT)
    def stow() -> flask.Response:
        from mockserver.central.receive import store  # noqa: PLC0415 - reading is loaded when the first report comes

        call, request = current_call(), flask.request
        answer = store(
            call, request.headers.get("Authorization", ""), request.headers.get("Content-Type", ""), request.get_data()
        )
        data = {"status": answer.status, "reason": answer.reason, "bytes": len(request.get_data())}
        call.engine.journal.event(
            call.unit,
            "central-received",
            data,
            application=call.application.id,
            environment=call.environment,
            run=call.application.run,
        )
        response = flask.Response(msgspec.json.encode(answer.body), answer.status, mimetype="application/dicom+json")
        if answer.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="DIR Central Server"'
        return response

    central.add_url_rule(facts.text("dirlink.central.path"), "stow", stow, methods=["POST"])
    return central
