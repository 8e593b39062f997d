"""Writing an event in the unit of the change that it tells of."""

from __future__ import annotations

from typing import Any

from mockserver.context import EngineCore
from mockserver.onboarding.model import Application
from mockserver.store import Unit


def write_event(
    core: EngineCore, unit: Unit, name: str, data: dict[str, Any], application: Application, *, environment: str | None = None
) -> int:
    """Append an event of `application` and its run within `unit`; returns its `seq`. `data` must hold no secret."""
    return core.journal.event(unit, name, data, application=application.id, environment=environment, run=application.run)
