"""The natural trigger of each error of the catalogue: what a client does to meet it without any rule."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec
from errors_walk import EXAM, Seen, Walk

from mockserver.store import StoreError, StoreFull

Trigger = Callable[[Walk], Seen]


def _moved(walk: Walk) -> Seen:
    """The endpoints move, and the old one is used."""
    for moved in (True, False):
        assert walk.control("POST", "/applications/default/move", {"moved": moved}).status == 200
        if moved:
            seen = walk.authorize()
    return seen


def _with_settings(action: Trigger, **settings: Any) -> Trigger:
    """The action while settings are overridden."""

    def do(walk: Walk) -> Seen:
        walk.settings(**settings)
        try:
            return action(walk)
        finally:
            walk.settings(**dict.fromkeys(settings))

    return do


def _address(walk: Walk) -> Seen:
    """Another application, whose local sources are elsewhere."""
    doc = walk.register("Elsewhere", local_source=["192.0.2.0/24"])
    return walk.send("POST", f"{doc['issuer']}/v1/token", data={"grant_type": "refresh_token"})


def _as_a_stranger(action: Trigger) -> Trigger:
    """The action in a browser that is signed in nowhere."""

    def do(walk: Walk) -> Seen:
        walk.session.cookies.clear()
        return action(walk)

    return do


def _consent(walk: Walk) -> Seen:
    """Signed in, and asked in silence for a scope that was not allowed before."""
    walk.session.cookies.clear()
    assert "code" in walk.press(walk.authorize()).returned
    return walk.authorize(prompt="none", scope="openid email")


def _wrong_passcode(walk: Walk) -> Seen:
    """The password is right, the one-time code is not."""
    walk.session.cookies.clear()
    return walk.press(walk.press(walk.authorize()), passcode="wrong")


def _from_elsewhere(walk: Walk) -> Seen:
    """The form posted by a page of another origin."""
    page = walk.authorize()
    walk.session.headers["Origin"] = "https://evil.example"
    try:
        return walk.press(page)
    finally:
        del walk.session.headers["Origin"]


def _document(body: bytes, **headers: str) -> Trigger:
    """A document posted to the clinical decision support registry."""
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda walk: walk.send("POST", walk.doc["cdsr"], data=body, headers=given)


def _whole(walk: Walk, **changed: str) -> bytes:
    """A document with every element, some of them changed."""
    described = walk.get(f"{walk.url}/openapi.json").document["paths"]["/dartcs/cdsregistry/fp"]["post"]
    example = described["requestBody"]["content"]["application/json"]["examples"]["document"]["value"]
    return msgspec.json.encode(example | {"dartheader": example["dartheader"] | changed})


def _logout_elsewhere(walk: Walk) -> Seen:
    """A place to go to after the logout that was not registered."""
    query = f"client_id={walk.doc['client_id']}&post_logout_redirect_uri=https://evil.example/"
    return walk.send("GET", f"{walk.issuer}/v1/logout?{query}")


def _two_methods(walk: Walk) -> Seen:
    """Body and Basic at once."""
    pair = f"{walk.doc['client_id']}:{walk.doc['client_secret']}".encode()
    return walk.token(
        {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}, grant_type="refresh_token", refresh_token="x"
    )


def _invalid_scope(walk: Walk) -> Seen:
    """More than was granted."""
    return walk.token(grant_type="refresh_token", refresh_token=walk.grant["refresh_token"], scope="openid email profile address")


def _insufficient(walk: Walk) -> Seen:
    """A token without the registry's scope."""
    seen = walk.redeem(walk.code(scope="openid"))
    assert seen.status == 200, seen.body
    return walk.post(walk.body("S1"), Authorization=f"Bearer {seen.document['access_token']}")


def _not_registered(walk: Walk) -> Seen:
    """A registration that names no registry."""
    core = walk.engine.core
    assert core is not None
    kept = core.applications.get("default")
    assert kept is not None
    bare = msgspec.structs.replace(kept.environments["test"], registries={})
    for application in (msgspec.structs.replace(kept, environments={"test": bare}), kept):
        with core.store.write() as unit:
            core.applications.save(unit, application)
        if application is not kept:
            seen = walk.post()
    return seen


def _facility_of_user(walk: Walk) -> Seen:
    """The other user's facility."""
    return walk.post(walk.body("F1", Facility_ID=walk.doc["users"][1]["facility_id"]))


