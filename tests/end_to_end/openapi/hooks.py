"""Hooks for Schemathesis: what no schema can say is put into the requests that are meant to be valid.

A schema cannot say which IDs were issued, which redirect URI is registered, that a header's version equals the path's or
that a count is true. So each such request gets them from the file named in ACRMOCK_ISSUED, and must then be accepted.
Requests that are meant to be invalid are sent as they were made.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import requests
import schemathesis

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHORTEST_WAIT = "0.05"
SETTINGS = {"auth.code_lifetime": 60}
REPORT = "CAAWAFVJHgAxLjIuODQwLjEwMDA4LjUuMS40LjEuMS44OC42NwAIABgAVUkGADEuMi4zAA=="
CLAIMS = ("logo", "follow-up", "update", "offline")
Values = dict[str, Any]


schemathesis.serializer.alias(WORKBOOK, "application/octet-stream")


@cache
def issued() -> Values:
    """The registration document with what the test added to it."""
    found: Values = json.loads(Path(os.environ["ACRMOCK_ISSUED"]).read_text())
    return found


@schemathesis.serializer("multipart/related")
def related(_context: Any, value: Any) -> bytes:
    """The text of a multipart body as it stands."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: Any, _kwargs: dict[str, Any]) -> None:
    """The request as it will be sent: made true where it is meant to be valid."""
    name = case.operation.definition.raw["operationId"]
    if name == "awaitEntry":
        _wait_shortly(case)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, (dict, list)):
        case.body = _narrow(case.body)
    fill = FILLED.get(name)
    if fill is not None:
        fill(case)


