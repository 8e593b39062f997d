"""The control API's part of the OpenAPI document: every call with every status that it can answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from acrmock.documents import RegistrationDocument
from acrmock.explain import Explanation
from mockserver.control import files, requests, shapes
from mockserver.control.errors import Code
from mockserver.control.faults import RuleView
from mockserver.control.reports import AnonymisedView, ReportList, ReportView
from mockserver.control.runs import RunView
from mockserver.control.unmatched import Inbox
from mockserver.onboarding.request import RegistrationRequest
from mockserver.plans import PlanRecord
from mockserver.portal.log import FORMATS
from mockserver.portal.views import FileList, FileView

if TYPE_CHECKING:
    from acrmock.facts import Facts

_FILES = "/applications/{application}/files"
_REF = "#/components/schemas/{name}"
_GUARD = (Code.TOKEN_MISSING, Code.TOKEN_WRONG, Code.ORIGIN_REFUSED)
_BODY = (Code.NOT_JSON, Code.BODY_TOO_LARGE, Code.MEDIA_TYPE, Code.INVALID, Code.STORE_FULL, Code.UNAVAILABLE)
_NAMED = (Code.APPLICATION_UNKNOWN, Code.ENVIRONMENT_UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One control call: its path, what it takes and what it can answer."""

    method: str
    path: str
    name: str
    summary: str
    body: type[msgspec.Struct] | None = None
    gives: type[msgspec.Struct] | None = None
    status: int = 200
    media: str = "application/json"
    query: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    refusals: tuple[Code, ...] = ()
    token: bool = True
    upload: tuple[str, ...] = ()
    page: bool = False
    form: tuple[str, ...] = ()


