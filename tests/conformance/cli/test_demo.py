"""`acrmock demo`, `certify` and `score` from beginning to end, as processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, VENDOR, acrmock


def test_the_demo_is_ready_and_can_be_scored_again(tmp_path: Path) -> None:
    """`demo` says ready (self-test) with exit code 0 and writes its files; `score` and `report` of them agree with it."""
    demo = acrmock("demo", cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr
    assert "ready (self-test)" in demo.stdout
    out = tmp_path / "acrmock-out"
    assert {path.name for path in out.iterdir()} >= {"result.json", "report.html", "junit.xml", "traffic.har", "journal.ndjson"}
    live = json.loads((out / "result.json").read_text("utf-8"))
    score = acrmock("score", str(out / "journal.ndjson"), "--format", "json", cwd=tmp_path)
    assert score.returncode == 0, score.stderr
    assert json.loads(score.stdout)["findings"] == live["findings"]
    har = acrmock("score", str(out / "traffic.har"), "--format", "json", cwd=tmp_path)
    assert har.returncode == 0, har.stderr
    assert json.loads(har.stdout)["findings"] == live["findings"]
    report = acrmock("report", "--format", "json", cwd=tmp_path)
    assert json.loads(report.stdout) == live
    only = acrmock("score", str(out / "journal.ndjson"), "--only", "auth", "--format", "json", cwd=tmp_path)
    assert {f["group"] for f in json.loads(only.stdout)["findings"]} == {"auth"}


def test_what_can_be_broken_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    """Each name comes with its sentence, and the help of `--profile` names the profiles."""
    listed = acrmock("demo", "--profile", "cdsr", "--list-broken", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert all(len(line.split(maxsplit=1)) == 2 for line in listed.stdout.splitlines())
    assert re.search(r"^apply-addresses +Declares every address there is\.$", listed.stdout, re.MULTILINE)
    told = "".join(acrmock("demo", "--help", cwd=tmp_path).stdout.split())
    assert "dir-direct,dir-pacs,dir-rdim,grid,lcsr" in told
    assert "okta-outside,secureauth" in told


def test_what_a_profile_does_not_score_is_not_offered(tmp_path: Path) -> None:
    """Follow-ups mean nothing for GRID: no vendor is listed that would be broken in vain, and none is run."""
    listed = acrmock("demo", "--profile", "grid", "--list-broken", cwd=tmp_path)
    assert "tx-update" in listed.stdout
    assert "tx-follow-up" not in listed.stdout
    assert "tx-follow-up" in acrmock("demo", "--profile", "nmd", "--list-broken", cwd=tmp_path).stdout
    run = acrmock("demo", "--profile", "grid", "--broken", "tx-follow-up", cwd=tmp_path)
    assert run.returncode == 2
    assert "no vendor broken in that way" in run.stderr


@pytest.mark.parametrize(("check", "code"), [("auth-client-auth", 1), ("auth-pkce", 0)])
def test_a_broken_demo_names_its_check(check: str, code: int, tmp_path: Path) -> None:
    """A failed must is exit code 1; a failed should is shown and costs its point."""
    answer = acrmock("demo", "--broken", check, "--format", "json", cwd=tmp_path)
    assert answer.returncode == code, answer.stderr
    result = json.loads(answer.stdout)
    assert [f["check"] for f in result["findings"] if f["outcome"] == "failed"] == [check]
    assert result["points"]["earned"] < result["points"]["possible"]


def test_launch_with_a_vendor_that_does_everything_at_once(tmp_path: Path) -> None:
    """`certify --launch … --once` runs the client a single time; what was not given is not the vendor's to answer for."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        redirect_url = f"https://localhost:{probe.getsockname()[1]}/cb?tenant=1"
    flags = ("--once", "--redirect-url", redirect_url, "--format", "json")
    answer = acrmock("certify", "--launch", f"{VENDOR} --once", *flags, cwd=tmp_path)
    findings = {f["check"]: f for f in json.loads(answer.stdout)["findings"]}
    assert [check for check, f in findings.items() if f["outcome"] == "failed"] == [], answer.stderr
    assert findings["apply-name"]["outcome"] == "not-applicable"
    assert findings["tx-update"]["outcome"] == "passed"
    assert [path.name for path in (tmp_path / "acrmock-out" / "logs").glob("?-*")] == ["1-everything.log"]


def test_a_client_that_crashes_is_noted_and_not_ready(tmp_path: Path) -> None:
    """A client that leaves at once with an error gives an incomplete verdict, its output is kept, and no traceback is ours."""
    launch = f'"{sys.executable}" -c "import sys; print(\'oh dear\'); sys.exit(3)"'
    answer = acrmock("certify", "--launch", launch, "--format", "json", cwd=tmp_path)
    assert answer.returncode == 3, answer.stderr
    assert "left with 3" in answer.stderr
    logs = sorted((tmp_path / "acrmock-out" / "logs").iterdir())
    assert logs
    assert logs[0].read_text().strip() == "oh dear"
    lines = (tmp_path / "acrmock-out" / "journal.ndjson").read_text("utf-8").splitlines()
    exits = [entry for entry in map(json.loads, lines) if entry.get("name") == "client-exited"]
    assert {entry["data"]["exit_code"] for entry in exits} == {3}


def test_a_client_that_hangs_is_stopped(tmp_path: Path) -> None:
    """After the window the client is stopped and the run goes on to its verdict."""
    launch = f'"{sys.executable}" -c "import threading; threading.Event().wait()"'
    answer = acrmock("certify", "--launch", launch, "--once", "--timeout", "0.5", "--format", "json", cwd=tmp_path)
    assert answer.returncode == 3, answer.stderr
    assert "not finished in its window" in answer.stderr


def test_a_refused_registration_is_evidence(tmp_path: Path) -> None:
    """Flags that ACR would refuse end in a verdict that says so, not in an error."""
    answer = acrmock("certify", "--launch", sys.executable, "--ip", "0.0.0.0/0", "--format", "json", cwd=tmp_path)
    assert answer.returncode == 1, answer.stderr
    findings = {f["check"]: f["outcome"] for f in json.loads(answer.stdout)["findings"]}
    assert findings["apply-addresses"] == "failed"
    assert findings["auth-code-flow"] == "not-exercised"


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_an_interrupted_run_stops_its_client(tmp_path: Path) -> None:
    """Ctrl-C stops the client and the run, keeps the journal, and leaves with 130 and no traceback."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = tmp_path / "running"
    os.mkfifo(running)
    client = f"import threading; open('{running}', 'w').close(); threading.Event().wait()"
    line = [sys.executable, "-m", "conformance.cli", "certify", "--launch", f'"{sys.executable}" -c "{client}"']
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=tmp_path) as process:
        assert process.stderr is not None
        for said in process.stderr:
            if said.startswith("step 1"):
                break
        running.read_bytes()  # until the client is there
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert "Traceback" not in rest
    assert "interrupted" in rest
    assert (tmp_path / "acrmock-out" / "journal.ndjson").exists()
