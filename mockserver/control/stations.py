"""Stations through the control API: which are configured, configuring one, taking one back (fact D1.6)."""

from __future__ import annotations

from typing import Any

import flask

from acrmock.clock import rfc3339
from acrmock.dose.text import unpadded
from mockserver.context import EngineCore, current_core
from mockserver.control import body
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import Code, invalid, unknown
from mockserver.control.events import write_event
from mockserver.control.requests import ConfigureStation
from mockserver.dirlink import stations
from mockserver.dirlink.decode import RELEASE
from mockserver.onboarding.model import Application
from mockserver.store import Unit


def listing(application: str) -> flask.Response:
    """GET applications/ID/stations: the configured stations of an environment."""
    body.only("environment")
    core, environment = current_core(), body.argument("environment", "test")
    with core.store.read() as snapshot:
        environment_of(find(snapshot, application), environment)
        found = stations.configured(snapshot, (application, environment))
    return body.answer({"application": application, "environment": environment, "stations": found})


def configure(application: str) -> flask.Response:
    """POST applications/ID/stations: the reports of a station go on from now, those held for it too."""
    core, request = current_core(), body.read_kept(ConfigureStation)
    if why := stations.problem_with(request.station):
        raise invalid("station", why, expected=f"1 to {stations.LONGEST} characters", actual=request.station)
    with core.store.write() as unit:
        found = find(unit, application)
        registration = environment_of(found, request.environment)
        facility = request.facility or next(iter(registration.facilities), "")
        if facility not in registration.facilities and facility:
            raise invalid("facility", "was not issued", expected=", ".join(registration.facilities), actual=facility)
        station = put(core, unit, found, request.environment, name=request.station, facility=facility)
    return body.answer({"application": application, "environment": request.environment, "station": station}, 201)


def put(
    core: EngineCore, unit: Unit, application: Application, environment: str, *, name: str, facility: str
) -> stations.Station:
    """Configure a station within `unit`, and have its backlog released."""
    now = application.business.now(core.clock.now())
    scope = (application.id, environment)
    station = stations.configure(unit, scope, name, facility, rfc3339(now))
    data = {"station": station.name, "facility": facility}
    write_event(core, unit, "station-configured", data, application, environment=environment)
    core.jobs.soon(unit, RELEASE, *scope, station.name)
    return station


def remove(application: str) -> flask.Response:
    """DELETE applications/ID/stations: the reports of a station that come from now on are held."""
    body.only("environment", "station", "facility")
    core, environment = current_core(), body.argument("environment", "test")
    name, facility = body.argument("station"), body.argument("facility")
    with core.store.write() as unit:
        found = find(unit, application)
        environment_of(found, environment)
        if not stations.remove(unit, (found.id, environment), name, facility):
            raise unknown(Code.STATION_UNKNOWN, name, hint="GET stations lists those that are configured")
        data: dict[str, Any] = {"station": unpadded(name), "facility": facility}
        write_event(core, unit, "station-removed", data, found, environment=environment)
    return body.answer({"removed": unpadded(name)})