def _conflict(walk: Walk) -> Seen:
    """Another body under an ID that was accepted."""
    assert walk.post(walk.body("C1")).status == 202
    return walk.post(walk.body("C1", Transaction_Date="2026-02-28"))


def _at(date: str, path: str, version: str) -> Trigger:
    """A post on a business date."""

    def do(walk: Walk) -> Seen:
        walk.set_clock(date)
        try:
            return walk.post(walk.body(f"D-{date[:4]}", Data_Version=version), path)
        finally:
            walk.set_clock("2026-03-02T12:00:00Z")

    return do


def _store(error: type[StoreError]) -> Trigger:
    """The store fails."""

    def do(walk: Walk) -> Seen:
        with walk.store_failing(error):
            return walk.post(walk.body("W1"))

    return do


def _run(walk: Walk, path: str, body: Any, *, ended: bool = False) -> Seen:
    """A call about a run of the application, which is ended before (`ended`) or after."""
    run = walk.control("POST", "/runs", {"profile": "lcsr", "application": "default"}).document["run"]
    finish = f"/runs/{run}/finish"
    if ended:
        walk.control("POST", finish, {})
    seen = walk.control("POST", path.format(run=run), body)
    if not ended:
        walk.control("POST", finish, {})
    return seen


def _control_with(**headers: str) -> Trigger:
    return lambda walk: walk.control("GET", "/applications", headers=headers)


def _foreign_origin(walk: Walk) -> Seen:
    headers = {"Authorization": f"Bearer {walk.control_token}", "Origin": "https://evil.example"}
    return walk.control("GET", "/applications", headers=headers)


def _control_bytes(data: bytes) -> Trigger:
    def do(walk: Walk) -> Seen:
        headers = {"Authorization": f"Bearer {walk.control_token}", "Content-Type": "application/json"}
        return walk.control("POST", "/plans", headers=headers, data=data)

    return do


def _sent(path: str, body: Any = None, method: str = "POST") -> Trigger:
    return lambda walk: walk.control(method, path, body)


def _head(line: str, *lines: str) -> Trigger:
    data = "\r\n".join((line, "Host: localhost", *lines, "", "")).encode()
    return lambda walk: walk.raw(data)


def _post(name: str, data: bytes | None = None, **header: Any) -> Trigger:
    """A transaction with another header element, or other bytes."""
    return lambda walk: walk.post(data if data is not None else walk.body(name, **header))


def _deny(walk: Walk) -> Seen:
    return walk.press(walk.authorize(), "deny")


def _upload(name: str, **query: str) -> Trigger:
    """A data file of one element."""
    asked = "&".join(f"{key}={value}" for key, value in {"name": name, "registry": "lcsr", **query}.items())

    def do(walk: Walk) -> Seen:
        headers = {"Authorization": f"Bearer {walk.control_token}", "Content-Type": "text/plain"}
        return walk.control("POST", f"/applications/default/files?{asked}", headers=headers, data=b"x" * 2000 + b"\r\n")

    return do


def _twice(walk: Walk) -> Seen:
    """Two files of one name."""
    _upload("lcsr_exam_twice.txt")(walk)
    return _upload("lcsr_exam_twice.txt")(walk)


def _of_file(name: str, method: str, path: str, body: Any = None, **query: str) -> Trigger:
    """A call about a file that was uploaded."""

    def do(walk: Walk) -> Seen:
        _upload(name, **query)(walk)
        listed = walk.control("GET", "/applications/default/files").document["files"]
        file = next(one["file"] for one in listed if one["name"] == name)
        return walk.control(method, f"/applications/default/files/{file}{path}", body)

    return do


DEEP = b"[" * 100 + b"]" * 100