_CALLS = (
    _Call(
        method="post", path="/applications", name="register", summary="Register an application or an environment",
        status=201, body=RegistrationRequest, gives=RegistrationDocument,
        refusals=(
            Code.REGISTRATION_REFUSED, Code.ENVIRONMENT_EXISTS, Code.APPLICATION_UNKNOWN, Code.RUN_UNKNOWN, Code.RUN_CLOSED,
            Code.RUN_OPEN,
        ),
    ),
    _Call(method="get", path="/applications", name="listApplications", summary="All applications, without secrets"),
    _Call(
        method="get", path="/applications/{application}", name="showApplication", summary="An application, without secrets",
        refusals=(Code.APPLICATION_UNKNOWN,),
    ),
    _Call(
        method="post", path="/applications/{application}/move", name="moveEndpoints", summary="Move the sign-in endpoints",
        body=requests.Move, refusals=_NAMED,
    ),
    _Call(
        method="post", path="/applications/{application}/settings", name="overrideSettings", summary="Override layer settings",
        body=requests.Settings, refusals=(*_NAMED, Code.SETTING_INVALID),
    ),
    _Call(
        method="post", path="/applications/{application}/files", name="uploadFile", summary="Upload a data file", status=201,
        upload=files.MEDIA_TYPES, gives=FileView, query=files.UPLOAD, needs=("name", "registry"),
        refusals=(
            *_NAMED, Code.MEDIA_TYPE, Code.NOT_JSON, Code.INVALID, Code.FILE_NAME_INVALID, Code.FILE_NAME_USED,
            Code.FILE_TOO_LARGE, Code.FILE_MAPPING_INVALID, Code.PLAN_INVALID, Code.STORE_FULL, Code.UNAVAILABLE,
        ),
    ),
    _Call(
        method="get", path="/applications/{application}/files", name="listFiles", summary="Uploaded data files", gives=FileList,
        query=("environment", "registry", "facility", "date", "after"), page=True, refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="get", path="/applications/{application}/files/{file}", name="showFile", summary="A data file as it stands",
        gives=FileView, query=("environment",), page=True, refusals=(*_NAMED, Code.FILE_UNKNOWN, Code.INVALID),
    ),
    _Call(
        method="post", path="/applications/{application}/files/{file}/decision", name="decideFile",
        summary="Continue or cancel a data file with errors, or release one that is held", body=requests.DecideFile,
        gives=FileView, refusals=(*_NAMED, Code.FILE_UNKNOWN, Code.FILE_DECIDED),
    ),
    _Call(
        method="get", path="/applications/{application}/files/{file}/log", name="fileLog",
        summary="A data file's table with an Error column", media="text/plain; charset=utf-8", query=("environment", "format"),
        refusals=(*_NAMED, Code.FILE_UNKNOWN, Code.FILE_LOG_MISSING, Code.INVALID),
    ),
    _Call(
        method="get", path="/upload", name="uploadPage", summary="The page from which a person uploads", media="text/html",
        token=False,
    ),
    _Call(
        method="get", path="/applications/{application}/stations", name="listStations", summary="The configured stations",
        query=("environment",), refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="post", path="/applications/{application}/stations", name="configureStation", status=201,
        summary="Have the reports of a station go on", body=requests.ConfigureStation, refusals=_NAMED,
    ),
    _Call(
        method="delete", path="/applications/{application}/stations", name="removeStation", summary="Take a station back",
        query=("environment", "station", "facility"), needs=("station",),
        refusals=(*_NAMED, Code.STATION_UNKNOWN, Code.INVALID, Code.STORE_FULL, Code.UNAVAILABLE),
    ),
    _Call(
        method="get", path="/applications/{application}/reports", name="listReports", summary="The reports that were received",
        gives=ReportList, query=("environment", "state", "station", "report_after", "report_count"),
        refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="get", path="/applications/{application}/reports/{sop}", name="showReport", summary="What became of a report",
        gives=ReportView, query=("environment",), refusals=(*_NAMED, Code.REPORT_UNKNOWN, Code.INVALID),
    ),
    _Call(
        method="get", path="/applications/{application}/reports/{sop}/anonymised", name="showAnonymised",
        summary="A report before and after it was anonymised", gives=AnonymisedView, query=("environment",),
        refusals=(*_NAMED, Code.REPORT_UNKNOWN, Code.INVALID),
    ),
    _Call(
        method="post", path="/applications/{application}/planted", name="plantReports", status=201,
        summary="Say which reports a vendor was given", body=requests.Plant, refusals=_NAMED,
    ),
    _Call(
        method="get", path="/dirlink", name="dirLinkPage", summary="DIR Link for a person", media="text/html",
        query=("application", "environment"), refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="post", path="/dirlink/stations", name="dirLinkForm", summary="The form of that page", media="text/html",
        status=303, form=("station", "facility", "action"), query=("application", "environment"),
        refusals=(*_NAMED, Code.INVALID, Code.STATION_UNKNOWN, Code.STORE_FULL, Code.UNAVAILABLE),
    ),
    _Call(
        method="get", path="/dirlink/reports/{sop}", name="reportPage", summary="A report for a person", media="text/html",
        query=("application", "environment"), refusals=(*_NAMED, Code.REPORT_UNKNOWN, Code.INVALID),
    ),
    _Call(
        method="get", path="/dirlink/central", name="centralPage", summary="The registry for a person", media="text/html",
        query=("application", "environment"), refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="get", path="/central", name="showCentral", summary="The registry's reports and indices",
        query=("application", "environment"), refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="post", path="/central", name="setCentral", summary="Say how the central server answers",
        body=requests.SetCentral, refusals=_NAMED,
    ),
    _Call(
        method="get", path="/jobs", name="listJobs", summary="What is still to be done", query=("wait",),
        refusals=(Code.INVALID,),
    ),
    _Call(
        method="post", path="/runs", name="startRun", summary="Begin a certification run", status=201,
        body=requests.StartRun, gives=RunView,
        refusals=(Code.PROFILE_UNKNOWN, Code.APPLICATION_UNKNOWN, Code.RUN_OPEN),
    ),
    _Call(method="get", path="/runs/{run}", name="showRun", summary="A run", gives=RunView, refusals=(Code.RUN_UNKNOWN,)),
    _Call(
        method="post", path="/runs/{run}/steps", name="beginStep", summary="Begin a step", body=requests.BeginStep,
        gives=RunView,
        refusals=(Code.RUN_UNKNOWN, Code.RUN_CLOSED),
    ),
    _Call(
        method="post", path="/runs/{run}/events", name="noteEvent", summary="Note what happened beside the wires",
        body=requests.NoteEvent, refusals=(Code.RUN_UNKNOWN, Code.RUN_CLOSED),
    ),
    _Call(
        method="post", path="/runs/{run}/finish", name="finishRun", summary="End a run", body=requests.Nothing,
        gives=RunView,
        refusals=(Code.RUN_UNKNOWN, Code.RUN_CLOSED),
    ),
    _Call(
        method="get", path="/journal", name="exportJournal", summary="The journal as a recording", media="application/x-ndjson",
        query=("application", "run", "after"), refusals=(Code.APPLICATION_UNKNOWN, Code.RUN_UNKNOWN, Code.INVALID),
    ),
    _Call(
        method="get", path="/journal/await", name="awaitEntry", summary="Wait for an entry",
        query=("application", "run", "operation", "name", "after", "count", "timeout"),
        refusals=(Code.APPLICATION_UNKNOWN, Code.RUN_UNKNOWN, Code.INVALID, Code.AWAIT_TIMEOUT),
    ),
    _Call(
        method="get", path="/unmatched", name="showUnmatched", summary="Requests that belong to no application", gives=Inbox,
        refusals=(Code.INVALID,),
    ),
    _Call(
        method="post", path="/observations", name="observe", summary="Report what the robot user saw", status=201,
        body=requests.Observation, refusals=_NAMED,
    ),
    _Call(
        method="get", path="/clock", name="showClock", summary="An application's business time", query=("application",),
        needs=("application",),
        refusals=(Code.APPLICATION_UNKNOWN, Code.INVALID),
    ),
    _Call(
        method="post", path="/clock", name="moveClock", summary="Set, advance, freeze or resume business time",
        body=requests.MoveClock, refusals=(Code.APPLICATION_UNKNOWN, Code.CLOCK_INVALID),
    ),
    _Call(
        method="get", path="/plans", name="showPlans", summary="The plans in force", query=("application", "environment"),
        needs=("application",),
        refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="post", path="/plans", name="setPlan", summary="Set a status plan or release a hold",
        body=requests.SetPlan, gives=PlanRecord,
        refusals=(*_NAMED, Code.PLAN_INVALID),
    ),
    _Call(
        method="get", path="/faults", name="showFaults", summary="The faults that are set, with their counts",
        query=("application", "environment"), refusals=(*_NAMED, Code.INVALID),
    ),
    _Call(
        method="post", path="/faults", name="setFault", summary="Make requests fail on purpose", status=201,
        body=requests.SetFault, gives=RuleView, refusals=(*_NAMED, Code.FAULT_INVALID),
    ),
    _Call(
        method="delete", path="/faults", name="clearFaults", summary="Take faults back",
        query=("application", "environment", "name"),
        refusals=(*_NAMED, Code.FAULT_UNKNOWN, Code.INVALID, Code.STORE_FULL, Code.UNAVAILABLE),
    ),
    _Call(method="get", path="/errors", name="listErrors", summary="Every error, its look on the wire and how to meet it"),
    _Call(
        method="get", path="/why/{seq}", name="explainRefusal", summary="Why a request was refused", gives=Explanation,
        query=("application",), refusals=(Code.ENTRY_UNKNOWN, Code.APPLICATION_UNKNOWN, Code.INVALID),
    ),
    _Call(
        method="post", path="/reset", name="reset", summary="Forget what applications did", body=requests.Reset,
        refusals=(Code.APPLICATION_UNKNOWN,),
    ),
    _Call(
        method="post", path="/acknowledge", name="acknowledge", summary="Give a transaction's rejected records up",
        body=requests.Acknowledge, refusals=(*_NAMED, Code.TRANSACTION_UNKNOWN),
    ),
    _Call(
        method="get", path="/ca.pem", name="certificateAuthority", summary="The certificate authority to trust",
        media="application/x-pem-file", token=False,
    ),
)  # fmt: skip


