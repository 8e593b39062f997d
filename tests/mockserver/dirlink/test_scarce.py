"""A receiver that has no descriptor left: it waits, says so once, serves whom it has, and afterwards everybody again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from .conftest import ASSOCIATE_AC, ECHO_CLASS, RELEASE_RP, Raw, command, p_data, pdv

ROOM, CROWD = 24, 60
FEW = 0
CHILD = """
import json, os, resource, socket, sys, threading
from acrmock.clock import SystemClock
from acrmock.record import AssociationEntry, DimseEntry, decode_line
from mockserver import Engine

class Counting(SystemClock):
    waits = 0
    def wait(self, seconds):
        Counting.waits += 1
        super().wait(seconds)

refused, accept, often = [], socket.socket.accept, threading.Semaphore(0)
def counted(sock):
    try:
        return accept(sock)
    except OSError as error:
        refused.append(error.errno)
        often.release()
        raise
socket.socket.accept = counted

engine = Engine(sys.argv[1], dicom_port=0, clock=Counting(), lane=False, read_apart=sys.argv[3] == "apart")
ready = engine.start()
def say(**values):
    print(json.dumps(values), flush=True)
say(url=ready.url, token=ready.control_token, ca=str(ready.ca_file), port=ready.dicom_port)
for line in sys.stdin:
    if line.strip() == "lower":
        engine.core.jobs.idle(60)
        lowest = os.dup(0)
        os.close(lowest)
        before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        Counting.waits = 0
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + int(sys.argv[2]), hard))
        say()
    elif line.strip() == "done":
        say(done=engine.core.jobs.idle(60), reader=engine.core.apart.pid is not None)
    elif line.strip() == "await":
        say(refused=[often.acquire(timeout=60) for _ in range(5)])
    elif line.strip() == "raise":
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))
        say(refused=len(refused), waits=Counting.waits)
    else:
        wanted = int(line)
        engine.core.journal.await_entries(labels=("association",), count=wanted, timeout=60)
        entries = [decode_line(entry) for entry in list(engine.core.journal.export())[1:-1]]
        associations = [entry for entry in entries if isinstance(entry, AssociationEntry)]
        kept = [entry.facts.sop_instance for entry in entries if isinstance(entry, DimseEntry) and entry.facts.status == 0]
        say(associations=len(associations), kept=kept)
engine.stop()
"""


class Child:
    """A process that receives; `ask` sends it a line and reads its answer."""

    def __init__(self, data: Path, said: Path, room: int = ROOM, reader: str = "here") -> None:
        self.said = said
        with said.open("w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(data), str(room), reader],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.ready = self._read()

    def ask(self, line: str) -> dict[str, Any]:
        """What it answers."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.said.read_text()
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        """Let it stop."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(60) == 0, self.said.read_text()


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[Child]:
    """A process that receives, with an application."""
    pytest.importorskip("resource")
    made = Child(folder / "data", folder / "said.txt", **options)
    try:
        body = {"name": "Acme", "redirect_url": ["https://localhost:8765/callback"], "ip": ["203.0.113.7"], "registry": ["lcsr"]}
        headers = {"Authorization": f"Bearer {made.ready['token']}", "Connection": "close"}
        url = f"{made.ready['url']}/_acrmock/applications"
        assert requests.post(url, json=body, headers=headers, verify=made.ready["ca"], timeout=20).status_code == 201
        yield made
    finally:
        made.process.kill()
        made.process.wait()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """A process that receives."""
    with running(tmp_path) as made:
        yield made


def echo(port: int) -> None:
    """Somebody else is served."""
    with Raw(port) as raw:
        assert raw.associate() == ASSOCIATE_AC
        raw.send(p_data(pdv(command(field_=0x30, uid=b"", sop_class=ECHO_CLASS.encode(), data=False), 3, 3)))
        assert raw.status() == 0
        assert raw.release() == RELEASE_RP


def test_without_descriptors_nothing_is_lost(child: Child) -> None:
    """Connections until none can be accepted: who was there is served, all is said once, and after it everybody is served."""
    port = child.ready["port"]
    with ExitStack() as stack:
        there = stack.enter_context(Raw(port))
        assert there.associate() == ASSOCIATE_AC
        assert there.store("2.25.1") == 0
        child.ask("lower")
        crowd = [stack.enter_context(Raw(port)) for _ in range(CROWD)]
        assert child.ask("await")["refused"] == [True] * 5
        assert [there.store(f"2.25.{number}", number=number) for number in range(2, 12)] == [0] * 10
        assert crowd[0].associate() == ASSOCIATE_AC
        assert crowd[0].store("2.25.12") == 0
        for raw in crowd[1:-1]:
            raw.wire.close()
        assert crowd[-1].associate() == ASSOCIATE_AC  # it waited for its turn
        assert crowd[-1].store("2.25.13") == 0
        assert [raw.release() for raw in (there, crowd[0], crowd[-1])] == [RELEASE_RP] * 3
    echo(port)
    counted = child.ask("raise")
    assert counted["waits"] >= counted["refused"] >= 5
    echo(port)
    found = child.ask(str(CROWD + 3))
    assert found["associations"] == CROWD + 3
    assert sorted(found["kept"]) == sorted(["", ""] + [f"2.25.{number}" for number in range(1, 14)])  # two are C-ECHOs
    child.end()
    said = child.said.read_text()
    assert said.count("no more connections can be accepted for now") == 1
    assert "in accept" not in said  # no traceback of what was expected


@pytest.mark.parametrize("reader", ["here", "apart"])
def test_the_first_report_is_read_without_descriptors(tmp_path: Path, reader: str) -> None:
    """Descriptors that run out when nobody has sent a report yet: the first one is read, at once and by whom it should be."""
    with running(tmp_path, room=FEW, reader=reader) as child, Raw(child.ready["port"]) as raw:
        assert raw.associate() == ASSOCIATE_AC
        child.ask("lower")
        assert raw.store("2.25.1") == 0
        assert child.ask("done") == {"done": True, "reader": reader == "apart"}
        child.ask("raise")
        assert raw.release() == RELEASE_RP
        assert child.ask("1")["kept"] == ["2.25.1"]
        child.end()
        assert child.said.read_text() == ""
