"""Pages for a person: DIR Link with its stations and reports, a report before and after, the central server's dashboard.

They are guarded as the rest of the control API. So that a browser can ask for the token they also take it as the password of
HTTP Basic (RFC 7617), under any name. They hold no script.
"""

from __future__ import annotations

import base64
import binascii
import heapq
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import flask
import jinja2

from acrmock.clock import rfc3339
from acrmock.dose.text import unpadded
from mockserver.central import behaviour
from mockserver.central import model as registry
from mockserver.central.indices import IndexName, IndexValue
from mockserver.central.plots import strips
from mockserver.context import EngineCore, current_core
from mockserver.control import body, reports, stations
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import Code, invalid, refuse, unknown
from mockserver.control.events import write_event
from mockserver.dirlink import model
from mockserver.dirlink import stations as configured
from mockserver.dirlink.states import State
from mockserver.dirlink.titles import address
from mockserver.problem import Problem

PREFIX = "/_acrmock"
_SHOWN = 100
_FORM_MOST = 16 * 1024
"""Bytes of a form: a Station Name and a facility are far less."""

_PLOTTED = {
    IndexName.CTDIVOL: "CTDIvol",
    IndexName.DLP: "DLP",
    IndexName.SSDE: "SSDE",
    IndexName.FLUOROSCOPY_TIME: "Fluoroscopy time",
    IndexName.KAR: "Ka,r",
    IndexName.KAP: "KAP",
    IndexName.EI: "Exposure index",
    IndexName.DI: "Deviation index",
}
"""The indices that are plotted, in this order; of those of a whole exam and of each event the exam's."""

_MODALITIES = "CT RF DX"
"""The order of the plots."""


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    loader = jinja2.PackageLoader("mockserver.control", "templates")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def bearer(authorization: str | None) -> str | None:
    """The header as it would be with the token as bearer, where it is the password of HTTP Basic."""
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return authorization
    try:
        _, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return authorization
    return f"Bearer {password}"


def dirlink() -> flask.Response:
    """GET dirlink: stations, what is held, and the reports that came last."""
    core, application, environment = _where()
    scope = (application, environment)
    with core.store.read() as snapshot:
        found = find(snapshot, application)
        registration = environment_of(found, environment)
        known = configured.configured(snapshot, scope)
        counts: Counter[str] = Counter()
        strangers: dict[str, list[model.StoredReport]] = defaultdict(list)
        last: list[tuple[str, str, model.StoredReport]] = []
        held = State.HELD.word(core.facts)
        for key, report in snapshot.scan(model.REPORT, scope, model.StoredReport):
            counts[report.state] += 1
            if report.state == held:
                strangers[unpadded(report.station)].append(report)
            item = (report.at, key, report)
            (heapq.heappush if len(last) < _SHOWN else heapq.heappushpop)(last, item)
    words = [state.word(core.facts) for state in State]
    return _page(
        "dirlink.html",
        application=application,
        environment=environment,
        now=rfc3339(found.business.now(core.clock.now()))[:19] + "Z",
        address=address(core.facts, core.dicom, found, environment),
        counts=[(word, counts[word]) for word in words if counts[word]],
        strangers=[_stranger(name, held_of) for name, held_of in sorted(strangers.items())],
        days=f"{core.settings_for(registration).number('dirlink.hold_days'):g}",
        stations=known,
        facilities=registration.facilities,
        reports=[report for _, _, report in sorted(last, reverse=True)],
        total=sum(counts.values()),
    )


def _stranger(name: str, held: list[model.StoredReport]) -> dict[str, Any]:
    """A station that is not configured, with what is held of it."""
    first = min((report.hold_until for report in held if report.hold_until is not None), default=None)
    return {
        "name": name,
        "shown": configured.shown(held[0].station),
        "count": len(held),
        "until": rfc3339(first)[:19] + "Z" if first is not None else "",
        "near": next((report.near for report in held if report.near), ""),
    }


def change_station() -> flask.Response:
    """POST dirlink/stations: the form of the page; leads back to it."""
    core, application, environment = _where()
    flask.request.max_content_length = _FORM_MOST
    if (flask.request.content_length or 0) > _FORM_MOST:
        raise refuse(Code.BODY_TOO_LARGE, f"at most {_FORM_MOST} bytes")
    form = flask.request.form
    name, facility, action = (form.get(key, "") for key in ("station", "facility", "action"))
    if why := configured.problem_with(name):
        raise invalid("station", why, expected=f"1 to {configured.LONGEST} characters", actual=name)
    with core.store.write() as unit:
        found = find(unit, application)
        registration = environment_of(found, environment)
        if action == "remove":
            if not configured.remove(unit, (application, environment), name, facility):
                raise unknown(Code.STATION_UNKNOWN, name)
            write_event(core, unit, "station-removed", {"station": name, "facility": facility}, found, environment=environment)
        elif action == "configure":
            facility = facility or next(iter(registration.facilities), "")
            if facility and facility not in registration.facilities:
                raise invalid("facility", "was not issued", expected=", ".join(registration.facilities), actual=facility)
            stations.put(core, unit, found, environment, name=name, facility=facility)
        else:
            raise invalid("action", "there is no such action", expected="configure or remove", actual=action)
    response = flask.Response(status=303)
    response.headers["Location"] = f"{PREFIX}/dirlink{_query(application, environment)}"
    return response