def _narrow(value: Any) -> Any:
    """`value` with integers that every reader keeps: longer ones are refused as text, not by a schema (RFC 7493 2.2)."""
    if isinstance(value, dict):
        return {key: _narrow(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_narrow(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**18:
        return value % 10**15
    return value


def _wait_shortly(case: Any) -> None:
    """A wait that is allowed is cut short; one that is not is sent as it is."""
    given = case.query.get("timeout", SHORTEST_WAIT)
    try:
        allowed = 0 <= float(given) <= 600
    except (TypeError, ValueError):
        allowed = False
    if allowed:
        case.query["timeout"] = SHORTEST_WAIT


def _transaction(case: Any) -> None:
    """Issued IDs, a header that agrees with the path and with the exams, and an ID of its own."""
    registration = issued()
    slug, version = next(iter(registration["registries"].items()))
    case.path_parameters.update(registry=slug, mapping=version)
    header = case.body["Transaction_Header"]
    header.update(
        Transaction_ID=str(uuid.uuid4()),
        Partner_ID=registration["partner_id"],
        App_ID=registration["app_id"],
        Facility_ID=registration["facility_id"],
        Registry=slug.upper(),
        Data_Version=version,
        Number_Of_Exams=len(case.body["Exams"]),
    )


def _authorize_query(case: Any) -> None:
    case.query.update(client_id=issued()["client_id"], redirect_uri=issued()["redirect_url"])


def _authorize_form(case: Any) -> None:
    case.body.update(client_id=issued()["client_id"], redirect_uri=issued()["redirect_url"])


def _sign_in(case: Any) -> None:
    case.body["request"] = _form()


@cache
def _form() -> str:
    """The hidden value of a sign-in page."""
    return _page({})


@cache
def _connection() -> requests.Session:
    """One connection for what the hooks ask the server themselves."""
    session = requests.Session()
    session.verify, session.trust_env = issued()["ca_file"], False
    return session


def _page(more: Values) -> str:
    asked = {
        "response_type": "code",
        "client_id": issued()["client_id"],
        "redirect_uri": issued()["redirect_url"],
        "scope": " ".join(issued()["scopes"]),
        **more,
    }
    page = _connection().get(issued()["issuer"] + "/v1/authorize", params=asked, timeout=10)
    found = re.search(r'name="request" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def _token(case: Any) -> None:
    """A live code or refresh token; the client's credentials stand in the header and nowhere else."""
    for name in ("client_id", "client_secret", "scope"):
        case.body.pop(name, None)
    if case.body["grant_type"] == "refresh_token":
        case.body["refresh_token"] = issued()["refresh_token"]
        return
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    user = issued()["users"][0]
    form = {
        "request": _page({"code_challenge": challenge, "code_challenge_method": "S256"}),
        "username": user["username"],
        "password": user["password"],
        "decision": "allow",
    }
    url = issued()["issuer"] + "/v1/authorize/sign-in"
    landed = _connection().post(url, data=form, allow_redirects=False, timeout=10)
    code = re.search(r"[?&]code=([^&]+)", landed.headers["Location"])
    assert code is not None, landed.headers
    case.body.update(code=code[1], redirect_uri=issued()["redirect_url"], code_verifier=verifier)


def _about_a_token(case: Any) -> None:
    """The client's credentials stand in the header and nowhere else; any text may be asked about."""
    for name in ("client_id", "client_secret"):
        case.body.pop(name, None)


def _logout(case: Any) -> None:
    """No ID token and no address: both must have been issued or registered; nor the page's own value."""
    for values in (case.query, case.body):
        if isinstance(values, dict):
            for name in ("id_token_hint", "post_logout_redirect_uri", "request"):
                values.pop(name, None)
            if values.get("client_id"):
                values["client_id"] = issued()["client_id"]


def _register(case: Any) -> None:
    """Addresses, URLs and names that can be registered; a new application, or the production environment of one."""
    told = {
        "name": f"Vendor {secrets.token_hex(4)}",
        "redirect_url": ["https://localhost:8765/callback"],
        "post_logout_url": "https://localhost:8765/signed-out",
        "guide": "next",
        "ip": "198.51.100.7",
        "local_source": ["127.0.0.0/8"],
        "registry": "lcsr",
        "dicom": ["SENDER"],
        "station": "CT1",
        "link": "https://vendor.example/",
        "user": ["somebody:1"],
        "settings": SETTINGS,
        "run": None,
    }
    case.body.update({name: value for name, value in told.items() if case.body.get(name) is not None})
    if case.body.get("name") is None:
        case.body["application"] = issued()["application"]
        return
    case.body.pop("application", None)
    if case.body.get("registry") is not None or case.body.get("dicom") is None:
        case.body.update({name: told[name] for name in ("ip", "redirect_url", "registry")})


def _settings(case: Any) -> None:
    _own_application(case)
    case.body["settings"] = SETTINGS


def _start_run(case: Any) -> None:
    """A run of a profile that there is, whose application may follow."""
    case.body.pop("revision", None)
    case.body.pop("application", None)
    case.body["profile"] = "lcsr"
    case.body["claims"] = [claim for claim in case.body.get("claims") or () if claim in CLAIMS]


def _step(case: Any) -> None:
    """A step of the profile that a run is of here."""
    case.body["step"] = "submit"


def _own_application(case: Any) -> None:
    """The application that is registered, wherever one is named."""
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict) and "application" in values:
            values["application"] = issued()["application"]
        if isinstance(values, dict) and "environment" in values:
            values["environment"] = issued()["environment"]
    if isinstance(case.body, dict):
        case.body.pop("run", None)


def _clock(case: Any) -> None:
    """An instant within the clock's range."""
    _own_application(case)
    if case.body.get("set") is not None:
        case.body["set"] = "2027-01-02T03:04:05Z"
    if case.body.get("advance") is not None:
        case.body["advance"] = min(case.body["advance"], 3600)


def _plan(case: Any) -> None:
    """A hold is in force when one is to be released."""
    _own_application(case)
    if case.body.get("release"):
        hold = {**case.body, "plan": {"kind": "hold"}, "release": False}
        url = case.operation.base_url + "/_acrmock/plans"
        headers = {"Authorization": os.environ["ACRMOCK_BEARER"]}
        answer = _connection().post(url, json=hold, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text


def _fault(case: Any) -> None:
    """A rule that can be followed, and that strikes nothing which is called here."""
    _own_application(case)
    case.body.update(application=issued()["application"], environment=issued()["environment"], operation="nrdr.list", name="one")
    if case.body.get("error") is not None:
        case.body["error"] = "rate-limited"


def _upload(case: Any) -> None:
    """A name that is new and as the portal wants it, of the registry that is claimed; any bytes are a file, if a bad one."""
    _own_application(case)
    told = {"name": f"lcsr_exam_{secrets.token_hex(8)}.txt", "registry": "lcsr"}
    for name in ("facility", "mapping", "channel"):
        case.query.pop(name, None)
    if "plan" in case.query:
        case.query["plan"] = "now"
    case.query.update(told)


def _of_files(case: Any) -> None:
    """The application that is registered, and a registry that there is."""
    _own_application(case)
    if "registry" in case.query:
        case.query["registry"] = "lcsr"


def _dose(case: Any) -> None:
    """The application that is registered, a facility of its own, a station that is configured, a state that there is."""
    _own_application(case)
    for values in (case.query, case.body):
        if isinstance(values, dict):
            if values.get("facility") is not None:
                values["facility"] = issued()["facility_id"]
            if "state" in values:
                values["state"] = "HELD"
    if isinstance(case.body, dict) and case.body.get("down"):
        case.body.pop("answer", None)


def _planted(case: Any) -> None:
    """Reports whose data set can be read far enough to be known again."""
    _own_application(case)
    for report in case.body["reports"]:
        report.update(data=REPORT, transfer_syntax="1.2.840.10008.1.2.1")


FILLED: dict[str, Callable[[Any], None]] = {
    "postTransaction": _transaction,
    "authorize": _authorize_query,
    "authorizeByPost": _authorize_form,
    "signIn": _sign_in,
    "token": _token,
    "introspect": _about_a_token,
    "revoke": _about_a_token,
    "logoutGet": _logout,
    "logoutPost": _logout,
    "register": _register,
    "overrideSettings": _settings,
    "startRun": _start_run,
    "beginStep": _step,
    "moveClock": _clock,
    "setPlan": _plan,
    "setFault": _fault,
    "uploadFile": _upload,
    "listFiles": _of_files,
    **dict.fromkeys(("showFile", "decideFile", "fileLog"), _own_application),
    "explainRefusal": _own_application,
    "plantReports": _planted,
    **dict.fromkeys(
        (
            *("listStations", "configureStation", "removeStation", "listReports", "showReport", "showAnonymised"),
            *("showCentral", "setCentral", "dirLinkPage", "dirLinkForm", "reportPage", "centralPage"),
        ),
        _dose,
    ),
    **dict.fromkeys(("showFaults", "clearFaults"), _own_application),
    **dict.fromkeys(("moveEndpoints", "observe", "reset", "showClock", "showPlans", "exportJournal"), _own_application),
}