def openapi(facts: Facts) -> dict[str, Any]:
    """Paths and components of the control API."""
    types = [kind for call in _CALLS for kind in (call.body, call.gives) if kind is not None]
    _, schemas = msgspec.json.schema_components(dict.fromkeys(types), ref_template=_REF)
    shapes.refine(schemas, facts)
    paths: dict[str, Any] = {}
    for call in _CALLS:
        paths.setdefault(f"/_acrmock{call.path}", {})[call.method] = _operation(call, facts)
    scheme = {"type": "http", "scheme": "bearer", "description": "the control token of ready.json"}
    return {"paths": paths, "components": {"schemas": schemas, "securitySchemes": {"controlToken": scheme}}}


def _operation(call: _Call, facts: Facts) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": call.name,
        "summary": call.summary,
        "tags": ["control"],
        "security": [{"controlToken": []}] if call.token else [],
        "parameters": _parameters(call),
        "responses": {str(call.status): _answer(call)},
    }
    if call.body is not None:
        schema = {"$ref": _REF.format(name=call.body.__name__)}
        content = {"schema": schema, "example": shapes.EXAMPLES[call.body.__name__]}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if call.upload:
        content = {media: {"schema": {"type": "string", "format": "binary"}, "example": ""} for media in call.upload}
        operation["requestBody"] = {"required": True, "content": content}
    if call.form:
        form = {
            "type": "object",
            "properties": {name: shapes.FORM[name] for name in call.form},
            "required": ["station", "action"],
        }
        content = {"schema": form, "example": shapes.FORM_EXAMPLE}
        operation["requestBody"] = {"required": True, "content": {"application/x-www-form-urlencoded": content}}
    codes = (*(_GUARD if call.token else (Code.ORIGIN_REFUSED,)), *(_BODY if call.body else ()), *call.refusals)
    for status, titles in _by_status(codes, facts).items():
        problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
        operation["responses"][status] = {"description": "; ".join(titles), "content": problem}
    return operation


