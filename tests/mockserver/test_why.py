"""Refusals explain themselves: every natural refusal of the wires, over the control API, as JSON and as a page."""

from __future__ import annotations

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
from errors_walk import EXAM, Walk

ERRORS = load_facts().errors
UNKNOWABLE = {"authorize-denied", "registry-unknown", "registry-not-registered", "token-unsupported-grant-type", "internal"}
"""Refusals of which the request alone does not say how it could have been right; `authorize-denied` was the person's word."""
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
    assert shlex.split(found.curl or "curl")[0] == "curl"
    assert bool(found.curl) == (code not in UNREAD)
    for secret in (walk.doc["client_secret"], walk.grant["access_token"], walk.grant["refresh_token"]):
        assert secret not in as_text(found)
    assert "d:access_token:" not in as_text(found)


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
