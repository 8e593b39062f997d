"""The worked examples are certified as a reader of their README would do it, and end ready."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import trustme
from witness import lacking

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
ACRMOCK = [sys.executable, "-m", "conformance.cli"]


def certified(launch: str, tmp_path: Path, registry: str = "lcsr", **more: str) -> dict[str, object]:
    """The result of `acrmock certify --launch`, with a certificate and exams as the README says."""
    leaf = trustme.CA().issue_cert("localhost")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "localhost.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "localhost-key.pem")
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "REDIRECT_CERT": str(tmp_path / "localhost.pem"),
        "REDIRECT_KEY": str(tmp_path / "localhost-key.pem"),
        "EXAMS_FILE": str(tmp_path / "exams.ndjson"),
        **more,
    }
    generate = ("generate", "exams", "--registry", registry, "--count", "40", "--seed", "7", "--out", env["EXAMS_FILE"])
    subprocess.run([*ACRMOCK, *generate], check=True, env=env, timeout=60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        redirect = f"https://localhost:{probe.getsockname()[1]}/callback"
    out = tmp_path / "out"
    asked = ("certify", "--profile", registry, "--launch", launch, "--redirect-url", redirect, "--out", str(out))
    done = subprocess.run(
        [*ACRMOCK, *asked, "--format", "json"],
        capture_output=True,
        text=True,
        env=env,
        timeout=110,
        check=False,
    )
    logs = "".join(f"\n--- {log.name}\n{log.read_text('utf-8', 'replace')}" for log in sorted((out / "logs").glob("*.log")))
    assert done.returncode == 0, done.stderr + done.stdout[-6000:] + logs
    return dict(json.loads(done.stdout))


def not_passed(result: dict[str, object]) -> dict[str, str]:
    """What is scored and applicable and did not pass."""
    findings = result["findings"]
    assert isinstance(findings, list)
    good = {"passed", "not-applicable"}
    return {f["check"]: f["actual"] for f in findings if f["weight"] != "not-scored" and f["outcome"] not in good}


def test_the_python_client_is_ready(tmp_path: Path) -> None:
    """Authlib and requests, step by step; everything that is scored and applies passes."""
    result = certified(f'"{sys.executable}" "{EXAMPLES / "python" / "client.py"}"', tmp_path)
    assert result["verdict"] == "ready"
    assert not_passed(result) == {}


def test_the_python_client_sends_to_another_registry(tmp_path: Path) -> None:
    """With GRID's exams and an element of GRID to change, as the README says, the same client is ready for GRID."""
    launch = f'"{sys.executable}" "{EXAMPLES / "python" / "client.py"}"'
    result = certified(launch, tmp_path, "grid", EXAM_CHANGE='{"Place_Of_Service": "4"}')
    assert result["verdict"] == "ready"
    assert set(not_passed(result)) <= {"tx-coverage"}


def test_the_node_client_is_ready(tmp_path: Path) -> None:
    """openid-client, step by step; everything that is scored and applies passes."""
    node = shutil.which("node")
    if node is None or not (EXAMPLES / "node" / "node_modules" / "openid-client").is_dir():
        lacking("node or openid-client is missing: run npm ci in examples/node", "needs Node and `npm ci` in examples/node")
    result = certified(f'"{node}" "{EXAMPLES / "node" / "client.mjs"}"', tmp_path)
    assert result["verdict"] == "ready"
    assert not_passed(result) == {}
