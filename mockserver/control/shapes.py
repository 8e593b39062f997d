"""What the control API's bodies and queries must look like beyond their types, and an example of each.

The types of `requests` give the members; here stands what only the facts or a rule between members can say: which are
needed together, how many, how long, of which words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mockserver import guides
from mockserver.faults import OPERATIONS
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.overrides import LONGEST, MOST, server_wide
from mockserver.onboarding.registries import most_registries
from mockserver.plans import ANY_REGISTRY
from mockserver.portal.log import FORMATS
from mockserver.portal.model import Decision

if TYPE_CHECKING:
    from acrmock.facts import Facts

Json = dict[str, Any]
NULL: Json = {"type": "null"}
APPLICATION, RUN = "default", "run-0123456789ab"
FILE = "20260302120000-0123abcd"
REPORT = "CAAWAFVJHgAxLjIuODQwLjEwMDA4LjUuMS40LjEuMS44OC42NwAIABgAVUkGADEuMi4zAA=="
"""A data set of nothing but the class of a dose report and an instance, in base64."""

EXAMPLES: dict[str, Json] = {
    "RegistrationRequest": {
        "name": "Example Reporter",
        "redirect_url": ["https://localhost:8765/callback"],
        "ip": ["198.51.100.7"],
        "registry": ["lcsr"],
    },
    "Move": {"environment": "test"},
    "Settings": {"environment": "test", "settings": {"auth.access_token_lifetime": 3600}},
    "StartRun": {"profile": "lcsr", "claims": []},
    "BeginStep": {"step": "sign-in"},
    "NoteEvent": {"name": "client-started", "data": {"command": "reporter"}},
    "Nothing": {},
    "Observation": {
        "application": APPLICATION,
        "environment": "test",
        "request": {"method": "GET", "url": "https://localhost:8765/callback?error=access_denied"},
        "response": {"status": 200},
    },
    "MoveClock": {"application": APPLICATION, "advance": 3600},
    "SetFault": {"application": APPLICATION, "operation": "nrdr.post", "error": "too-many-requests", "trigger": {"kind": "once"}},
    "SetPlan": {"application": APPLICATION, "plan": {"kind": "after", "seconds": 5}},
    "DecideFile": {"decision": "continue"},
    "ConfigureStation": {"station": "CT1"},
    "Plant": {"reports": [{"data": REPORT, "transfer_syntax": "1.2.840.10008.1.2.1"}]},
    "SetCentral": {"application": APPLICATION, "down": False},
    "Reset": {"application": APPLICATION},
    "Acknowledge": {"application": APPLICATION, "transaction": "T-1", "who": "A. Person", "why": "cannot be corrected"},
}
"""A body of each type that is taken."""

QUERY: dict[str, Json] = {
    "application": {"schema": {"type": "string", "maxLength": 200}},
    "environment": {"schema": {"type": "string", "maxLength": 200, "default": "test"}},
    "run": {"schema": {"type": "string", "maxLength": 200}},
    "operation": {"schema": {"type": "string", "maxLength": 200}, "example": "nrdr.post"},
    "name": {"schema": {"type": "string", "maxLength": 200}, "example": "registration-attempted"},
    "after": {"schema": {"type": "integer", "minimum": 0, "maximum": 2**53}, "example": 0},
    "count": {"schema": {"type": "integer", "minimum": 1, "maximum": 1_000_000}, "example": 1},
    "timeout": {"schema": {"type": "number", "minimum": 0, "maximum": 600}, "example": 0.1},
    "wait": {"schema": {"type": "number", "minimum": 0, "maximum": 600}, "example": 0},
    "state": {"schema": {"type": "string", "maxLength": 200}, "example": "HELD"},
    "station": {"schema": {"type": "string", "maxLength": 200}, "example": "CT1"},
    "facility": {"schema": {"type": "string", "maxLength": 200}},
    "report_after": {"schema": {"type": "string", "maxLength": 200}},
    "report_count": {"schema": {"type": "integer", "minimum": 1, "maximum": 1000}, "example": 100},
}
"""The query parameters; `timeout` and `wait` are in seconds."""

STATION: Json = {
    "type": "string",
    "maxLength": 16,
    "pattern": r"^ *[^\x00-\x20\x7f-\x9f\\][^\x00-\x1f\x7f-\x9f\\]*$",
}
"""A Station Name: an SH value that is not empty (PS3.5 table 6.2-1)."""

TITLE: Json = {"type": "string", "maxLength": 16, "pattern": r"^ *[!-\[\]-~][ -\[\]-~]*$"}
"""An AE title that is not empty (PS3.5 table 6.2-1)."""

FORM: dict[str, Json] = {
    "station": STATION,
    "facility": {"type": "string", "maxLength": 200},
    "action": {"type": "string", "enum": ["configure", "remove"]},
}
"""The fields of the page's form."""

FORM_EXAMPLE: Json = {"station": "CT1", "action": "configure"}

NAMED = {"report_after": "after", "report_count": "count"}
"""The names of those parameters that another call has of another kind."""


