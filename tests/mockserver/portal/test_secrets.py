"""No secret that was issued is kept of what is uploaded, nor of what the control API is told to keep."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_secret_in_a_cell_is_replaced(files: Any, an_exam: Any) -> None:
    """The log shows a reference where a cell held one, behind whatever; the other cells stand as they came."""
    secret = files.doc["client_secret"]
    told = files.upload(files.pipe(an_exam(Other_ID="." * 50 + secret), an_exam(2)), "lcsr_exam_secret.txt")
    first, second = files.log(told)[-2:]
    assert any(cell.startswith("." * 50 + "d:client_secret:") for cell in first)
    assert not any(secret[:8] in cell for cell in first)
    assert "P2" in second


def test_a_secret_in_a_name_is_refused(files: Any, an_exam: Any) -> None:
    """A file's name is kept and shown."""
    password = files.doc["users"][0]["password"]
    seen = files.send(files.pipe(an_exam()), f"lcsr_exam_{password}.txt")
    assert seen.status == 422
    assert "a secret" in seen.body


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/runs", {"profile": "lcsr", "revision": "SECRET", "claims": [], "launch": False}),
        ("/acknowledge", {"application": "A", "environment": "test", "transaction": "t", "who": "me", "why": "as SECRET says"}),
        ("/applications/A/stations", {"environment": "test", "station": "SECRET"}),
        ("/plans", {"application": "A", "environment": "test", "plan": {"kind": "immediate"}, "registry": "SECRET"}),
    ],
)
def test_a_secret_in_what_is_kept_is_refused(files: Any, path: str, body: dict[str, Any]) -> None:
    """Runs, plans, stations and acknowledgements stand in the store as they were told."""
    password = files.doc["users"][0]["password"]
    told = {name: value.replace("SECRET", password) if isinstance(value, str) else value for name, value in body.items()}
    told |= {"application": files.application} if "application" in told else {}
    seen = files.walk.control("POST", path.replace("/A/", f"/{files.application}/"), told)
    assert seen.status == 422
    assert "it holds a secret that was issued here" in seen.body
    assert password not in seen.body