def _answer(call: _Call) -> dict[str, Any]:
    """The answer to a call that was done, and what can follow it."""
    answer: dict[str, Any] = {"description": "Done", "content": {call.media: {"schema": _schema(call)}}}
    if call.page:
        answer["content"]["text/html"] = {"schema": {"type": "string"}}
    if call.name == "fileLog":
        media = FORMATS["xlsx"][0]
        answer["content"][media] = {"schema": {"type": "string", "format": "binary"}}
    if call.name in shapes.LINKS:
        answer["links"] = shapes.LINKS[call.name]
        answer["headers"] = {"Location": {"required": True, "schema": {"type": "string", "format": "uri"}}}
    return answer


def _schema(call: _Call) -> dict[str, Any]:
    if call.gives is not None:
        return {"$ref": _REF.format(name=call.gives.__name__)}
    return shapes.ANSWERS[call.name] if call.media == "application/json" else {"type": "string"}


def _parameters(call: _Call) -> list[dict[str, Any]]:
    found = [part[1:-1] for part in call.path.split("/") if part.startswith("{")]
    named = {"application": shapes.APPLICATION, "run": shapes.RUN, "seq": "last", "file": shapes.FILE, "sop": "1.2.3"}
    inside = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}, "example": named[name]}
        for name in found
    ]
    return inside + [
        {"name": shapes.NAMED.get(name, name), "in": "query", "required": name in call.needs, **_query(call, name)}
        for name in call.query
    ]


def _query(call: _Call, name: str) -> dict[str, Any]:
    return shapes.FILE_QUERY.get(name, shapes.QUERY.get(name, {})) if call.path.startswith(_FILES) else shapes.QUERY[name]


def _by_status(codes: tuple[Code, ...], facts: Facts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code in dict.fromkeys(codes):
        spec = facts.errors[code]
        found.setdefault(str(spec.status), []).append(spec.title)
    return dict(sorted(found.items()))