_SHORT: Json = {"type": "string", "maxLength": 200}
FILE_QUERY: dict[str, Json] = {
    "name": {"schema": _SHORT, "example": "lcsr_exam_march.txt"},
    "registry": {"schema": _SHORT, "example": "lcsr"},
    "facility": {"schema": _SHORT},
    "mapping": {"schema": _SHORT},
    "errors": {"schema": {"type": "string", "enum": list(Decision), "default": "ask"}, "example": "ask"},
    "plan": {"schema": _SHORT, "example": "now"},
    "channel": {"schema": _SHORT},
    "date": {"schema": {"type": "string", "format": "date"}, "example": "2026-03-02"},
    "after": {"schema": _SHORT},
    "format": {"schema": {"type": "string", "enum": list(FORMATS), "default": "text"}, "example": "text"},
}
"""The query parameters of the calls about files, by name."""


def refine(schemas: Json, facts: Facts) -> None:
    """Put into the types' schemas what the types cannot say."""
    _registration(schemas["RegistrationRequest"], facts)
    schemas["Settings"]["properties"]["settings"] = _settings(facts, minProperties=1)
    profiles = facts.profiles.values()
    schemas["StartRun"]["properties"]["claims"]["items"] = _words(claim for item in profiles for claim in item.claims)
    schemas["BeginStep"]["properties"]["step"] = _words(step.name for item in profiles for step in item.steps)
    _clock(schemas["MoveClock"])
    _plan(schemas["SetPlan"], facts)
    _fault(schemas["SetFault"], facts)
    _dose(schemas)


def _words(words: Iterable[str]) -> Json:
    return {"type": "string", "enum": sorted(set(words))}


def _settings(facts: Facts, **more: int) -> Json:
    """Overrides: known keys; the type and bounds of each are those of its layer."""
    text: Json = {"type": "string", "maxLength": LONGEST}
    values = [text, {"type": "number"}, {"type": "boolean"}, {"type": "array", "items": text}, NULL]
    return {
        "type": "object",
        "description": "Each value is of its layer's type and within its bounds; `acrmock facts` shows them.",
        "propertyNames": {"enum": sorted(key for key in facts.settings if not server_wide(key))},
        "additionalProperties": {"anyOf": values},
        "maxProperties": MOST,
        **more,
    }


def _registration(schema: Json, facts: Facts) -> None:
    limits = Limits.of(facts)
    members = schema["properties"]
    name = {"type": "string", "minLength": 1, "maxLength": limits.name_length}
    urls = _one_or_more(limits.redirect_urls, limits.url_length)
    addresses = _one_or_more(limits.addresses, 64)
    registries = _one_or_more(most_registries(facts), 200)
    told = {"name": name, "redirect_url": urls, "ip": addresses, "registry": registries}
    members |= {member: {"anyOf": [value, NULL]} for member, value in told.items()}
    after = {**urls["anyOf"][0], "minItems": 0}
    members["post_logout_url"] = {"anyOf": [after, urls["anyOf"][1], NULL]}
    members["guide"] = {"anyOf": [{"type": "string", "enum": list(guides.names(facts))}, NULL]}
    members["user"] = {"anyOf": [_one_or_more(limits.users, 72), NULL]}
    members["facility"] = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": limits.facilities}, NULL]}
    members["environment"] = {"type": "string", "enum": list(limits.environments), "default": "test"}
    members["settings"] = _settings(facts)
    titles, stations = _any_number(TITLE, limits.addresses), _any_number(STATION, limits.addresses)
    members |= {"dicom": {"anyOf": [*titles, NULL]}, "station": {"anyOf": [*stations, NULL]}}
    schema["anyOf"] = [
        {"required": list(told), "properties": told},
        _without_sign_in(told, dicom={"anyOf": [{**titles[0], "minItems": 1}, titles[1]]}, registry=NULL),
        _without_sign_in(told, registry={"enum": [word := facts.text("cdsr.registry"), [word]]}),
        {"required": ["application"], "properties": {"application": {"type": "string", "minLength": 1}}},
    ]


def _without_sign_in(told: Json, **more: Json) -> Json:
    """What is needed of an application that only sends dose reports, or only documents."""
    needed = {"name": told["name"], "ip": told["ip"], **more}
    return {"required": [name for name, schema in needed.items() if schema is not NULL], "properties": needed}


def _any_number(text: Json, most: int) -> list[Json]:
    """A list of them, which may be empty, or one."""
    return [{"type": "array", "items": text, "maxItems": most}, text]


def _one_or_more(most: int, length: int) -> Json:
    """One text or a list of them."""
    text = {"type": "string", "minLength": 1, "maxLength": length}
    return {"anyOf": [{"type": "array", "items": text, "minItems": 1, "maxItems": most}, text]}


def _clock(schema: Json) -> None:
    """Exactly one change."""
    given: Json = {
        "set": {"type": "string", "format": "date-time"},
        "advance": {"type": "number", "minimum": 0},
        "freeze": {"const": True},
        "resume": {"const": True},
    }
    absent: Json = {"set": NULL, "advance": NULL, "freeze": {"enum": [None, False]}, "resume": {"enum": [None, False]}}
    schema["oneOf"] = [{"required": [name], "properties": absent | {name: value}} for name, value in given.items()]


