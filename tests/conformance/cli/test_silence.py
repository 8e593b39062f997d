"""`acrmock certify --launch` of a client of which nothing comes."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from command_line import acrmock

from conformance.runs.events import SentNothing, StepEnded
from conformance.runs.silence import lines

_UNTRUSTING = """
import json, os, ssl, urllib.request, urllib.error
url = json.load(open(os.environ["ACRMOCK_REGISTRATION"]))["issuer"]
nowhere = url.partition("/test/")[0] + "/nowhere?x=1"
for context, where in ((ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), url), (ssl._create_unverified_context(), nowhere)):
    try:
        urllib.request.urlopen(where, context=context)
    except urllib.error.URLError as error:
        print("cannot:", error)
raise SystemExit(5)
"""


def _client(path: Path, code: str) -> str:
    path.write_text(code, "utf-8")
    return f'"{sys.executable}" "{path}"'


def test_a_client_that_dies_at_once(tmp_path: Path) -> None:
    """How it ended and what it said come first and stand alone; nobody must find them below a checklist. Exit code 3."""
    code = "import sys\nprint('step 1 of many')\nsys.exit('no such setting: \\x1b[31mclient_id')"
    answer = acrmock("certify", "--launch", _client(tmp_path / "client.py", code), cwd=tmp_path)
    assert answer.returncode == 3, answer.stderr
    said = answer.stdout.strip().splitlines()
    assert said[0] == "the client ended with exit code 1 before it sent anything"
    assert "             | no such setting: [U+001B][31mclient_id" in said
    assert "  steps      all 6 alike" in said
    assert said[-1].startswith("incomplete (self-test")
    assert "not exercised" not in answer.stdout
    assert (tmp_path / "acrmock-out" / "report.html").exists()


def test_what_came_instead_is_named(tmp_path: Path) -> None:
    """A program gets its JSON as ever, and a person on standard error the handshakes and the paths that led nowhere."""
    launch = _client(tmp_path / "client.py", _UNTRUSTING)
    answer = acrmock("certify", "--launch", launch, "--once", "--format", "json", cwd=tmp_path)
    assert answer.returncode == 3, answer.stderr
    assert json.loads(answer.stdout)["verdict"] == "incomplete"
    assert "the client ended with exit code 5 before it sent a request" in answer.stderr
    assert "it came once to a TLS handshake that failed" in answer.stderr
    assert "belong to no application: GET /nowhere" in answer.stderr


def test_a_command_that_is_not_there_is_a_setup_error(tmp_path: Path) -> None:
    """What cannot be started is exit code 2, before anything is judged."""
    answer = acrmock("certify", "--launch", "no-such-program-anywhere --x", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "no-such-program-anywhere" in answer.stderr


@pytest.mark.parametrize(
    ("code", "timed_out", "first"),
    [
        (127, False, "the client ended with exit code 127 before it sent anything"),
        (-9, False, "the client was ended by signal 9 before it sent anything"),
        (0, False, "the client ended well (exit code 0) and did not send anything"),
        (None, True, "the client was stopped at the end of its window, before it sent anything"),
    ],
)
def test_each_way_of_ending_has_its_words(code: int | None, timed_out: bool, first: str, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    """Exit codes, signals, silence and time are told apart; a log that is not there harms nothing."""
    ended = StepEnded("sign-in", code, timed_out, tmp_path / "none.log")
    told = lines(SentNothing(command=("sh", "-c", "x y"), first=ended, steps=1, alike=True))
    assert told[0] == first
    assert shlex.split(told[1].partition("command")[2]) == ["sh", "-c", "x y"]
    assert any("did not find a program" in line for line in told) == (code == 127)