def report(sop: str) -> flask.Response:
    """GET dirlink/reports/SOP: what became of a report, and how it looks before and after it was anonymised."""
    core, application, environment = _where()
    found = reports.of(core, application, environment, sop)
    try:
        made = reports.before_after(core, application, environment, sop)
    except Problem:
        made = None
    return _page(
        "dirreport.html",
        application=application,
        environment=environment,
        it=reports.view(found, environment),
        made=made,
        remarks=reports.remarks(core, application, environment, sop),
    )


def central() -> flask.Response:
    """GET dirlink/central: the registry's indices by exam name, unmapped exams apart."""
    core, application, environment = _where()
    scope = (application, environment)
    figures = _Figures()
    with core.store.read() as snapshot:
        environment_of(find(snapshot, application), environment)
        asked = behaviour.current(snapshot, scope)
        for _, item in snapshot.scan(registry.REPORT, scope, registry.CentralReport):
            figures.add(item)
    return _page(
        "central.html",
        application=application,
        environment=environment,
        answer=asked.answer if asked is not None else None,
        total=figures.total,
        counted=sum(figures.names.values()),
        plots=figures.plots(mapped=True),
        unmapped_plots=figures.plots(mapped=False),
        names=[
            {"name": name, "modality": modality, "mapped": code, "meaning": meaning, "count": count}
            for (name, modality, code, meaning), count in sorted(figures.names.items())
        ],
    )


class _Figures:
    """The registry's figures: values by whether the exam is mapped, by index, by exam name."""

    def __init__(self) -> None:
        self.total = 0
        self.names: Counter[tuple[str, str, str, str]] = Counter()
        self._values: dict[tuple[bool, str, IndexName], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._units: dict[IndexName, str] = {}

    def add(self, item: registry.CentralReport) -> None:
        """Count a report, unless another stands for it."""
        self.total += 1
        if not item.counts:
            return
        self.names[(item.exam_name, item.modality, item.mapped, item.mapped_meaning)] += 1
        label = (item.mapped_meaning or item.mapped) if item.mapped else item.exam_name or "(none)"
        for index in item.indices:
            if index.name in _PLOTTED and _stands(index, item):
                self._units[index.name] = "" if index.unit == "1" else index.unit
                self._values[(bool(item.mapped), item.modality, index.name)][label].append(index.value)

    def plots(self, *, mapped: bool) -> list[dict[str, str]]:
        """A plot of each modality's index that has values."""
        places = [place for place in self._values if place[0] is mapped]
        places.sort(key=lambda place: (_MODALITIES.find(place[1]), list(_PLOTTED).index(place[2])))
        return [self._plot(modality, name, self._values[(mapped, modality, name)]) for _, modality, name in places]

    def _plot(self, modality: str, name: IndexName, rows: dict[str, list[float]]) -> dict[str, str]:
        unit = self._units[name]
        title = f"{modality}: {_PLOTTED[name]}" + (f" ({unit})" if unit else "")
        return {"title": title, "svg": strips(rows, title=title)}


def _stands(index: IndexValue, item: registry.CentralReport) -> bool:
    """Whether the index is the exam's own, or there is none of the whole exam."""
    return index.event == 0 or not any(other.event == 0 and other.name == index.name for other in item.indices)


def _where() -> tuple[EngineCore, str, str]:
    body.only("application", "environment")
    return current_core(), body.argument("application", "default"), body.argument("environment", "test")


def _query(application: str, environment: str) -> str:
    return "?" + urlencode({"application": application, "environment": environment})


def _page(name: str, *, application: str, environment: str, **values: Any) -> flask.Response:
    known = [(one.id, each) for one in islice(current_core().applications.all(), _SHOWN) for each in one.environments]
    others = [(one, each, _query(one, each)) for one, each in known if (one, each) != (application, environment)]
    values |= {"application": application, "environment": environment, "prefix": PREFIX, "others": others}
    values["kinds"] = {state.word(current_core().facts): state.value for state in State}
    text = _templates().get_template(name).render(query=_query(application, environment), **values)
    answer = flask.Response(text, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
