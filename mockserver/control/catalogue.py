"""The error catalogue through the control API."""

from __future__ import annotations

from typing import Any

import flask
import msgspec

from mockserver.context import current_core
from mockserver.control import body
from mockserver.faults import places_of


def listing() -> flask.Response:
    """GET errors: every error of the catalogue with its look on the wire, its source, and how to meet it."""
    body.only()
    facts = current_core().facts
    prefix = facts.text("faults.magic.prefix") if facts.flag("faults.magic.enabled") else ""
    found: list[dict[str, Any]] = []
    for code, spec in sorted(facts.errors.items()):
        shown = msgspec.to_builtins(spec)
        shown.pop("layer", None)
        places = places_of(facts, code)
        wires = [place for place in places if place != "control"]
        shown |= {"code": f"acrmock:{code}", "operations": list(places), "rule": {"error": code}}
        shown["magic"] = f"{prefix}{code}" if prefix and wires else None
        found.append(shown)
    return body.answer({"errors": found})