def _plan(schema: Json, facts: Facts) -> None:
    """Either a plan or the release of the hold in force."""
    slugs = [word for registry in facts.registries for word in (registry.slug, *registry.aliases)]
    schema["properties"]["registry"] = {"anyOf": [{"type": "string", "enum": [*slugs, ANY_REGISTRY]}, NULL]}
    schema["oneOf"] = [
        {"required": ["plan"], "properties": {"plan": {"type": "object"}, "release": {"const": False}}},
        {"required": ["release"], "properties": {"plan": NULL, "release": {"const": True}}},
    ]


def _fault(schema: Json, facts: Facts) -> None:
    """Either an error of the catalogue or an effect; the control API's rules are the whole server's."""
    members = schema["properties"]
    slugs = [word for registry in facts.registries for word in (registry.slug, *registry.aliases)]
    members["registry"] = {"anyOf": [{"type": "string", "enum": slugs}, NULL]}
    members["operation"] = {"anyOf": [{"type": "string", "enum": list(OPERATIONS)}, NULL]}
    members["error"] = {"anyOf": [{"type": "string", "enum": sorted(facts.errors)}, NULL]}
    schema["oneOf"] = [
        {"required": ["error"], "properties": {"error": {"type": "string"}, "effect": NULL}},
        {"required": ["effect"], "properties": {"effect": {"type": "object"}, "error": NULL}},
    ]


def _dose(schemas: Json) -> None:
    """A Station Name is an SH value without a control character (PS3.5 table 6.2-1); a server that is down says nothing else."""
    schemas["ConfigureStation"]["properties"]["station"] = STATION
    absent: Json = {"answer": NULL}
    schemas["SetCentral"]["anyOf"] = [{"properties": {"down": {"const": False}}}, {"properties": absent}]


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_FLAG: Json = {"type": "boolean"}
_VIEW = _object(application=_TEXT, name=_TEXT, local=_FLAG, business_time={"type": "object"}, environments={"type": "object"})
_CLOCK = _object(application=_TEXT, now=_TEXT, wall=_TEXT, frozen=_FLAG, offset={"type": "number"})

ANSWERS: dict[str, Json] = {
    "listApplications": _object(applications={"type": "array", "items": _VIEW}),
    "showApplication": _VIEW,
    "moveEndpoints": _object(application=_TEXT, environment=_TEXT, moved=_FLAG, segment=_TEXT),
    "overrideSettings": _object(application=_TEXT, environment=_TEXT, settings={"type": "object"}),
    "listStations": _object(application=_TEXT, environment=_TEXT, stations={"type": "array", "items": {"type": "object"}}),
    "configureStation": _object(application=_TEXT, environment=_TEXT, station={"type": "object"}),
    "removeStation": _object(removed=_TEXT),
    "listReports": _object(
        application=_TEXT, environment=_TEXT, reports={"type": "array", "items": {"$ref": "#/components/schemas/ReportView"}}
    ),
    "plantReports": _object(planted=_COUNT),
    "showCentral": _object(application=_TEXT, environment=_TEXT, reports={"type": "array", "items": {"type": "object"}}),
    "setCentral": _object(application=_TEXT, environment=_TEXT),
    "listJobs": _object(idle=_FLAG, waiting=_COUNT, jobs={"type": "array", "items": {"type": "object"}}),
    "noteEvent": _object(seq=_COUNT),
    "awaitEntry": _object(seq=_COUNT, matched=_COUNT),
    "observe": _object(seq=_COUNT),
    "showClock": _CLOCK,
    "moveClock": _CLOCK,
    "showPlans": _object(application=_TEXT, environment=_TEXT, plans={"type": "object"}),
    "showFaults": _object(faults={"type": "array", "items": {"type": "object"}}),
    "clearFaults": _object(cleared={"type": "array", "items": _TEXT}),
    "listErrors": _object(errors={"type": "array", "items": {"type": "object"}}),
    "reset": _object(reset={"type": "array", "items": _TEXT}),
    "acknowledge": _object(seq=_COUNT, transaction=_TEXT),
}
"""The answers that are no type of their own, by operation."""

_OF_APPLICATION: Json = {"application": "$response.body#/application"}
_OF_RUN: Json = {"run": "$response.body#/run"}
LINKS: dict[str, Json] = {
    "register": {
        name: {"operationId": name, "parameters": _OF_APPLICATION}
        for name in ("showApplication", "moveEndpoints", "overrideSettings", "showClock", "showPlans")
    },
    "uploadFile": {
        name: {"operationId": name, "parameters": {"application": "$response.body#/application", "file": "$response.body#/file"}}
        for name in ("showFile", "decideFile", "fileLog")
    },
    "startRun": {
        name: {"operationId": name, "parameters": _OF_RUN} for name in ("showRun", "beginStep", "noteEvent", "finishRun")
    },
}
"""What can follow an operation, from its answer."""
