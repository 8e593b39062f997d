"""Refusals explain themselves: every natural refusal of the wires, over the control API, as JSON and as a page."""

from __future__ import annotations

import base64
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acrmock.explain import as_text, explain
from acrmock.facts import load_facts

sys.path.insert(0, str(Path(__file__).parent))

from errors_natural import NATURAL
from errors_walk import EXAM, Seen, Walk

ERRORS = load_facts().errors
UNKNOWABLE = {"authorize-denied", "internal"}
"""Refusals of a request with which nothing was wrong: the person's word, and a defect of ours."""
NOTED = {
    *("address-not-allowed", "application-unknown", "body-too-large", "headers-too-large", "path-unknown"),
    *("registry-not-registered", "request-malformed", "uri-too-long"),
}
"""Refusals of which nobody can say what a correct request would hold instead: their diff is a remark."""
FOLLOWED = (
    *("registry-unknown", "mapping-unknown", "mapping-mismatch", "envelope-invalid", "count-mismatch", "registry-mismatch"),
    *("partner-not-issued", "app-not-issued", "facility-not-issued", "facility-not-of-user", "media-type-unsupported"),
    *("encoding-unsupported", "not-acceptable", "bearer-missing", "bearer-invalid-token", "token-client-authentication"),
    *("token-invalid-scope", "token-client-two-methods", "logout-invalid-request", "logout-redirect-mismatch"),
    *("authorize-invalid-request", "authorize-invalid-scope", "authorize-pkce-method", "authorize-prompt-none"),
    *("authorize-redirect-mismatch", "authorize-unsupported-response-mode", "authorize-unsupported-response-type"),
    *("endpoint-moved-away", "mapping-obsolete", "mapping-not-yet"),
)
"""Refusals whose command needs no more than what the vendor holds: tokens and the secret."""
AFTERWARDS = {"endpoint-moved-away": {"acrmock:path-unknown"}}
"""What may be said of the corrected request, where the walk has changed the world back since."""
UNREAD = {"request-malformed", "uri-too-long"}
"""What could not be read, so that there is no command that would be right."""
UNRECORDED = {"environment-unknown", "store-full", "unavailable"}
"""What leaves no refusal in the journal: a control call's answer, and what is said where nothing can be stored."""
WIRES = sorted(code for code in NATURAL if ERRORS[code].surface != "control" and code not in UNRECORDED)


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    """One engine for the module."""
    made = Walk()
    yield made
    made.close()


@pytest.mark.parametrize("code", WIRES)
def test_every_refusal_of_the_wires(walk: Any, code: str) -> None:
    """It names the code, says what to do or what was wrong, shows a difference, and a command with no secret in it."""
    entry = NATURAL[code](walk).entry
    found = explain(entry)
    assert found.code == f"acrmock:{code}"
    assert found.fields or found.hint, code
    if code not in UNKNOWABLE:
        assert found.diff.startswith("--- sent\n+++ correct\n"), as_text(found)
        changes = [line for line in found.diff.splitlines()[2:] if line[:1] in {"+", "-"}]
        assert any(not line.startswith("+#") for line in changes) is (code not in NOTED), as_text(found)
    assert shlex.split(found.curl or "curl")[0] == "curl"
    assert bool(found.curl) == (code not in UNREAD)
    for secret in (walk.doc["client_secret"], walk.grant["access_token"], walk.grant["refresh_token"]):
        assert secret not in as_text(found)
    assert "d:access_token:" not in as_text(found)


def told(walk: Walk, command: str) -> Seen:
    """What a `curl` line comes to, run with what the vendor holds in place of what it leaves open."""
    opened = {
        "<client_secret>": walk.doc["client_secret"],
        "<the issued client secret>": walk.doc["client_secret"],
        "<refresh_token>": walk.grant["refresh_token"],
        "<client_id:client_secret>": f"{walk.doc['client_id']}:{walk.doc['client_secret']}",
    }
    for name, value in opened.items():
        command = command.replace(name, value)
    words = iter(shlex.split(re.sub("<[a-z ]*access[ _]token[a-z_ ]*>", walk.grant["access_token"], command))[1:])
    method, url, headers, form, data = "GET", "", {}, [], None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            if value.startswith("Basic "):
                value = "Basic " + base64.b64encode(value.removeprefix("Basic ").encode()).decode()
            headers |= {name: value} if name != "Cookie" else {}  # the session has its own
        elif word == "--data-urlencode":
            form.append(tuple(next(words).split("=", 1)))
        elif word == "--data-raw":
            data = next(words).encode()
        else:
            url = word
    assert "<" not in f"{url}{headers}{form}", command
    return walk.send(method, url, headers=headers, data=form or data)


