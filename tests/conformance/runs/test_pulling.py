"""Pull mode: a client takes its steps by URL, one after the other, and is judged as one that was launched."""

from __future__ import annotations

import dataclasses
import os
import queue
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.record import EventEntry
from conformance.cli.app import run as command_line
from conformance.result import Result, Verdict
from conformance.runs import demo
from conformance.runs.certification import certify
from conformance.runs.events import Event, PullReady
from conformance.runs.inprocess import VendorThread
from conformance.runs.judging import Question, judge_recording, read_recording
from conformance.runs.pulling import Pull, PulledStep, pulling

STEP = PulledStep(step="sign-in", number=1, of=2, text="sign in", window=60, registration="r.json", environment={"A": "b"})


class Url:
    """Hands on the URL that the run tells of."""

    def __init__(self) -> None:
        self.found: queue.Queue[str] = queue.Queue()

    def handle(self, event: Event) -> None:
        """Take the URL."""
        if isinstance(event, PullReady):
            self.found.put(event.url)


def drive(out: Path, step: Callable[[str, dict[str, Any]], bool], **changes: Any) -> Result:
    """Certify with a client that pulls: `step` does one and says whether it goes on."""

    def client() -> None:
        url = told.found.get(timeout=60)
        while (answer := session().get(url, timeout=60)).status_code == 200:
            if not step(url, answer.json()):
                return
        ends.append(answer.status_code)

    told, ends = Url(), list[int]()
    thread = threading.Thread(target=client, daemon=True)
    thread.start()
    with demo.order("lcsr", out) as prepared:
        result = certify(dataclasses.replace(prepared, command=None, pull=0, package=False, **changes), (told,))
    thread.join(60)
    assert not thread.is_alive()
    assert ends in ([204], [])
    return result


def session() -> requests.Session:
    """A client that no proxy of the environment leads astray."""
    made = requests.Session()
    made.trust_env = False
    return made


def test_a_client_that_pulls_its_steps_is_ready(tmp_path: Path) -> None:
    """The reference vendor, told each step by URL, does all of `lcsr`; the journal has the steps, and scores the same."""
    vendor, names = VendorThread(None), list[str]()

    def step(_url: str, told: dict[str, Any]) -> bool:
        names.append(told["step"])
        assert (told["number"], told["of"]) == (len(names), 6)
        assert told["text"]
        env = {**os.environ, **told["environment"]}
        assert Path(env["ACRMOCK_BROWSER_LOG"]).parent.is_dir()
        return vendor([], env, timeout=told["window"], log=tmp_path / f"{told['step']}.log").code == 0

    out = tmp_path / "out"
    result = drive(out, step)
    assert names == [step.name for step in load_facts().profile("lcsr").steps]
    assert [finding.check for finding in result.findings if finding.outcome == "failed"] == []
    assert result.verdict is Verdict.READY
    recording = read_recording(out / "journal.ndjson")
    events = [(e.name, e.data["step"]) for e in recording.entries if isinstance(e, EventEntry) and e.name.startswith("step-")]
    assert events == [(kind, name) for name in names for kind in ("step-began", "step-ended")]
    assert judge_recording(recording, load_facts(), Question()).findings == result.findings
    assert not (out / "private" / "pull.json").exists()
    assert not (out / "private" / "browser.json").exists(), "the control token is left behind"


def test_a_client_that_stops_asking_ends_the_run(tmp_path: Path) -> None:
    """When no request comes in a step's window, no further step begins, and what was not done is not exercised."""
    result = drive(tmp_path / "out", lambda *_: False, timeout=0.5)
    assert result.verdict is Verdict.INCOMPLETE
    entries = read_recording(tmp_path / "out" / "journal.ndjson").entries
    assert [e.data["step"] for e in entries if isinstance(e, EventEntry) and e.name == "step-began"] == ["sign-in"]


def answered(pull: Pull, seconds: float = 30) -> list[requests.Response]:
    """Ask once in a thread, and see that the harness was asked."""
    answers: list[requests.Response] = []
    thread = threading.Thread(target=lambda: answers.append(session().get(pull.url, timeout=seconds)), daemon=True)
    thread.start()
    assert pull.asked(seconds)
    return answers


def test_only_the_right_request_is_answered() -> None:
    """Without the secret, under another host or with POST nothing begins; a second request at once is refused."""
    with pulling(0) as pull:
        assert pull is not None
        parts = urlsplit(pull.url)
        assert session().get(f"http://{parts.netloc}/next", timeout=30).status_code == 404
        assert session().get(pull.url, headers={"Host": "evil.example"}, timeout=30).status_code == 403
        refused = session().post(pull.url, data=b"", timeout=30)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
        assert not pull.asked(0.01)
        answers = answered(pull)
        assert session().get(pull.url, timeout=30).status_code == 409
        pull.give(STEP)
    assert answers[0].json()["environment"] == {"A": "b"}
    assert answers[0].headers["Cache-Control"] == "no-store"


def test_who_waits_when_the_run_ends_is_told() -> None:
    """A run that breaks off while a client waits for its step answers 410, it does not hang."""
    with pulling(0) as pull:
        assert pull is not None
        answers = answered(pull)
    for thread in threading.enumerate():
        if thread.name.endswith("(<lambda>)"):
            thread.join(30)
    assert [answer.status_code for answer in answers] == [410]


def test_a_port_in_use_is_the_users_to_mend() -> None:
    """The error names the flag."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SetupError, match="port cannot be used"), pulling(taken.getsockname()[1]):
            pytest.fail("the port was taken twice")


@pytest.mark.parametrize("flags", [("--pull", "--once"), ("--pull", "--launch", "true"), ("--port", "0")])
def test_flags_that_do_not_go_together_are_refused(flags: tuple[str, ...], tmp_path: Path) -> None:
    """A usage error, before anything is started."""
    assert command_line(["certify", *flags, "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
