"""What was acknowledged survives a kill, and the sync comes before the answer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from clients.server import Served
from clients.vendor import bearer_session, post_path, transaction

POSTS = 100
KILL_AFTER = 40


def with_own_id(body: dict[str, Any]) -> dict[str, Any]:
    """The same exams under a new transaction ID."""
    return {**body, "Transaction_Header": {**body["Transaction_Header"], "Transaction_ID": str(uuid.uuid4())}}


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX signal is needed")
def test_kill_during_posts_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Every transaction answered with 202 before SIGKILL is there after the restart, under the same keys and token."""
    server = Served(tmp_path / "data")
    registration = server.register("Durable")
    authorization = bearer_session(registration).headers["Authorization"]
    url = registration["nrdr"] + post_path(registration)
    template = transaction(registration)
    acknowledged: list[str] = []
    enough = threading.Event()

    def post(_number: int) -> None:
        body = with_own_id(template)
        try:
            answer = requests.post(
                url, json=body, headers={"Authorization": authorization}, verify=registration["ca_file"], timeout=20
            )
        except requests.RequestException:
            return  # cut off by the kill: not acknowledged
        assert answer.status_code == 202, answer.text
        acknowledged.append(body["Transaction_Header"]["Transaction_ID"])
        if len(acknowledged) >= KILL_AFTER:
            enough.set()

    with ThreadPoolExecutor(8) as pool:
        posts = [pool.submit(post, number) for number in range(POSTS)]
        assert enough.wait(timeout=60)
        server.kill()
        for one in posts:
            one.result()
    assert KILL_AFTER <= len(acknowledged) < POSTS

    restarted = Served(tmp_path / "data", options=["--port", str(server.ready["port"])])
    try:
        for identifier in acknowledged:
            answer = requests.get(
                f"{registration['nrdr']}/lcsr/transactions/{identifier}",
                headers={"Authorization": authorization},
                verify=registration["ca_file"],
                timeout=20,
            )
            assert answer.status_code == 200, (identifier, answer.text)
    finally:
        restarted.stop()


def can_trace() -> bool:
    """Whether strace is here and may trace."""
    return (
        shutil.which("strace") is not None and subprocess.run(["strace", "-o", os.devnull, "true"], check=False).returncode == 0
    )


def test_sync_comes_before_send(tmp_path: Path) -> None:
    """Between the last byte received of a post and the first byte sent of its 202 the kernel saw a sync of the store."""
    if not can_trace():
        if os.environ.get("ACRMOCK_REQUIRE_WITNESSES") == "1" and sys.platform == "linux":
            pytest.fail("strace is missing or may not trace")
        pytest.skip("needs strace and leave to trace")
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,read,recvfrom,write,sendto,sendmsg"
    server = Served(tmp_path / "data", wrapper=["strace", "-f", "-yy", "-s", "0", "-e", calls, "-o", str(trace)])
    try:
        registration = server.register("Synced")
        session = bearer_session(registration)
        body = transaction(registration)
        answer = session.post(registration["nrdr"] + post_path(registration), json=body, timeout=60)
        assert answer.status_code == 202, answer.text
    finally:
        server.stop()
    order = "".join(kind_of(line) for line in trace.read_text().splitlines())
    sent = order.rindex("W")  # the 202; a handshake, which is answered without a sync, never comes last
    received = order.rindex("R", 0, sent)
    assert "S" in order[received:sent], order[-200:]
    assert len(re.findall("RS+W", order)) >= 4, order[-200:]  # registration, sign-in, token, post


def kind_of(line: str) -> str:
    """`R` for bytes received over TCP, `W` for bytes sent over it, `S` for a finished sync of the store, else nothing."""
    socket = "<TCP" in line
    if re.search(r"\b(fsync|fdatasync)\(.*sqlite.*= 0|(fsync|fdatasync) resumed>.*= 0", line):
        return "S"
    if socket and re.search(r"\b(read|recvfrom)\(", line):
        return "R"
    if socket and re.search(r"\b(write|sendto|sendmsg)\(", line):
        return "W"
    return ""