NATURAL: dict[str, Trigger] = {
    # gate
    "address-not-allowed": _address,
    "application-unknown": lambda walk: walk.get(f"{walk.url}/a/nobody/test/x"),
    "path-unknown": lambda walk: walk.get(f"{walk.url}/test/nothing-here"),
    "method-not-allowed": lambda walk: walk.send("PUT", f"{walk.issuer}/v1/token"),
    "endpoint-moved-away": _moved,
    "request-malformed": _head("GET / SMTP/1.0"),
    "body-too-large": _with_settings(lambda walk: walk.post(b" " * 5000), nrdr__limit__body_bytes=1024),
    "uri-too-long": _head(f"GET /{'x' * 70_000} HTTP/1.1"),
    "headers-too-large": _head("GET /test/x HTTP/1.1", f"X: {'x' * 70_000}"),
    "store-full": _store(StoreFull),
    "unavailable": _store(StoreError),
    "internal": lambda walk: walk.get(f"{walk.url}/test/broken"),
    # sign-in
    "authorize-client-unknown": lambda walk: walk.authorize(client_id="nobody"),
    "authorize-redirect-mismatch": lambda walk: walk.authorize(redirect_uri="https://localhost:8765/callback/"),
    "authorize-invalid-request": lambda walk: walk.authorize(response_type=None),
    "authorize-unsupported-response-type": lambda walk: walk.authorize(response_type="token"),
    "authorize-unsupported-response-mode": lambda walk: walk.authorize(response_mode="fragment"),
    "authorize-invalid-scope": lambda walk: walk.authorize(scope="profile"),
    "authorize-pkce-required": _with_settings(
        lambda walk: walk.authorize(code_challenge=None, code_challenge_method=None), auth__pkce_required=True
    ),
    "authorize-pkce-method": lambda walk: walk.authorize(code_challenge_method="plain"),
    "authorize-prompt-none": _as_a_stranger(lambda walk: walk.authorize(prompt="none")),
    "authorize-consent-required": _consent,
    "sign-in-second-factor": _with_settings(_wrong_passcode, auth__second_factor=True),
    "sign-in-cross-site": _from_elsewhere,
    "logout-invalid-request": lambda walk: walk.send("GET", f"{walk.issuer}/v1/logout?state=a&state=b"),
    "logout-id-token-hint": lambda walk: walk.send("GET", f"{walk.issuer}/v1/logout?id_token_hint=made-up"),
    "logout-redirect-mismatch": _logout_elsewhere,
    "token-unsupported-token-type": lambda walk: walk.managed("revoke", walk.grant["id_token"]),
    "authorize-denied": _deny,
    "sign-in-failed": lambda walk: walk.press(walk.authorize(), password="wrong"),
    "sign-in-expired": lambda walk: walk.press(walk.authorize(), request="not-the-page-s"),
    "token-client-authentication": lambda walk: walk.token(grant_type="refresh_token", refresh_token="x", client_secret="wrong"),
    "token-client-two-methods": _two_methods,
    "token-invalid-request": lambda walk: walk.token(grant_type="authorization_code"),
    "token-invalid-grant": lambda walk: walk.redeem("made-up"),
    "token-pkce-mismatch": lambda walk: walk.redeem(walk.code(), code_verifier="w" * 43),
    "token-unsupported-grant-type": lambda walk: walk.token(grant_type="client_credentials"),
    "token-invalid-scope": _invalid_scope,
    "bearer-missing": lambda walk: walk.send("GET", f"{walk.issuer}/v1/userinfo"),
    "bearer-invalid-token": lambda walk: walk.get(f"{walk.issuer}/v1/userinfo", Authorization="Bearer made-up"),
    "bearer-insufficient-scope": _insufficient,
    # transactions
    "registry-unknown": lambda walk: walk.post(path="/nowhere/v1.7/transactions"),
    "registry-not-registered": _not_registered,
    "mapping-unknown": lambda walk: walk.post(path="/lcsr/v9.9/transactions"),
    "mapping-obsolete": _at("2026-06-02T12:00:00Z", "/lcsr/v1.7/transactions", "1.7"),
    "mapping-not-yet": _at("2025-01-02T12:00:00Z", "/lcsr/v1.8/transactions", "1.8"),
    "not-json": lambda walk: walk.post(b"{"),
    "not-utf8": lambda walk: walk.post(b'{"a": "\xff"}'),
    "json-not-strict": lambda walk: walk.post(b'{"a": 1, "a": 2}'),
    "json-too-deep": lambda walk: walk.post(DEEP),
    "json-too-large": _with_settings(
        lambda walk: walk.post(walk.body("J1") | {"Other": list(range(200))}), nrdr__limit__values=100
    ),
    "too-many-exams": _with_settings(lambda walk: walk.post(walk.body("M1", [EXAM, EXAM])), nrdr__limit__exams=1),
    "media-type-unsupported": lambda walk: walk.post(Content_Type="text/plain"),
    "encoding-unsupported": lambda walk: walk.post(Content_Encoding="gzip"),
    "not-acceptable": lambda walk: walk.post(Accept="text/html"),
    "envelope-invalid": lambda walk: walk.post(walk.body("E1") | {"Other": 1}),
    "header-invalid": _post("H1", Transaction_Date=None),
    "count-mismatch": _post("N1", Number_Of_Exams=7),
    "registry-mismatch": _post("R1", Registry="GRID"),
    "mapping-mismatch": _post("V1", Data_Version="1.8"),
    "partner-not-issued": _post("P1", Partner_ID="made-up"),
    "app-not-issued": _post("A1", App_ID="made-up"),
    "facility-not-issued": _post("F2", Facility_ID="made-up"),
    "facility-not-of-user": _facility_of_user,
    "transaction-conflict": _conflict,
    "transaction-unknown": lambda walk: walk.get(f"{walk.doc['nrdr']}/lcsr/transactions/never"),
    "transaction-id-invalid": _post("no spaces!"),
    "list-query-invalid": lambda walk: walk.get(f"{walk.doc['nrdr']}/lcsr/transactions?date=yesterday"),
    "delete-not-offered": lambda walk: walk.send("DELETE", f"{walk.doc['nrdr']}/lcsr/transactions/T1"),
    # cdsr
    "document-not-json": _document(b"{"),
    "document-invalid": _document(b"[]"),
    "document-header-missing": _document(b'{"dartheader": {}, "payload": {}}'),
    "document-header-type": lambda walk: _document(_whole(walk, headertype="unheard-of"))(walk),
    "document-media-type": _document(b"{}", Content_Type="text/plain"),
    # control
    "control-token-missing": _control_with(Accept="*/*"),
    "control-token-wrong": _control_with(Authorization="Bearer another"),
    "control-origin-refused": _foreign_origin,
    "control-path-unknown": _sent("/no-such-call", method="GET"),
    "control-method-not-allowed": _sent("/plans", method="DELETE"),
    "control-body-invalid": _sent("/plans", {"plan": {"kind": "immediate"}}),
    "control-not-json": _control_bytes(b"{"),
    "registration-refused": _sent(
        "/applications", {"name": "x", "redirect_url": ["http://no"], "ip": ["nonsense"], "registry": ["lcsr"]}
    ),
    "environment-unknown": _sent("/plans", {"application": "default", "environment": "moon", "plan": {"kind": "immediate"}}),
    "environment-exists": _sent("/applications", {"application": "default", "environment": "test"}),
    "control-application-unknown": _sent("/applications/nobody", method="GET"),
    "run-unknown": _sent("/runs/run-never", method="GET"),
    "run-closed": lambda walk: _run(walk, "/runs/{run}/steps", {"step": "sign-in"}, ended=True),
    "run-open": lambda walk: _run(walk, "/runs", {"profile": "lcsr", "application": "default"}),
    "profile-unknown": _sent("/runs", {"profile": "nothing"}),
    "setting-invalid": _sent("/applications/default/settings", {"settings": {"no.such": 1}}),
    "clock-invalid": _sent("/clock", {"application": "default", "set": "yesterday"}),
    "plan-invalid": _sent("/plans", {"application": "default"}),
    "fault-invalid": _sent("/faults", {"application": "default"}),
    "fault-unknown": _sent("/faults?application=default&name=never", method="DELETE"),
    "station-unknown": _sent("/applications/default/stations?station=never", method="DELETE"),
    "report-unknown": _sent("/applications/default/reports/1.2.3", method="GET"),
    "entry-unknown": _sent("/why/999999", method="GET"),
    "file-name-invalid": _upload("my%20file.txt"),
    "file-name-used": _twice,
    "file-too-large": _with_settings(_upload("lcsr_exam_large.txt"), portal__limit__bytes=1024),
    "file-mapping-invalid": _upload("lcsr_exam_old.txt", mapping="1.0"),
    "file-unknown": _sent("/applications/default/files/never", method="GET"),
    "file-decided": _of_file("lcsr_exam_decided.txt", "POST", "/decision", {"decision": "continue"}),
    "file-log-missing": _of_file("lcsr_exam_unread.xlsx", "GET", "/log"),
    "control-transaction-unknown": _sent(
        "/acknowledge", {"application": "default", "transaction": "never", "who": "me", "why": "because"}
    ),
    "await-timeout": _sent("/journal/await?name=never&timeout=0", method="GET"),
}
"""The trigger of each error, by code."""
