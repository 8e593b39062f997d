"""The HAR export read, and written again, by mitmproxy, where somebody has it on the path (`pipx install mitmproxy`)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clients.command import acrmock


def _headers(message: dict[str, Any]) -> list[tuple[str, str]]:
    """The headers, without the length, which mitmproxy works out anew and adds to requests without a body."""
    return [(one["name"], one["value"]) for one in message["headers"] if one["name"].lower() != "content-length"]


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    """What must be the same in the file that mitmproxy writes."""
    request, response = entry["request"], entry["response"]
    return {
        "method": request["method"],
        "url": request["url"],
        "sent": _headers(request),
        "form": request.get("postData", {}).get("text", ""),
        "status": response["status"],
        "got": _headers(response),
        "body": response["content"]["text"],
    }


def test_mitmproxy_reads_and_rewrites_a_whole_run(tmp_path: Path) -> None:
    """Every exchange that `demo` exports comes out of mitmproxy with its URL, headers, bodies and status unchanged."""
    program = shutil.which("mitmdump")
    if program is None:
        pytest.skip("mitmdump is not on the path; it is too large for the development dependencies")
    acrmock("demo", "--out", str(tmp_path), timeout=100)
    again = tmp_path / "again.har"
    command = [program, "--set", f"confdir={tmp_path}", "-nr", str(tmp_path / "traffic.har"), "--set", f"hardump={again}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    ours, theirs = (json.loads(path.read_bytes())["log"]["entries"] for path in (tmp_path / "traffic.har", again))
    assert [_shown(entry) for entry in theirs] == [_shown(entry) for entry in ours]
    assert len(ours) > 0