@pytest.mark.parametrize("code", FOLLOWED)
def test_the_command_is_what_would_have_been_right(walk: Any, code: str) -> None:
    """Sent as it is told, with the vendor's own token and secret, the request is not refused as it was, nor for another fault."""
    entry = NATURAL[code](walk).entry
    assert entry is not None
    command = explain(entry).curl
    seen = told(walk, command)
    assert seen.code in AFTERWARDS.get(code, {""}), (command, seen.status, seen.code, seen.body[:500])


def test_a_wrong_facility(walk: Any) -> None:
    """A value that is known is put right in the diff and in the command."""
    own = walk.doc["users"][0]["facility_id"]
    found = explain(NATURAL["facility-not-of-user"](walk).entry)
    assert f'+    "Facility_ID": "{own}",' in found.diff
    assert own in found.curl
    assert "Authorization: Bearer <access_token>" in found.curl


def test_a_missing_token(walk: Any) -> None:
    """A missing credential is a line that is added."""
    assert "+Authorization: Bearer <a live access token>" in explain(NATURAL["bearer-missing"](walk).entry).diff


def test_over_the_control_api(walk: Any) -> None:
    """`why/last` is the last refusal as JSON, and a page that is whole in itself where a browser asks."""
    NATURAL["media-type-unsupported"](walk)
    seen = walk.control("GET", "/why/last")
    assert seen.document["code"] == "acrmock:media-type-unsupported"
    assert "+Content-Type: application/json" in seen.document["diff"]
    seq = seen.document["seq"]
    assert walk.control("GET", f"/why/{seq}").document == seen.document
    headers = {"Authorization": f"Bearer {walk.control_token}", "Accept": "text/html,*/*;q=0.1"}
    page = walk.control("GET", f"/why/{seq}?application=default", headers=headers)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<ins>+Content-Type: application/json</ins>" in page.body
    assert "<script" not in page.body
    assert "http" not in page.body.partition("<body>")[0]


@pytest.mark.parametrize("seq", ["0", "-1", "999999", "99999999999999999999", "x", "1"])
def test_no_such_entry(walk: Any, seq: str) -> None:
    """A number that no exchange has is a 404; entry 1 is the server's start."""
    assert walk.control("GET", f"/why/{seq}").status == 404


def test_nothing_refused(walk: Any) -> None:
    """An application that was never refused has no last refusal; a good exchange says that it was none."""
    other = walk.register("Quiet")["application"]
    assert walk.control("GET", f"/why/last?application={other}").status == 404
    headers = {"Authorization": f"Bearer {walk.control_token}", "Accept": "text/html,*/*;q=0.1"}
    page = walk.control("GET", f"/why/last?application={other}", headers=headers)
    assert (page.status, "Nothing was refused so far" in page.body) == (200, True)
    entry = walk.visit("auth.keys").entry
    assert not explain(entry).refused
    assert "not refused" in as_text(explain(entry))


def test_injected(walk: Any) -> None:
    """Where a fault answered, nothing was wrong with the request, and so it says."""
    walk.control("POST", "/faults", {"application": "default", "error": "transaction-conflict", "trigger": {"kind": "once"}})
    found = explain(walk.post(walk.body("injected")).entry)
    assert (found.injected, found.diff) == ("transaction-conflict", "")
    assert "nothing was wrong with the request" in as_text(found)
    walk.control("DELETE", "/faults?application=default")


def test_rejected_records(walk: Any) -> None:
    """Of an accepted transaction it says for each rejected record where, what stood there, and what a correct one would have."""
    wrong = EXAM | {"Smoking_Status": "77", "Exam_Date": "2026-02-30"}
    seen = walk.post(walk.body("rejected-1", [EXAM, wrong]))
    assert seen.status == 202
    found = explain(seen.entry)
    assert not found.refused
    told = {one.pointer: one for one in found.records}
    assert set(told) >= {"/Exams/1/Smoking_Status", "/Exams/1/Exam_Date"}
    smoking = told["/Exams/1/Smoking_Status"]
    assert smoking.actual == '"77"'
    assert smoking.expected.startswith("1, 2")
    assert smoking.reason.startswith("acrmock:LCSR-CODE-")
    assert told["/Exams/1/Exam_Date"].expected == "a date of the calendar as YYYY-MM-DD"
    assert '-      "Exam_Date": "2026-02-30",' in found.diff
    assert '+      "Exam_Date": "<a date of the calendar as YYYY-MM-DD>",' in found.diff
    assert shlex.split(found.curl)[0] == "curl"
    assert "but records were rejected:\n  /Exams/1/" in as_text(found)
    headers = {"Authorization": f"Bearer {walk.control_token}", "Accept": "text/html"}
    page = walk.control("GET", "/why/last", headers=headers)
    assert "Records that were rejected" in page.body
    assert "/Exams/1/Smoking_Status" in page.body
    clean = explain(walk.post(walk.body("all-right-1", [EXAM])).entry)
    assert (clean.records, clean.diff) == ((), "")
